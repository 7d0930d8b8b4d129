/* noise.h - what may be heard around a caller: a room's hum, a street, other voices, music; and a cough.
 *
 * All of it is generated from a seed: the same seed is the same sound on every machine.
 * Threads: any; babble blocks for the synthesis of its voices.
 */
#ifndef CALLSIM_NOISE_H
#define CALLSIM_NOISE_H

#include <stddef.h>
#include <stdint.h>

enum { NOISE_HZ = 16000 };

typedef enum {
    NOISE_NONE,
    NOISE_WHITE,  /* a bad line */
    NOISE_STREET, /* pink, swelling and falling */
    NOISE_BABBLE, /* three other people */
    NOISE_MUSIC,  /* chords, bass and a beat */
    NOISE_KINDS
} noise_kind_t;

const char *noise_name(noise_kind_t kind);
noise_kind_t noise_find(const char *name); /* NOISE_KINDS: no such kind */

/* So many samples whose mean level is level_db of full scale; malloc'd, the caller's. */
int16_t *noise_make(noise_kind_t kind, uint32_t seed, size_t samples, double level_db);

/* A cough of so many ms, its loudest 20 ms at level_db. malloc'd; *samples_out is its length. */
int16_t *noise_cough(uint32_t seed, uint32_t ms, double level_db, size_t *samples_out);

/* Mean level in dB of full scale of what is not silence. */
double noise_level_db(const int16_t *pcm, size_t samples);

/* -1 to 1, xorshift: the same on every machine. *state is not 0. */
double noise_random(uint32_t *state);

#endif
