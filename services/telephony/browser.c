#include "services/telephony/browser.h"

#include <arpa/inet.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/metrics.h"
#include "services/telephony/browser_message.h"

enum {
    TOKEN_WAIT_MS = 5000,
    END_WAIT_MS = 2000, /* for the page to read the end */
    TICK_MS = 250,
    AUDIO_FRAMES = 50, /* a second */
    MAX_TEXTS = 256,
    MAX_MALFORMED = 50,
    MAX_TICKETS = 256,
    STRANGERS = 64, /* connections beyond the legs, waiting for their token */
    CLOSE_TURNS = 20,
    RX_BYTES = 4096
};
enum { CLOSE_MALFORMED = 4400, CLOSE_TOKEN = 4401, CLOSE_TOO_SLOW = 4408 };

typedef struct text {
    struct text *next;
    char *json;
} text_t;

typedef enum { AWAITS_TOKEN, LIVE, ENDING } page_state_t;

typedef struct page {
    struct page *next;
    struct lws *wsi;
    browser_t *browser;
    browser_leg_t id;
    page_state_t state;
    uint64_t deadline_ms; /* of AWAITS_TOKEN and ENDING */
    uint16_t close_code;  /* 0: not yet */
    bool close_due;       /* all is sent but the close frame */
    bool close_begun;
    unsigned malformed;
    text_t *first, **last;
    size_t texts;
    uint8_t audio[AUDIO_FRAMES][PL_FRAME_BYTES];
    size_t audio_first, audio_count;
    uint8_t rx[RX_BYTES]; /* the message under way */
    size_t rx_bytes;
    bool rx_too_long;
} page_t;

/* libwebsockets zeroes and keeps this with each connection. */
typedef struct {
    page_t *page;
} per_connection_t;

struct browser {
    pl_loop_t *loop;
    browser_sink_t sink;
    tickets_t *tickets;
    struct lws_context *context; /* libwebsockets sets it NULL when all of it is closed */
    pl_timer_t *timer, *closer;
    page_t *pages;
    size_t count, max;
    browser_leg_t next_id;
    uint16_t port;
    bool closing;
    pl_metric_t *malformed, *dropped;
};

/* ---- pages ---- */

static page_t *page_of(browser_t *self, browser_leg_t leg)
{
    for (page_t *page = self->pages; page; page = page->next) {
        if (page->id == leg && page->state == LIVE) return page;
    }
    return NULL;
}

static page_t *page_new(browser_t *self, struct lws *wsi)
{
    page_t *page = calloc(1, sizeof(*page));
    if (!page) abort();
    page->wsi = wsi;
    page->browser = self;
    page->id = ++self->next_id;
    page->deadline_ms = pl_clock_ms() + TOKEN_WAIT_MS;
    page->last = &page->first;
    page->next = self->pages;
    self->pages = page;
    self->count++;
    return page;
}

static void drop_texts(page_t *page)
{
    while (page->first) {
        text_t *text = page->first;
        page->first = text->next;
        free(text->json);
        free(text);
    }
    page->last = &page->first;
    page->texts = 0;
}

static void page_free(browser_t *self, page_t *page)
{
    for (page_t **at = &self->pages; *at; at = &(*at)->next) {
        if (*at != page) continue;
        *at = page->next;
        self->count--;
        break;
    }
    drop_texts(page);
    free(page);
}

static void close_page(page_t *page, uint16_t code)
{
    if (!page->close_code) page->close_code = code;
    (void)lws_callback_on_writable(page->wsi);
}

/* The leg is over from the page's side: tell, once. */
static void leg_over(page_t *page)
{
    if (page->state != LIVE) return;
    page->state = ENDING;
    page->deadline_ms = pl_clock_ms() + END_WAIT_MS;
    page->browser->sink.ended(page->browser->sink.arg, page->id);
}

/* Takes json. */
static void send_text(page_t *page, char *json)
{
    if (page->texts >= MAX_TEXTS) { /* it has not read for long */
        free(json);
        close_page(page, CLOSE_TOO_SLOW);
        return;
    }
    text_t *text = calloc(1, sizeof(*text));
    if (!text) abort();
    text->json = json;
    *page->last = text;
    page->last = &text->next;
    page->texts++;
    (void)lws_callback_on_writable(page->wsi);
}

static void say_goodbye(page_t *page, const char *reason)
{
    page->state = ENDING;
    page->deadline_ms = pl_clock_ms() + END_WAIT_MS;
    page->audio_count = 0;
    send_text(page, browser_message_ended(reason));
    close_page(page, LWS_CLOSE_STATUS_NORMAL);
}

/* ---- received ---- */

