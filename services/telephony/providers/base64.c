#include "services/telephony/providers/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encode(const void *bytes, size_t count, char *out)
{
    const uint8_t *in = bytes;
    char *to = out;
    for (size_t i = 0; i < count; i += 3) {
        size_t have = count - i < 3 ? count - i : 3;
        uint32_t bits = (uint32_t)in[i] << 16;
        if (have > 1) bits |= (uint32_t)in[i + 1] << 8;
        if (have > 2) bits |= in[i + 2];
        *to++ = alphabet[bits >> 18];
        *to++ = alphabet[bits >> 12 & 63];
        *to++ = '=';
        *to++ = '=';
        if (have > 1) to[-2] = alphabet[bits >> 6 & 63];
        if (have > 2) to[-1] = alphabet[bits & 63];
    }
    *to = '\0';
    return (size_t)(to - out);
}

/* A table, since a call brings 856 characters every 20 ms. 0: not of the alphabet, else value + 1. */
#define RUN10(at, first)                                                                           \
    [(at)] = (first), [(at) + 1] = (first) + 1, [(at) + 2] = (first) + 2,                          \
    [(at) + 3] = (first) + 3, [(at) + 4] = (first) + 4, [(at) + 5] = (first) + 5,                  \
    [(at) + 6] = (first) + 6, [(at) + 7] = (first) + 7, [(at) + 8] = (first) + 8,                  \
    [(at) + 9] = (first) + 9
#define RUN26(at, first)                                                                           \
    RUN10(at, first), RUN10((at) + 10, (first) + 10),                                              \
        [(at) + 20] = (first) + 20, [(at) + 21] = (first) + 21, [(at) + 22] = (first) + 22,        \
                [(at) + 23] = (first) + 23, [(at) + 24] = (first) + 24, [(at) + 25] = (first) + 25
#define COMMON RUN26('A', 1), RUN26('a', 27), RUN10('0', 53)

static const uint8_t standard[256] = {COMMON, ['+'] = 63, ['/'] = 64};
static const uint8_t url_safe[256] = {COMMON, ['-'] = 63, ['_'] = 64};

static bool decode(const uint8_t table[256], const char *text, size_t chars, uint8_t *out,
                   size_t max_bytes, size_t *count)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t used = 0;
    *count = 0;
    for (size_t i = 0; i < chars; i++) {
        uint8_t value = table[(uint8_t)text[i]];
        if (value == 0) return false;
        bits = bits << 6 | (value - 1U);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        if (used == max_bytes) return false;
        out[used++] = (uint8_t)(bits >> held);
        bits &= (1U << held) - 1;
    }
    if (held >= 6 || bits != 0) return false; /* a lone character, or one that is not canonical */
    *count = used;
    return true;
}

/* Without the padding; false when it is not as long as it must be. */
static bool strip(const char *text, size_t *chars)
{
    size_t full = *chars;
    while (full - *chars < 2 && *chars > 0 && text[*chars - 1] == '=') --*chars;
    return full % 4 == 0;
}

bool base64_decode(const char *text, size_t chars, uint8_t *out, size_t max_bytes, size_t *count)
{
    *count = 0;
    return strip(text, &chars) && decode(standard, text, chars, out, max_bytes, count);
}

bool base64_url_decode(const char *text, size_t chars, uint8_t *out, size_t max_bytes,
                       size_t *count)
{
    *count = 0;
    bool padded = chars > 0 && text[chars - 1] == '=';
    if (padded && !strip(text, &chars)) return false;
    return decode(url_safe, text, chars, out, max_bytes, count);
}
