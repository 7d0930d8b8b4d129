/* flite_voice.h - Flite's English voices, blocking: text in, 16 kHz samples out.
 *
 * Threads: any; Flite is guarded here where it is not re-entrant. Call it from worker threads only.
 * Also used by tools/callsim for its callers' voices.
 */
#ifndef PL_SPEECH_FLITE_VOICE_H
#define PL_SPEECH_FLITE_VOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* voice: "slt" (default when empty), "rms", "awb", "kal16". rate: 0.5 to 2.0, 1.0 is normal.
 * *pcm_out is malloc'd, the caller's. PL_NOT_FOUND: no such voice; PL_INVALID: nothing to say. */
pl_err_t flite_voice_say(const char *voice, double rate, const char *text, int16_t **pcm_out,
                         size_t *samples_out);

/* Where a word of the text ends: its bytes up to there, and the samples. */
typedef struct {
    size_t bytes, samples;
} flite_word_t;
/* The same, and the first words_max words' ends; *count_out is how many. */
pl_err_t flite_voice_words(const char *voice, double rate, const char *text, int16_t **pcm_out,
                           size_t *samples_out, flite_word_t *words, size_t words_max,
                           size_t *count_out);

bool flite_voice_known(const char *voice); /* "" and NULL are known: the default */

#endif
