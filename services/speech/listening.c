#include "services/speech/listening.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/lane.h"

enum {
    RING_FRAMES = (LISTENING_PREROLL_MS + LISTENING_ONSET_WINDOW_MS) / PL_FRAME_MS,
    ONSET_FRAMES = LISTENING_ONSET_WINDOW_MS / PL_FRAME_MS,
};

typedef struct {
    bool voice[ONSET_FRAMES];
    size_t at;
} history_t;

struct listening {
    listening_opts_t opts;
    listening_sink_t sink;
    int16_t ring[RING_FRAMES][PL_FRAME_SAMPLES];
    size_t ring_at, ring_fill;
    history_t onset; /* voice decisions of the last frames, the newest before "at" */
    bool seen;       /* any frame yet: seq is valid */
    uint32_t seq;
    bool in_utterance, told;
    uint32_t voice_ms;      /* voiced frames of this utterance */
    uint32_t silence_ms;    /* since the last voiced one, lost frames not counted */
    uint32_t lost_ms;       /* lost frames in a row, now */
    uint32_t gaps_ms;       /* lost since the last voiced one, not counted in silence_ms */
    uint32_t length_ms;     /* of the utterance, pre-roll apart */
    uint32_t last_voice_ms; /* length_ms at the last voiced frame */
    uint32_t wait_ms;       /* of silence, and it is over */
    bool waits;             /* wait_ms was set for this silence; else silence_ms of opts */
    bool paused;            /* pause was told */
};

listening_t *listening_new(const listening_opts_t *opts, const listening_sink_t *sink)
{
    listening_t *self = calloc(1, sizeof *self);
    assert(self);
    self->opts = *opts;
    self->sink = *sink;
    return self;
}

void listening_destroy(listening_t **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

void listening_set(listening_t *self, const listening_opts_t *opts)
{
    self->opts = *opts;
}

void listening_wait(listening_t *self, uint32_t ms)
{
    self->wait_ms = ms;
    self->waits = self->in_utterance;
}

bool listening_in_utterance(const listening_t *self)
{
    return self->in_utterance;
}

/* ---- the last frames ---- */

static void history_add(history_t *h, bool voice)
{
    h->voice[h->at] = voice;
    h->at = (h->at + 1) % ONSET_FRAMES;
}

static uint32_t history_ms(const history_t *h)
{
    uint32_t ms = 0;
    for (size_t i = 0; i < ONSET_FRAMES; i++) ms += h->voice[i] ? PL_FRAME_MS : 0;
    return ms;
}

static void ring_add(listening_t *self, const int16_t *pcm)
{
    memcpy(self->ring[self->ring_at], pcm, PL_FRAME_BYTES);
    self->ring_at = (self->ring_at + 1) % RING_FRAMES;
    if (self->ring_fill < RING_FRAMES) self->ring_fill++;
}

static void ring_feed(listening_t *self)
{
    for (size_t i = self->ring_fill; i > 0; i--)
        self->sink.feed(self->sink.arg, self->ring[(self->ring_at + RING_FRAMES - i) % RING_FRAMES],
                        PL_FRAME_SAMPLES);
    self->ring_fill = 0;
}

/* ---- the utterance ---- */

static void begin(listening_t *self)
{
    self->in_utterance = true;
    self->told = false;
    self->voice_ms = self->length_ms = self->last_voice_ms = history_ms(&self->onset);
    self->silence_ms = self->gaps_ms = 0;
    self->waits = self->paused = false;
    self->sink.begin(self->sink.arg);
    ring_feed(self);
}

static void finish(listening_t *self, bool cut)
{
    if (!self->paused) self->sink.pause(self->sink.arg);
    self->in_utterance = false;
    memset(&self->onset, 0, sizeof self->onset);
    if (!self->told) {
        self->sink.drop(self->sink.arg);
        return;
    }
    listening_end_t end = {.speech_ms = self->last_voice_ms,
                           .endpointing_ms = self->silence_ms + self->gaps_ms,
                           .cut = cut};
    self->sink.end(self->sink.arg, &end);
}

static void heard_voice(listening_t *self)
{
    if (self->paused) self->sink.resume(self->sink.arg, self->silence_ms);
    self->waits = self->paused = false;
    self->voice_ms += PL_FRAME_MS;
    self->silence_ms = self->gaps_ms = 0;
    self->last_voice_ms = self->length_ms;
}

/* Counts one frame's time within an utterance and ends it when it is over. */
static void count(listening_t *self, bool lost, bool voice)
{
    self->length_ms += PL_FRAME_MS;
    if (voice) {
        heard_voice(self);
    } else if (lost && self->lost_ms <= LISTENING_GAP_MAX_MS) {
        self->gaps_ms += PL_FRAME_MS;
    } else {
        self->silence_ms += PL_FRAME_MS;
    }
    if (!self->told && self->voice_ms >= LISTENING_NOISE_MS) {
        self->told = true;
        self->sink.voice(self->sink.arg);
    }
    if (!self->paused && self->silence_ms >= LISTENING_PAUSE_MS) {
        self->paused = true;
        self->sink.pause(self->sink.arg);
    }
    uint32_t wait_ms = self->waits ? self->wait_ms : self->opts.silence_ms;
    bool quiet = self->silence_ms >= wait_ms;
    bool too_long = self->length_ms >= LISTENING_UTTERANCE_MAX_MS;
    if (quiet || too_long) finish(self, too_long && !quiet);
}

static void lost(listening_t *self)
{
    self->lost_ms += PL_FRAME_MS;
    if (self->in_utterance) count(self, true, false);
}

static void heard(listening_t *self, const int16_t *pcm, bool voice)
{
    self->lost_ms = 0;
    if (self->in_utterance) {
        self->sink.feed(self->sink.arg, pcm, PL_FRAME_SAMPLES);
        count(self, false, voice);
        return;
    }
    ring_add(self, pcm);
    history_add(&self->onset, voice);
    if (history_ms(&self->onset) >= LISTENING_ONSET_MS) begin(self);
}

bool listening_frame(listening_t *self, uint32_t seq, const int16_t *pcm, bool voice)
{
    uint32_t ahead = self->seen ? seq - self->seq : 1;
    if (ahead == 0 || ahead > UINT32_MAX / 2) return false;
    /* A jump beyond any gap that matters is a clock that started anew. */
    const uint32_t most = LISTENING_UTTERANCE_MAX_MS / PL_FRAME_MS;
    if (ahead > most) ahead = most;
    self->seen = true;
    self->seq = seq;
    for (uint32_t i = 1; i < ahead; i++) lost(self);
    if (pcm)
        heard(self, pcm, voice);
    else
        lost(self);
    return true;
}
