/* sip_phone.h - for tests: a SIP phone made of plain text over UDP, so that it can also misbehave.
 *
 * It says what the test tells it to and keeps the last message of each kind that came. Include
 * after cmocka.h and tests/support/process.h.
 */
#ifndef TESTS_TELEPHONY_SIP_PHONE_H
#define TESTS_TELEPHONY_SIP_PHONE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>

enum { PHONE_TEXT = 4096, PHONE_WAIT_MS = 5000 };

typedef struct {
    process_t *process; /* its loop runs while we wait */
    int fd;
    uint16_t port, server_port;
    char last[PHONE_TEXT];   /* the message that was waited for */
    char invite[PHONE_TEXT]; /* the last INVITE that came */
    unsigned branch;
} sip_phone_t;

static inline uint16_t port_of(int fd)
{
    struct sockaddr_in address = {0};
    socklen_t bytes = sizeof address;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &bytes), 0);
    return ntohs(address.sin_port);
}

static inline int udp_socket(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof any), 0);
    return fd;
}

static inline void phone_open(sip_phone_t *self, process_t *process, uint16_t server_port)
{
    *self = (sip_phone_t){.process = process, .server_port = server_port};
    self->fd = udp_socket();
    self->port = port_of(self->fd);
}

static inline void phone_close(sip_phone_t *self)
{
    if (self->fd > 0) (void)close(self->fd);
    self->fd = -1;
}

static inline void phone_send_bytes(sip_phone_t *self, const void *bytes, size_t count)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons(self->server_port)};
    assert_int_equal(sendto(self->fd, bytes, count, 0, (struct sockaddr *)&to, sizeof to), count);
}

/* A header's value out of a message; static, eight at a time. "" when absent. */
static inline const char *header_of(const char *message, const char *name)
{
    static char values[8][512];
    static unsigned turn;
    char *value = values[turn++ % 8];
    char key[64];
    value[0] = '\0';
    (void)snprintf(key, sizeof key, "\r\n%s: ", name);
    const char *at = strstr(message, key);
    if (!at) return value;
    at += strlen(key);
    (void)snprintf(value, sizeof values[0], "%.*s", (int)strcspn(at, "\r"), at);
    return value;
}

/* Waits for a message that begins so; any other is passed over. False: it did not come. */
static inline bool phone_sees(sip_phone_t *self, const char *begin, uint64_t wait_ms)
{
    uint64_t until_ms = pl_clock_ms() + wait_ms;
    for (;;) {
        ssize_t got = recv(self->fd, self->last, sizeof self->last - 1, 0);
        if (got < 0) {
            if (pl_clock_ms() >= until_ms) return false;
            process_run_ms(self->process, 2);
            continue;
        }
        self->last[got] = '\0';
        if (strncmp(self->last, "INVITE ", 7) == 0)
            memcpy(self->invite, self->last, sizeof self->invite);
        if (strncmp(self->last, begin, strlen(begin)) == 0) return true;
    }
}

static inline void phone_expect(sip_phone_t *self, const char *begin)
{
    if (!phone_sees(self, begin, PHONE_WAIT_MS))
        fail_msg("no \"%s\" came; log: %s", begin, process_log(self->process));
}

/* A call of the phone's own, or one it was rung for. */
typedef struct {
    char call_id[64], from[512], to[512], target[256];
    unsigned cseq;
} sip_dialog_t;

static inline sip_dialog_t dialog_new(const sip_phone_t *self, const char *from, const char *to)
{
    static unsigned count;
    sip_dialog_t dialog = {.cseq = 1};
    (void)snprintf(dialog.call_id, sizeof dialog.call_id, "%u-%d@test", ++count, (int)getpid());
    (void)snprintf(dialog.from, sizeof dialog.from, "<sip:%s@127.0.0.1>;tag=f%u", from, count);
    (void)snprintf(dialog.to, sizeof dialog.to, "<sip:%s@127.0.0.1>", to);
    (void)snprintf(dialog.target, sizeof dialog.target, "sip:%s@127.0.0.1:%u", to,
                   self->server_port);
    return dialog;
}

