#include "services/speech/recognition.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/lane.h"
#include "common/log.h"

enum {
    LANG_BYTES = 36,
    PARTIAL_BYTES = 4096,
    SAMPLES_MAX = 70 * PL_FRAME_HZ, /* endpointing ends an utterance before */
    RETRY_MS = 100,                 /* before the second retry, twice that before the third ... */
};

typedef struct utterance utterance_t;

/* One recogniser at work on an utterance. */
typedef struct {
    utterance_t *utterance;
    recogniser_t *recogniser; /* NULL: nobody */
    size_t index;             /* of it */
    void *stream;
    uint64_t ended_ms; /* it was told the end; 0: not yet */
} attempt_t;

struct utterance {
    recognition_t *owner;
    utterance_t *next; /* younger */
    Pl__Expect expect;
    char lang[LANG_BYTES];
    int16_t *pcm;
    size_t samples, room;
    bool narrow, paused, ended;
    attempt_t first, second; /* second: the hedge */
    size_t tries;
    unsigned tried;    /* recognisers, a bit each */
    pl_timer_t *timer; /* deadline, or the hedge's time */
    pl_timer_t *retry; /* the next try, outside of a callback */
    bool known;        /* its text is final */
    char *text;
    double confidence;
    char partial[PARTIAL_BYTES];
};

struct recognition {
    recognisers_t *recognisers;
    recognition_sink_t sink;
    utterance_t *oldest, *open;
    pl_timer_t *telling; /* finals, outside of a call */
    stt_memory_t memory[RECOGNISERS_MAX];
    bool narrow;
};

static void try_next(utterance_t *u, attempt_t *a, size_t from);
static void told(recognition_t *self);

/* ---- attempts ---- */

static void attempt_close(attempt_t *a, bool forget)
{
    if (!a->recogniser) return;
    if (forget) breaker_forgot(&a->recogniser->breaker);
    if (a->stream) a->recogniser->provider->close(&a->stream);
    a->recogniser = NULL;
    a->ended_ms = 0;
}

static void utterance_free(utterance_t *u)
{
    attempt_close(&u->first, true);
    attempt_close(&u->second, true);
    pl_timer_stop(&u->timer);
    pl_timer_stop(&u->retry);
    free(u->pcm);
    free(u->text);
    free(u);
}

static void take_out(utterance_t *u)
{
    utterance_t **at = &u->owner->oldest;
    while (*at != u) at = &(*at)->next;
    *at = u->next;
    if (u->owner->open == u) u->owner->open = NULL;
}

static void settle(utterance_t *u, const char *text, double confidence)
{
    attempt_close(&u->first, true);
    attempt_close(&u->second, true);
    pl_timer_stop(&u->timer);
    pl_timer_stop(&u->retry);
    u->known = true;
    u->text = strdup(text);
    assert(u->text);
    u->confidence = confidence;
}

/* ---- what recognisers say ---- */

static void on_partial(void *arg, const char *text, size_t samples)
{
    attempt_t *a = arg;
    utterance_t *u = a->utterance;
    if (a == &u->second && u->first.recogniser) return; /* one voice at a time */
    (void)snprintf(u->partial, sizeof u->partial, "%s", text);
    if (u->owner->oldest == u) u->owner->sink.partial(u->owner->sink.arg, text, samples);
}

static void on_final(void *arg, const char *text, double confidence)
{
    attempt_t *a = arg;
    utterance_t *u = a->utterance;
    recognition_t *self = u->owner;
    uint64_t took_ms = a->ended_ms ? pl_clock_ms() - a->ended_ms : 0;
    breaker_succeeded(&a->recogniser->breaker, (uint32_t)took_ms);
    settle(u, text, confidence);
    told(self);
}

static void on_retry(void *arg)
{
    utterance_t *u = arg;
    pl_timer_stop(&u->retry);
    try_next(u, &u->first, u->first.index + 1);
}

