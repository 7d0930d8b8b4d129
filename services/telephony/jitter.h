/* jitter.h - adaptive jitter buffer: encoded packets in by time stamp, out in order and in time.
 *
 * Knows nothing of samples: packets wait here until their time has come, and the reader asks how
 * much more or less than the wanted delay is buffered (jitter_excess_us) and repairs it where it is
 * not heard. The wanted delay follows the measured lateness (97 of 100 packets are in time), the
 * base line follows the fastest packets of the last seconds and so drifting clocks.
 *
 * Threads: none; pure, time is an argument. Memory is bounded: 64 packets.
 */
#ifndef PL_TELEPHONY_JITTER_H
#define PL_TELEPHONY_JITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/telephony/codec.h"

typedef struct jitter jitter_t;

jitter_t *jitter_new(const codec_info_t *codec, uint32_t min_ms, uint32_t max_ms); /* never NULL */
void jitter_destroy(jitter_t **self_p);

typedef enum {
    JITTER_KEPT,
    JITTER_LATE,      /* its time is over */
    JITTER_DUPLICATE, /* that time stamp is here already */
    JITTER_MALFORMED, /* empty, longer than 60 ms, or no whole frame of the codec */
    JITTER_STRAY,     /* far off the time line; kept out unless the next one agrees */
    JITTER_RESYNCED   /* a new time line begins here: kept, all older packets dropped */
} jitter_put_t;

jitter_put_t jitter_put(jitter_t *self, uint64_t now_us, uint32_t timestamp, const uint8_t *payload,
                        size_t bytes);

typedef enum {
    JITTER_IDLE,   /* no stream */
    JITTER_PACKET, /* payload and bytes: taken out, valid until the next call */
    JITTER_GAP,    /* ticks are missing before the next packet; jitter_skip goes over them */
    JITTER_EMPTY   /* nothing is here; jitter_skip lets time go on */
} jitter_kind_t;

typedef struct {
    jitter_kind_t kind;
    const uint8_t *payload;
    size_t bytes;
    uint32_t ticks; /* of the payload, what is over already left out */
    uint32_t past;  /* ticks at the payload's begin that are over: it could not be cut */
} jitter_out_t;

jitter_out_t jitter_get(jitter_t *self, uint64_t now_us);
/* The packet behind the gap that jitter_get told; it stays. False: there is none. */
bool jitter_peek(const jitter_t *self, const uint8_t **payload, size_t *bytes);
void jitter_skip(jitter_t *self, uint32_t ticks);

/* How much longer (or, negative, shorter) than wanted a packet without jitter waits here before
 * jitter_get would hand it out. */
int64_t jitter_excess_us(const jitter_t *self, uint64_t now_us);
uint32_t jitter_target_us(const jitter_t *self); /* the wanted delay */
size_t jitter_packets(const jitter_t *self);     /* waiting now */
void jitter_reset(jitter_t *self);               /* forgets the stream: another source sends now */

#endif
