#include "common/curve.h"

#include <assert.h>
#include <czmq.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/metrics.h"

enum { KEY_BYTES = 32, KEY_TEXT_BYTES = 41, REFUSAL_LOG_MS = 10000 };

struct pl_curve {
    char public_text[KEY_TEXT_BYTES], secret_text[KEY_TEXT_BYTES];
};

/* One ZAP handler serves all sockets of the process, from the first key pair to the exit: libzmq
 * would let in whoever knows the public key while there is none. */
static zactor_t *zap;
static pl_metric_t *refusals; /* set before the handler's thread starts */

/* The server's ZAP domain is its own public key, so the handler needs no list of keys: a client
 * is let in exactly when its key is that one. */
static bool admitted(const char *domain, const char *mechanism, zframe_t *key)
{
    char text[KEY_TEXT_BYTES];
    if (strcmp(mechanism, "CURVE") != 0 || zframe_size(key) != KEY_BYTES) return false;
    return zmq_z85_encode(text, zframe_data(key), KEY_BYTES) && strcmp(text, domain) == 0;
}

/* A stranger tries again a few times a second: count all, tell of one now and then. */
static void refused(const char *address)
{
    static uint64_t quiet_until_ms; /* on the handler's thread alone */
    pl_metric_add(refusals, 1);
    if (pl_clock_ms() < quiet_until_ms) return;
    quiet_until_ms = pl_clock_ms() + REFUSAL_LOG_MS;
    log_warn("curve.refused", "address=%s", address);
}

/* version, request id, domain, address, identity, mechanism, credentials */
static void answer(zsock_t *handler)
{
    zmsg_t *request = zmsg_recv(handler);
    if (!request) return;
    char *version = zmsg_popstr(request), *id = zmsg_popstr(request);
    char *domain = zmsg_popstr(request), *address = zmsg_popstr(request);
    char *identity = zmsg_popstr(request), *mechanism = zmsg_popstr(request);
    zframe_t *key = zmsg_pop(request);
    bool ok = key && admitted(domain, mechanism, key);
    if (!ok) refused(address ? address : "");
    zstr_sendx(handler, "1.0", id ? id : "", ok ? "200" : "400", ok ? "OK" : "not our key", "", "",
               NULL);
    zframe_destroy(&key);
    zstr_free(&version);
    zstr_free(&id);
    zstr_free(&domain);
    zstr_free(&address);
    zstr_free(&identity);
    zstr_free(&mechanism);
    zmsg_destroy(&request);
}

static void zap_thread(zsock_t *pipe, void *args)
{
    (void)args;
    zsock_t *handler = zsock_new(ZMQ_REP);
    assert(handler);
    int rc = zsock_bind(handler, "inproc://zeromq.zap.01");
    assert(rc == 0); /* nobody else in this process serves ZAP */
    zpoller_t *poller = zpoller_new(pipe, handler, NULL);
    assert(poller);
    zpoller_set_nonstop(poller, true);
    zsock_signal(pipe, 0);
    for (;;) {
        void *ready = zpoller_wait(poller, -1);
        if (ready == pipe) break; /* the actor's end is its only command */
        if (ready == handler) answer(handler);
    }
    zpoller_destroy(&poller);
    zsock_destroy(&handler);
}

static void zap_stop(void)
{
    zactor_destroy(&zap);
}

static void zap_start(void)
{
    refusals = pl_metric_counter("parley_curve_refused_total", NULL,
                                 "Connections refused for want of the installation's key");
    zsys_init(); /* CZMQ's exit handler is in place first, hence runs after ours */
    zap = zactor_new(zap_thread, NULL);
    assert(zap);
    int rc = atexit(zap_stop);
    assert(rc == 0);
    (void)rc;
}

pl_err_t pl_curve_load(pl_curve_t **out, const char *file)
{
    if (!file || !*file) {
        *out = NULL;
        return PL_OK;
    }
    zcert_t *cert = zcert_load(file);
    const char *secret = cert ? zcert_secret_txt(cert) : NULL;
    if (!secret || strspn(secret, "0") == strlen(secret)) {
        log_error("curve.key_file", "bus.curve_key_file=%s detail=\"%s\"", file,
                  cert ? "no secret key in it" : "not readable, or not a zcert file");
        zcert_destroy(&cert);
        return PL_INVALID;
    }
    pl_curve_t *self = calloc(1, sizeof *self);
    assert(self);
    (void)snprintf(self->public_text, sizeof self->public_text, "%s", zcert_public_txt(cert));
    (void)snprintf(self->secret_text, sizeof self->secret_text, "%s", secret);
    zcert_destroy(&cert);
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, zap_start);
    *out = self;
    return PL_OK;
}

void pl_curve_destroy(pl_curve_t **self_p)
{
    pl_curve_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    explicit_bzero(self, sizeof *self);
    free(self);
}

static void set_text(void *socket, int option, const char *text)
{
    int rc = zmq_setsockopt(socket, option, text, strlen(text) + 1);
    assert(rc == 0); /* keys that zcert parsed are well-formed */
    (void)rc;
}

void pl_curve_apply(const pl_curve_t *self, void *socket, bool server)
{
    if (!self) return;
    if (server) {
        int on = 1;
        size_t length = strlen(self->public_text);
        int rc = zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &on, sizeof on);
        set_text(socket, ZMQ_CURVE_SECRETKEY, self->secret_text);
        rc |= zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, self->public_text, length);
        assert(rc == 0);
        (void)rc;
    } else {
        set_text(socket, ZMQ_CURVE_SERVERKEY, self->public_text);
        set_text(socket, ZMQ_CURVE_PUBLICKEY, self->public_text);
        set_text(socket, ZMQ_CURVE_SECRETKEY, self->secret_text);
    }
}
