#include "services/rag/encoding.h"

#include <assert.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

/* The length of the character at text, 0 when it is none: overlong forms, surrogates and what is
 * beyond U+10FFFF are not UTF-8. */
static size_t utf8_length(const unsigned char *text, size_t bytes)
{
    unsigned char c = text[0];
    if (c < 0x80) return c ? 1 : 0;
    size_t length = c >= 0xf0 ? 4 : (c >= 0xe0 ? 3 : 2);
    if (c < 0xc2 || c > 0xf4 || length > bytes) return 0;
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80) return 0;
    }
    if (c == 0xe0 && text[1] < 0xa0) return 0;
    if (c == 0xed && text[1] > 0x9f) return 0;
    if (c == 0xf0 && text[1] < 0x90) return 0;
    if (c == 0xf4 && text[1] > 0x8f) return 0;
    return length;
}

bool utf8_valid(const char *text, size_t bytes)
{
    size_t at = 0;
    while (at < bytes) {
        size_t length = utf8_length((const unsigned char *)text + at, bytes - at);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

static void replace(char **text, size_t *bytes, char *with, size_t size)
{
    free(*text);
    *text = with;
    *bytes = size;
    with[size] = '\0';
}

/* False: the bytes are not of that encoding. */
static bool convert(const char *from, char **text, size_t *bytes)
{
    iconv_t converter = iconv_open("UTF-8", from);
    // NOLINTNEXTLINE(performance-no-int-to-ptr): how iconv says that it does not know one
    assert(converter != (iconv_t)-1);
    size_t room = *bytes * 3;
    char *out = malloc(room + 1);
    assert(out);
    char *in = *text;
    char *to = out;
    size_t left = *bytes;
    size_t room_left = room;
    size_t rc = iconv(converter, &in, &left, &to, &room_left);
    (void)iconv_close(converter);
    size_t size = room - room_left;
    if (rc == (size_t)-1 || !utf8_valid(out, size)) {
        free(out);
        return false;
    }
    replace(text, bytes, out, size);
    return true;
}

encoding_t encoding_settle(char **text, size_t *bytes)
{
    if (*bytes >= 3 && memcmp(*text, "\xef\xbb\xbf", 3) == 0) {
        *bytes -= 3;
        memmove(*text, *text + 3, *bytes);
    } else if (*bytes >= 2 && memcmp(*text, "\xff\xfe", 2) == 0) {
        memmove(*text, *text + 2, *bytes - 2);
        *bytes -= 2;
        return convert("UTF-16LE", text, bytes) ? ENCODING_UTF8 : ENCODING_NONE;
    } else if (*bytes >= 2 && memcmp(*text, "\xfe\xff", 2) == 0) {
        memmove(*text, *text + 2, *bytes - 2);
        *bytes -= 2;
        return convert("UTF-16BE", text, bytes) ? ENCODING_UTF8 : ENCODING_NONE;
    }
    if (memchr(*text, '\0', *bytes)) return ENCODING_NONE;
    return utf8_valid(*text, *bytes) ? ENCODING_UTF8 : ENCODING_ASK;
}

/* 0x80 to 0x9f; 0: that byte is not used. */
static const unsigned short windows_1252[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

void encoding_from_1252(char **text, size_t *bytes)
{
    char *out = malloc(*bytes * 3 + 1);
    assert(out);
    size_t size = 0;
    for (size_t i = 0; i < *bytes; i++) {
        unsigned code = (unsigned char)(*text)[i];
        if (code >= 0x80 && code < 0xa0) code = windows_1252[code - 0x80];
        if (code == 0) continue;
        if (code < 0x80) {
            out[size++] = (char)code;
        } else if (code < 0x800) {
            out[size++] = (char)(0xc0 | (code >> 6));
            out[size++] = (char)(0x80 | (code & 0x3f));
        } else {
            out[size++] = (char)(0xe0 | (code >> 12));
            out[size++] = (char)(0x80 | ((code >> 6) & 0x3f));
            out[size++] = (char)(0x80 | (code & 0x3f));
        }
    }
    replace(text, bytes, out, size);
}
