/* turn.h - one turn being spoken: its sentences, their audio, how much was sent and heard.
 *
 * Threads: none. Pure. Audio is 16 kHz mono, counted in samples; frames are padded to 20 ms.
 */
#ifndef PL_SPEECH_TURN_H
#define PL_SPEECH_TURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "media.pb-c.h"
#include "services/speech/clip.h"
#include "speech.pb-c.h"

typedef struct turn turn_t;

turn_t *turn_new(uint32_t number, uint64_t asked_us); /* never NULL */
void turn_destroy(turn_t **self_p);

uint32_t turn_number(const turn_t *self);
uint64_t turn_asked_us(const turn_t *self);

/* Copies the sentence. PL_STALE: it came already, or after the last; PL_INVALID: too many. */
pl_err_t turn_add(turn_t *self, const Pl__Say *say);

void turn_close(turn_t *self); /* no further sentence will come */

/* The next sentence to synthesise, borrowed; NULL when there is none now. Until turn_synthesised,
 * turn_audio belongs to it. */
const Pl__Say *turn_synthesise(turn_t *self);
void turn_audio(turn_t *self, clip_t *clip);                /* held until it is sent */
void turn_said(turn_t *self, size_t bytes, size_t samples); /* as speaking_said */
void turn_synthesised(turn_t *self);

/* The next frame to send, its pcm borrowed until turn_frame_sent; false when none is ready. */
bool turn_frame(turn_t *self, Pl__LaneSayOut *frame);
void turn_frame_sent(turn_t *self);
bool turn_sent(const turn_t *self);  /* the last frame too */
bool turn_empty(const turn_t *self); /* complete, and nothing to play */

uint32_t turn_audio_ms(const turn_t *self);       /* synthesised so far */
uint32_t turn_unsent_ms(const turn_t *self);      /* of it, not yet sent */
uint32_t turn_outstanding_ms(const turn_t *self); /* sent, not yet heard */

void turn_played(turn_t *self, uint32_t heard_ms, bool started);
bool turn_started(const turn_t *self);
uint32_t turn_heard_ms(const turn_t *self);
/* malloc'd. *estimated: nobody told where the words of the sentence end that was cut. */
char *turn_heard_text(const turn_t *self, bool *estimated);
bool turn_interruptible(const turn_t *self); /* the sentence being heard */

void turn_flush(turn_t *self, uint64_t now_us);
uint64_t turn_flushed_us(const turn_t *self); /* 0: it is not */

#endif
