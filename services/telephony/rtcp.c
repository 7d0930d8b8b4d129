#include "services/telephony/rtcp.h"

#include <string.h>

enum {
    PT_SR = 200,
    PT_RR = 201,
    PT_SDES = 202,
    PT_BYE = 203,
    PT_LAST = 223,
    SDES_CNAME = 1,
    SENDER_BYTES = 20,
    BLOCK_BYTES = 24,
    CNAME_MAX = 255,
};
#define NTP_OF_UNIX UINT64_C(2208988800) /* seconds from 1900 to 1970 */

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
    return p + 4;
}

/* Header of a packet from start to end, a multiple of four bytes. */
static void put_header(uint8_t *start, const uint8_t *end, unsigned count, uint8_t pt)
{
    size_t words = (size_t)(end - start) / 4 - 1;
    start[0] = (uint8_t)(0x80 | count);
    start[1] = pt;
    start[2] = (uint8_t)(words >> 8);
    start[3] = (uint8_t)words;
}

static uint8_t *put_block(uint8_t *p, const rtcp_block_t *b)
{
    int32_t lost = b->lost;
    if (lost > 0x7fffff) lost = 0x7fffff;
    if (lost < -0x800000) lost = -0x800000;
    p = put32(p, b->ssrc);
    p = put32(p, (uint32_t)b->fraction_lost << 24 | ((uint32_t)lost & 0xffffff));
    p = put32(p, b->highest_seq);
    p = put32(p, b->jitter);
    p = put32(p, b->lsr);
    return put32(p, b->dlsr);
}

static uint8_t *put_sdes(uint8_t *start, uint32_t ssrc, const char *cname)
{
    size_t n = strnlen(cname, CNAME_MAX);
    uint8_t *p = put32(start + 4, ssrc);
    *p++ = SDES_CNAME;
    *p++ = (uint8_t)n;
    memcpy(p, cname, n);
    p += n;
    do *p++ = 0; /* at least one ends the list */
    while ((p - start) % 4 != 0);
    put_header(start, p, 1, PT_SDES);
    return p;
}

size_t rtcp_write(const rtcp_report_t *report, uint8_t out[RTCP_MAX_BYTES])
{
    uint8_t *p = put32(out + 4, report->ssrc);
    if (report->sender) {
        p = put32(p, (uint32_t)(report->ntp >> 32));
        p = put32(p, (uint32_t)report->ntp);
        p = put32(p, report->timestamp);
        p = put32(p, report->packets);
        p = put32(p, report->octets);
    }
    if (report->has_block) p = put_block(p, &report->block);
    put_header(out, p, report->has_block ? 1 : 0, report->sender ? PT_SR : PT_RR);
    if (report->cname) p = put_sdes(p, report->ssrc, report->cname);
    if (report->bye) {
        uint8_t *start = p;
        p = put32(start + 4, report->ssrc);
        put_header(start, p, 1, PT_BYE);
    }
    return (size_t)(p - out);
}

static rtcp_block_t get_block(const uint8_t *p)
{
    uint32_t lost = get32(p + 4) & 0xffffff;
    return (rtcp_block_t){
        .ssrc = get32(p),
        .fraction_lost = p[4],
        .lost = lost & 0x800000 ? (int32_t)lost - 0x1000000 : (int32_t)lost,
        .highest_seq = get32(p + 8),
        .jitter = get32(p + 12),
        .lsr = get32(p + 16),
        .dlsr = get32(p + 20),
    };
}

/* body follows the common header. */
static bool parse_report(const uint8_t *body, size_t bytes, unsigned count, bool sender,
                         uint32_t own_ssrc, rtcp_report_t *out)
{
    size_t blocks = sender ? 4 + SENDER_BYTES : 4;
    if (bytes < blocks + (size_t)count * BLOCK_BYTES) return false;
    out->ssrc = get32(body);
    if (sender) {
        out->sender = true;
        out->ntp = (uint64_t)get32(body + 4) << 32 | get32(body + 8);
        out->timestamp = get32(body + 12);
        out->packets = get32(body + 16);
        out->octets = get32(body + 20);
    }
    for (unsigned i = 0; i < count; i++) {
        rtcp_block_t block = get_block(body + blocks + (size_t)i * BLOCK_BYTES);
        if (block.ssrc != own_ssrc) continue;
        out->has_block = true;
        out->block = block;
    }
    return true;
}

bool rtcp_parse(const uint8_t *bytes, size_t size, uint32_t own_ssrc, rtcp_report_t *out)
{
    rtcp_report_t report = {0};
    bool first = true;
    while (size > 0) {
        if (size < 4 || (bytes[0] & 0xc0) != 0x80) return false;
        unsigned count = bytes[0] & 0x1f;
        uint8_t pt = bytes[1];
        size_t length = 4 * ((size_t)bytes[2] << 8 | bytes[3]) + 4;
        if (length > size || pt < PT_SR || pt > PT_LAST) return false;
        if (first && pt != PT_SR && pt != PT_RR) return false;
        first = false;
        if (pt == PT_SR || pt == PT_RR) {
            if (!parse_report(bytes + 4, length - 4, count, pt == PT_SR, own_ssrc, &report)) {
                return false;
            }
        } else if (pt == PT_BYE) {
            report.bye = true;
        }
        bytes += length;
        size -= length;
    }
    if (first) return false;
    *out = report;
    return true;
}

uint64_t rtcp_ntp(uint64_t wall_us)
{
    uint64_t seconds = wall_us / 1000000 + NTP_OF_UNIX;
    uint64_t fraction = ((wall_us % 1000000) << 32) / 1000000;
    return seconds << 32 | fraction;
}

uint32_t rtcp_round_trip_us(uint64_t ntp_now, const rtcp_block_t *block)
{
    if (block->lsr == 0) return 0;
    uint32_t now = (uint32_t)(ntp_now >> 16);
    uint32_t trip = now - block->lsr - block->dlsr;
    if ((int32_t)trip < 0) return 0; /* a peer that claims to have held it longer than it could */
    return (uint32_t)((uint64_t)trip * 1000000 >> 16);
}
