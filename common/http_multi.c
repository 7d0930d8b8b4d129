#include "common/http_multi.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <uv.h>

enum { KEPT_CONNECTIONS = 256 };

struct http_multi {
    pl_loop_t *loop;
    CURLM *curl;
    pl_timer_t *timer; /* curl's one timer */
    void (*acted)(void *arg);
    void *arg;
};

static void free_poll(uv_handle_t *handle)
{
    free(handle);
}

static void act(http_multi_t *self, curl_socket_t fd, int what)
{
    int running;
    (void)curl_multi_socket_action(self->curl, fd, what, &running);
    self->acted(self->arg);
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

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *of_socket)
{
    http_multi_t *self = arg;
    uv_poll_t *poll = of_socket;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (poll) uv_close((uv_handle_t *)poll, free_poll);
        curl_multi_assign(self->curl, fd, NULL);
        return 0;
    }
    if (!poll) {
        poll = calloc(1, sizeof *poll);
        assert(poll);
        int rc = uv_poll_init(pl_loop_uv(self->loop), poll, fd);
        assert(rc == 0); /* curl's own descriptor, watched once */
        (void)rc;
        poll->data = self;
        curl_multi_assign(self->curl, fd, poll);
    }
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    uv_poll_start(poll, events, on_poll);
    return 0;
}

static void on_due(void *arg)
{
    http_multi_t *self = arg;
    pl_timer_stop(&self->timer);
    act(self, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *curl, long timeout_ms, void *arg)
{
    http_multi_t *self = arg;
    (void)curl;
    pl_timer_stop(&self->timer);
    if (timeout_ms >= 0) {
        self->timer = pl_timer_start(self->loop, (uint64_t)timeout_ms, 0, on_due, self);
    }
    return 0;
}

static void init_curl(void)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    assert(code == CURLE_OK);
    (void)code;
}

http_multi_t *http_multi_new(pl_loop_t *loop, void (*acted)(void *arg), void *arg)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_curl);
    http_multi_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->acted = acted;
    self->arg = arg;
    self->curl = curl_multi_init();
    assert(self->curl);
    curl_multi_setopt(self->curl, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(self->curl, CURLMOPT_SOCKETDATA, self);
    curl_multi_setopt(self->curl, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(self->curl, CURLMOPT_TIMERDATA, self);
    /* Else curl keeps four for each transfer under way, hence none when nothing is. */
    curl_multi_setopt(self->curl, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS);
    return self;
}

void http_multi_destroy(http_multi_t **self_p)
{
    http_multi_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    curl_multi_cleanup(self->curl); /* closes its connections, hence their polls */
    pl_timer_stop(&self->timer);
    free(self);
}

CURLM *http_multi_curl(const http_multi_t *self)
{
    return self->curl;
}
