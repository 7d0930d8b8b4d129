/* ear.h - finds voice in one direction of a call by its energy, in blocks of 10 ms.
 *
 * A block is voiced when its level is above -45 dBFS and 9 dB above the noise floor, which follows
 * the quietest blocks. Voice begins with 30 ms of voiced blocks out of 50 ms and is over when
 * quiet_ms pass without one. Beginning and end are told as they were in the audio, not as they
 * were noticed: times count samples from the first one given.
 *
 * Threads: none, pure.
 */
#ifndef CALLSIM_EAR_H
#define CALLSIM_EAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EAR_HZ = 16000, EAR_BLOCK_SAMPLES = 160, EAR_BLOCK_MS = 10 };

typedef struct {
    uint32_t quiet_ms; /* that ends a stretch of voice */
    double floor;      /* mean square of the noise */
    uint32_t now_ms;   /* audio taken so far */
    uint32_t recent;   /* the last blocks, one bit each, voiced or not */
    bool voice;        /* inside a stretch */
    uint32_t start_ms,
        last_ms; /* of the stretch: its beginning, the end of its last voiced block */
} ear_t;

typedef enum { EAR_NOTHING, EAR_STARTED, EAR_ENDED } ear_event_t;

void ear_init(ear_t *self, uint32_t quiet_ms);

/* One block. EAR_STARTED: a stretch began at start_ms; EAR_ENDED: it was from start_ms to
 * last_ms. */
ear_event_t ear_hear(ear_t *self, const int16_t pcm[EAR_BLOCK_SAMPLES]);

#endif
