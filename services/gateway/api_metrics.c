#include <stdlib.h>
#include <string.h>

#include "common/metrics.h"
#include "common/record.h"
#include "services/gateway/api.h"
#include "services/gateway/metrics_page.h"

enum { SOURCES_MAX = 256, PEERS_MAX = 64, TIMEOUT_MS = 2000 };

static const char *const services[] = {"telephony", "speech", "dialogue", "rag", "persistence"};

/* One scrape: filled in as the instances answer, written when the last one has. */
typedef struct {
    http_exchange_t *exchange;
    metrics_source_t sources[SOURCES_MAX];
    size_t count, waiting;
} scrape_t;

typedef struct {
    scrape_t *scrape;
    size_t index;
} question_t;

static char *copy(const char *string)
{
    char *out = strdup(string);
    if (!out) abort();
    return out;
}

static metrics_source_t *add_source(scrape_t *scrape, const pl_peer_t *peer)
{
    metrics_source_t *source = &scrape->sources[scrape->count++];
    source->service = copy(peer->service);
    source->instance = copy(peer->instance);
    source->up = peer->up;
    source->load = peer->load;
    source->capacity = peer->capacity;
    return source;
}

static void finish(scrape_t *scrape)
{
    http_response_t r = {.status = 200, .content_type = "text/plain; version=0.0.4; charset=utf-8"};
    metrics_page(&r.body, scrape->sources, scrape->count);
    for (size_t i = 0; i < scrape->count; i++) {
        free(scrape->sources[i].service);
        free(scrape->sources[i].instance);
        if (scrape->sources[i].metrics) {
            pl__metrics_reply__free_unpacked(scrape->sources[i].metrics, NULL);
        }
    }
    http_respond(&scrape->exchange, &r);
    free(scrape);
}

static void answered(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    question_t *question = arg;
    scrape_t *scrape = question->scrape;
    if (err == PL_OK && reply && reply->body_case == PL__ENVELOPE__BODY_METRICS_REPLY) {
        scrape->sources[question->index].metrics =
            (Pl__MetricsReply *)pl_message_copy(&reply->metrics_reply->base);
    }
    free(question);
    if (--scrape->waiting == 0) finish(scrape);
}

static void ask(api_t *api, scrape_t *scrape, size_t index)
{
    question_t *question = calloc(1, sizeof *question);
    if (!question) abort();
    *question = (question_t){scrape, index};
    Pl__MetricsGet get = PL__METRICS_GET__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_METRICS_GET;
    env.metrics_get = &get;
    scrape->waiting++;
    pl_bus_request(api->bus, scrape->sources[index].instance, &env, TIMEOUT_MS, answered, question);
}

static void add_own(api_t *api, scrape_t *scrape)
{
    pl_peer_t self = {.service = "gateway", .instance = pl_bus_instance(api->bus), .up = true};
    Pl__MetricsReply *own = pl_metrics_collect();
    add_source(scrape, &self)->metrics = (Pl__MetricsReply *)pl_message_copy(&own->base);
    pl_metrics_free(&own);
}

void api_metrics(api_t *api, http_exchange_t *x, const char *param)
{
    (void)param;
    scrape_t *scrape = calloc(1, sizeof *scrape);
    if (!scrape) abort();
    scrape->exchange = x;
    add_own(api, scrape);
    for (size_t s = 0; s < sizeof services / sizeof *services; s++) {
        pl_peer_t peers[PEERS_MAX];
        size_t n = pl_bus_peers(api->bus, services[s], peers, PEERS_MAX);
        if (n > PEERS_MAX) n = PEERS_MAX;
        for (size_t i = 0; i < n && scrape->count < SOURCES_MAX; i++) {
            if (peers[i].instance[0]) add_source(scrape, &peers[i]);
        }
    }
    size_t count = scrape->count;
    scrape->waiting = 1; /* this function itself, so that nothing is finished under its feet */
    for (size_t i = 1; i < count; i++) {
        if (scrape->sources[i].up) ask(api, scrape, i);
    }
    if (--scrape->waiting == 0) finish(scrape);
}
