#include "services/gateway/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD"

void text_free(text_t *self)
{
    free(self->data);
    *self = (text_t){0};
}

/* Room for size more bytes and a NUL. */
static void reserve(text_t *self, size_t size)
{
    if (size >= SIZE_MAX / 2 - self->size) abort();
    size_t need = self->size + size + 1;
    if (need <= self->room) return;
    size_t room = self->room ? self->room : 256;
    while (room < need) room *= 2;
    char *data = realloc(self->data, room);
    if (!data) abort();
    self->data = data;
    self->room = room;
}

void text_bytes(text_t *self, const void *bytes, size_t size)
{
    reserve(self, size);
    if (size) memcpy(self->data + self->size, bytes, size);
    self->size += size;
    self->data[self->size] = '\0';
}

void text_add(text_t *self, const char *string)
{
    if (string) text_bytes(self, string, strlen(string));
}

void text_fmt(text_t *self, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *out = NULL;
    int size = vasprintf(&out, fmt, args);
    va_end(args);
    if (size < 0) abort();
    text_bytes(self, out, (size_t)size);
    free(out);
}

/* How many bytes the first byte promises, and between what the second must be: that excludes
 * overlong forms, surrogates and what is above U+10FFFF (Unicode 15, table 3-7). */
static size_t utf8_promise(uint8_t first, uint8_t *low, uint8_t *high)
{
    *low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    *high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (first < 0x80) return 1;
    if (first < 0xC2) return 0;
    if (first < 0xE0) return 2;
    if (first < 0xF0) return 3;
    return first < 0xF5 ? 4 : 0;
}

size_t utf8_length(const char *s, size_t size)
{
    const uint8_t *b = (const uint8_t *)s;
    uint8_t low, high;
    size_t n = size > 0 ? utf8_promise(b[0], &low, &high) : 0;
    if (n > size) return 0;
    if (n > 1 && (b[1] < low || b[1] > high)) return 0;
    for (size_t i = 2; i < n; i++) {
        if ((b[i] & 0xC0) != 0x80) return 0;
    }
    return n;
}

static const char *html_entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\n':
    case '\t':
        return NULL;
    default:
        return (unsigned char)c < 0x20 || c == 0x7F ? REPLACEMENT : NULL;
    }
}

void text_html(text_t *self, const char *string)
{
    if (!string) return;
    size_t left = strlen(string);
    while (left > 0) {
        size_t n = utf8_length(string, left);
        const char *instead = n == 0 ? REPLACEMENT : n == 1 ? html_entity(*string) : NULL;
        if (n == 0) n = 1;
        if (instead) {
            text_add(self, instead);
        } else {
            text_bytes(self, string, n);
        }
        string += n;
        left -= n;
    }
}

static void json_character(text_t *self, unsigned char c)
{
    switch (c) {
    case '"':
        text_add(self, "\\\"");
        break;
    case '\\':
        text_add(self, "\\\\");
        break;
    case '\n':
        text_add(self, "\\n");
        break;
    case '\r':
        text_add(self, "\\r");
        break;
    case '\t':
        text_add(self, "\\t");
        break;
    default:
        if (c < 0x20 || c == 0x7F) {
            text_fmt(self, "\\u%04x", c);
        } else {
            text_bytes(self, &c, 1);
        }
    }
}

void text_json(text_t *self, const char *string)
{
    size_t left = string ? strlen(string) : 0;
    text_add(self, "\"");
    while (left > 0) {
        size_t n = utf8_length(string, left);
        if (n > 1) {
            text_bytes(self, string, n);
        } else if (n == 1) {
            json_character(self, (unsigned char)*string);
        } else {
            text_add(self, REPLACEMENT);
            n = 1;
        }
        string += n;
        left -= n;
    }
    text_add(self, "\"");
}

void text_url(text_t *self, const char *string)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~";
    for (; string && *string; string++) {
        if (strchr(unreserved, *string)) {
            text_bytes(self, string, 1);
        } else {
            text_fmt(self, "%%%02X", (unsigned char)*string);
        }
    }
}
