#include "common/http.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sys/socket.h>

#include "common/address.h"
#include "common/clock.h"
#include "common/http_multi.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    TIMEOUT_MS = 60000,
    MAX_BYTES = 4 * 1024 * 1024,
    FIRST_BYTES = 4096,
    UPLOAD_BYTES = 16384, /* curl's least; its 64 KiB for each call add up */
    CALLS_AT_END = 1000000,
    WARM_MOST = 64,
};

struct pl_http {
    pl_loop_t *loop;
    http_multi_t *multi;
    pl_http_call_t *calls;
    pl_http_call_t *fresh; /* streamed ones with something to tell */
    char *ca_file;         /* NULL: the system's certificates */
    bool public_only;
};

struct pl_http_call {
    pl_http_call_t *next, **at;             /* in http->calls */
    pl_http_call_t *fresh_next, **fresh_at; /* in http->fresh; fresh_at NULL: not in it */
    pl_http_t *http;
    CURL *easy;
    struct curl_slist *headers;
    char *body; /* what was collected, or not yet told */
    size_t bytes, room;
    size_t total_bytes, max_bytes; /* of the answer */
    bool too_large;
    bool refused;   /* an address was not a public one */
    bool has_head;  /* the final status and headers are there */
    bool head_due;  /* and not yet told */
    bool in_pieces; /* the body is given piece by piece */
    bool streamed;
    pl_http_stream_t stream;
    uint32_t stall_ms;
    uint64_t moved_ms;   /* when bytes last moved */
    curl_off_t uploaded; /* bytes, when last looked at */
    pl_timer_t *stall;
    char detail[CURL_ERROR_SIZE];
    pl_http_done_fn *on_done;
    void *arg;
};

/* ---- telling ------------------------------------------------------------------------------- */

static pl_http_answer_t answer_of(const pl_http_call_t *call)
{
    pl_http_answer_t answer = {.body = "", .detail = "", .call = call};
    long version = 0;
    long connections = 0;
    long request_bytes = 0;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_easy_getinfo(call->easy, CURLINFO_HTTP_VERSION, &version);
    curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &connections);
    answer.version = version == CURL_HTTP_VERSION_2_0   ? 20
                     : version == CURL_HTTP_VERSION_1_1 ? 11
                     : version == CURL_HTTP_VERSION_1_0 ? 10
                                                        : 0;
    curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
    answer.connections = (unsigned)connections;
    answer.request_bytes = (size_t)request_bytes;
    return answer;
}

const char *pl_http_header(const pl_http_answer_t *answer, const char *name)
{
    struct curl_header *header = NULL;
    CURLHcode code = curl_easy_header(answer->call->easy, name, 0, CURLH_HEADER, -1, &header);
    return code == CURLHE_OK ? header->value : NULL;
}

static void fresh_enter(pl_http_call_t *call)
{
    if (call->fresh_at) return;
    call->fresh_next = call->http->fresh;
    call->fresh_at = &call->http->fresh;
    if (call->fresh_next) call->fresh_next->fresh_at = &call->fresh_next;
    call->http->fresh = call;
}

static void fresh_leave(pl_http_call_t *call)
{
    if (!call->fresh_at) return;
    *call->fresh_at = call->fresh_next;
    if (call->fresh_next) call->fresh_next->fresh_at = call->fresh_at;
    call->fresh_at = NULL;
}

/* Heads and pieces are told here, outside curl, where its functions may be called. A callback may
 * cancel any call: what is still to be told stands in the list, and a cancelled call leaves it. */
static void tell_fresh(pl_http_t *self)
{
    for (pl_http_call_t *call; (call = self->fresh);) {
        if (call->head_due) {
            call->head_due = false;
            pl_http_answer_t head = answer_of(call);
            if (call->stream.head) call->stream.head(call->arg, &head);
            continue; /* the call may be gone, or is still in the list */
        }
        fresh_leave(call);
        if (!call->in_pieces || !call->bytes) continue;
        char *body = call->body;
        size_t bytes = call->bytes;
        call->body = NULL;
        call->bytes = call->room = 0;
        if (call->stream.piece) call->stream.piece(call->arg, body, bytes);
        free(body);
    }
}

/* ---- the life of a call -------------------------------------------------------------------- */

static void call_leave(pl_http_call_t *call)
{
    *call->at = call->next;
    if (call->next) call->next->at = call->at;
    fresh_leave(call);
    pl_timer_stop(&call->stall);
    curl_multi_remove_handle(http_multi_curl(call->http->multi), call->easy);
}

