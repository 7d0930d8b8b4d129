/* resample.h - a synthesiser's rate to 16 kHz, streaming (SpeexDSP's resampler).
 *
 * Threads: belongs to one thread.
 */
#ifndef PL_SPEECH_RESAMPLE_H
#define PL_SPEECH_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

typedef struct resample resample_t;

typedef void resample_out_fn(void *arg, const int16_t *pcm, size_t samples); /* borrowed */

resample_t *resample_new(uint32_t from_hz, resample_out_fn *out, void *arg); /* never NULL */
void resample_destroy(resample_t **self_p);

void resample_feed(resample_t *self, const int16_t *pcm, size_t samples);
void resample_end(resample_t *self); /* gives what is still inside; feed may begin anew */

#endif
