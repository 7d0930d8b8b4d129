#include "tools/callsim/web_phone.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libwebsockets.h>
#include <uv.h>

#include "common/log.h"

enum {
    FRAME_BYTES = 2 * TURNS_FRAME_SAMPLES,
    MAX_FRAMES = 1500, /* 30 s of the bot's, then the oldest goes */
    MAX_SENT = 50,     /* a second of the caller's */
    RX_BYTES = 16384,
    MAX_TEXTS = 32,
    TEXT_BYTES = 256,
    CLOSE_TURNS = 50,
};

#define SUBPROTOCOL "parley-phone-1"

struct web_net {
    pl_loop_t *loop;
    struct lws_context *context;
};

struct web_phone {
    web_net_t *net;
    struct lws *wsi; /* NULL once it is closed */
    web_phone_sink_fn *sink;
    void *arg;
    web_address_t address;
    bool established, live, ended;
    bool hanging_up; /* destroyed: freed when the socket is closed */
    char why[128];
    pl_timer_t *ender;
    pl_timer_t *connector; /* the connection is begun from the loop, never inside web_phone_new */

    int16_t heard[MAX_FRAMES][TURNS_FRAME_SAMPLES]; /* rings */
    size_t heard_first, heard_count;
    int16_t sent[MAX_SENT][TURNS_FRAME_SAMPLES];
    size_t sent_first, sent_count;
    char texts[MAX_TEXTS][TEXT_BYTES];
    size_t text_first, text_count;
    uint8_t rx[RX_BYTES];
    size_t rx_bytes;
};

/* ---- where to ---- */

static bool split_url(const char *url, web_address_t *out)
{
    const char *mark = strstr(url, "://");
    if (!mark) return false;
    out->tls = strncmp(url, "wss", 3) == 0 || strncmp(url, "https", 5) == 0;
    const char *host = mark + 3;
    size_t length = strcspn(host, ":/");
    if (length == 0 || length >= sizeof out->host) return false;
    snprintf(out->host, sizeof out->host, "%.*s", (int)length, host);
    out->port = out->tls ? 443 : 80;
    const char *rest = host + length;
    if (*rest == ':') {
        char *end = NULL;
        unsigned long port = strtoul(rest + 1, &end, 10);
        if (port == 0 || port > 65535) return false;
        out->port = (uint16_t)port;
        rest = end;
    }
    snprintf(out->path, sizeof out->path, "%s", *rest == '/' ? rest : "/");
    return true;
}

bool web_phone_address(const char *gateway_url, const cJSON *ticket, web_address_t *out)
{
    const char *url = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(ticket, "url"));
    const cJSON *port = cJSON_GetObjectItemCaseSensitive(ticket, "port");
    *out = (web_address_t){0};
    if (url && url[0]) return split_url(url, out);
    if (!cJSON_IsNumber(port) || port->valueint < 1 || port->valueint > 65535) return false;
    if (!split_url(gateway_url, out)) return false;
    out->port = (uint16_t)port->valueint;
    snprintf(out->path, sizeof out->path, "/phone");
    return true;
}

/* ---- what is to be sent ---- */

static void push_text(web_phone_t *self, const char *text)
{
    if (self->text_count == MAX_TEXTS || self->ended) return;
    char *slot = self->texts[(self->text_first + self->text_count++) % MAX_TEXTS];
    snprintf(slot, TEXT_BYTES, "%s", text);
    if (self->established && self->wsi) (void)lws_callback_on_writable(self->wsi);
}

void web_phone_send(web_phone_t *self, const int16_t pcm[TURNS_FRAME_SAMPLES])
{
    if (!self->live || !self->wsi) return;
    if (self->sent_count == MAX_SENT) { /* the oldest goes */
        self->sent_first = (self->sent_first + 1) % MAX_SENT;
        self->sent_count--;
    }
    memcpy(self->sent[(self->sent_first + self->sent_count++) % MAX_SENT], pcm, FRAME_BYTES);
    (void)lws_callback_on_writable(self->wsi);
}

void web_phone_keys(web_phone_t *self, const char *keys)
{
    for (; *keys; keys++) {
        char text[64];
        snprintf(text, sizeof text, "{\"event\":\"dtmf\",\"digit\":\"%c\"}", *keys);
        push_text(self, text);
    }
}

