/* receiver.h - from packets to 20 ms frames: jitter buffer, decoder, concealment, delay control.
 *
 * Every tick takes one frame. When more is buffered than wanted, samples are left out where it is
 * quiet, or a pitch period of speech when it is much; when less, quiet or concealment is
 * stretched. So neither delay nor memory grows with drifting clocks.
 *
 * Threads: none; pure, time is an argument.
 */
#ifndef PL_TELEPHONY_RECEIVER_H
#define PL_TELEPHONY_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/telephony/codec.h"
#include "services/telephony/jitter.h"

typedef struct receiver receiver_t;

/* codec is borrowed: its decoder is used. */
receiver_t *receiver_new(codec_t *codec, const codec_info_t *info, uint32_t min_ms,
                         uint32_t max_ms); /* never NULL */
void receiver_destroy(receiver_t **self_p);

jitter_put_t receiver_packet(receiver_t *self, uint64_t now_us, uint32_t timestamp,
                             const uint8_t *payload, size_t bytes);

typedef struct {
    bool missing; /* all silence: nothing arrived and nothing was concealed */
    bool concealed;
} receiver_frame_t;

receiver_frame_t receiver_frame(receiver_t *self, uint64_t now_us,
                                int16_t pcm[CODEC_FRAME_SAMPLES]);

void receiver_reset(receiver_t *self); /* another source sends now */

/* Between two ticks: delay from the arrival of a packet without jitter to its playing. */
int64_t receiver_delay_us(const receiver_t *self, uint64_t now_us);
size_t receiver_packets(const receiver_t *self);

#endif
