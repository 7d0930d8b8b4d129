/* dtmf.h - keys as RFC 4733 telephone events: what a leg sends and what it makes of arriving ones.
 *
 * Threads: none; pure, time is an argument.
 * Units: ticks are of the event clock, time is monotonic microseconds.
 */
#ifndef PL_TELEPHONY_DTMF_H
#define PL_TELEPHONY_DTMF_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "services/telephony/rtp.h"

/* ---- arriving ---- */

typedef struct {
    bool active; /* a key is down */
    bool seen;   /* timestamp and event are of some key, down or let go */
    uint8_t event;
    uint32_t timestamp;
    uint32_t ticks;      /* of segments before this one */
    uint32_t duration;   /* of this segment */
    uint64_t arrived_us; /* last packet of it */
} dtmf_in_t;

typedef struct {
    char digit; /* 0: nothing was let go */
    uint32_t ticks;
} dtmf_key_t;

/* Takes an event packet. Returns the key it showed to be let go: by its end bit, or because
 * another key came and this one's end was lost. Each key is told once, however often its end is
 * repeated. */
dtmf_key_t dtmf_in_packet(dtmf_in_t *self, uint64_t now_us, const rtp_packet_t *packet);
/* Call every tick: a key that fell silent without an end (all three lost) is let go then. */
dtmf_key_t dtmf_in_tick(dtmf_in_t *self, uint64_t now_us);

/* ---- sending ---- */

enum { DTMF_QUEUE = 64 };

typedef struct {
    uint8_t events[DTMF_QUEUE];
    uint32_t tone_ms[DTMF_QUEUE];
    uint32_t count;
    uint32_t sent_ms;   /* of the key on the wire */
    uint32_t ends_sent; /* end packets, three in all */
    uint32_t pause_ms;  /* still to wait before the next key */
    uint32_t timestamp; /* of the key on the wire */
    bool sending;
} dtmf_out_t;

/* PL_INVALID: not a key, or no tone time; nothing is queued. PL_BUSY: more than 64 waiting. */
pl_err_t dtmf_out_queue(dtmf_out_t *self, const char *digits, uint32_t tone_ms);

typedef struct {
    rtp_event_t event;
    uint32_t timestamp;
    bool marker; /* first packet of the key */
} dtmf_packet_t;

/* Call every 20 ms. True: send this packet instead of audio. timestamp is the stream's now. */
bool dtmf_out_tick(dtmf_out_t *self, uint32_t timestamp, uint32_t hz, dtmf_packet_t *out);

#endif
