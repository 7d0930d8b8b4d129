/* rtcp.h - RTCP on the wire: sender and receiver reports, SDES CNAME, BYE.
 *
 * Threads: none; pure. All numbers in host byte order; NTP times in 32.32 fixed point.
 * Source: RFC 3550 section 6 and appendix A.2 (checks of an arriving compound packet).
 */
#ifndef PL_TELEPHONY_RTCP_H
#define PL_TELEPHONY_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RTCP_MAX_BYTES = 512 };

typedef struct {
    uint32_t ssrc; /* whom it is about */
    uint8_t fraction_lost;
    int32_t lost; /* 24 bits on the wire */
    uint32_t highest_seq;
    uint32_t jitter; /* ticks */
    uint32_t lsr;    /* middle 32 bits of the NTP time of the last SR; 0: none */
    uint32_t dlsr;   /* since then, in 1/65536 s */
} rtcp_block_t;

typedef struct {
    uint32_t ssrc; /* who reports */
    bool sender;   /* SR: the next four fields count */
    uint64_t ntp;
    uint32_t timestamp;
    uint32_t packets, octets;
    bool has_block;
    rtcp_block_t block; /* the one about us */
    const char *cname;  /* when writing; NULL for none. Not parsed. */
    bool bye;
} rtcp_report_t;

/* Writes a compound packet: SR or RR, SDES when there is a cname, BYE when set. Returns its size. */
size_t rtcp_write(const rtcp_report_t *report, uint8_t out[RTCP_MAX_BYTES]);

/* Reads a compound packet; a block counts when it is about own_ssrc. False: malformed. */
bool rtcp_parse(const uint8_t *bytes, size_t size, uint32_t own_ssrc, rtcp_report_t *out);

/* NTP time of a wall clock in microseconds since the Unix epoch. */
uint64_t rtcp_ntp(uint64_t wall_us);
/* Round trip by a block about us that arrived at ntp_now; 0 when it tells none. */
uint32_t rtcp_round_trip_us(uint64_t ntp_now, const rtcp_block_t *block);

#endif
