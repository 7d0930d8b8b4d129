/* http_server.h - for tests: a small HTTP server, a thread a connection, whose answers the test
 * writes byte by byte; and a client that keeps what it was told.
 */
#ifndef TESTS_HTTP_SERVER_H
#define TESTS_HTTP_SERVER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/http.h"

/* The test's: returns false when the connection ends with this answer. */
static bool answer(int fd, const char *method, const char *path, const char *request);

/* ---- the server ---------------------------------------------------------------------------- */

static int listener;
static unsigned port;
static pthread_t acceptor;
static atomic_uint connections; /* accepted so far */

static void say(int fd, const char *text)
{
    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static size_t length_of(const char *request)
{
    const char *header = strstr(request, "Content-Length: ");
    return header ? strtoul(header + 16, NULL, 10) : 0;
}

static void *serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char request[65536], method[16], path[64];
    for (bool more = true; more;) {
        size_t size = 0;
        char *end = NULL;
        while (!end || size < (size_t)(end + 4 - request) + length_of(request)) {
            ssize_t got = recv(fd, request + size, sizeof request - 1 - size, 0);
            if (got <= 0) goto out;
            size += (size_t)got;
            request[size] = '\0';
            end = strstr(request, "\r\n\r\n");
        }
        if (sscanf(request, "%15s %63s", method, path) != 2) break;
        more = answer(fd, method, path, request);
    }
out:
    close(fd);
    return NULL;
}

static void *accept_all(void *arg)
{
    (void)arg;
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;) {
        connections++;
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) != 0) abort();
        pthread_detach(thread);
    }
    return NULL;
}

static int start_server(void **state)
{
    (void)state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&at, size) != 0 || listen(listener, 64) != 0) return -1;
    if (getsockname(listener, (struct sockaddr *)&at, &size) != 0) return -1;
    port = ntohs(at.sin_port);
    return pthread_create(&acceptor, NULL, accept_all, NULL);
}

static int stop_server(void **state)
{
    (void)state;
    shutdown(listener, SHUT_RDWR);
    pthread_join(acceptor, NULL);
    close(listener);
    return 0;
}

/* ---- the client ---------------------------------------------------------------------------- */

typedef struct {
    pl_loop_t *loop;
    pl_http_t *http;
    unsigned done, stop_at;
    pl_err_t err;
    long status;
    char body[256];
    size_t body_bytes;
    char detail[256];
    unsigned ticks, longest_ms;
    uint64_t last_tick_ms;
} client_t;

static inline void on_done(void *arg, pl_err_t err, const pl_http_answer_t *got)
{
    client_t *client = arg;
    client->err = err;
    client->status = got->status;
    client->body_bytes = got->body_bytes;
    (void)snprintf(client->body, sizeof client->body, "%s", got->body);
    (void)snprintf(client->detail, sizeof client->detail, "%s", got->detail);
    if (++client->done == client->stop_at) pl_loop_stop(client->loop);
}

static inline client_t client_open(void)
{
    client_t client = {.loop = pl_loop_new(), .stop_at = 1};
    client.http = pl_http_new(client.loop);
    return client;
}

static inline void client_close(client_t *client)
{
    pl_http_destroy(&client->http);
    assert_null(client->http);
    pl_http_destroy(&client->http);
    pl_loop_destroy(&client->loop);
}

static inline void url_of(const char *path, char out[128])
{
    (void)snprintf(out, 128, "http://127.0.0.1:%u%s", port, path);
}

#endif
