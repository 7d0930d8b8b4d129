/* sphinx.h - one PocketSphinx decoder (English, 16 kHz), blocking: samples in, words out.
 *
 * What kind of answer is expected narrows the language, but another answer is heard all the same.
 *
 * Threads: a decoder belongs to one thread at a time. About 130 MB each, a few hundred ms to make.
 * Also used by tools/callsim to understand the bot.
 */
#ifndef PL_SPEECH_SPHINX_H
#define PL_SPEECH_SPHINX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "speech.pb-c.h"

enum { SPHINX_MEANS_MAX = 64 };

typedef struct sphinx sphinx_t;

/* model_dir: NULL or "" for Debian's (/usr/share/pocketsphinx/model/en-us). PL_UNAVAILABLE when
 * the model cannot be read, having logged which file. */
pl_err_t sphinx_new(sphinx_t **out, const char *model_dir);
void sphinx_destroy(sphinx_t **self_p);
/* Are the model's files there? Quick; PL_UNAVAILABLE as sphinx_new. */
pl_err_t sphinx_find_model(const char *model_dir);

/* What one caller's sound is like: the mean of its cepstrum, by which the decoder tells words from
 * the line, the microphone and the noise. Zero: not known yet. It belongs to one call. */
typedef struct {
    size_t count;
    float mean[SPHINX_MEANS_MAX];
} sphinx_voice_t;

/* A new utterance. voice (may be NULL) as after the caller's last one: far fewer words are lost.
 * narrow: nothing lies above 4 kHz; an image of what lies below is put there, which the model, who knows
 * only wideband, takes for speech (docs/decisions/0023). */
pl_err_t sphinx_begin(sphinx_t *self, Pl__Expect expect, const sphinx_voice_t *voice, bool narrow);
/* After sphinx_end: with what was learned from it. */
void sphinx_learned(const sphinx_t *self, sphinx_voice_t *out);
pl_err_t sphinx_feed(sphinx_t *self, const int16_t *pcm, size_t samples);
/* Words so far, lower case, no fillers; borrowed until the next call. "" when none. *sure_out (may
 * be NULL): no other decoder would have to be asked, were this the end. */
const char *sphinx_partial(sphinx_t *self, bool *sure_out);
/* Ends the utterance and returns its words; confidence_out (may be NULL) is 0 to 1. */
const char *sphinx_end(sphinx_t *self, double *confidence_out);

/* How well the model of the expected answer explained the utterance so far: the log likelihood of
 * a frame, near -20 when it did and below -40 when it did not. For measuring. */
int sphinx_score(const sphinx_t *self);

#endif
