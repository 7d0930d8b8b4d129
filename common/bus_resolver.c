#include "common/bus_resolver.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#include "common/bus_endpoint.h"
#include "common/log.h"

enum { AGAIN_MS = 5000, AGAIN_EMPTY_MS = 500, ADDRESSES_MAX = 256 };

/* Lives until its callback, which may come after the resolver has gone. */
typedef struct {
    uv_getaddrinfo_t uv; /* first: the request is the query */
    bus_resolver_t *owner;
} query_t;

struct bus_resolver {
    pl_loop_t *loop;
    char *host, *port;
    bus_resolver_fn *fn;
    void *arg;
    query_t *query;
    pl_timer_t *timer;
    bool failing;
};

static void ask(void *arg);

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void format_address(const struct addrinfo *info, const char *port, char *out)
{
    char host[INET6_ADDRSTRLEN] = "";
    if (info->ai_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, info->ai_addr, sizeof v4);
        inet_ntop(AF_INET, &v4.sin_addr, host, sizeof host);
        (void)snprintf(out, BUS_ENDPOINT_BYTES, "tcp://%s:%s", host, port);
    } else {
        struct sockaddr_in6 v6;
        memcpy(&v6, info->ai_addr, sizeof v6);
        inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof host);
        (void)snprintf(out, BUS_ENDPOINT_BYTES, "tcp://[%s]:%s", host, port);
    }
}

static void tell(bus_resolver_t *self, const struct addrinfo *found)
{
    int family = AF_INET6;
    for (const struct addrinfo *i = found; i; i = i->ai_next) {
        if (i->ai_family == AF_INET) family = AF_INET;
    }
    char *endpoints[ADDRESSES_MAX];
    size_t count = 0, distinct = 0;
    for (const struct addrinfo *i = found; i && count < ADDRESSES_MAX; i = i->ai_next) {
        if (i->ai_family != family) continue;
        endpoints[count] = malloc(BUS_ENDPOINT_BYTES);
        assert(endpoints[count]);
        format_address(i, self->port, endpoints[count++]);
    }
    if (count > 1) qsort(endpoints, count, sizeof *endpoints, by_text);
    for (size_t i = 0; i < count; i++) {
        if (distinct > 0 && strcmp(endpoints[i], endpoints[distinct - 1]) == 0)
            free(endpoints[i]);
        else
            endpoints[distinct++] = endpoints[i];
    }
    self->fn(self->arg, (const char *const *)endpoints, distinct);
    for (size_t i = 0; i < distinct; i++) free(endpoints[i]);
}

static void on_answer(uv_getaddrinfo_t *uv, int status, struct addrinfo *found)
{
    query_t *query = uv->data;
    bus_resolver_t *self = query->owner;
    free(query);
    if (self) {
        self->query = NULL;
        bool no_such_name = status == UV_EAI_NONAME || status == UV_EAI_NODATA;
        bool failing = status != 0 && !no_such_name;
        if (failing && !self->failing) {
            log_warn("bus.lookup", "host=%s detail=\"%s\"", self->host, uv_strerror(status));
        }
        self->failing = failing;
        /* A pod that is still starting appears any moment, so ask sooner. */
        self->timer =
            pl_timer_start(self->loop, status == 0 ? AGAIN_MS : AGAIN_EMPTY_MS, 0, ask, self);
        if (!failing) tell(self, found);
    }
    uv_freeaddrinfo(found);
}

static void ask(void *arg)
{
    bus_resolver_t *self = arg;
    pl_timer_stop(&self->timer);
    query_t *query = calloc(1, sizeof *query);
    assert(query);
    query->uv.data = query;
    query->owner = self;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int rc =
        uv_getaddrinfo(pl_loop_uv(self->loop), &query->uv, on_answer, self->host, NULL, &hints);
    if (rc == 0) {
        self->query = query;
        return;
    }
    log_warn("bus.lookup", "host=%s detail=\"%s\"", self->host, uv_strerror(rc));
    free(query);
    self->timer = pl_timer_start(self->loop, AGAIN_MS, 0, ask, self);
}

bus_resolver_t *bus_resolver_new(pl_loop_t *loop, const char *host, const char *port,
                                 bus_resolver_fn *fn, void *arg)
{
    bus_resolver_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->host = strdup(host);
    self->port = strdup(port);
    assert(self->host && self->port);
    self->fn = fn;
    self->arg = arg;
    ask(self);
    return self;
}

void bus_resolver_destroy(bus_resolver_t **self_p)
{
    bus_resolver_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_timer_stop(&self->timer);
    if (self->query) {
        self->query->owner = NULL;
        (void)uv_cancel((uv_req_t *)&self->query->uv); /* refused when it runs: then it is late */
    }
    free(self->host);
    free(self->port);
    free(self);
}
