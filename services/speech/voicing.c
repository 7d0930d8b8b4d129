#include "services/speech/voicing.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/lane.h"
#include "common/log.h"
#include "services/speech/heard.h"

enum { SAMPLES_MS = PL_FRAME_HZ / 1000, NOBODY = VOICES_CHOICES_MAX };

/* One voice at work on the sentence, or its rest. */
typedef struct {
    voicing_t *owner;
    size_t choice; /* NOBODY: none */
    void *job;
    uint64_t asked_ms;
    bool sounded;
} attempt_t;

struct voicing {
    pl_loop_t *loop;
    voicing_opts_t opts;
    voicing_sink_t sink;
    voices_choice_t choices[VOICES_CHOICES_MAX];
    size_t count;
    bool tried[VOICES_CHOICES_MAX];
    char *text, *lang;
    char *voices[VOICES_CHOICES_MAX]; /* of the choices, owned */
    double rate;
    Pl__Style style;
    attempt_t first, second;           /* second: the hedge, until one of them sounds */
    pl_timer_t *timer;                 /* a deadline, or the hedge's time */
    pl_timer_t *next;                  /* another voice, or the end, outside of a callback */
    size_t begun_bytes, begun_samples; /* where the present voice began */
    size_t bytes, samples;             /* said and given so far; bytes by its own account, if any */
    bool accounted;
    bool impure;
    pl_err_t err;
};

static void speak(voicing_t *self, attempt_t *a);

/* ---- life ---- */

static char *copy(const char *text)
{
    char *out = strdup(text ? text : "");
    assert(out);
    return out;
}

static void attempt_cancel(attempt_t *a)
{
    if (a->choice == NOBODY) return;
    const voices_choice_t *choice = &a->owner->choices[a->choice];
    a->choice = NOBODY;
    choice->provider->cancel(&a->job);
    breaker_forgot(choice->breaker);
}

static void voicing_free(voicing_t *self)
{
    pl_timer_stop(&self->timer);
    pl_timer_stop(&self->next);
    for (size_t i = 0; i < self->count; i++) free(self->voices[i]);
    free(self->text);
    free(self->lang);
    free(self);
}

void voicing_cancel(voicing_t **self_p)
{
    voicing_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    attempt_cancel(&self->first);
    attempt_cancel(&self->second);
    voicing_free(self);
}

static void finish(voicing_t *self, pl_err_t err)
{
    voicing_sink_t sink = self->sink;
    bool pure = !self->impure;
    voicing_free(self);
    sink.done(sink.arg, err, pure);
}

/* ---- who is next ---- */

/* The first that was not tried and may be asked now; where none may, the first not tried. */
static size_t pick(const voicing_t *self)
{
    uint64_t now_ms = pl_clock_ms();
    size_t spare = NOBODY;
    for (size_t i = 0; i < self->count; i++) {
        if (self->tried[i]) continue;
        if (breaker_open(self->choices[i].breaker, now_ms)) return i;
        if (spare == NOBODY) spare = i;
    }
    return spare;
}

static void on_next(void *arg)
{
    voicing_t *self = arg;
    pl_timer_stop(&self->next);
    if (pick(self) == NOBODY)
        finish(self, self->err);
    else
        speak(self, &self->first);
}

static void go_on(voicing_t *self)
{
    pl_timer_stop(&self->timer);
    if (!self->next) self->next = pl_timer_start(self->loop, 0, 0, on_next, self);
}

/* ---- what a voice does ---- */

/* The first sound: the other one, if any, is not wanted any more. */
static void sounds(attempt_t *a)
{
    voicing_t *self = a->owner;
    a->sounded = true;
    breaker_succeeded(self->choices[a->choice].breaker, (uint32_t)(pl_clock_ms() - a->asked_ms));
    pl_timer_stop(&self->timer);
    if (a->choice != 0) self->impure = true;
    attempt_cancel(a == &self->first ? &self->second : &self->first);
}

static void on_audio(void *arg, const int16_t *pcm, size_t samples)
{
    attempt_t *a = arg;
    voicing_t *self = a->owner;
    if (!a->sounded) sounds(a);
    self->samples += samples;
    self->sink.audio(self->sink.arg, pcm, samples);
}

static void on_said(void *arg, size_t bytes, size_t samples)
{
    attempt_t *a = arg;
    voicing_t *self = a->owner;
    self->bytes = self->begun_bytes + bytes;
    self->accounted = true;
    self->sink.said(self->sink.arg, self->bytes, self->begun_samples + samples);
}

/* The voice broke off: the next one begins after the last word that was said whole. */
static void begin_after(voicing_t *self)
{
    const char *rest = self->text + self->begun_bytes;
    uint32_t given_ms = (uint32_t)((self->samples - self->begun_samples) / SAMPLES_MS);
    uint32_t all_ms = (uint32_t)(heard_guess_ms(rest) / self->rate);
    size_t said =
        self->accounted ? self->bytes - self->begun_bytes : heard_bytes(rest, given_ms, all_ms);
    self->begun_bytes += said;
    self->begun_samples = self->samples;
    self->impure = true;
}