bool web_phone_take(web_phone_t *self, int16_t pcm[TURNS_FRAME_SAMPLES])
{
    if (self->heard_count == 0) return false;
    memcpy(pcm, self->heard[self->heard_first], FRAME_BYTES);
    self->heard_first = (self->heard_first + 1) % MAX_FRAMES;
    self->heard_count--;
    return true;
}

static int write_bytes(web_phone_t *self, const void *bytes, size_t count,
                       enum lws_write_protocol kind)
{
    uint8_t buffer[LWS_PRE + FRAME_BYTES];
    assert(count <= FRAME_BYTES);
    memcpy(buffer + LWS_PRE, bytes, count);
    return lws_write(self->wsi, buffer + LWS_PRE, count, kind) < (int)count ? -1 : 0;
}

static int on_writeable(web_phone_t *self)
{
    int result = 0;
    if (self->text_count > 0) {
        const char *text = self->texts[self->text_first];
        self->text_first = (self->text_first + 1) % MAX_TEXTS;
        self->text_count--;
        result = write_bytes(self, text, strlen(text), LWS_WRITE_TEXT);
    } else if (self->hanging_up) {
        lws_close_reason(self->wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
        return -1;
    } else if (self->sent_count > 0) {
        const int16_t *frame = self->sent[self->sent_first];
        self->sent_first = (self->sent_first + 1) % MAX_SENT;
        self->sent_count--;
        result = write_bytes(self, frame, FRAME_BYTES, LWS_WRITE_BINARY);
    }
    if (self->text_count || self->sent_count || self->hanging_up) {
        (void)lws_callback_on_writable(self->wsi);
    }
    return result;
}

/* ---- what comes ---- */

static void tell(web_phone_t *self, web_phone_event_t event, const char *text)
{
    if (!self->hanging_up && !self->ended) self->sink(self->arg, event, text);
}

static void tell_ended(void *arg)
{
    web_phone_t *self = arg;
    pl_timer_stop(&self->ender);
    self->sink(self->arg, WEB_ENDED, self->why); /* which may destroy us */
}

/* Told from the loop, not from inside libwebsockets, since it ends in our destruction. */
static void end(web_phone_t *self, const char *why)
{
    if (self->ended) return;
    self->ended = true;
    if (!self->why[0]) snprintf(self->why, sizeof self->why, "%s", why);
    self->ender = pl_timer_start(self->net->loop, 0, 0, tell_ended, self);
}

static void on_text(web_phone_t *self)
{
    cJSON *json = cJSON_ParseWithLength((const char *)self->rx, self->rx_bytes);
    const char *event = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "event"));
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "call_id"));
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "text"));
    const char *reason = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "reason"));
    bool partial = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "partial"));
    if (!event) event = "";
    if (strcmp(event, "accepted") == 0 && id) tell(self, WEB_CALL, id);
    if (strcmp(event, "flush") == 0) self->heard_count = 0;
    if (strcmp(event, "transcript") == 0 && text && !partial) tell(self, WEB_TRANSCRIPT, text);
    if (strcmp(event, "answered") == 0 && !self->live) {
        self->live = true;
        tell(self, WEB_UP, "");
    }
    if (strcmp(event, "ended") == 0)
        snprintf(self->why, sizeof self->why, "%s", reason ? reason : "");
    cJSON_Delete(json);
}

static void on_audio(web_phone_t *self)
{
    if (self->rx_bytes != FRAME_BYTES) {
        log_warn("callsim.web_frame", "bytes=%zu", self->rx_bytes);
        return;
    }
    if (self->heard_count == MAX_FRAMES) {
        self->heard_first = (self->heard_first + 1) % MAX_FRAMES;
        self->heard_count--;
    }
    size_t slot = (self->heard_first + self->heard_count++) % MAX_FRAMES;
    memcpy(self->heard[slot], self->rx, FRAME_BYTES);
}

static void on_receive(web_phone_t *self, const void *in, size_t bytes)
{
    if (lws_is_first_fragment(self->wsi)) self->rx_bytes = 0;
    if (self->rx_bytes + bytes > RX_BYTES) return; /* longer than the protocol has */
    if (bytes) memcpy(self->rx + self->rx_bytes, in, bytes);
    self->rx_bytes += bytes;
    if (!lws_is_final_fragment(self->wsi)) return;
    if (lws_frame_is_binary(self->wsi)) {
        on_audio(self);
    } else {
        on_text(self);
    }
}

