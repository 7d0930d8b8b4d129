#include "common/loop.h"

#include <assert.h>
#include <czmq.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <uv.h>

enum { WATCH_BATCH = 64 };

/* An intrusive ring: a node that is in no list points at itself. */
typedef struct node {
    struct node *next, *prev;
} node_t;

typedef struct {
    void (*fn)(void *arg);
    void *arg;
} post_t;

typedef struct {
    post_t *items;
    size_t count, room;
} posts_t;

struct pl_loop {
    uv_loop_t uv;
    uv_async_t wake;      /* a post or a stop from any thread */
    uv_prepare_t sweep;   /* before every poll: the sockets that want another look */
    uv_idle_t keep_going; /* active while there are such sockets, so that the poll does not wait */
    node_t again;         /* pl_watch_t by their again */
    node_t timers, watches;
    atomic_bool stopped;

    pthread_mutex_t posts_lock;
    posts_t posts; /* guarded by posts_lock */
    posts_t running;

    int signal_fd;
    pl_watch_t *signal_watch;
    void (*on_terminate)(void *arg, unsigned count);
    void *terminate_arg;
    unsigned terminations;
};

struct pl_timer {
    uv_timer_t uv; /* first: the handle is the timer */
    node_t link;
    void (*fn)(void *arg);
    void *arg;
};

struct pl_watch {
    uv_poll_t uv; /* first: the handle is the watch */
    node_t link, again;
    pl_loop_t *loop;
    void *socket; /* NULL: a plain descriptor */
    bool (*receive)(void *arg);
    void (*readable)(void *arg);
    void *arg;
    bool stopped;
};

#define OWNER(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static void node_init(node_t *node)
{
    node->next = node->prev = node;
}

static bool node_alone(const node_t *node)
{
    return node->next == node;
}

static void node_remove(node_t *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node_init(node);
}

static void node_append(node_t *ring, node_t *node)
{
    node->prev = ring->prev;
    node->next = ring;
    ring->prev->next = node;
    ring->prev = node;
}

/* libuv's calls on handles we made can only fail by our own mistake or for want of memory. */
static void must(int rc)
{
    assert(rc == 0);
    (void)rc;
}

static void *zeroed(size_t bytes)
{
    void *made = calloc(1, bytes);
    assert(made);
    return made;
}

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

/* ---- posts --------------------------------------------------------------------------------- */

/* Runs what was posted until now; what these post comes in the next round. */
static bool posts_run(pl_loop_t *self)
{
    pthread_mutex_lock(&self->posts_lock);
    posts_t batch = self->posts;
    self->posts = self->running;
    self->posts.count = 0;
    pthread_mutex_unlock(&self->posts_lock);

    for (size_t i = 0; i < batch.count; i++) batch.items[i].fn(batch.items[i].arg);
    bool any = batch.count > 0;
    self->running = batch; /* its memory is used again */
    return any;
}

static void on_wake(uv_async_t *wake)
{
    pl_loop_t *self = wake->data;
    posts_run(self);
    if (atomic_load(&self->stopped)) uv_stop(&self->uv);
}

void pl_loop_post(pl_loop_t *self, void (*fn)(void *arg), void *arg)
{
    pthread_mutex_lock(&self->posts_lock);
    posts_t *posts = &self->posts;
    if (posts->count == posts->room) {
        posts->room = posts->room ? posts->room * 2 : 16;
        posts->items = realloc(posts->items, posts->room * sizeof *posts->items);
        assert(posts->items);
    }
    posts->items[posts->count++] = (post_t){fn, arg};
    pthread_mutex_unlock(&self->posts_lock);
    must(uv_async_send(&self->wake));
}

/* ---- the loop ------------------------------------------------------------------------------ */

static void watch_batch(pl_watch_t *self);

static void on_sweep(uv_prepare_t *sweep)
{
    pl_loop_t *self = sweep->data;
    node_t now; /* those that want yet another look wait for the next round */
    node_init(&now);
    if (!node_alone(&self->again)) {
        now = self->again;
        now.next->prev = now.prev->next = &now;
        node_init(&self->again);
    }
    while (!node_alone(&now)) {
        node_t *first = now.next;
        node_remove(first);
        watch_batch(OWNER(first, pl_watch_t, again));
    }
    if (node_alone(&self->again)) uv_idle_stop(&self->keep_going);
}

static void on_keep_going(uv_idle_t *idle)
{
    (void)idle; /* an active idle handle is all that it takes */
}

pl_loop_t *pl_loop_new(void)
{
    pl_loop_t *self = zeroed(sizeof *self);
    must(uv_loop_init(&self->uv));
    must(uv_async_init(&self->uv, &self->wake, on_wake));
    must(uv_prepare_init(&self->uv, &self->sweep));
    must(uv_prepare_start(&self->sweep, on_sweep));
    must(uv_idle_init(&self->uv, &self->keep_going));
    self->wake.data = self->sweep.data = self->keep_going.data = self;
    node_init(&self->again);
    node_init(&self->timers);
    node_init(&self->watches);
    must(pthread_mutex_init(&self->posts_lock, NULL));
    self->signal_fd = -1;
    return self;
}

