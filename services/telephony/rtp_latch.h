/* rtp_latch.h - whose packets are ours: symmetric RTP's learning of the far end's address.
 *
 * Until a source is taken, packets from the address that SDP told are believed at once and those
 * from elsewhere after three in a row. Later a new SSRC from the same address needs two in a row,
 * and another address five, and only when the source has been silent for a second (a NAT that
 * was rebound), except for SDP's own, which wins back its place.
 *
 * Threads: none; pure, time is an argument.
 * Source: RFC 4961 (symmetric RTP), RFC 3550 section 8.2 and appendix A.1 (probation).
 */
#ifndef PL_TELEPHONY_RTP_LATCH_H
#define PL_TELEPHONY_RTP_LATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

typedef struct {
    struct sockaddr_storage address;
    uint32_t ssrc;
    uint16_t seq;
    unsigned packets; /* in a row; 0: nobody */
} rtp_candidate_t;

typedef struct {
    struct sockaddr_storage expected; /* SDP's; family 0: unknown */
    bool taken;
    struct sockaddr_storage address;
    uint32_t ssrc;
    uint64_t heard_us;
    rtp_candidate_t candidate;
} rtp_latch_t;

typedef enum {
    RTP_LATCH_OURS,
    RTP_LATCH_NEW, /* ours from now on: another source than before */
    RTP_LATCH_FOREIGN
} rtp_latched_t;

/* SDP tells an address. A changed one begins the learning anew. */
void rtp_latch_expect(rtp_latch_t *self, const struct sockaddr *address);
rtp_latched_t rtp_latch_packet(rtp_latch_t *self, uint64_t now_us, const struct sockaddr *from,
                               uint32_t ssrc, uint16_t seq);
/* Where to send: the source taken, else SDP's address. NULL: nowhere yet. */
const struct sockaddr *rtp_latch_address(const rtp_latch_t *self);

/* Helpers for IPv4 and IPv6 addresses. */
bool rtp_address_equal(const struct sockaddr *a, const struct sockaddr *b, bool with_port);
bool rtp_address_usable(const struct sockaddr *a); /* not the wildcard, and a port */
uint16_t rtp_address_port(const struct sockaddr *a);
void rtp_address_set_port(struct sockaddr *a, uint16_t port);
socklen_t rtp_address_bytes(const struct sockaddr *a); /* 0: another family */

#endif