/* The socket is gone, or never came to be. */
static void on_closed(web_phone_t *self, const char *why)
{
    self->wsi = NULL;
    if (self->hanging_up) {
        free(self);
        return;
    }
    end(self, why);
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t bytes)
{
    (void)user;
    web_phone_t *self = lws_get_opaque_user_data(wsi);
    if (!self) return 0;
    switch ((int)reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        self->established = true;
        (void)lws_callback_on_writable(wsi);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        on_receive(self, in, bytes);
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return on_writeable(self);
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        lws_set_opaque_user_data(wsi, NULL);
        on_closed(self, in ? in : "the WebSocket cannot be opened");
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        lws_set_opaque_user_data(wsi, NULL);
        on_closed(self, "the WebSocket was closed");
        return 0;
    default: /* libwebsockets has dozens; the others mean nothing here */
        return 0;
    }
}

/* ---- life ---- */

static void on_log(int level, const char *line)
{
    log_warn("callsim.lws", "level=%d detail=\"%.*s\"", level, (int)strcspn(line, "\n"), line);
}

pl_err_t web_net_new(web_net_t **out, pl_loop_t *loop)
{
    static const struct lws_protocols protocols[] = {
        {.name = SUBPROTOCOL, .callback = on_lws, .rx_buffer_size = RX_BYTES}, {0}};
    web_net_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    lws_set_log_level(LLL_ERR, on_log);
    void *foreign = pl_loop_uv(loop);
    struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN,
                                             .protocols = protocols,
                                             .options = LWS_SERVER_OPTION_LIBUV |
                                                        LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
                                             .foreign_loops = &foreign,
                                             .pcontext = &self->context,
                                             .gid = -1,
                                             .uid = -1};
    self->context = lws_create_context(&info);
    if (!self->context) {
        free(self);
        return PL_UNAVAILABLE;
    }
    *out = self;
    return PL_OK;
}

void web_net_destroy(web_net_t **self_p)
{
    web_net_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    /* First it closes its sockets; only when their callbacks were called may the second call free
     * them, and unload the plug-in these are in. */
    lws_context_destroy(self->context);
    for (int turn = 0; turn < CLOSE_TURNS; turn++) {
        (void)uv_run(pl_loop_uv(self->loop), UV_RUN_NOWAIT);
    }
    if (self->context) lws_context_destroy(self->context);
    free(self);
}

static void connect_now(void *arg)
{
    web_phone_t *self = arg;
    pl_timer_stop(&self->connector);
    struct lws_client_connect_info info = {.context = self->net->context,
                                           .address = self->address.host,
                                           .port = self->address.port,
                                           .path = self->address.path,
                                           .host = self->address.host,
                                           .origin = self->address.host,
                                           .ssl_connection = self->address.tls ? LCCSCF_USE_SSL : 0,
                                           .protocol = SUBPROTOCOL,
                                           .local_protocol_name = SUBPROTOCOL,
                                           .opaque_user_data = self,
                                           .pwsi = &self->wsi};
    if (!lws_client_connect_via_info(&info) && !self->ended) {
        end(self, "the WebSocket cannot be opened");
    }
}

pl_err_t web_phone_new(web_phone_t **out, web_net_t *net, const char *gateway_url,
                       const cJSON *ticket, web_phone_sink_fn *sink, void *arg)
{
    const char *token = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(ticket, "token"));
    web_address_t address;
    if (!token || !web_phone_address(gateway_url, ticket, &address)) return PL_INVALID;
    web_phone_t *self = calloc(1, sizeof *self);
    assert(self);
    self->net = net;
    self->sink = sink;
    self->arg = arg;
    self->address = address;
    char text[TEXT_BYTES];
    snprintf(text, sizeof text, "{\"token\":\"%s\"}", token);
    push_text(self, text);
    self->connector = pl_timer_start(net->loop, 0, 0, connect_now, self);
    *out = self;
    return PL_OK;
}

void web_phone_destroy(web_phone_t **self_p)
{
    web_phone_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_timer_stop(&self->connector);
    pl_timer_stop(&self->ender);
    if (!self->wsi) {
        free(self);
        return;
    }
    push_text(self, "{\"event\":\"hangup\"}");
    self->hanging_up = true;
    if (self->established) {
        (void)lws_callback_on_writable(self->wsi);
    } else {
        lws_set_timeout(self->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    }
}
