/* listening.h - endpointing: where an utterance begins and ends in the caller's frames.
 *
 * An utterance begins after 60 ms of voice within 100 ms, with 300 ms of what came before, and ends
 * when no voice was heard for a while. Lost frames are no silence, up to a second in a row. Less
 * than 120 ms of voice in all is a noise and no utterance.
 *
 * Threads: none. Pure: time is counted in frames of 20 ms, by their numbers.
 */
#ifndef PL_SPEECH_LISTENING_H
#define PL_SPEECH_LISTENING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LISTENING_ONSET_MS = 60,         /* of voice, within ... */
    LISTENING_ONSET_WINDOW_MS = 100, /* ... this */
    LISTENING_PREROLL_MS = 300,      /* kept from before the onset */
    LISTENING_NOISE_MS = 120,        /* less voice than that is a noise */
    LISTENING_PAUSE_MS = 100,        /* a shorter silence is no pause */
    LISTENING_GAP_MAX_MS = 1000,     /* a longer gap of lost frames is silence */
    LISTENING_UTTERANCE_MAX_MS = 60000,
};

typedef struct listening listening_t;

typedef struct {
    uint32_t silence_ms; /* without voice: the utterance is over */
} listening_opts_t;

typedef struct {
    uint32_t speech_ms;      /* from the first to the last voiced frame */
    uint32_t endpointing_ms; /* from the last voiced frame to the decision */
    bool cut;                /* ended by its length */
} listening_end_t;

typedef struct {
    void (*begin)(void *arg); /* feed follows, the pre-roll first */
    void (*feed)(void *arg, const int16_t *pcm, size_t samples);
    void (*voice)(void *arg); /* once: this is more than a noise */
    void (*pause)(void *arg); /* after LISTENING_PAUSE_MS of silence, each time; before each end */
    void (*resume)(void *arg, uint32_t pause_ms); /* voice after a pause */
    void (*end)(void *arg, const listening_end_t *end);
    void (*drop)(void *arg); /* it was a noise: forget the utterance */
    void *arg;
} listening_sink_t;

/* Never NULL. opts and sink are copied. */
listening_t *listening_new(const listening_opts_t *opts, const listening_sink_t *sink);
void listening_destroy(listening_t **self_p); /* calls nothing */

/* From the next frame on. */
void listening_set(listening_t *self, const listening_opts_t *opts);
/* The silence that ends this utterance, instead of silence_ms, until there is voice again. */
void listening_wait(listening_t *self, uint32_t ms);

/* One frame: 320 samples, or pcm NULL when it was lost. seq counts frames; a jump is a gap, a
 * number that was there already is ignored (false). */
bool listening_frame(listening_t *self, uint32_t seq, const int16_t *pcm, bool voice);

bool listening_in_utterance(const listening_t *self);

#endif
