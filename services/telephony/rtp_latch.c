#include "services/telephony/rtp_latch.h"

#include <netinet/in.h>
#include <string.h>

enum {
    UNEXPECTED_PACKETS = 3,
    NEW_SSRC_PACKETS = 2,
    MOVED_PACKETS = 5,
    MOVED_SILENCE_US = 1000000,
    SEQ_SLACK = 5, /* a lost packet does not end a probation */
};

socklen_t rtp_address_bytes(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET) return sizeof(struct sockaddr_in);
    if (a->sa_family == AF_INET6) return sizeof(struct sockaddr_in6);
    return 0;
}

uint16_t rtp_address_port(const struct sockaddr *a)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (a->sa_family == AF_INET) {
        memcpy(&v4, a, sizeof v4);
        return ntohs(v4.sin_port);
    }
    if (a->sa_family == AF_INET6) {
        memcpy(&v6, a, sizeof v6);
        return ntohs(v6.sin6_port);
    }
    return 0;
}

void rtp_address_set_port(struct sockaddr *a, uint16_t port)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (a->sa_family == AF_INET) {
        memcpy(&v4, a, sizeof v4);
        v4.sin_port = htons(port);
        memcpy(a, &v4, sizeof v4);
    } else if (a->sa_family == AF_INET6) {
        memcpy(&v6, a, sizeof v6);
        v6.sin6_port = htons(port);
        memcpy(a, &v6, sizeof v6);
    }
}

bool rtp_address_equal(const struct sockaddr *a, const struct sockaddr *b, bool with_port)
{
    if (a->sa_family != b->sa_family) return false;
    if (with_port && rtp_address_port(a) != rtp_address_port(b)) return false;
    if (a->sa_family == AF_INET) {
        struct sockaddr_in x;
        struct sockaddr_in y;
        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        return x.sin_addr.s_addr == y.sin_addr.s_addr;
    }
    if (a->sa_family == AF_INET6) {
        struct sockaddr_in6 x;
        struct sockaddr_in6 y;
        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        return memcmp(&x.sin6_addr, &y.sin6_addr, sizeof x.sin6_addr) == 0;
    }
    return false;
}

bool rtp_address_usable(const struct sockaddr *a)
{
    if (rtp_address_port(a) == 0) return false;
    struct sockaddr_storage wildcard = {.ss_family = a->sa_family};
    return !rtp_address_equal(a, (const struct sockaddr *)&wildcard, false);
}

static const struct sockaddr *plain(const struct sockaddr_storage *a)
{
    return (const struct sockaddr *)a;
}

void rtp_latch_expect(rtp_latch_t *self, const struct sockaddr *address)
{
    struct sockaddr_storage told = {0};
    if (rtp_address_usable(address)) memcpy(&told, address, rtp_address_bytes(address));
    bool same =
        told.ss_family == self->expected.ss_family &&
        (told.ss_family == 0 || rtp_address_equal(plain(&told), plain(&self->expected), true));
    if (same) return;
    *self = (rtp_latch_t){.expected = told};
}

static bool is_expected(const rtp_latch_t *self, const struct sockaddr *a)
{
    return self->expected.ss_family != 0 && rtp_address_equal(plain(&self->expected), a, true);
}

/* Packets in a row that make a source ours; 0: none do. */
static unsigned needed(const rtp_latch_t *self, uint64_t now_us, const struct sockaddr *from)
{
    if (!self->taken) return is_expected(self, from) ? 1 : UNEXPECTED_PACKETS;
    if (rtp_address_equal(plain(&self->address), from, true)) return NEW_SSRC_PACKETS;
    if (is_expected(self, from)) return UNEXPECTED_PACKETS;
    return now_us > self->heard_us + MOVED_SILENCE_US ? MOVED_PACKETS : 0;
}

rtp_latched_t rtp_latch_packet(rtp_latch_t *self, uint64_t now_us, const struct sockaddr *from,
                               uint32_t ssrc, uint16_t seq)
{
    if (self->taken && ssrc == self->ssrc && rtp_address_equal(plain(&self->address), from, true)) {
        self->heard_us = now_us;
        self->candidate.packets = 0;
        return RTP_LATCH_OURS;
    }
    rtp_candidate_t *c = &self->candidate;
    uint16_t ahead = (uint16_t)(seq - c->seq);
    bool same = c->packets > 0 && c->ssrc == ssrc && ahead >= 1 && ahead <= SEQ_SLACK &&
                rtp_address_equal(plain(&c->address), from, true);
    if (!same) {
        *c = (rtp_candidate_t){.ssrc = ssrc};
        memcpy(&c->address, from, rtp_address_bytes(from));
    }
    c->seq = seq;
    c->packets++;
    unsigned enough = needed(self, now_us, from);
    if (enough == 0 || c->packets < enough) return RTP_LATCH_FOREIGN;
    self->taken = true;
    self->address = c->address;
    self->ssrc = ssrc;
    self->heard_us = now_us;
    c->packets = 0;
    return RTP_LATCH_NEW;
}

const struct sockaddr *rtp_latch_address(const rtp_latch_t *self)
{
    if (self->taken) return plain(&self->address);
    return self->expected.ss_family ? plain(&self->expected) : NULL;
}
