#include "services/gateway/json_check.h"

#include <stdbool.h>
#include <string.h>

#include "services/gateway/text.h"

typedef struct {
    const char *text;
    size_t size, at;
    size_t values;
    const char *fault;
} scan_t;

static int peek(const scan_t *s)
{
    return s->at < s->size ? (unsigned char)s->text[s->at] : -1;
}

static bool fail(scan_t *s, const char *what)
{
    if (!s->fault) s->fault = s->at < s->size ? what : "the text ends too early";
    return false;
}

static void skip_space(scan_t *s)
{
    while (s->at < s->size && strchr(" \t\r\n", s->text[s->at]) && s->text[s->at]) s->at++;
}

static int hex_digit(int c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* The four digits after \u; -1 when they are not. */
static int hex4(scan_t *s)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(peek(s));
        if (digit < 0) return -1;
        value = value * 16 + digit;
        s->at++;
    }
    return value;
}

static bool unicode_escape(scan_t *s)
{
    int unit = hex4(s);
    if (unit < 0) return fail(s, "\\u needs four hexadecimal digits");
    if (unit == 0) return fail(s, "U+0000 is not allowed in a string");
    if (unit >= 0xDC00 && unit <= 0xDFFF) return fail(s, "a low surrogate without its high one");
    if (unit < 0xD800 || unit > 0xDBFF) return true;
    if (peek(s) != '\\' || s->at + 1 >= s->size || s->text[s->at + 1] != 'u') {
        return fail(s, "a high surrogate without its low one");
    }
    s->at += 2;
    int low = hex4(s);
    if (low < 0xDC00 || low > 0xDFFF) return fail(s, "a high surrogate without its low one");
    return true;
}

static bool escape(scan_t *s)
{
    s->at++; /* the backslash */
    int c = peek(s);
    if (c == 'u') {
        s->at++;
        return unicode_escape(s);
    }
    if (c <= 0 || !strchr("\"\\/bfnrt", c)) return fail(s, "unknown escape in a string");
    s->at++;
    return true;
}

static bool string(scan_t *s)
{
    s->at++; /* the opening quote */
    for (;;) {
        int c = peek(s);
        if (c < 0) return fail(s, "");
        if (c == '"') break;
        if (c < 0x20) return fail(s, "a control character in a string must be escaped");
        if (c == '\\') {
            if (!escape(s)) return false;
            continue;
        }
        size_t n = utf8_length(s->text + s->at, s->size - s->at);
        if (n == 0) return fail(s, "not UTF-8");
        s->at += n;
    }
    s->at++;
    return true;
}

static bool digits(scan_t *s)
{
    if (peek(s) < '0' || peek(s) > '9') return fail(s, "expected a digit");
    while (peek(s) >= '0' && peek(s) <= '9') s->at++;
    return true;
}

static bool number(scan_t *s)
{
    if (peek(s) == '-') s->at++;
    if (peek(s) == '0') {
        s->at++;
    } else if (!digits(s)) {
        return false;
    }
    if (peek(s) == '.') {
        s->at++;
        if (!digits(s)) return false;
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        s->at++;
        if (peek(s) == '+' || peek(s) == '-') s->at++;
        if (!digits(s)) return false;
    }
    return true;
}

static bool word(scan_t *s, const char *expected)
{
    size_t n = strlen(expected);
    if (s->size - s->at < n || memcmp(s->text + s->at, expected, n) != 0) {
        return fail(s, "expected a value");
    }
    s->at += n;
    return true;
}

static bool scalar(scan_t *s)
{
    switch (peek(s)) {
    case '"':
        return string(s);
    case 't':
        return word(s, "true");
    case 'f':
        return word(s, "false");
    case 'n':
        return word(s, "null");
    default:
        break;
    }
    if (peek(s) == '-' || (peek(s) >= '0' && peek(s) <= '9')) return number(s);
    return fail(s, "expected a value");
}

/* The member's name and its colon. */
static bool name(scan_t *s)
{
    skip_space(s);
    if (peek(s) != '"') return fail(s, "expected a name in double quotes");
    if (!string(s)) return false;
    skip_space(s);
    if (peek(s) != ':') return fail(s, "expected ':'");
    s->at++;
    return true;
}

/* After a value: closes containers, or steps to the next element. Returns false on a fault. */
static bool after_value(scan_t *s, char *open, size_t *depth)
{
    while (*depth > 0) {
        skip_space(s);
        char close = open[*depth - 1];
        if (peek(s) == ',') {
            s->at++;
            return close != '}' || name(s);
        }
        if (peek(s) != close) {
            return fail(s, close == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
        }
        s->at++;
        (*depth)--;
    }
    return true;
}

/* Enters a container; *empty tells that it was closed at once and is a whole value. */
static bool enter(scan_t *s, char *open, size_t *depth, bool *empty)
{
    if (*depth >= JSON_DEPTH_MAX) return fail(s, "nested too deeply (at most 32 levels)");
    char close = peek(s) == '{' ? '}' : ']';
    s->at++;
    skip_space(s);
    *empty = peek(s) == close;
    if (*empty) {
        s->at++;
        return true;
    }
    open[(*depth)++] = close;
    return close != '}' || name(s);
}

static bool document(scan_t *s)
{
    char open[JSON_DEPTH_MAX];
    size_t depth = 0;
    do {
        skip_space(s);
        if (++s->values > JSON_VALUES_MAX) return fail(s, "more than 10000 values");
        bool whole = true;
        if (peek(s) == '{' || peek(s) == '[') {
            if (!enter(s, open, &depth, &whole)) return false;
        } else if (!scalar(s)) {
            return false;
        }
        if (whole && !after_value(s, open, &depth)) return false;
    } while (depth > 0);
    skip_space(s);
    return s->at == s->size || fail(s, "something follows the JSON value");
}

pl_err_t json_check(const char *text, size_t size, json_fault_t *fault)
{
    scan_t s = {.text = text, .size = size};
    if (document(&s)) return PL_OK;
    *fault = (json_fault_t){.line = 1, .column = 1, .what = s.fault};
    for (size_t i = 0; i < s.at && i < size; i++) {
        fault->column++;
        if (text[i] == '\n') {
            fault->line++;
            fault->column = 1;
        }
    }
    return PL_INVALID;
}
