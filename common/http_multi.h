/* http_multi.h - curl's multi handle on a loop: its sockets and its one timer. Part of http.
 *
 * Threads: all on the loop's thread.
 */
#ifndef PL_COMMON_HTTP_MULTI_H
#define PL_COMMON_HTTP_MULTI_H

#include <curl/curl.h>

#include "common/loop.h"

typedef struct http_multi http_multi_t;

/* acted is called whenever curl has done some work: there may be bytes and ended transfers. It runs
 * outside curl, so transfers may be added and removed in it. Never NULL. */
http_multi_t *http_multi_new(pl_loop_t *loop, void (*acted)(void *arg), void *arg);
/* Every transfer must have been removed. Not from acted. */
void http_multi_destroy(http_multi_t **self_p);

CURLM *http_multi_curl(const http_multi_t *self);

#endif
