/* watcher.h - tells when something happens in the knowledge folder: inotify.
 *
 * Only a hint: where inotify is not to be had (out of watches, a network file system) nothing is
 * told, and the periodic scan finds the changes.
 *
 * Threads: the loop's. Source: inotify(7).
 */
#ifndef RAG_WATCHER_H
#define RAG_WATCHER_H

#include <stddef.h>

#include "common/loop.h"

typedef struct watcher watcher_t;

/* fn is called once for each batch of happenings. Never NULL. */
watcher_t *watcher_new(pl_loop_t *loop, void (*fn)(void *arg), void *arg);
void watcher_add(watcher_t *self, char *const *folders, size_t count); /* known ones are fine */
void watcher_destroy(watcher_t **self_p);

#endif
