/* hearing.h - the caller's utterances of one call, from voice to text.
 *
 * Finds their beginnings and ends (listening.h), gives their audio to a recogniser, ends them sooner
 * or later by the words so far (endpoint.h), and waits for the final text no longer than it must:
 * when it is late and a partial holds the words of all that was said, that is taken for it.
 *
 * Threads: none; belongs to the loop that made it. Pure: time is an argument (_us, monotonic).
 */
#ifndef PL_SPEECH_HEARING_H
#define PL_SPEECH_HEARING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/speech/listening.h"
#include "speech.pb-c.h"

enum {
    HEARING_PENDING_MAX = 16,    /* utterances waiting for their final text */
    HEARING_FINAL_MAX_MS = 8000, /* to wait for it, in any case */
};

typedef struct hearing hearing_t;

typedef struct {
    const char *text; /* "": a voice, but no words */
    const char *lang;
    double confidence;
    listening_end_t end;
    uint32_t recognition_ms; /* from the end's decision to the text */
    uint32_t turn;           /* that was audible when it ended; 0: none */
} hearing_utterance_t;

typedef struct {
    /* The recogniser: begin, feed ..., then end (a final text follows) or drop (none does). */
    void (*begin)(void *arg, Pl__Expect expect, const char *lang);
    void (*feed)(void *arg, const int16_t *pcm, size_t samples);
    void (*pause)(void *arg); /* words are wanted now */
    void (*end)(void *arg);
    void (*drop)(void *arg);
    /* What was heard; borrowed. */
    void (*began)(void *arg);                   /* an utterance, perhaps */
    void (*voice)(void *arg);                   /* once, when it is more than a noise */
    void (*words)(void *arg, const char *text); /* so far, of the oldest not yet told; "": none */
    void (*utterance)(void *arg, const hearing_utterance_t *said);
    void (*noise)(void *arg);       /* it was none */
    uint32_t (*audible)(void *arg); /* the turn of the bot that is audible now; 0: none */
    void *arg;
} hearing_sink_t;

typedef struct {
    listening_opts_t listening;
    uint32_t final_ms; /* to wait for the final text while a partial holds all of it */
} hearing_opts_t;

/* Copies; never NULL. lang is a short code. */
hearing_t *hearing_new(const hearing_opts_t *opts, const char *lang, const hearing_sink_t *sink);
void hearing_destroy(hearing_t **self_p); /* calls nothing */

/* From the next utterance on; silence_ms at once, 0: as configured. lang "": as before. */
void hearing_listen(hearing_t *self, Pl__Expect expect, const char *lang, uint32_t silence_ms);

/* One frame, as listening_frame. False: it was there already. */
bool hearing_frame(hearing_t *self, uint64_t now_us, uint32_t seq, const int16_t *pcm, bool voice);
void hearing_tick(hearing_t *self, uint64_t now_us); /* at least every 100 ms */

/* From the recogniser, of the oldest utterance it has not finished (stt.h). */
void hearing_partial(hearing_t *self, uint64_t now_us, const char *text, size_t samples);
void hearing_final(hearing_t *self, uint64_t now_us, const char *text, double confidence);

Pl__Expect hearing_expect(const hearing_t *self); /* asked for now */
const char *hearing_lang(const hearing_t *self);
/* The turn over which the oldest utterance not yet told was spoken, or is; 0: none. */
uint32_t hearing_over(const hearing_t *self);
/* Words of the utterance under way; "" when there is none or older ones are not told yet. */
const char *hearing_words(const hearing_t *self);
/* When the last voiced frame came of the newest utterance that ended; 0: there was none. */
uint64_t hearing_ended_us(const hearing_t *self);

#endif