/* Another one takes the utterance over, from its first sample: the hedge, if there is one. */
static void replace(attempt_t *a, const char *why)
{
    utterance_t *u = a->utterance;
    log_warn("stt.replaced", "provider=%s why=\"%s\" tries=%zu samples=%zu",
             a->recogniser->provider->name, why, u->tries, u->samples);
    pl_metric_add(a->recogniser->failures, 1);
    breaker_failed(&a->recogniser->breaker, pl_clock_ms());
    u->first.index = a->index;
    attempt_close(a, false);
    if (u->first.recogniser || u->second.recogniser) return;
    pl_timer_stop(&u->timer);
    pl_timer_stop(&u->retry);
    u->retry = pl_timer_start(recognisers_loop(u->owner->recognisers),
                              (uint64_t)RETRY_MS * (u->tries - 1), 0, on_retry, u);
}

static void on_failed(void *arg, pl_err_t err)
{
    replace(arg, pl_err_name(err));
}

/* ---- time ---- */

static void watch(utterance_t *u);

/* The attempt that was begun first of those under way; NULL: none. */
static attempt_t *at_work(utterance_t *u)
{
    if (u->first.recogniser) return &u->first;
    return u->second.recogniser ? &u->second : NULL;
}

static bool untried(const utterance_t *u)
{
    recognisers_t *all = u->owner->recognisers;
    for (size_t i = 0; i < recognisers_count(all); i++) {
        if (!recognisers_at(all, i)->gone && !(u->tried & 1U << i)) return true;
    }
    return false;
}

static void on_time(void *arg)
{
    utterance_t *u = arg;
    recognisers_t *all = u->owner->recognisers;
    pl_timer_stop(&u->timer);
    attempt_t *a = at_work(u);
    if (!a) return;
    if (pl_clock_ms() - a->ended_ms >= recognisers_deadline_ms(all)) {
        if (!untried(u)) return; /* nobody would be sooner */
        replace(a, "past its deadline");
        watch(u);
        return;
    }
    if (!u->second.recogniser && u->tries < RECOGNITION_TRIES)
        try_next(u, &u->second, a->index + 1);
    watch(u);
}

/* Sets the time at which something must be done about an utterance that has ended. */
static void watch(utterance_t *u)
{
    recognisers_t *all = u->owner->recognisers;
    const attempt_t *a = at_work(u);
    if (recognisers_count(all) < 2 || !a) return;
    uint64_t deadline_ms = recognisers_deadline_ms(all);
    uint64_t due_ms = deadline_ms;
    uint32_t p95_ms = breaker_p95_ms(&a->recogniser->breaker);
    if (recognisers_hedge(all) && !u->second.recogniser && p95_ms > 0 && p95_ms < deadline_ms)
        due_ms = p95_ms;
    uint64_t waited_ms = pl_clock_ms() - a->ended_ms;
    pl_timer_stop(&u->timer);
    u->timer = pl_timer_start(recognisers_loop(all), due_ms > waited_ms ? due_ms - waited_ms : 1, 0,
                              on_time, u);
}

/* ---- trying ---- */

static void attempt_end(attempt_t *a)
{
    a->ended_ms = pl_clock_ms();
    a->recogniser->provider->end_of_speech(a->stream);
}

/* Nobody is left to ask: what is known must do. */
static void give_up(utterance_t *u)
{
    recognition_t *self = u->owner;
    log_error("stt.given_up", "tries=%zu samples=%zu", u->tries, u->samples);
    if (!u->ended) return; /* at its end */
    settle(u, u->partial, 0);
    told(self);
}

