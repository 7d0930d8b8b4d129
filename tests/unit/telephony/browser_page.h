/* browser_page.h - for tests: a page's WebSocket in the fewest lines (RFC 6455), which can also
 * break the rules. Include after world.h.
 */
#ifndef TESTS_TELEPHONY_BROWSER_PAGE_H
#define TESTS_TELEPHONY_BROWSER_PAGE_H

enum { PAGE_BYTES = 65536 };

typedef struct {
    int fd;
    uint8_t in[PAGE_BYTES];
    size_t have;
    char text[2048];     /* the last text message */
    uint8_t audio[4096]; /* the last binary message */
    size_t audio_bytes;
    unsigned texts, audios;
    int close_code; /* 0: open */
    bool gone;
} page_client_t;

static inline void page_write(page_client_t *self, const void *bytes, size_t count)
{
    assert_int_equal(send(self->fd, bytes, count, MSG_NOSIGNAL), count);
}

static inline void page_connect(page_client_t *self, const char *request)
{
    *self = (page_client_t){0};
    self->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons(world.web_port)};
    assert_int_equal(connect(self->fd, (struct sockaddr *)&to, sizeof to), 0);
    page_write(self, request, strlen(request));
    assert_int_equal(fcntl(self->fd, F_SETFL, O_NONBLOCK), 0);
}

static inline void page_read(page_client_t *self)
{
    ssize_t got = recv(self->fd, self->in + self->have, sizeof self->in - self->have, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) self->gone = true;
    if (got > 0) self->have += (size_t)got;
}

static inline void page_drop(page_client_t *self, size_t count)
{
    memmove(self->in, self->in + count, self->have - count);
    self->have -= count;
}

/* The HTTP answer's first line; static. Leaves what follows the headers. */
static inline const char *page_status(page_client_t *self)
{
    static char line[128];
    uint64_t until_ms = pl_clock_ms() + PHONE_WAIT_MS;
    const char *end = NULL;
    line[0] = '\0';
    while (!(end = memmem(self->in, self->have, "\r\n\r\n", 4)) && !self->gone) {
        assert_true(pl_clock_ms() < until_ms);
        page_read(self);
        process_run_ms(&world.process, 2);
    }
    if (!end) return line;
    (void)snprintf(line, sizeof line, "%.*s", (int)strcspn((char *)self->in, "\r"),
                   (char *)self->in);
    page_drop(self, (size_t)(end + 4 - (char *)self->in));
    return line;
}

static inline void page_open(page_client_t *self)
{
    page_connect(self, "GET /phone HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                       "Sec-WebSocket-Protocol: parley-phone-1\r\n\r\n");
    assert_string_equal(page_status(self), "HTTP/1.1 101 Switching Protocols");
}

static inline void page_send(page_client_t *self, uint8_t opcode, const void *bytes, size_t count)
{
    uint8_t *frame = malloc(count + 14);
    size_t at = 0;
    frame[at++] = (uint8_t)(0x80 | opcode);
    if (count < 126) {
        frame[at++] = (uint8_t)(0x80 | count);
    } else {
        assert_true(count < 65536);
        frame[at++] = 0x80 | 126;
        frame[at++] = (uint8_t)(count >> 8);
        frame[at++] = (uint8_t)count;
    }
    static const uint8_t mask[4] = {1, 2, 3, 4};
    memcpy(frame + at, mask, sizeof mask);
    at += sizeof mask;
    for (size_t i = 0; i < count; i++) frame[at++] = ((const uint8_t *)bytes)[i] ^ mask[i % 4];
    page_write(self, frame, at);
    free(frame);
}

static inline void page_say(page_client_t *self, const char *text)
{
    page_send(self, 1, text, strlen(text));
}

/* Takes one whole frame of the server out of what came. */
static inline bool page_frame(page_client_t *self)
{
    if (self->have < 2) return false;
    size_t count = self->in[1] & 0x7f, head = 2;
    if (count == 126) {
        if (self->have < 4) return false;
        count = (size_t)self->in[2] << 8 | self->in[3];
        head = 4;
    }
    assert_true(count < 65536);
    if (self->have < head + count) return false;
    const uint8_t *body = self->in + head;
    switch (self->in[0] & 0x0f) {
    case 1:
        (void)snprintf(self->text, sizeof self->text, "%.*s", (int)count, (const char *)body);
        self->texts++;
        break;
    case 2:
        assert_true(count <= sizeof self->audio);
        memcpy(self->audio, body, count);
        self->audio_bytes = count;
        self->audios++;
        break;
    case 8:
        self->close_code = count >= 2 ? body[0] << 8 | body[1] : 1005;
        page_send(self, 8, body, count >= 2 ? 2 : 0);
        break;
    default:
        break;
    }
    page_drop(self, head + count);
    return true;
}

/* Waits for a text that contains that. */
static inline void page_expect(page_client_t *self, const char *part)
{
    uint64_t until_ms = pl_clock_ms() + PHONE_WAIT_MS;
    for (;;) {
        while (page_frame(self)) {
            if (self->texts && strstr(self->text, part)) {
                self->texts = 0;
                return;
            }
        }
        if (pl_clock_ms() > until_ms || self->gone)
            fail_msg("no \"%s\" but \"%s\"; log: %s", part, self->text,
                     process_log(&world.process));
        page_read(self);
        process_run_ms(&world.process, 2);
    }
}

static inline int page_closed(page_client_t *self, uint64_t wait_ms)
{
    uint64_t until_ms = pl_clock_ms() + wait_ms;
    while (!self->close_code && !self->gone && pl_clock_ms() < until_ms) {
        page_read(self);
        while (!self->close_code && page_frame(self)) continue;
        process_run_ms(&world.process, 2);
    }
    return self->close_code;
}

static inline void page_shut(page_client_t *self)
{
    (void)close(self->fd);
    self->fd = -1;
}

#endif