static void call_free(pl_http_call_t *call)
{
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->headers);
    free(call->body);
    free(call);
}

void pl_http_cancel(pl_http_call_t **call_p)
{
    if (!*call_p) return;
    call_leave(*call_p);
    call_free(*call_p);
    *call_p = NULL;
}

/* Of a call that has left the lists; its handle is kept for pl_http_header until on_done returns. */
static void finish(pl_http_call_t *call, pl_err_t err, const char *detail)
{
    pl_http_answer_t answer = answer_of(call);
    answer.detail = detail;
    if (call->body && !call->in_pieces) {
        answer.body = call->body;
        answer.body_bytes = call->bytes;
    }
    call->on_done(call->arg, err, &answer);
    call_free(call);
}

static pl_err_t err_of(const pl_http_call_t *call, CURLcode code)
{
    if (code == CURLE_OK) return PL_OK;
    if (call->too_large || call->refused) return PL_INVALID;
    switch ((int)code) {
    case CURLE_OPERATION_TIMEDOUT:
        return PL_TIMEOUT;
    case CURLE_FILESIZE_EXCEEDED:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return PL_INVALID;
    default: /* a number of curl's, which has dozens about connections */
        return PL_UNAVAILABLE;
    }
}

static void on_acted(void *arg)
{
    pl_http_t *self = arg;
    int left;
    tell_fresh(self);
    for (CURLMsg *msg; (msg = curl_multi_info_read(http_multi_curl(self->multi), &left));) {
        if (msg->msg != CURLMSG_DONE) continue;
        pl_http_call_t *call = NULL;
        CURLcode code = msg->data.result;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        const char *detail = *call->detail ? call->detail : curl_easy_strerror(code);
        if (call->too_large) detail = "the answer is larger than allowed";
        if (call->refused && code != CURLE_OK) detail = "the address is not a public one";
        call_leave(call);
        finish(call, err_of(call, code), code == CURLE_OK ? "" : detail);
    }
}

static void on_stall(void *arg)
{
    pl_http_call_t *call = arg;
    curl_off_t uploaded = 0;
    uint64_t now_ms = pl_clock_ms();
    pl_timer_stop(&call->stall);
    curl_easy_getinfo(call->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    if (uploaded != call->uploaded) {
        call->uploaded = uploaded;
        call->moved_ms = now_ms;
    }
    uint64_t still_ms = now_ms - call->moved_ms;
    if (still_ms < call->stall_ms) {
        call->stall =
            pl_timer_start(call->http->loop, call->stall_ms - still_ms, 0, on_stall, call);
        return;
    }
    call_leave(call);
    finish(call, PL_TIMEOUT, "nothing came for too long");
}

/* ---- the client ---------------------------------------------------------------------------- */

pl_http_t *pl_http_new(pl_loop_t *loop)
{
    pl_http_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->multi = http_multi_new(loop, on_acted, self);
    return self;
}

void pl_http_destroy(pl_http_t **self_p)
{
    pl_http_t *self = *self_p;
    if (!self) return;
    /* What callbacks send now is ended too; one that always sends again is a bug. */
    for (size_t i = 0; self->calls && i < CALLS_AT_END; i++) {
        pl_http_call_t *call = self->calls;
        call_leave(call);
        finish(call, PL_UNAVAILABLE, "the client is closing");
    }
    assert(!self->calls);
    *self_p = NULL;
    http_multi_destroy(&self->multi);
    free(self->ca_file);
    free(self);
}

void pl_http_trust(pl_http_t *self, const char *ca_file)
{
    free(self->ca_file);
    self->ca_file = ca_file && *ca_file ? strdup(ca_file) : NULL;
}

void pl_http_public_only(pl_http_t *self)
{
    self->public_only = true;
}

/* ---- one exchange -------------------------------------------------------------------------- */

static size_t on_header(char *bytes, size_t size, size_t count, void *arg)
{
    pl_http_call_t *call = arg;
    size_t length = size * count;
    long status = 0;
    call->moved_ms = pl_clock_ms();
    bool ends = length <= 2 && length > 0 && (bytes[0] == '\r' || bytes[0] == '\n');
    if (!ends || call->has_head) return length; /* trailers end so too */
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200) return length; /* 103 and the like: more follows */
    call->has_head = true;
    if (call->streamed) {
        call->head_due = true;
        call->in_pieces = status < 300;
        fresh_enter(call);
    }
    return length;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    pl_http_call_t *call = arg;
    size_t more = size * count;
    call->moved_ms = pl_clock_ms();
    if (more > call->max_bytes - call->total_bytes) {
        call->too_large = true;
        return 0; /* curl ends the exchange */
    }
    call->total_bytes += more;
    if (call->bytes + more + 1 > call->room) {
        call->room = call->room ? call->room : FIRST_BYTES;
        while (call->room < call->bytes + more + 1) call->room *= 2;
        call->body = realloc(call->body, call->room);
        assert(call->body);
    }
    memcpy(call->body + call->bytes, bytes, more);
    call->bytes += more;
    call->body[call->bytes] = '\0';
    if (call->in_pieces) fresh_enter(call);
    return more;
}