static void count_malformed(page_t *page)
{
    pl_metric_add(page->browser->malformed, 1);
    if (++page->malformed < MAX_MALFORMED) return;
    leg_over(page);
    close_page(page, CLOSE_MALFORMED);
}

static void on_token(page_t *page, const char *token)
{
    browser_t *self = page->browser;
    char number[IDENTITY_BYTES];
    if (page->state != AWAITS_TOKEN) {
        count_malformed(page);
        return;
    }
    if (!tickets_redeem(self->tickets, pl_clock_ms(), token, number)) {
        close_page(page, CLOSE_TOKEN);
        return;
    }
    page->state = LIVE;
    self->sink.incoming(self->sink.arg, page->id, number[0] ? number : "anonymous");
}

static void on_text(page_t *page)
{
    browser_message_t message = browser_message_parse((const char *)page->rx, page->rx_bytes);
    if (page->state == AWAITS_TOKEN && message.kind != BROWSER_TOKEN) {
        pl_metric_add(page->browser->malformed, 1);
        close_page(page, CLOSE_TOKEN);
        return;
    }
    switch (message.kind) {
    case BROWSER_TOKEN:
        on_token(page, message.token);
        break;
    case BROWSER_DTMF:
        if (page->state == LIVE) {
            page->browser->sink.dtmf(page->browser->sink.arg, page->id, message.digit);
        }
        break;
    case BROWSER_HANGUP:
        if (page->state != LIVE) break;
        leg_over(page);
        say_goodbye(page, "hangup");
        break;
    case BROWSER_UNKNOWN:
        break;
    case BROWSER_MALFORMED:
        count_malformed(page);
        break;
    }
}

static void on_message(page_t *page, bool binary)
{
    if (page->close_code) return;
    if (page->rx_too_long) {
        pl_metric_add(page->browser->malformed, 1);
        leg_over(page);
        close_page(page, page->state == AWAITS_TOKEN ? CLOSE_TOKEN : CLOSE_MALFORMED);
    } else if (!binary) {
        on_text(page);
    } else if (page->state == AWAITS_TOKEN) {
        close_page(page, CLOSE_TOKEN);
    } else if (page->rx_bytes != PL_FRAME_BYTES) {
        count_malformed(page);
    } else if (page->state == LIVE) {
        page->browser->sink.audio(page->browser->sink.arg, page->id, page->rx);
    }
}

static void on_receive(page_t *page, struct lws *wsi, const void *in, size_t bytes)
{
    if (lws_is_first_fragment(wsi)) {
        page->rx_bytes = 0;
        page->rx_too_long = false;
    }
    if (page->rx_bytes + bytes > RX_BYTES) {
        page->rx_too_long = true;
    } else if (bytes > 0) {
        memcpy(page->rx + page->rx_bytes, in, bytes);
        page->rx_bytes += bytes;
    }
    if (lws_is_final_fragment(wsi)) on_message(page, lws_frame_is_binary(wsi) != 0);
}

/* ---- sending ---- */

static int write_frame(page_t *page, const void *bytes, size_t count, enum lws_write_protocol kind)
{
    uint8_t *buffer = malloc(LWS_PRE + count);
    if (!buffer) abort();
    memcpy(buffer + LWS_PRE, bytes, count);
    int written = lws_write(page->wsi, buffer + LWS_PRE, count, kind);
    free(buffer);
    return written < (int)count ? -1 : 0;
}

static int write_text(page_t *page)
{
    text_t *text = page->first;
    page->first = text->next;
    if (!page->first) page->last = &page->first;
    page->texts--;
    int result = write_frame(page, text->json, strlen(text->json), LWS_WRITE_TEXT);
    free(text->json);
    free(text);
    return result;
}

static int write_audio(page_t *page)
{
    const uint8_t *frame = page->audio[page->audio_first];
    page->audio_first = (page->audio_first + 1) % AUDIO_FRAMES;
    page->audio_count--;
    return write_frame(page, frame, PL_FRAME_BYTES, LWS_WRITE_BINARY);
}

/* libwebsockets 4.1 on libuv closes twice when a callback returns -1, and the second time without
 * the close frame; from outside of its callbacks it closes as it should. */