static void try_next(utterance_t *u, attempt_t *a, size_t from)
{
    recognisers_t *all = u->owner->recognisers;
    uint64_t now_ms = pl_clock_ms();
    if (u->tries == RECOGNITION_TRIES) {
        if (a == &u->first) give_up(u);
        return;
    }
    size_t i = recognisers_next(all, from, now_ms);
    if (a == &u->second && i == u->first.index) return; /* a hedge is somebody else */
    if (u->tries > 0 && i != u->first.index)
        pl_metric_add(recognisers_at(all, u->first.index)->replaced, 1);
    recogniser_t *r = recognisers_at(all, i);
    u->tries++;
    u->tried |= 1U << i;
    *a = (attempt_t){.utterance = u, .recogniser = r, .index = i};
    stt_sink_t sink = {on_partial, on_final, on_failed, a};
    if (r->provider->open(r->engine, &a->stream, &sink) != PL_OK) {
        a->stream = NULL;
        replace(a, "no stream");
        return;
    }
    breaker_asked(&r->breaker, now_ms);
    r->provider->listen(a->stream, u->expect, u->lang, u->narrow);
    if (r->provider->remember) r->provider->remember(a->stream, &u->owner->memory[i]);
    if (u->samples > 0) (void)r->provider->feed(a->stream, u->pcm, u->samples);
    if (u->paused || u->ended) r->provider->pause(a->stream);
    if (!u->ended) return;
    attempt_end(a);
    watch(u);
}

/* ---- telling ---- */

static void tell_finals(void *arg)
{
    recognition_t *self = arg;
    pl_timer_stop(&self->telling);
    while (self->oldest && self->oldest->known && self->oldest->ended) {
        utterance_t *u = self->oldest;
        take_out(u);
        char *text = u->text;
        u->text = NULL;
        double confidence = u->confidence;
        utterance_free(u);
        self->sink.final(self->sink.arg, text, confidence);
        free(text);
    }
}

/* Soon, outside of whatever is going on. */
static void told(recognition_t *self)
{
    if (self->telling) return;
    self->telling = pl_timer_start(recognisers_loop(self->recognisers), 0, 0, tell_finals, self);
}

/* ---- in ---- */

recognition_t *recognition_new(recognisers_t *recognisers, const recognition_sink_t *sink)
{
    recognition_t *self = calloc(1, sizeof *self);
    assert(self);
    self->recognisers = recognisers;
    self->sink = *sink;
    return self;
}

void recognition_destroy(recognition_t **self_p)
{
    recognition_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_timer_stop(&self->telling);
    while (self->oldest) {
        utterance_t *u = self->oldest;
        self->oldest = u->next;
        utterance_free(u);
    }
    free(self);
}

void recognition_begin(recognition_t *self, Pl__Expect expect, const char *lang)
{
    assert(!self->open);
    utterance_t *u = calloc(1, sizeof *u);
    assert(u);
    u->owner = self;
    u->expect = expect;
    u->narrow = self->narrow;
    (void)snprintf(u->lang, sizeof u->lang, "%s", lang);
    utterance_t **at = &self->oldest;
    while (*at) at = &(*at)->next;
    *at = u;
    self->open = u;
    try_next(u, &u->first, 0);
}

void recognition_narrow(recognition_t *self, bool narrow)
{
    self->narrow = narrow;
}

void recognition_feed(recognition_t *self, const int16_t *pcm, size_t samples)
{
    utterance_t *u = self->open;
    if (!u || u->samples + samples > SAMPLES_MAX) return;
    if (u->samples + samples > u->room) {
        u->room = 2 * (u->samples + samples);
        u->pcm = realloc(u->pcm, u->room * sizeof *u->pcm);
        assert(u->pcm);
    }
    memcpy(u->pcm + u->samples, pcm, samples * sizeof *pcm);
    u->samples += samples;
    u->paused = false;
    if (u->first.recogniser)
        (void)u->first.recogniser->provider->feed(u->first.stream, pcm, samples);
}

void recognition_pause(recognition_t *self)
{
    utterance_t *u = self->open;
    if (!u) return;
    u->paused = true;
    if (u->first.recogniser) u->first.recogniser->provider->pause(u->first.stream);
}

void recognition_end(recognition_t *self)
{
    utterance_t *u = self->open;
    if (!u) return;
    self->open = NULL;
    u->ended = true;
    if (u->known) { /* a recogniser that had enough */
        told(self);
        return;
    }
    if (u->first.recogniser) {
        attempt_end(&u->first);
        watch(u);
    } else if (!u->retry) {
        give_up(u);
    }
}

void recognition_drop(recognition_t *self)
{
    utterance_t *u = self->open;
    if (!u) return;
    take_out(u);
    utterance_free(u);
    if (self->oldest && self->oldest->known) told(self);
}
