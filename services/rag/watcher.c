#include "services/rag/watcher.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/log.h"

/* IN_MODIFY too: as long as somebody writes, the scan waits. */
enum {
    EVENTS = IN_CLOSE_WRITE | IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
             IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR,
    BATCH_BYTES = 16 * 1024,
};

struct watcher {
    int fd; /* -1: no inotify here */
    pl_watch_t *watch;
    void (*fn)(void *arg);
    void *arg;
    bool complained;
};

static void complain(watcher_t *self, int error)
{
    char text[64];
    if (self->complained) return;
    self->complained = true;
    log_warn("watcher.unavailable", "detail=\"inotify: %s; changes are found by scanning\"",
             strerror_r(error, text, sizeof text));
}

static void on_readable(void *arg)
{
    watcher_t *self = arg;
    char events[BATCH_BYTES];
    ssize_t got = read(self->fd, events, sizeof events);
    if (got > 0) self->fn(self->arg); /* what it was, the scan will see */
}

watcher_t *watcher_new(pl_loop_t *loop, void (*fn)(void *arg), void *arg)
{
    watcher_t *self = calloc(1, sizeof *self);
    assert(self);
    self->fn = fn;
    self->arg = arg;
    self->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (self->fd < 0)
        complain(self, errno);
    else
        self->watch = pl_watch_fd(loop, self->fd, on_readable, self);
    return self;
}

void watcher_add(watcher_t *self, char *const *folders, size_t count)
{
    for (size_t i = 0; self->fd >= 0 && i < count; i++) {
        if (inotify_add_watch(self->fd, folders[i], EVENTS) >= 0) continue;
        if (errno != ENOENT && errno != ENOTDIR) complain(self, errno);
    }
}

void watcher_destroy(watcher_t **self_p)
{
    watcher_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_watch_stop(&self->watch);
    if (self->fd >= 0) (void)close(self->fd);
    free(self);
}
