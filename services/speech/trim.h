/* trim.h - takes the silence off both ends of a synthesiser's audio, as it streams by.
 *
 * Leading silence is dropped; silence after a sound is held back until another sound follows, and
 * dropped at the end. A little is kept at both ends so that nothing clicks.
 * Threads: none. Pure.
 */
#ifndef PL_SPEECH_TRIM_H
#define PL_SPEECH_TRIM_H

#include <stddef.h>
#include <stdint.h>

typedef struct trim trim_t;

typedef void trim_out_fn(void *arg, const int16_t *pcm, size_t samples); /* borrowed */

trim_t *trim_new(trim_out_fn *out, void *arg); /* never NULL */
void trim_destroy(trim_t **self_p);

void trim_feed(trim_t *self, const int16_t *pcm, size_t samples);
void trim_end(trim_t *self); /* gives the little that is kept at the end; feed may begin anew */
size_t trim_skipped(const trim_t *self); /* samples left out at the beginning, until fed anew */

#endif
