/* clip.h - a piece of audio that is held by several at once: the phrase cache and every turn that
 * says it. 16 kHz mono, never changed once it is made.
 *
 * Threads: none; its holders belong to one loop.
 */
#ifndef PL_SPEECH_CLIP_H
#define PL_SPEECH_CLIP_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t holders;
    size_t samples;
    int16_t pcm[];
} clip_t;

clip_t *clip_new(const int16_t *pcm, size_t samples); /* copies; one holder. Never NULL */
clip_t *clip_hold(clip_t *self);                      /* one holder more */
void clip_drop(clip_t **self_p);                      /* freed by the last one; NULL is fine */

#endif
