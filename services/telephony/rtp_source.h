/* rtp_source.h - reception statistics of one synchronisation source: sequence, loss, jitter.
 *
 * Threads: none; pure, time is an argument.
 * Source: RFC 3550 section 6.4.1 and appendices A.1, A.3 and A.8; the duplicate window is ours.
 */
#ifndef PL_TELEPHONY_RTP_SOURCE_H
#define PL_TELEPHONY_RTP_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint32_t ssrc;
    uint32_t rtp_hz;
    bool started;
    uint64_t highest; /* extended sequence number */
    uint64_t base;    /* the first one */
    uint64_t window;  /* bit n: highest - n was received */
    uint32_t restart_seq;
    uint32_t received, duplicates;
    uint32_t expected_before, received_before; /* at the last report */
    bool have_transit;
    uint32_t transit;
    double jitter; /* ticks */
} rtp_source_t;

typedef enum {
    RTP_SEQ_OK,
    RTP_SEQ_DUPLICATE,
    RTP_SEQ_JUMP,     /* far off; dropped unless the next one follows it */
    RTP_SEQ_RESTARTED /* two in a row far off: the sender began anew */
} rtp_seq_t;

void rtp_source_init(rtp_source_t *self, uint32_t ssrc, uint32_t rtp_hz);

/* Takes a valid packet of this source. */
rtp_seq_t rtp_source_packet(rtp_source_t *self, uint16_t seq);
/* Feeds the jitter estimate: audio packets only (an event's time stamp stands still). */
void rtp_source_timing(rtp_source_t *self, uint64_t arrived_us, uint32_t timestamp);

uint32_t rtp_source_lost(const rtp_source_t *self); /* 0 when duplicates exceed the loss */
uint32_t rtp_source_jitter_us(const rtp_source_t *self);
/* Fraction lost since the last call, in 1/256. */
uint8_t rtp_source_fraction_lost(rtp_source_t *self);

#endif