/* Asked for each address that the name has; so the one judged is the one connected to. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    pl_http_call_t *call = arg;
    (void)purpose;
    if (!pl_address_public(&address->addr)) {
        call->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void set_request(pl_http_call_t *call, const pl_http_opts_t *opts)
{
    CURL *easy = call->easy;
    const char *method = opts->method ? opts->method : opts->body ? "POST" : "GET";
    if (opts->body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)opts->body_bytes);
        curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, opts->body);
    } else if (strcasecmp(method, "POST") == 0) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0);
        curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, "");
    } else if (strcasecmp(method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);

    call->headers = curl_slist_append(NULL, "Expect:"); /* no round trip to ask for leave */
    assert(call->headers);
    for (const char *const *header = opts->headers; header && *header; header++) {
        call->headers = curl_slist_append(call->headers, *header);
        assert(call->headers);
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
}

static void set_connection(pl_http_call_t *call, const pl_http_opts_t *opts)
{
    CURL *easy = call->easy;
    long connect_ms =
        opts->connect_timeout_ms ? (long)opts->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    long whole_ms = opts->timeout_ms ? (long)opts->timeout_ms : TIMEOUT_MS;
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, whole_ms);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BYTES);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    /* A burst to a server that may speak HTTP/2 waits for the first handshake and shares it. */
    long wait = strncasecmp(opts->url, "https:", 6) == 0;
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, wait);
    if (call->http->ca_file) curl_easy_setopt(easy, CURLOPT_CAINFO, call->http->ca_file);
    if (opts->no_proxy) curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (opts->fresh) curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
}

pl_http_call_t *pl_http_send(pl_http_t *self, const pl_http_opts_t *opts, pl_http_done_fn *on_done,
                             void *arg)
{
    pl_http_call_t *call = calloc(1, sizeof *call);
    assert(call);
    call->http = self;
    call->on_done = on_done;
    call->arg = arg;
    call->max_bytes = opts->max_bytes ? opts->max_bytes : MAX_BYTES;
    call->streamed = opts->stream != NULL;
    if (opts->stream) call->stream = *opts->stream;
    call->easy = curl_easy_init();
    assert(call->easy);
    CURL *easy = call->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->detail);
    curl_easy_setopt(easy, CURLOPT_URL, opts->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a cancel does not wait for the resolver */
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)call->max_bytes);
    if (self->public_only) {
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call);
    }
    set_connection(call, opts);
    set_request(call, opts);

    call->next = self->calls;
    call->at = &self->calls;
    if (call->next) call->next->at = &call->next;
    self->calls = call;
    call->stall_ms = opts->stall_timeout_ms;
    call->moved_ms = pl_clock_ms();
    if (call->stall_ms) call->stall = pl_timer_start(self->loop, call->stall_ms, 0, on_stall, call);
    CURLMcode code = curl_multi_add_handle(http_multi_curl(self->multi), easy);
    assert(code == CURLM_OK); /* it starts by curl's timer */
    (void)code;
    return call;
}

static void forget(void *arg, pl_err_t err, const pl_http_answer_t *answer)
{
    (void)arg;
    (void)err;
    (void)answer;
}

void pl_http_warm(pl_http_t *self, const char *url, unsigned count)
{
    const char *host = strstr(url, "://");
    if (!host) return;
    int length = (int)(host + 3 + strcspn(host + 3, "/?#") - url);
    char root[1024];
    if ((size_t)length + 2 > sizeof root) return;
    (void)snprintf(root, sizeof root, "%.*s/", length, url);
    for (unsigned i = 0; i < count && i < WARM_MOST; i++) {
        (void)pl_http_send(self, &(pl_http_opts_t){.method = "HEAD", .url = root}, forget, NULL);
    }
}