static void close_leftover(uv_handle_t *handle, void *arg)
{
    (void)arg; /* of libwebsockets or libcurl; their memory is theirs */
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

void pl_loop_destroy(pl_loop_t **self_p)
{
    pl_loop_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    while (posts_run(self)) continue;

    pl_watch_stop(&self->signal_watch);
    if (self->signal_fd >= 0) close(self->signal_fd);
    while (!node_alone(&self->timers)) {
        pl_timer_t *timer = OWNER(self->timers.next, pl_timer_t, link);
        pl_timer_stop(&timer);
    }
    while (!node_alone(&self->watches)) {
        pl_watch_t *watch = OWNER(self->watches.next, pl_watch_t, link);
        pl_watch_stop(&watch);
    }
    uv_walk(&self->uv, close_leftover, NULL);
    atomic_store(&self->stopped, false);
    while (uv_run(&self->uv, UV_RUN_DEFAULT)) continue; /* until every close was called back */
    must(uv_loop_close(&self->uv));

    free(self->posts.items);
    free(self->running.items);
    pthread_mutex_destroy(&self->posts_lock);
    free(self);
}

void pl_loop_run(pl_loop_t *self)
{
    while (!atomic_load(&self->stopped)) uv_run(&self->uv, UV_RUN_DEFAULT);
    atomic_store(&self->stopped, false); /* it may be run again */
}

void pl_loop_stop(pl_loop_t *self)
{
    atomic_store(&self->stopped, true);
    must(uv_async_send(&self->wake));
}

void *pl_loop_uv(pl_loop_t *self)
{
    return &self->uv;
}

/* ---- timers -------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *uv)
{
    pl_timer_t *self = uv->data;
    self->fn(self->arg); /* may stop it: the memory lives until the close was called back */
}

pl_timer_t *pl_timer_start(pl_loop_t *loop, uint64_t delay_ms, uint64_t repeat_ms,
                           void (*fn)(void *arg), void *arg)
{
    pl_timer_t *self = zeroed(sizeof *self);
    self->fn = fn;
    self->arg = arg;
    must(uv_timer_init(&loop->uv, &self->uv));
    self->uv.data = self;
    uv_update_time(&loop->uv); /* libuv's clock stands still while a callback runs */
    must(uv_timer_start(&self->uv, on_timer, delay_ms, repeat_ms));
    node_append(&loop->timers, &self->link);
    return self;
}

void pl_timer_stop(pl_timer_t **self_p)
{
    pl_timer_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    node_remove(&self->link);
    uv_close((uv_handle_t *)&self->uv, free_handle);
}

/* ---- watches ------------------------------------------------------------------------------- */

static void watch_again(pl_watch_t *self)
{
    if (!node_alone(&self->again)) return;
    node_append(&self->loop->again, &self->again);
    must(uv_idle_start(&self->loop->keep_going, on_keep_going));
}

/* Receives until there is none, which also rearms the descriptor: libzmq handles its commands
 * before it says EAGAIN. A full batch leaves that undone, hence another look. */
static void watch_batch(pl_watch_t *self)
{
    for (int i = 0; i < WATCH_BATCH; i++) {
        if (!self->receive(self->arg)) return;
        if (self->stopped) return;
    }
    watch_again(self);
}

static void on_poll(uv_poll_t *uv, int status, int events)
{
    pl_watch_t *self = uv->data;
    (void)events;
    (void)status; /* on an error the reader finds out what it is */
    if (self->socket) {
        node_remove(&self->again); /* this is that look */
        watch_batch(self);
    } else {
        self->readable(self->arg);
    }
}

static pl_watch_t *watch_new(pl_loop_t *loop, int fd, void *arg)
{
    pl_watch_t *self = zeroed(sizeof *self);
    self->loop = loop;
    self->arg = arg;
    node_init(&self->again);
    node_append(&loop->watches, &self->link);
    must(uv_poll_init(&loop->uv, &self->uv, fd));
    self->uv.data = self;
    must(uv_poll_start(&self->uv, UV_READABLE, on_poll));
    return self;
}

pl_watch_t *pl_watch_zmq(pl_loop_t *loop, void *socket, bool (*fn)(void *arg), void *arg)
{
    int fd = -1;
    size_t size = sizeof fd;
    must(zmq_getsockopt(socket, ZMQ_FD, &fd, &size));
    pl_watch_t *self = watch_new(loop, fd, arg);
    self->socket = socket;
    self->receive = fn;
    watch_again(self); /* what came before the watch has had its edge */
    return self;
}

void pl_watch_check(pl_watch_t *self)
{
    /* A send may have taken the edge that told of a message. Looking once before the next poll
     * serves all sends until then. */
    watch_again(self);
}

pl_watch_t *pl_watch_fd(pl_loop_t *loop, int fd, void (*fn)(void *arg), void *arg)
{
    pl_watch_t *self = watch_new(loop, fd, arg);
    self->readable = fn;
    return self;
}

void pl_watch_stop(pl_watch_t **self_p)
{
    pl_watch_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    self->stopped = true;
    node_remove(&self->link);
    node_remove(&self->again);
    uv_close((uv_handle_t *)&self->uv, free_handle);
}

/* ---- signals ------------------------------------------------------------------------------- */

static void terminating_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
}

void pl_signals_init(void)
{
    zsys_init();
    zsys_handler_set(NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    must(sigaction(SIGPIPE, &ignore, NULL));
    sigset_t set;
    terminating_signals(&set);
    must(pthread_sigmask(SIG_BLOCK, &set, NULL));
}

static void on_signal(void *arg)
{
    pl_loop_t *self = arg;
    struct signalfd_siginfo info;
    while (read(self->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        self->on_terminate(self->terminate_arg, ++self->terminations);
    }
}

void pl_loop_on_terminate(pl_loop_t *self, void (*fn)(void *arg, unsigned count), void *arg)
{
    assert(self->signal_fd < 0);
    sigset_t set;
    terminating_signals(&set);
    self->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    assert(self->signal_fd >= 0);
    self->on_terminate = fn;
    self->terminate_arg = arg;
    self->signal_watch = pl_watch_fd(self, self->signal_fd, on_signal, self);
}
