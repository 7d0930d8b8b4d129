/* echo_delay.h - how long after playing a leg hears its own echo: a search over 600 ms.
 *
 * Cross-correlates what is heard with what was played, both brought to 2 kHz, levelled frame by
 * frame and averaged over about a second in which something was played. A delay is told when one
 * lag stands out against all others, and again when another one does.
 *
 * Threads: none; pure. Time is the frames of 20 ms, heard before played.
 */
#ifndef PL_TELEPHONY_ECHO_DELAY_H
#define PL_TELEPHONY_ECHO_DELAY_H

#include <stdbool.h>
#include <stdint.h>

typedef struct echo_delay echo_delay_t;

echo_delay_t *echo_delay_new(unsigned hz); /* 8000 or 16000; never NULL */
void echo_delay_destroy(echo_delay_t **self_p);

/* hz / 50 samples each, once a frame in this order; NULL: nothing arrived, or silence is played. */
void echo_delay_heard(echo_delay_t *self, const int16_t *pcm);
void echo_delay_played(echo_delay_t *self, const int16_t *pcm);

/* From the playing of a sample to its strongest echo; negative: none was found (yet). */
int echo_delay_ms(const echo_delay_t *self);
void echo_delay_reset(echo_delay_t *self); /* as new: the far end has changed */

#endif