static void on_close_due(void *arg)
{
    browser_t *self = arg;
    for (page_t *page = self->pages; page;) {
        page_t *next = page->next;
        if (page->close_due && !page->close_begun) {
            page->close_begun = true;
            lws_close_reason(page->wsi, (enum lws_close_status)page->close_code, NULL, 0);
            lws_set_timeout(page->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
        }
        page = next;
    }
}

/* One frame a turn, texts first: a flush must not wait behind the audio it is about. */
static int on_writeable(page_t *page)
{
    bool protocol_error = page->close_code != 0 && page->close_code != LWS_CLOSE_STATUS_NORMAL;
    if (!protocol_error && (page->first || page->audio_count > 0)) {
        int result = page->first ? write_text(page) : write_audio(page);
        (void)lws_callback_on_writable(page->wsi);
        return result;
    }
    if (page->close_code && !page->close_due) {
        page->close_due = true;
        pl_timer_stop(&page->browser->closer);
        page->browser->closer =
            pl_timer_start(page->browser->loop, 0, 0, on_close_due, page->browser);
    }
    return 0;
}

/* ---- libwebsockets ---- */

static int deny(struct lws *wsi, unsigned status)
{
    (void)lws_return_http_status(wsi, status, NULL);
    return 1;
}

static int on_http(struct lws *wsi, const char *path)
{
    unsigned status = strcmp(path, "/health") == 0 ? HTTP_STATUS_OK : HTTP_STATUS_NOT_FOUND;
    if (lws_return_http_status(wsi, status, NULL)) return -1;
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                         size_t bytes)
{
    if (reason == LWS_CALLBACK_HTTP) return on_http(wsi, in);
    if (reason == LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION) return 1; /* no subprotocol asked for */
    return lws_callback_http_dummy(wsi, reason, user, in, bytes);
}

static int on_upgrade(browser_t *self, struct lws *wsi)
{
    char path[16];
    int length = lws_hdr_copy(wsi, path, sizeof(path), WSI_TOKEN_GET_URI);
    if (length < 0 || strcmp(path, "/phone") != 0) return deny(wsi, HTTP_STATUS_NOT_FOUND);
    if (self->count >= self->max) return deny(wsi, HTTP_STATUS_SERVICE_UNAVAILABLE);
    return 0;
}

static int phone_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                          size_t bytes)
{
    per_connection_t *connection = user;
    browser_t *self = lws_context_user(lws_get_context(wsi));
    switch (reason) {
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return on_upgrade(self, wsi);
    case LWS_CALLBACK_ESTABLISHED:
        connection->page = page_new(self, wsi);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        if (connection->page) on_receive(connection->page, wsi, in, bytes);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return connection->page ? on_writeable(connection->page) : -1;
    case LWS_CALLBACK_CLOSED:
        if (!connection->page) return 0;
        if (!self->closing) leg_over(connection->page);
        page_free(self, connection->page);
        connection->page = NULL;
        return 0;
    default:
        return 0;
    }
}

static const struct lws_protocols protocols[] = {
    {.name = "http", .callback = http_callback},
    {.name = "parley-phone-1",
     .callback = phone_callback,
     .per_session_data_size = sizeof(per_connection_t),
     .rx_buffer_size = RX_BYTES},
    {.name = NULL},
};

static void on_lws_log(int level, const char *line)
{
    int length = (int)strcspn(line, "\n");
    if (level == LLL_ERR) log_warn("browser.library", "detail=\"%.*s\"", length, line);
}

static void on_tick(void *arg)
{
    browser_t *self = arg;
    uint64_t now_ms = pl_clock_ms();
    for (page_t *page = self->pages; page; page = page->next) {
        if (page->state == LIVE || now_ms < page->deadline_ms) continue;
        if (page->state == AWAITS_TOKEN) {
            close_page(page, CLOSE_TOKEN);
        } else {
            lws_set_timeout(page->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
        }
    }
}

/* ---- life ---- */

static pl_err_t read_listen(const pl_config_t *cfg, char host[64], uint16_t *port)
{
    const char *value = pl_config_str(cfg, "telephony.browser.listen");
    const char *colon = strrchr(value, ':');
    char *end = NULL;
    unsigned long number = colon ? strtoul(colon + 1, &end, 10) : 0;
    if (!colon || *end != '\0' || number == 0 || number > 65535 || colon - value >= 64) {
        log_error("browser.failed",
                  "detail=\"telephony.browser.listen: \\\"%s\\\": not an address and port like "
                  "127.0.0.1:8081\"",
                  value);
        return PL_INVALID;
    }
    snprintf(host, 64, "%.*s", (int)(colon - value), value);
    *port = (uint16_t)number;
    return PL_OK;
}

/* The packaged libwebsockets binds with SO_REUSEPORT, so two processes would share the port without
 * a word. A plain socket is refused what another listens on. */
static bool port_is_free(const char *host, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) return true; /* an interface's name */
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool free = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
                bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    if (fd >= 0) close(fd);
    return free;
}

static bool open_context(browser_t *self, const char *interface)
{
    lws_set_log_level(LLL_ERR, on_lws_log);
    void *foreign = pl_loop_uv(self->loop);
    struct lws_context_creation_info info = {
        .port = self->port,
        .iface = interface,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_DISABLE_IPV6 |
                   LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .foreign_loops = &foreign,
        .pcontext = &self->context,
        .user = self,
        .gid = -1,
        .uid = -1,
    };
    self->context = lws_create_context(&info);
    return self->context && lws_create_vhost(self->context, &info);
}

