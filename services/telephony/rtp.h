/* rtp.h - RTP packets and telephone events on the wire: parsing and building, nothing else.
 *
 * Threads: none; pure. Parsed pointers borrow from the packet. All numbers in host byte order.
 * Sources: RFC 3550 section 5.1 (header), RFC 4733 section 2.3 (telephone events).
 */
#ifndef PL_TELEPHONY_RTP_H
#define PL_TELEPHONY_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RTP_HEADER_BYTES = 12,
    RTP_MAX_BYTES = 2048, /* larger datagrams are refused */
    RTP_EVENT_BYTES = 4,
    RTP_EVENT_MAX_TICKS = 0xffff
};

typedef struct {
    uint8_t pt;
    bool marker;
    uint16_t seq;
    uint32_t timestamp;
    uint32_t ssrc;
    const uint8_t *payload;
    size_t payload_bytes;
} rtp_packet_t;

/* False: not RTP version 2, or lengths (CSRC list, extension, padding) that the datagram does not
 * hold, or a payload type that RTCP on the same port would have (64-95). */
bool rtp_parse(const uint8_t *bytes, size_t size, rtp_packet_t *out);

/* True for what looks like RTCP: a peer may send it to the RTP port (RFC 5761). */
bool rtp_is_rtcp(const uint8_t *bytes, size_t size);

/* Writes the fixed header; payload and payload_bytes are not used. */
void rtp_write_header(const rtp_packet_t *packet, uint8_t out[RTP_HEADER_BYTES]);

typedef struct {
    uint8_t event; /* 0-9, 10 *, 11 #, 12-15 A-D */
    bool end;
    uint8_t volume;    /* -dBm0, 0-63 */
    uint16_t duration; /* RTP clock ticks */
} rtp_event_t;

bool rtp_event_parse(const uint8_t *payload, size_t bytes, rtp_event_t *out);
void rtp_event_write(const rtp_event_t *event, uint8_t out[RTP_EVENT_BYTES]);

char rtp_event_digit(uint8_t event);               /* 0 when it is no key */
bool rtp_event_of_digit(char digit, uint8_t *out); /* 0-9 * # A-D a-d */

#endif
