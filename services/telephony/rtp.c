#include "services/telephony/rtp.h"

#include <string.h>

enum { VERSION_BITS = 0x80, VERSION_MASK = 0xc0, PADDING_BIT = 0x20, EXTENSION_BIT = 0x10 };

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)(v & 0xff);
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, (uint16_t)(v >> 16));
    put16(p + 2, (uint16_t)(v & 0xffff));
}

bool rtp_is_rtcp(const uint8_t *bytes, size_t size)
{
    return size >= 8 && (bytes[0] & VERSION_MASK) == VERSION_BITS && bytes[1] >= 192 &&
           bytes[1] <= 223;
}

bool rtp_parse(const uint8_t *bytes, size_t size, rtp_packet_t *out)
{
    if (size < RTP_HEADER_BYTES || (bytes[0] & VERSION_MASK) != VERSION_BITS) return false;
    uint8_t pt = bytes[1] & 0x7f;
    if (pt >= 64 && pt <= 95) return false;

    size_t start = RTP_HEADER_BYTES + 4 * (size_t)(bytes[0] & 0x0f);
    size_t end = size;
    if (start > end) return false;
    if (bytes[0] & EXTENSION_BIT) {
        if (end - start < 4) return false;
        size_t extension = 4 + 4 * (size_t)get16(bytes + start + 2);
        if (end - start < extension) return false;
        start += extension;
    }
    if (bytes[0] & PADDING_BIT) {
        uint8_t padding = bytes[end - 1];
        if (padding == 0 || padding > end - start) return false;
        end -= padding;
    }
    *out = (rtp_packet_t){
        .pt = pt,
        .marker = (bytes[1] & 0x80) != 0,
        .seq = get16(bytes + 2),
        .timestamp = get32(bytes + 4),
        .ssrc = get32(bytes + 8),
        .payload = bytes + start,
        .payload_bytes = end - start,
    };
    return true;
}

void rtp_write_header(const rtp_packet_t *packet, uint8_t out[RTP_HEADER_BYTES])
{
    out[0] = VERSION_BITS;
    out[1] = (uint8_t)((packet->marker ? 0x80 : 0) | (packet->pt & 0x7f));
    put16(out + 2, packet->seq);
    put32(out + 4, packet->timestamp);
    put32(out + 8, packet->ssrc);
}

bool rtp_event_parse(const uint8_t *payload, size_t bytes, rtp_event_t *out)
{
    if (bytes < RTP_EVENT_BYTES) return false;
    *out = (rtp_event_t){
        .event = payload[0],
        .end = (payload[1] & 0x80) != 0,
        .volume = payload[1] & 0x3f,
        .duration = get16(payload + 2),
    };
    return true;
}

void rtp_event_write(const rtp_event_t *event, uint8_t out[RTP_EVENT_BYTES])
{
    out[0] = event->event;
    out[1] = (uint8_t)((event->end ? 0x80 : 0) | (event->volume & 0x3f));
    put16(out + 2, event->duration);
}

static const char keys[] = "0123456789*#ABCD";

char rtp_event_digit(uint8_t event)
{
    return event < sizeof keys - 1 ? keys[event] : 0;
}

bool rtp_event_of_digit(char digit, uint8_t *out)
{
    if (digit >= 'a' && digit <= 'd') digit = (char)(digit - 'a' + 'A');
    const char *at = digit ? strchr(keys, digit) : NULL;
    if (!at) return false;
    *out = (uint8_t)(at - keys);
    return true;
}