/* Runs the loop for some turns. First the library closes its sockets and handles; only when their
 * callbacks were called may the second call free them, and unload the plug-in these are in. */
static void close_context(browser_t *self)
{
    if (!self->context) return;
    lws_context_destroy(self->context);
    for (int turn = 0; turn < CLOSE_TURNS; turn++) {
        (void)uv_run(pl_loop_uv(self->loop), UV_RUN_NOWAIT);
    }
    if (self->context) lws_context_destroy(self->context);
}

pl_err_t browser_new(browser_t **out, pl_loop_t *loop, const pl_config_t *cfg,
                     const browser_sink_t *sink)
{
    char host[64];
    uint16_t port;
    pl_err_t err = read_listen(cfg, host, &port);
    if (err) return err;
    browser_t *self = calloc(1, sizeof(*self));
    if (!self) abort();
    self->loop = loop;
    self->sink = *sink;
    self->port = port;
    self->max = (size_t)pl_config_int(cfg, "telephony.max_legs") + STRANGERS;
    self->malformed = pl_metric_counter("parley_browser_malformed_total", NULL,
                                        "messages of browsers that break the protocol");
    self->dropped = pl_metric_counter("parley_browser_audio_dropped_total", NULL,
                                      "audio frames dropped because a page read slowly");
    if (!port_is_free(host, port) ||
        !open_context(self, strcmp(host, "0.0.0.0") == 0 ? NULL : host)) {
        log_error("browser.failed",
                  "detail=\"telephony.browser.listen: \\\"%s\\\": cannot be bound; is it taken?\"",
                  pl_config_str(cfg, "telephony.browser.listen"));
        close_context(self);
        free(self);
        return PL_UNAVAILABLE;
    }
    self->tickets = tickets_new(MAX_TICKETS);
    self->timer = pl_timer_start(loop, TICK_MS, TICK_MS, on_tick, self);
    *out = self;
    return PL_OK;
}

void browser_destroy(browser_t **self_p)
{
    browser_t *self = *self_p;
    if (!self) return;
    self->closing = true;
    pl_timer_stop(&self->timer);
    pl_timer_stop(&self->closer);
    close_context(self);
    while (self->pages) page_free(self, self->pages);
    tickets_destroy(&self->tickets);
    free(self);
    *self_p = NULL; /* not before: what the loop ran meanwhile may have used it */
}

uint16_t browser_port(const browser_t *self)
{
    return self->port;
}

void browser_ticket(browser_t *self, const char *number, char token[TICKET_CHARS + 1])
{
    tickets_issue(self->tickets, pl_clock_ms(), number, token);
}

/* ---- commands ---- */

void browser_accepted(browser_t *self, browser_leg_t leg, const char *call_id)
{
    page_t *page = page_of(self, leg);
    if (page) send_text(page, browser_message_accepted(call_id));
}

void browser_ringing(browser_t *self, browser_leg_t leg)
{
    page_t *page = page_of(self, leg);
    if (page) send_text(page, browser_message_event("ringing"));
}

void browser_answered(browser_t *self, browser_leg_t leg)
{
    page_t *page = page_of(self, leg);
    if (page) send_text(page, browser_message_event("answered"));
}

void browser_audio(browser_t *self, browser_leg_t leg, const uint8_t pcm[PL_FRAME_BYTES])
{
    page_t *page = page_of(self, leg);
    if (!page) return;
    if (page->audio_count == AUDIO_FRAMES) {
        page->audio_first = (page->audio_first + 1) % AUDIO_FRAMES;
        page->audio_count--;
        pl_metric_add(self->dropped, 1);
    }
    memcpy(page->audio[(page->audio_first + page->audio_count) % AUDIO_FRAMES], pcm,
           PL_FRAME_BYTES);
    page->audio_count++;
    (void)lws_callback_on_writable(page->wsi);
}

void browser_flush(browser_t *self, browser_leg_t leg)
{
    page_t *page = page_of(self, leg);
    if (!page) return;
    page->audio_count = 0;
    send_text(page, browser_message_event("flush"));
}

void browser_transcript(browser_t *self, browser_leg_t leg, const Pl__LegTranscript *transcript)
{
    page_t *page = page_of(self, leg);
    if (!page) return;
    send_text(page, browser_message_transcript(transcript->persona, transcript->text,
                                               transcript->partial, transcript->number));
}

void browser_end(browser_t *self, browser_leg_t leg, const char *reason)
{
    for (page_t *page = self->pages; page; page = page->next) {
        if (page->id != leg || page->state != LIVE) continue;
        say_goodbye(page, reason);
        return;
    }
}