/* Sends a request of the dialog. extra: headers with line ends, or "". body may be "". */
static inline void phone_request(sip_phone_t *self, sip_dialog_t *dialog, const char *method,
                                 const char *extra, const char *body)
{
    char text[PHONE_TEXT];
    bool same = strcmp(method, "ACK") == 0 || strcmp(method, "CANCEL") == 0;
    unsigned cseq = same ? dialog->cseq - 1 : dialog->cseq++;
    if (strcmp(method, "CANCEL") != 0) self->branch++;
    int bytes = snprintf(
        text, sizeof text,
        "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%u.%d;rport\r\n"
        "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\nMax-Forwards: 70\r\n"
        "Contact: <sip:phone@127.0.0.1:%u>\r\n%s%sContent-Length: %zu\r\n\r\n%s",
        method, dialog->target, self->port, self->branch, (int)getpid(), dialog->from, dialog->to,
        dialog->call_id, cseq, method, self->port, extra,
        body[0] && !strstr(extra, "Content-Type") ? "Content-Type: application/sdp\r\n" : "",
        strlen(body), body);
    phone_send_bytes(self, text, (size_t)bytes);
}

/* After an answer to our INVITE: takes the other side's tag and address. */
static inline void dialog_take(sip_dialog_t *dialog, const char *answer)
{
    (void)snprintf(dialog->to, sizeof dialog->to, "%s", header_of(answer, "To"));
    const char *contact = header_of(answer, "Contact");
    if (contact[0] == '<') {
        (void)snprintf(dialog->target, sizeof dialog->target, "%.*s",
                       (int)strcspn(contact + 1, ">"), contact + 1);
    }
}

/* Answers a request that came. */
static inline void phone_reply(sip_phone_t *self, const char *request, const char *status,
                               const char *body)
{
    char text[PHONE_TEXT];
    const char *to = header_of(request, "To");
    int bytes =
        snprintf(text, sizeof text,
                 "SIP/2.0 %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s%s\r\nCall-ID: %s\r\nCSeq: %s\r\n"
                 "Contact: <sip:phone@127.0.0.1:%u>\r\n%sContent-Length: %zu\r\n\r\n%s",
                 status, header_of(request, "Via"), header_of(request, "From"), to,
                 strstr(to, "tag=") ? "" : ";tag=callee", header_of(request, "Call-ID"),
                 header_of(request, "CSeq"), self->port,
                 body[0] ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
    phone_send_bytes(self, text, (size_t)bytes);
}

/* The dialog of an INVITE that came, seen from the phone that answered it. */
static inline sip_dialog_t dialog_of_invite(const char *invite)
{
    sip_dialog_t dialog = {.cseq = 1};
    (void)snprintf(dialog.call_id, sizeof dialog.call_id, "%s", header_of(invite, "Call-ID"));
    (void)snprintf(dialog.from, sizeof dialog.from, "%s;tag=callee", header_of(invite, "To"));
    (void)snprintf(dialog.to, sizeof dialog.to, "%s", header_of(invite, "From"));
    const char *contact = header_of(invite, "Contact");
    (void)snprintf(dialog.target, sizeof dialog.target, "%.*s", (int)strcspn(contact + 1, ">"),
                   contact + 1);
    return dialog;
}

static inline void phone_register(sip_phone_t *self, const char *number, const char *extra)
{
    sip_dialog_t dialog = dialog_new(self, number, number);
    (void)snprintf(dialog.target, sizeof dialog.target, "sip:127.0.0.1:%u", self->server_port);
    phone_request(self, &dialog, "REGISTER", extra, "");
}

/* Our description: PCMU at that port; direction "" or "a=sendonly\r\n". */
static inline const char *phone_sdp(uint16_t port, const char *direction)
{
    static char text[512];
    (void)snprintf(text, sizeof text,
                   "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                   "m=audio %u RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n%s",
                   port, direction);
    return text;
}

#endif
