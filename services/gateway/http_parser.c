#include "services/gateway/http_parser.h"

#include <assert.h>
#include <ctype.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "services/gateway/text.h"

enum { CHUNK_LINE_MAX = 256, TRAILERS_MAX = 4096, BLANK_MAX = 8, BODY_STEP = 16384 };

/* Where in a chunked body the next byte falls. */
typedef enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_END, CHUNK_TRAILER } chunk_stage_t;

struct http_parser {
    http_stage_t stage;
    http_fault_t fault;
    http_request_t request;
    size_t body_max;
    text_t head;  /* line and headers as they came; cut into strings once complete */
    char *target; /* the path's own copy */
    bool chunked;
    size_t body_left; /* of the body, or of the present chunk */
    size_t body_room;
    chunk_stage_t chunk;
    char line[CHUNK_LINE_MAX]; /* of a chunk's size */
    size_t line_bytes, trailer_bytes, blank_bytes;
};

http_parser_t *http_parser_new(size_t body_max_bytes)
{
    http_parser_t *self = calloc(1, sizeof *self);
    if (!self) abort();
    self->body_max = body_max_bytes;
    return self;
}

void http_parser_reset(http_parser_t *self)
{
    size_t body_max = self->body_max;
    text_free(&self->head);
    free(self->target);
    free(self->request.body);
    *self = (http_parser_t){.body_max = body_max};
}

void http_parser_destroy(http_parser_t **self_p)
{
    if (!*self_p) return;
    http_parser_reset(*self_p);
    free(*self_p);
    *self_p = NULL;
}

http_stage_t http_parser_stage(const http_parser_t *self)
{
    return self->stage;
}

const http_request_t *http_parser_request(const http_parser_t *self)
{
    return &self->request;
}

http_fault_t http_parser_fault(const http_parser_t *self)
{
    return self->fault;
}

/* Always false, so that a check can end with it. */
static bool broken(http_parser_t *self, int status, const char *detail)
{
    if (self->stage != HTTP_BROKEN) self->fault = (http_fault_t){status, detail};
    self->stage = HTTP_BROKEN;
    return false;
}

const char *http_header(const http_request_t *request, const char *name)
{
    for (size_t i = 0; i < request->n_headers; i++) {
        if (strcmp(request->headers[i].name, name) == 0) return request->headers[i].value;
    }
    return NULL;
}

