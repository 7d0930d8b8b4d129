/* sms_carrier.h - for tests: a carrier's server that answers each text message as it is told, and a
 * desk that sends to it. */
#ifndef TESTS_SMS_CARRIER_H
#define TESTS_SMS_CARRIER_H

#include "services/telephony/config.h"
#include "services/telephony/sms.h"
#include "tests/unit/common/http_server.h"

static char last_request[65536]; /* written by the server's thread before it answers */
static atomic_uint asked;
static const char *_Atomic body; /* NULL: the connection breaks after the request */
static atomic_int status;

static bool answer(int fd, const char *method, const char *path, const char *request)
{
    char text[2048];
    const char *told = atomic_load(&body);
    (void)method;
    (void)path;
    (void)snprintf(last_request, sizeof last_request, "%s", request);
    atomic_fetch_add(&asked, 1);
    if (!told) return false;
    (void)snprintf(text, sizeof text, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n%s",
                   atomic_load(&status), strlen(told), told);
    say(fd, text);
    return true;
}

typedef struct {
    pl_loop_t *loop;
    pl_config_t *cfg;
    sms_desk_t *desk;
    unsigned count;
    bool running; /* the loop */
    pl_err_t err;
    sms_outcome_t outcome;
} world_t;

/* A desk with that provider and those settings of its own; wanted: what opening it comes to. */
static world_t desk_of(const char *provider, const char *settings, pl_err_t wanted)
{
    world_t self = {.loop = pl_loop_new()};
    char yaml[1024], error[512] = "";
    (void)snprintf(yaml, sizeof yaml, "telephony: {sms: {provider: %s, %s: {%s}}}\n", provider,
                   provider, settings);
    self.cfg =
        pl_config_parse("telephony", telephony_config_keys, "t.yaml", yaml, error, sizeof error);
    if (!self.cfg) fail_msg("%s", error);
    const sms_provider_t *found = sms_provider_find(provider);
    assert_non_null(found);
    assert_int_equal(sms_desk_new(&self.desk, found, self.loop, self.cfg), wanted);
    atomic_store(&asked, 0);
    return self;
}

static void stop(world_t *self)
{
    sms_desk_destroy(&self->desk);
    pl_loop_destroy(&self->loop);
    pl_config_destroy(&self->cfg);
}

static void on_sent(void *arg, pl_err_t err, const sms_outcome_t *outcome)
{
    world_t *self = arg;
    self->count++;
    self->err = err;
    self->outcome = outcome ? *outcome : (sms_outcome_t){0};
    if (self->running) pl_loop_stop(self->loop);
}

static void text(world_t *self, const char *words, const char *key)
{
    sms_t sms = {.call_id = "c-1", .to = "+49301234", .text = words, .key = key};
    unsigned before = self->count;
    sms_desk_send(self->desk, &sms, on_sent, self);
    self->running = self->count == before;
    if (self->running) pl_loop_run(self->loop);
    self->running = false;
    assert_int_equal(self->count, before + 1);
}

#endif
