#include "services/speech/hearing.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/lane.h"
#include "services/speech/endpoint.h"

enum {
    LANG_BYTES = 36,
    PARTIAL_BYTES = 4096,
    HANGOVER_SAMPLES = 120 * PL_FRAME_HZ / 1000, /* voice activity holds on to a voice so long */
    ASIDE_MS = 300,
    ASIDE_SAMPLES = (LISTENING_PREROLL_MS + LISTENING_ONSET_WINDOW_MS + 700) * PL_FRAME_HZ / 1000,
    CUT_MS = 900, /* a voice so soon after the last one goes on with what seemed to be over */
};

typedef struct {
    listening_end_t end;
    uint64_t decided_us;
    uint32_t turn;
    size_t voiced; /* samples up to its last voice */
    bool told;     /* by its partial */
    char lang[LANG_BYTES];
} pending_t;

struct hearing {
    hearing_sink_t sink;
    hearing_opts_t opts;
    listening_t *listening;
    uint32_t silence_ms;      /* in force */
    char lang[LANG_BYTES];    /* of the next utterance */
    char hearing[LANG_BYTES]; /* of the one under way */
    Pl__Expect expect, hearing_expect;
    pending_t pending[HEARING_PENDING_MAX]; /* oldest first */
    size_t pendings;
    char partial[PARTIAL_BYTES]; /* of the oldest utterance without a final text */
    size_t covered;              /* samples it surely holds the words of */
    size_t fed, voiced;          /* samples of the utterance under way; up to its last voice */
    pauses_t pauses;
    uint64_t now_us, voice_us, ended_us;
};

/* ---- the end of an utterance ---- */

static bool covers(size_t covered, size_t voiced)
{
    return covered > 0 && covered + HANGOVER_SAMPLES >= voiced;
}

/* How long the silence must be that ends the utterance under way. */
static void retime(hearing_t *self)
{
    bool ours = self->pendings == 0;
    completeness_t kind =
        completeness(ours ? self->partial : "", self->hearing, self->hearing_expect);
    bool covered = ours && covers(self->covered, self->voiced);
    uint32_t wait_ms =
        endpoint_ms(kind, covered, self->hearing_expect, &self->pauses, self->silence_ms);
    /* A word over the bot's lowered voice is judged at its end: that must not take long. */
    bool aside = self->voiced < ASIDE_SAMPLES && self->sink.audible(self->sink.arg) != 0;
    if (aside && wait_ms > ASIDE_MS) wait_ms = ASIDE_MS;
    listening_wait(self->listening, wait_ms);
}

static void forget_words(hearing_t *self)
{
    self->partial[0] = '\0';
    self->covered = 0;
}

static void on_begin(void *arg)
{
    hearing_t *self = arg;
    uint64_t gap_ms = (self->now_us - self->ended_us) / 1000 - LISTENING_ONSET_MS;
    if (self->ended_us && gap_ms <= CUT_MS && self->sink.audible(self->sink.arg) == 0)
        pauses_add(&self->pauses, (uint32_t)gap_ms);
    memcpy(self->hearing, self->lang, sizeof self->lang);
    self->hearing_expect = self->expect;
    self->fed = self->voiced = 0;
    if (self->pendings == 0) forget_words(self);
    self->sink.began(self->sink.arg);
    self->sink.begin(self->sink.arg, self->expect, self->lang);
}

static void on_feed(void *arg, const int16_t *pcm, size_t samples)
{
    hearing_t *self = arg;
    self->fed += samples;
    self->sink.feed(self->sink.arg, pcm, samples);
}

static void on_voice(void *arg)
{
    hearing_t *self = arg;
    self->sink.voice(self->sink.arg);
}

static void on_pause(void *arg)
{
    hearing_t *self = arg;
    self->sink.pause(self->sink.arg);
    retime(self);
}

static void on_resume(void *arg, uint32_t pause_ms)
{
    hearing_t *self = arg;
    pauses_add(&self->pauses, pause_ms);
}

static void on_end(void *arg, const listening_end_t *end)
{
    hearing_t *self = arg;
    if (self->pendings == HEARING_PENDING_MAX) { /* recognition has stalled */
        self->sink.drop(self->sink.arg);
        return;
    }
    pending_t *p = &self->pending[self->pendings++];
    *p = (pending_t){.end = *end,
                     .decided_us = self->now_us,
                     .turn = self->sink.audible(self->sink.arg),
                     .voiced = self->voiced};
    memcpy(p->lang, self->hearing, sizeof p->lang);
    self->ended_us = self->voice_us;
    self->sink.end(self->sink.arg);
}