/* ---- decoding ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* The byte that an escape at s stands for; -1 when it is none. */
static int escaped_byte(const char *s, size_t size)
{
    if (size < 3) return -1;
    int high = hex_digit(s[1]), low = hex_digit(s[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* UTF-8 without control characters? */
static bool is_clean(const char *s, size_t size)
{
    for (size_t at = 0, n; at < size; at += n) {
        n = utf8_length(s + at, size - at);
        if (n == 0 || (unsigned char)s[at] < 0x20 || s[at] == 0x7F) return false;
    }
    return true;
}

/* A malloc'ed copy with %XX decoded; NULL when an escape is bad, or the result holds a control
 * character or is not UTF-8. */
static char *decode(const char *s, size_t size, bool plus_is_space)
{
    char *out = malloc(size + 1);
    if (!out) abort();
    size_t n = 0;
    bool good = true;
    for (size_t i = 0; i < size && good; i++) {
        int byte = (unsigned char)s[i];
        if (byte == '%') {
            byte = escaped_byte(s + i, size - i);
            good = byte >= 0;
            i += 2;
        } else if (byte == '+' && plus_is_space) {
            byte = ' ';
        }
        out[n++] = (char)byte;
    }
    out[n] = '\0';
    if (good && is_clean(out, n)) return out;
    free(out);
    return NULL;
}

char *http_query(const http_request_t *request, const char *name)
{
    const char *at = request->query;
    while (*at) {
        size_t size = strcspn(at, "&");
        const char *equals = memchr(at, '=', size);
        size_t name_size = equals ? (size_t)(equals - at) : size;
        char *decoded = decode(at, name_size, true);
        bool match = decoded && strcmp(decoded, name) == 0;
        free(decoded);
        if (match) {
            return equals ? decode(equals + 1, size - name_size - 1, true) : decode("", 0, true);
        }
        at += size;
        if (*at) at++;
    }
    return NULL;
}

/* ---- the head ---- */

static bool is_token(const char *s)
{
    if (!*s) return false;
    for (; *s; s++) {
        if (!isalnum((unsigned char)*s) && !strchr("!#$%&'*+-.^_`|~", *s)) return false;
    }
    return true;
}

/* Is token one of the comma-separated words of value? */
static bool lists(const char *value, const char *token)
{
    size_t size = strlen(token);
    while (value && *value) {
        value += strspn(value, " \t,");
        size_t n = strcspn(value, " \t,");
        if (n == size && strncasecmp(value, token, n) == 0) return true;
        value += n;
    }
    return false;
}

/* Path and query out of the target in origin, absolute or asterisk form. */
static bool parse_target(http_parser_t *self, char *target)
{
    if (strlen(target) > HTTP_TARGET_MAX_BYTES) {
        return broken(self, 414, "The address is longer than 8000 bytes");
    }
    if (strncasecmp(target, "http://", 7) == 0 || strncasecmp(target, "https://", 8) == 0) {
        char *authority = strstr(target, "//") + 2;
        target = authority + strcspn(authority, "/?");
        if (*target != '/') return broken(self, 400, "The address has no path");
    }
    char *question = strchr(target, '?');
    if (question) *question = '\0';
    self->request.query = question ? question + 1 : "";
    if (target[0] != '/' && strcmp(target, "*") != 0) {
        return broken(self, 400, "The address must begin with a slash");
    }
    self->target = decode(target, strlen(target), false);
    if (!self->target) return broken(self, 400, "The address holds a bad escape");
    self->request.path = self->target;
    return true;
}

static bool parse_request_line(http_parser_t *self, char *line)
{
    char *target = strchr(line, ' ');
    char *version = target ? strchr(target + 1, ' ') : NULL;
    if (!version) return broken(self, 400, "Not an HTTP request line");
    *target++ = '\0';
    *version++ = '\0';
    if (!is_token(line) || strlen(line) > 20) return broken(self, 400, "Not an HTTP method");
    if (strncmp(version, "HTTP/", 5) != 0) return broken(self, 400, "Not an HTTP request line");
    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0) {
        return broken(self, 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here");
    }
    for (const char *c = target; *c; c++) {
        if ((unsigned char)*c <= 0x20 || *c == 0x7F) {
            return broken(self, 400, "The address holds a control character");
        }
    }
    self->request.method = line;
    self->request.keep_alive = version[7] == '1';
    return parse_target(self, target);
}

static bool parse_header(http_parser_t *self, char *line)
{
    http_request_t *r = &self->request;
    char *colon = strchr(line, ':');
    if (!colon) return broken(self, 400, "A header has no colon");
    *colon = '\0';
    if (!is_token(line)) return broken(self, 400, "A header has a bad name");
    if (r->n_headers == HTTP_HEADERS_MAX) return broken(self, 431, "More than 64 headers");
    char *value = colon + 1;
    value += strspn(value, " \t");
    size_t size = strlen(value);
    while (size > 0 && (value[size - 1] == ' ' || value[size - 1] == '\t')) value[--size] = '\0';
    for (const char *c = value; *c; c++) {
        if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7F) {
            return broken(self, 400, "A header holds a control character");
        }
    }
    for (char *c = line; *c; c++) *c = (char)tolower((unsigned char)*c);
    r->headers[r->n_headers++] = (http_header_t){line, value};
    return true;
}

static bool parse_length(http_parser_t *self, const char *value)
{
    size_t length = 0;
    if (!*value || strlen(value) > 18) return broken(self, 400, "Content-Length is not a number");
    for (const char *c = value; *c; c++) {
        if (*c < '0' || *c > '9') return broken(self, 400, "Content-Length is not a number");
        length = length * 10 + (size_t)(*c - '0');
    }
    if (length > self->body_max) return broken(self, 413, "The body is too long");
    self->body_left = length;
    return true;
}

static size_t count_headers(const http_request_t *request, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < request->n_headers; i++) {
        count += strcmp(request->headers[i].name, name) == 0;
    }
    return count;
}

/* How the body is delimited; refuses all that two parsers might read differently. */
static bool parse_framing(http_parser_t *self)
{
    const http_request_t *r = &self->request;
    bool http_1_1 = r->keep_alive;
    size_t hosts = count_headers(r, "host");
    if (count_headers(r, "content-length") > 1) {
        return broken(self, 400, "Content-Length is given twice");
    }
    if (count_headers(r, "transfer-encoding") > 1) {
        return broken(self, 400, "Transfer-Encoding is given twice");
    }
    if (hosts > 1 || (http_1_1 && hosts == 0)) {
        return broken(self, 400, "Exactly one Host header is needed");
    }
    const char *length = http_header(r, "content-length");
    const char *coding = http_header(r, "transfer-encoding");
    if (coding && length) {
        return broken(self, 400, "Content-Length and Transfer-Encoding exclude each other");
    }
    if (coding && !http_1_1) return broken(self, 400, "HTTP/1.0 has no Transfer-Encoding");
    if (coding && strcasecmp(coding, "chunked") != 0) {
        return broken(self, 501, "The only transfer coding known here is chunked");
    }
    self->chunked = coding != NULL;
    return !length || parse_length(self, length);
}

static void enter_body(http_parser_t *self)
{
    http_request_t *r = &self->request;
    const char *connection = http_header(r, "connection");
    const char *expect = http_header(r, "expect");
    bool body = self->chunked || self->body_left > 0;
    r->expect_continue = body && r->keep_alive && expect && strcasecmp(expect, "100-continue") == 0;
    if (lists(connection, "close")) {
        r->keep_alive = false;
    } else if (lists(connection, "keep-alive")) {
        r->keep_alive = true;
    }
    self->stage = body ? HTTP_BODY : HTTP_READY;
}

/* The head is complete: cuts it into lines, in place. */
static void parse_head(http_parser_t *self)
{
    char *line = self->head.data;
    bool first = true;
    if (memchr(line, '\0', self->head.size)) {
        broken(self, 400, "A NUL in the headers");
        return;
    }
    for (;;) {
        char *end = strchr(line, '\n');
        assert(end); /* the caller saw the empty line */
        *end = '\0';
        if (end > line && end[-1] == '\r') end[-1] = '\0';
        if (!*line) break;
        if (*line == ' ' || *line == '\t') {
            broken(self, 400, "A folded header line");
            return;
        }
        if (!(first ? parse_request_line(self, line) : parse_header(self, line))) return;
        first = false;
        line = end + 1;
    }
    if (first) {
        broken(self, 400, "An empty line where a request should begin");
    } else if (parse_framing(self)) {
        enter_body(self);
    }
}

/* Is the head collected so far closed by an empty line? */
static bool head_complete(const text_t *head)
{
    const char *d = head->data;
    size_t n = head->size;
    if (n < 2 || d[n - 1] != '\n') return false;
    return d[n - 2] == '\n' || (n >= 3 && d[n - 2] == '\r' && d[n - 3] == '\n');
}

static size_t feed_head(http_parser_t *self, const char *bytes, size_t size)
{
    size_t at = 0;
    while (at < size && self->stage <= HTTP_HEAD) {
        /* A few empty lines before a request are fine. */
        bool blank = self->stage == HTTP_IDLE && (bytes[at] == '\n' || bytes[at] == '\r');
        if (blank && self->blank_bytes < BLANK_MAX) {
            self->blank_bytes++;
            at++;
            continue;
        }
        const char *newline = memchr(bytes + at, '\n', size - at);
        size_t n = newline ? (size_t)(newline - bytes) - at + 1 : size - at;
        self->stage = HTTP_HEAD;
        if (self->head.size + n > HTTP_HEAD_MAX_BYTES) {
            broken(self, 431, "The headers are longer than 16384 bytes");
            return at;
        }
        text_bytes(&self->head, bytes + at, n);
        at += n;
        if (newline && head_complete(&self->head)) {
            parse_head(self);
        }
    }
    return at;
}

/* ---- the body ---- */

/* Grows as bytes arrive, so that a lying Content-Length costs nothing. */
static void append_body(http_parser_t *self, const char *bytes, size_t size)
{
    http_request_t *r = &self->request;
    size_t need = r->body_bytes + size + 1;
    if (need > self->body_room) {
        size_t room = self->body_room ? self->body_room : BODY_STEP;
        while (room < need) room *= 2;
        char *body = realloc(r->body, room);
        if (!body) abort();
        r->body = body;
        self->body_room = room;
    }
    memcpy(r->body + r->body_bytes, bytes, size);
    r->body_bytes += size;
    r->body[r->body_bytes] = '\0';
}

/* A chunk's size line is complete in self->line. */
static void parse_chunk_size(http_parser_t *self)
{
    size_t value = 0, digits = 0;
    const char *c = self->line;
    for (; hex_digit(*c) >= 0; c++, digits++) {
        if (digits == 15) {
            broken(self, 413, "The body is too long");
            return;
        }
        value = value * 16 + (size_t)hex_digit(*c);
    }
    c += strspn(c, " \t");
    if (digits == 0 || (*c && *c != ';')) {
        broken(self, 400, "A chunk has a bad size");
    } else if (value > self->body_max - self->request.body_bytes) {
        broken(self, 413, "The body is too long");
    } else {
        self->body_left = value;
        self->chunk = value > 0 ? CHUNK_DATA : CHUNK_TRAILER;
    }
    self->line_bytes = 0;
}

/* One byte of a line (chunk size, trailer, or the line break after a chunk). */
static void feed_chunk_line(http_parser_t *self, char c)
{
    if (self->chunk == CHUNK_TRAILER && ++self->trailer_bytes > TRAILERS_MAX) {
        broken(self, 431, "The trailers are longer than 4096 bytes");
        return;
    }
    if (c != '\n') {
        if (self->line_bytes + 1 >= sizeof self->line) {
            if (self->chunk != CHUNK_TRAILER) broken(self, 400, "A chunk's line is too long");
            return; /* trailers are not kept */
        }
        self->line[self->line_bytes++] = c;
        return;
    }
    if (self->line_bytes > 0 && self->line[self->line_bytes - 1] == '\r') self->line_bytes--;
    self->line[self->line_bytes] = '\0';
    bool empty = self->line_bytes == 0;
    self->line_bytes = 0;
    if (self->chunk == CHUNK_SIZE) {
        parse_chunk_size(self);
    } else if (self->chunk == CHUNK_END) {
        if (!empty) broken(self, 400, "A chunk is longer than it said");
        self->chunk = CHUNK_SIZE;
    } else if (empty) {
        self->stage = HTTP_READY;
    }
}

static size_t feed_body(http_parser_t *self, const char *bytes, size_t size)
{
    size_t at = 0;
    while (at < size && self->stage == HTTP_BODY) {
        if (self->chunked && self->chunk != CHUNK_DATA) {
            feed_chunk_line(self, bytes[at++]);
            continue;
        }
        size_t n = size - at < self->body_left ? size - at : self->body_left;
        append_body(self, bytes + at, n);
        at += n;
        self->body_left -= n;
        if (self->body_left > 0) break;
        if (self->chunked) {
            self->chunk = CHUNK_END;
        } else {
            self->stage = HTTP_READY;
        }
    }
    return at;
}

size_t http_parser_feed(http_parser_t *self, const char *bytes, size_t size)
{
    size_t at = 0;
    if (self->stage <= HTTP_HEAD) at = feed_head(self, bytes, size);
    if (self->stage == HTTP_BODY) at += feed_body(self, bytes + at, size - at);
    return at;
}
