#include "common/http.h"

#include <assert.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uv.h>

enum {
    CONNECT_TIMEOUT_MS = 5000,
    TIMEOUT_MS = 60000,
    MAX_BYTES = 4 * 1024 * 1024,
    FIRST_BYTES = 4096,
    CALLS_AT_END = 1000000,
};

struct pl_http {
    pl_loop_t *loop;
    CURLM *multi;
    pl_timer_t *timer; /* curl's one timer */
    pl_http_call_t *calls;
};

struct pl_http_call {
    pl_http_call_t *next, **at; /* in http->calls */
    pl_http_t *http;
    CURL *easy;
    struct curl_slist *headers;
    char *body;
    size_t bytes, room, max_bytes;
    bool too_large;
    char detail[CURL_ERROR_SIZE];
    pl_http_done_fn *on_done;
    void *arg;
};

static void collect_done(pl_http_t *self);

/* ---- curl's sockets and timer on the loop -------------------------------------------------- */

static void free_poll(uv_handle_t *handle)
{
    free(handle);
}

static void act(pl_http_t *self, curl_socket_t fd, int what)
{
    int running;
    (void)curl_multi_socket_action(self->multi, fd, what, &running);
    collect_done(self);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    int what = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
               (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
    /* An error is found by reading: then curl knows which, and that a connection which was kept
     * alive for too long may be tried afresh. CURL_CSELECT_ERR would just end the exchange. */
    if (status < 0) what = CURL_CSELECT_IN | CURL_CSELECT_OUT;
    uv_os_fd_t fd = -1;
    int rc = uv_fileno((uv_handle_t *)poll, &fd);
    assert(rc == 0);
    (void)rc;
    act(poll->data, fd, what);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *http, void *of_socket)
{
    pl_http_t *self = http;
    uv_poll_t *poll = of_socket;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (poll) uv_close((uv_handle_t *)poll, free_poll);
        curl_multi_assign(self->multi, fd, NULL);
        return 0;
    }
    if (!poll) {
        poll = calloc(1, sizeof *poll);
        assert(poll);
        int rc = uv_poll_init(pl_loop_uv(self->loop), poll, fd);
        assert(rc == 0); /* curl's own descriptor, watched once */
        (void)rc;
        poll->data = self;
        curl_multi_assign(self->multi, fd, poll);
    }
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    uv_poll_start(poll, events, on_poll);
    return 0;
}

static void on_due(void *arg)
{
    pl_http_t *self = arg;
    pl_timer_stop(&self->timer);
    act(self, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long timeout_ms, void *arg)
{
    pl_http_t *self = arg;
    (void)multi;
    pl_timer_stop(&self->timer);
    if (timeout_ms >= 0) {
        self->timer = pl_timer_start(self->loop, (uint64_t)timeout_ms, 0, on_due, self);
    }
    return 0;
}

/* ---- the client ---------------------------------------------------------------------------- */

static void init_curl(void)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    assert(code == CURLE_OK);
    (void)code;
}

pl_http_t *pl_http_new(pl_loop_t *loop)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_curl);
    pl_http_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->multi = curl_multi_init();
    assert(self->multi);
    curl_multi_setopt(self->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(self->multi, CURLMOPT_SOCKETDATA, self);
    curl_multi_setopt(self->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(self->multi, CURLMOPT_TIMERDATA, self);
    return self;
}

static void call_leave(pl_http_call_t *call)
{
    *call->at = call->next;
    if (call->next) call->next->at = call->at;
}

static void call_free(pl_http_call_t *call)
{
    curl_multi_remove_handle(call->http->multi, call->easy);
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

/* Of a call that has left the list. */
static void finish(pl_http_call_t *call, pl_err_t err, const char *detail)
{
    char said[CURL_ERROR_SIZE];
    (void)snprintf(said, sizeof said, "%s", detail);
    char *body = call->body;
    pl_http_answer_t answer = {.body = body ? body : "", .body_bytes = call->bytes, .detail = said};
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &answer.status);
    pl_http_done_fn *on_done = call->on_done;
    void *arg = call->arg;
    call->body = NULL;
    call_free(call); /* first, so that the callback may do with the client what it likes */
    on_done(arg, err, &answer);
    free(body);
}

void pl_http_destroy(pl_http_t **self_p)
{
    pl_http_t *self = *self_p;
    if (!self) return;
    /* What callbacks send now is ended too; one that always sends again is a bug. */
    for (size_t i = 0; self->calls && i < CALLS_AT_END; i++) {
        pl_http_call_t *call = self->calls;
        self->calls = call->next;
        if (self->calls) self->calls->at = &self->calls;
        finish(call, PL_UNAVAILABLE, "the client is closing");
    }
    assert(!self->calls);
    *self_p = NULL;
    curl_multi_cleanup(self->multi); /* closes its connections, hence their polls */
    pl_timer_stop(&self->timer);
    free(self);
}

/* ---- one exchange -------------------------------------------------------------------------- */

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    pl_http_call_t *call = arg;
    size_t more = size * count;
    if (more > call->max_bytes - call->bytes) {
        call->too_large = true;
        return 0; /* curl ends the exchange */
    }
    if (call->bytes + more + 1 > call->room) {
        call->room = call->room ? call->room : FIRST_BYTES;
        while (call->room < call->bytes + more + 1) call->room *= 2;
        call->body = realloc(call->body, call->room);
        assert(call->body);
    }
    memcpy(call->body + call->bytes, bytes, more);
    call->bytes += more;
    call->body[call->bytes] = '\0';
    return more;
}

static pl_err_t err_of(const pl_http_call_t *call, CURLcode code)
{
    if (code == CURLE_OK) return PL_OK;
    if (call->too_large) return PL_INVALID;
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

static void collect_done(pl_http_t *self)
{
    int left;
    for (CURLMsg *msg; (msg = curl_multi_info_read(self->multi, &left));) {
        if (msg->msg != CURLMSG_DONE) continue;
        pl_http_call_t *call = NULL;
        CURLcode code = msg->data.result;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        const char *detail = *call->detail ? call->detail : curl_easy_strerror(code);
        if (call->too_large) detail = "the answer is larger than allowed";
        call_leave(call);
        finish(call, err_of(call, code), code == CURLE_OK ? "" : detail);
    }
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

pl_http_call_t *pl_http_send(pl_http_t *self, const pl_http_opts_t *opts, pl_http_done_fn *on_done,
                             void *arg)
{
    pl_http_call_t *call = calloc(1, sizeof *call);
    assert(call);
    call->http = self;
    call->on_done = on_done;
    call->arg = arg;
    call->max_bytes = opts->max_bytes ? opts->max_bytes : MAX_BYTES;
    call->easy = curl_easy_init();
    assert(call->easy);
    CURL *easy = call->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->detail);
    curl_easy_setopt(easy, CURLOPT_URL, opts->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a cancel does not wait for the resolver */
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)call->max_bytes);
    long connect_ms =
        opts->connect_timeout_ms ? (long)opts->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    long whole_ms = opts->timeout_ms ? (long)opts->timeout_ms : TIMEOUT_MS;
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, whole_ms);
    set_request(call, opts);

    call->next = self->calls;
    call->at = &self->calls;
    if (call->next) call->next->at = &call->next;
    self->calls = call;
    CURLMcode code = curl_multi_add_handle(self->multi, easy); /* it starts by curl's timer */
    assert(code == CURLM_OK);
    (void)code;
    return call;
}