static void on_drop(void *arg)
{
    hearing_t *self = arg;
    self->sink.drop(self->sink.arg);
    if (self->pendings == 0) forget_words(self);
    self->sink.noise(self->sink.arg);
}

/* ---- its text ---- */

static void tell(hearing_t *self, pending_t *p, const char *text, double confidence)
{
    p->told = true;
    hearing_utterance_t said = {.text = text,
                                .lang = p->lang,
                                .confidence = confidence,
                                .end = p->end,
                                .recognition_ms = (uint32_t)((self->now_us - p->decided_us) / 1000),
                                .turn = p->turn};
    self->sink.utterance(self->sink.arg, &said);
}

/* Takes partials for final texts that are late. */
static void overdue(hearing_t *self)
{
    for (size_t i = 0; i < self->pendings; i++) {
        pending_t *p = &self->pending[i];
        if (p->told) continue;
        uint64_t waited_ms = (self->now_us - p->decided_us) / 1000;
        bool known = i == 0 && *self->partial && covers(self->covered, p->voiced);
        if (waited_ms < (known ? self->opts.final_ms : HEARING_FINAL_MAX_MS)) return;
        tell(self, p, i == 0 ? self->partial : "", 0);
    }
}

void hearing_partial(hearing_t *self, uint64_t now_us, const char *text, size_t samples)
{
    self->now_us = now_us;
    bool finished = self->pendings == 0 && !listening_in_utterance(self->listening);
    if (finished || (self->pendings > 0 && self->pending[0].told)) return;
    (void)snprintf(self->partial, sizeof self->partial, "%s", text);
    self->covered = samples;
    if (self->pendings == 0) retime(self);
    self->sink.words(self->sink.arg, text);
}

void hearing_final(hearing_t *self, uint64_t now_us, const char *text, double confidence)
{
    if (self->pendings == 0) return;
    self->now_us = now_us;
    pending_t p = self->pending[0];
    self->pendings--;
    memmove(&self->pending[0], &self->pending[1], self->pendings * sizeof p);
    forget_words(self);
    if (!p.told) tell(self, &p, text, confidence);
}

/* ---- in ---- */

bool hearing_frame(hearing_t *self, uint64_t now_us, uint32_t seq, const int16_t *pcm, bool voice)
{
    self->now_us = now_us;
    if (!listening_frame(self->listening, seq, pcm, voice)) return false;
    if (voice) {
        self->voice_us = now_us;
        self->voiced = self->fed;
    }
    overdue(self);
    return true;
}

void hearing_tick(hearing_t *self, uint64_t now_us)
{
    self->now_us = now_us;
    overdue(self);
}

void hearing_listen(hearing_t *self, Pl__Expect expect, const char *lang, uint32_t silence_ms)
{
    self->silence_ms = silence_ms ? silence_ms : self->opts.listening.silence_ms;
    listening_opts_t opts = {.silence_ms = self->silence_ms};
    listening_set(self->listening, &opts);
    self->expect = expect;
    if (*lang) (void)snprintf(self->lang, sizeof self->lang, "%s", lang);
}

hearing_t *hearing_new(const hearing_opts_t *opts, const char *lang, const hearing_sink_t *sink)
{
    hearing_t *self = calloc(1, sizeof *self);
    assert(self);
    self->opts = *opts;
    self->sink = *sink;
    listening_sink_t ears = {on_begin,  on_feed, on_voice, on_pause,
                             on_resume, on_end,  on_drop,  self};
    self->listening = listening_new(&opts->listening, &ears);
    hearing_listen(self, PL__EXPECT__ANYTHING, lang, 0);
    return self;
}

void hearing_destroy(hearing_t **self_p)
{
    hearing_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    listening_destroy(&self->listening);
    free(self);
}

/* ---- what is known ---- */

Pl__Expect hearing_expect(const hearing_t *self)
{
    return self->expect;
}

const char *hearing_lang(const hearing_t *self)
{
    return self->lang;
}

uint32_t hearing_over(const hearing_t *self)
{
    if (self->pendings > 0) return self->pending[0].turn;
    bool speaks = listening_in_utterance(self->listening);
    return speaks ? self->sink.audible(self->sink.arg) : 0;
}

const char *hearing_words(const hearing_t *self)
{
    bool speaks = self->pendings == 0 && listening_in_utterance(self->listening);
    return speaks ? self->partial : "";
}

uint64_t hearing_ended_us(const hearing_t *self)
{
    return self->ended_us;
}