static void failed(attempt_t *a, pl_err_t err, const char *why)
{
    voicing_t *self = a->owner;
    const voices_choice_t *choice = &self->choices[a->choice];
    log_warn("say.failed", "provider=%s lang=%s why=\"%s\" after_ms=%zu", choice->provider->name,
             self->lang, why, self->samples / SAMPLES_MS);
    pl_metric_add(choice->failures, 1);
    breaker_failed(choice->breaker, pl_clock_ms());
    self->err = err;
    if (a->sounded) begin_after(self);
    a->choice = NOBODY;
    bool other = self->first.choice != NOBODY || self->second.choice != NOBODY;
    if (other) return;
    if (pick(self) != NOBODY) pl_metric_add(choice->replaced, 1);
    go_on(self);
}

static void on_done(void *arg, pl_err_t err)
{
    attempt_t *a = arg;
    voicing_t *self = a->owner;
    if (err && err != PL_INVALID) {
        failed(a, err, pl_err_name(err));
        return;
    }
    a->choice = NOBODY;
    attempt_cancel(a == &self->first ? &self->second : &self->first);
    finish(self, err);
}

/* ---- time ---- */

static void watch(voicing_t *self);

static void on_time(void *arg)
{
    voicing_t *self = arg;
    pl_timer_stop(&self->timer);
    attempt_t *a = self->first.choice != NOBODY ? &self->first : &self->second;
    if (a->choice == NOBODY) return;
    if (pl_clock_ms() - a->asked_ms >= self->opts.first_audio_ms) {
        size_t late = a->choice;
        self->choices[late].provider->cancel(&a->job);
        failed(a, PL_TIMEOUT, "no sound in time");
    } else if (self->second.choice == NOBODY && pick(self) != NOBODY) {
        speak(self, &self->second);
    }
    watch(self);
}

/* The next time at which something must be done about a voice that has not sounded. The last one
 * has no deadline: nobody would take over. */
static void watch(voicing_t *self)
{
    const attempt_t *a = self->first.choice != NOBODY ? &self->first : &self->second;
    bool spare = pick(self) != NOBODY;
    bool hedged = self->first.choice != NOBODY && self->second.choice != NOBODY;
    if (a->choice == NOBODY || a->sounded || (!spare && !hedged)) return;
    uint64_t due_ms = self->opts.first_audio_ms;
    uint32_t p95_ms = breaker_p95_ms(self->choices[a->choice].breaker);
    if (self->opts.hedge && !hedged && spare && p95_ms > 0 && p95_ms < due_ms) due_ms = p95_ms;
    uint64_t waited_ms = pl_clock_ms() - a->asked_ms;
    pl_timer_stop(&self->timer);
    self->timer =
        pl_timer_start(self->loop, due_ms > waited_ms ? due_ms - waited_ms : 1, 0, on_time, self);
}

/* ---- asking ---- */

static void speak(voicing_t *self, attempt_t *a)
{
    size_t i = pick(self);
    const voices_choice_t *choice = &self->choices[i];
    self->tried[i] = true;
    *a = (attempt_t){.owner = self, .choice = i, .asked_ms = pl_clock_ms()};
    self->accounted = false;
    tts_say_t say = {self->text + self->begun_bytes, self->lang, self->voices[i], self->rate,
                     self->style};
    tts_sink_t sink = {on_audio, on_said, on_done, a};
    breaker_asked(choice->breaker, a->asked_ms);
    pl_err_t err = choice->provider->say(choice->engine, &a->job, &say, &sink);
    if (err == PL_INVALID) { /* nothing to say: so it is for the others */
        a->choice = NOBODY;
        self->err = err;
        for (size_t k = 0; k < self->count; k++) self->tried[k] = true;
        go_on(self);
    } else if (err) {
        failed(a, err, pl_err_name(err));
    } else if (a == &self->first) {
        watch(self);
    }
}

voicing_t *voicing_new(pl_loop_t *loop, const voices_choice_t *choices, size_t count,
                       const voicing_opts_t *opts, const tts_say_t *say, const voicing_sink_t *sink)
{
    assert(count >= 1 && count <= VOICES_CHOICES_MAX);
    voicing_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->opts = *opts;
    self->sink = *sink;
    self->count = count;
    self->first.owner = self->second.owner = self;
    self->first.choice = self->second.choice = NOBODY;
    self->text = copy(say->text);
    self->lang = copy(say->lang);
    self->rate = say->rate > 0 ? say->rate : 1.0;
    self->style = say->style;
    for (size_t i = 0; i < count; i++) {
        self->choices[i] = choices[i];
        self->voices[i] = copy(choices[i].voice);
    }
    speak(self, &self->first);
    return self;
}
