#include "services/speech/interruption.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/lane.h"

enum { HISTORY_FRAMES = 250 /* the longest window: 5 s */ };

struct interruption {
    uint32_t cutoff_ms;
    bool voice[HISTORY_FRAMES]; /* of the last frames, the newest before "at" */
    size_t at;
    bool sounded;       /* voice over the turn, about which nothing was decided */
    uint32_t quiet_ms;  /* since the last voice */
    uint32_t looked_ms; /* since the recogniser told something */
    size_t said;        /* words that came before the turn */
    words_kind_t words; /* of the utterance over this turn */
    unsigned steady;    /* looks in a row that found real ones */
    uint32_t voice_ms;  /* of the utterance */
};

interruption_t *interruption_new(uint32_t cutoff_ms)
{
    interruption_t *self = calloc(1, sizeof *self);
    assert(self);
    self->cutoff_ms = cutoff_ms;
    self->looked_ms = INTERRUPTION_LOOK_MS;
    return self;
}

void interruption_destroy(interruption_t **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

void interruption_set(interruption_t *self, uint32_t cutoff_ms)
{
    self->cutoff_ms = cutoff_ms;
}

static void forget(interruption_t *self)
{
    memset(self->voice, 0, sizeof self->voice);
    self->sounded = false;
    self->words = WORDS_NONE;
    self->steady = 0;
}

void interruption_turn(interruption_t *self, size_t said)
{
    forget(self);
    self->said = said;
}

void interruption_utterance(interruption_t *self)
{
    self->words = WORDS_NONE;
    self->steady = 0;
    self->voice_ms = 0;
    self->said = 0;
    self->looked_ms = INTERRUPTION_LOOK_MS;
}

/* Voice of at least so long, half of the window being pauses between syllables. */
static bool voiced(const interruption_t *self, uint32_t ms)
{
    size_t frames = 2 * (size_t)ms / PL_FRAME_MS;
    if (frames < 5) frames = 5;
    if (frames > HISTORY_FRAMES) frames = HISTORY_FRAMES;
    uint32_t sum_ms = 0;
    for (size_t i = 1; i <= frames; i++)
        sum_ms += self->voice[(self->at + HISTORY_FRAMES - i) % HISTORY_FRAMES] ? PL_FRAME_MS : 0;
    return sum_ms > 0 && sum_ms >= ms;
}

static floor_verdict_t yield(interruption_t *self)
{
    forget(self);
    return FLOOR_YIELD;
}

static floor_verdict_t rise(interruption_t *self)
{
    if (!self->sounded) return FLOOR_KEEP;
    words_kind_t words = self->words; /* the utterance may go on */
    forget(self);
    self->words = words;
    return FLOOR_RISE;
}

static floor_verdict_t decide(interruption_t *self)
{
    bool behind = self->looked_ms >= INTERRUPTION_LOOK_MS;
    bool steady = self->steady >= INTERRUPTION_STEADY;
    uint32_t lasting_ms = self->cutoff_ms + INTERRUPTION_GRACE_MS;
    switch (self->words) {
    case WORDS_URGENT:
        return voiced(self, self->cutoff_ms) ? yield(self) : FLOOR_KEEP;
    case WORDS_REAL:
        return (steady || behind) && voiced(self, lasting_ms) ? yield(self) : FLOOR_KEEP;
    case WORDS_BACKCHANNEL:
        return self->quiet_ms >= INTERRUPTION_QUIET_MS ? rise(self) : FLOOR_KEEP;
    case WORDS_NONE:
        return behind && voiced(self, lasting_ms) ? yield(self) : FLOOR_KEEP;
    }
    return FLOOR_KEEP;
}

floor_verdict_t interruption_frame(interruption_t *self, bool voice, bool open)
{
    self->voice[self->at] = voice;
    self->at = (self->at + 1) % HISTORY_FRAMES;
    self->quiet_ms = voice ? 0 : self->quiet_ms + PL_FRAME_MS;
    self->voice_ms += voice ? PL_FRAME_MS : 0;
    if (self->looked_ms < INTERRUPTION_LOOK_MS) self->looked_ms += PL_FRAME_MS;
    if (!open) return FLOOR_KEEP;
    if (voice) self->sounded = true;
    return decide(self);
}

floor_verdict_t interruption_words(interruption_t *self, const char *text, const char *lang,
                                   Pl__Expect expect, bool open)
{
    self->looked_ms = 0;
    self->words = words_kind(text, self->said, lang, expect);
    self->steady = self->words >= WORDS_REAL ? self->steady + 1 : 0;
    return open ? decide(self) : FLOOR_KEEP;
}

floor_verdict_t interruption_end(interruption_t *self, const char *text, const char *lang,
                                 Pl__Expect expect, bool open)
{
    words_kind_t words = words_kind(text, self->said, lang, expect);
    self->said = 0;
    if (!open) {
        self->words = WORDS_NONE;
        return FLOOR_KEEP;
    }
    /* What a recogniser makes of a cough is any short word. */
    bool free_words = expect == PL__EXPECT__ANYTHING || expect == PL__EXPECT__YES_NO;
    bool brief = free_words && self->voice_ms <= INTERRUPTION_BRIEF_MS;
    return words == WORDS_URGENT || (words == WORDS_REAL && !brief) ? yield(self) : rise(self);
}
