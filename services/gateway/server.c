#include "services/gateway/server.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "common/bus.h"
#include "common/log.h"
#include "common/loop.h"
#include "services/gateway/api.h"
#include "services/gateway/http_server.h"
#include "services/gateway/routes.h"

enum { DRAIN_MS = 10000, DESCRIPTORS_SPARE = 512 };

struct server {
    pl_loop_t *loop;
    pl_bus_t *bus;
    http_server_t *http;
    api_t api;
    pl_timer_t *drain_limit;
};

static const char *const peers[] = {"dialogue", "telephony", "persistence", "speech", "rag", NULL};

static void on_request(void *arg, http_exchange_t *x)
{
    server_t *self = arg;
    routes_dispatch(&self->api, x);
}

static void on_fault(void *arg, int status, const char *detail, text_t *body)
{
    (void)arg;
    api_error_text(body, http_status_text(status), detail);
}

static void stop(void *arg)
{
    server_t *self = arg;
    pl_loop_stop(self->loop);
}

/* The first signal lets open requests be answered, the second does not wait for them. */
static void on_terminate(void *arg, unsigned count)
{
    server_t *self = arg;
    if (count > 1) {
        pl_loop_stop(self->loop);
        return;
    }
    log_info("gateway.draining", "exchanges=%zu", http_server_exchanges(self->http));
    self->api.draining = true;
    pl_bus_drain(self->bus);
    self->drain_limit = pl_timer_start(self->loop, DRAIN_MS, 0, stop, self);
    http_server_drain(self->http, stop, self);
}

/* libwebsockets keeps a table as long as the number of descriptors allowed, a million in some
 * containers: no more are allowed than connections need. */
static void limit_descriptors(size_t connections)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    rlim_t wanted = connections + DESCRIPTORS_SPARE;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        log_warn("gateway.descriptors", "wanted=%llu", (unsigned long long)wanted);
    }
}

static pl_err_t open_http(server_t *self, const pl_config_t *cfg)
{
    http_server_opts_t opts = {
        .listen = pl_config_str(cfg, "gateway.http.listen"),
        .connections_max = (size_t)pl_config_int(cfg, "gateway.http.connections_max"),
        .body_max_bytes = (size_t)pl_config_int(cfg, "gateway.http.body_max_bytes"),
        .head_timeout_ms = (uint32_t)pl_config_int(cfg, "gateway.http.head_timeout_ms"),
        .body_timeout_ms = (uint32_t)pl_config_int(cfg, "gateway.http.body_timeout_ms"),
        .idle_timeout_ms = (uint32_t)pl_config_int(cfg, "gateway.http.idle_timeout_ms"),
        .write_timeout_ms = (uint32_t)pl_config_int(cfg, "gateway.http.write_timeout_ms"),
        .on_request = on_request,
        .on_fault = on_fault,
        .arg = self,
    };
    limit_descriptors(opts.connections_max);
    return http_server_new(&self->http, self->loop, &opts);
}

pl_err_t server_new(server_t **out, const pl_config_t *cfg)
{
    server_t *self = calloc(1, sizeof *self);
    if (!self) abort();
    self->loop = pl_loop_new();
    pl_err_t err = pl_bus_new(&self->bus, self->loop, cfg, peers);
    if (err) goto out;
    self->api.bus = self->bus;
    self->api.call_start_ms = (uint32_t)pl_config_int(cfg, "gateway.call_start_timeout_ms");
    self->api.request_ms = (uint32_t)pl_config_int(cfg, "gateway.request_timeout_ms");
    err = open_http(self, cfg);
    if (err) goto out;
    pl_loop_on_terminate(self->loop, on_terminate, self);
    *out = self;
    return PL_OK;
out:
    server_destroy(&self);
    return err;
}

void server_run(server_t *self)
{
    pl_loop_run(self->loop);
}

void server_destroy(server_t **self_p)
{
    server_t *self = *self_p;
    if (!self) return;
    pl_timer_stop(&self->drain_limit);
    pl_bus_destroy(&self->bus);       /* ends the exchanges that still wait for a reply */
    http_server_destroy(&self->http); /* last: no other thread opens descriptors any more */
    pl_loop_destroy(&self->loop);
    free(self);
    *self_p = NULL;
}
