#include "services/rag/finder.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/metrics.h"
#include "services/rag/cache.h"
#include "services/rag/embed/meaning.h"
#include "services/rag/question_key.h"
#include "services/rag/searcher.h"

enum {
    DAY_MS = 24 * 3600 * 1000,
    PREFETCHES_MAX = 64, /* under way at once */
    WAY_BACK_MS = 20,    /* of the asker's time */
};
#define NO_DEADLINE UINT32_MAX

typedef struct waiter waiter_t;
struct waiter {
    waiter_t *next;
    finder_done_fn *done;
    void *arg;
};

/* A query under way. */
typedef struct flight flight_t;
struct flight {
    flight_t *next;
    finder_t *finder; /* NULL: it has gone, and those who waited were told */
    char *key;        /* without the index's version */
    char *call_id;    /* of a prefetch, "" otherwise */
    search_t *search; /* NULL: at the search thread */
    waiter_t *waiters;
    meaning_wait_t *wait; /* vectors are asked for */
    pl_timer_t *deadline; /* until when they are waited for */
    uint64_t deadline_ms;
    uint32_t wait_ms; /* the least patience of those who wait */
    bool late;        /* they were not there in time: words alone */
};

typedef struct {
    pl_metric_t *kept, *shared, *searched, *late, *prefetched, *dropped;
} metrics_t;

struct finder {
    pl_loop_t *home;
    searcher_t *searcher;
    meaning_t *meaning; /* NULL: words alone */
    const cache_provider_t *provider;
    void *cache;
    search_defaults_t defaults;
    uint32_t wait_ms;
    uint64_t version;
    size_t dimensions; /* of the index's vectors; 0: it has none */
    flight_t *flights;
    uint32_t waiting, waiting_max, prefetches;
    metrics_t metrics;
};

/* ---- the end of a flight ---- */

static void unlink_flight(finder_t *self, const flight_t *flight)
{
    flight_t **at = &self->flights;
    while (*at && *at != flight) at = &(*at)->next;
    if (*at) *at = flight->next;
    if (flight->call_id[0]) self->prefetches--;
}

static void free_flight(flight_t *flight)
{
    meaning_leave(&flight->wait);
    pl_timer_stop(&flight->deadline);
    search_destroy(&flight->search);
    while (flight->waiters) {
        waiter_t *waiter = flight->waiters;
        flight->waiters = waiter->next;
        free(waiter);
    }
    free(flight->key);
    free(flight->call_id);
    free(flight);
}

static void answer_all(finder_t *self, flight_t *flight, pl_err_t err,
                       const Pl__SearchResult *result, const char *detail)
{
    while (flight->waiters) {
        waiter_t *waiter = flight->waiters;
        flight->waiters = waiter->next;
        self->waiting--;
        waiter->done(waiter->arg, err, result, detail);
        free(waiter);
    }
}

static void keep(finder_t *self, const search_t *search)
{
    char *key = question_key(search, search->result->index_version);
    size_t size = pl__search_result__get_packed_size(search->result);
    uint8_t *bytes = malloc(size ? size : 1);
    assert(bytes);
    (void)pl__search_result__pack(search->result, bytes);
    self->provider->put(self->cache, key, bytes, size, DAY_MS);
    free(bytes);
    free(key);
}

static void on_found(void *arg, search_t *search)
{
    (void)arg;
    flight_t *flight = search->context;
    finder_t *self = flight->finder;
    flight->search = search;
    if (self) {
        unlink_flight(self, flight);
        if (search->err) {
            log_error("search.failed", "err=%s detail=\"%s\"", pl_err_name(search->err),
                      search->detail);
        } else {
            search->result->words_alone = flight->late || search->dimensions == 0;
            if (!flight->late) keep(self, search);
        }
        log_debug("search.done", "texts=%zu took_us=%" PRIu64, search->count, search->took_us);
        answer_all(self, flight, search->err, search->result, search->detail);
    }
    free_flight(flight);
}

/* ---- the vectors, then the search ---- */

/* Takes the vectors that are known. Returns how many texts lack one; their places are in lacking. */
static size_t take_vectors(finder_t *self, search_t *search, size_t lacking[INDEX_TEXTS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < search->count; i++) {
        size_t dimensions = 0;
        const float *vector = meaning_known(self->meaning, search->texts[i], &dimensions);
        if (!vector || dimensions != self->dimensions) { /* of what the server gave before */
            lacking[count++] = i;
        } else if (!search->vectors[i]) {
            search->vectors[i] = malloc(dimensions * sizeof *vector);
            assert(search->vectors[i]);
            memcpy(search->vectors[i], vector, dimensions * sizeof *vector);
            search->dimensions = dimensions;
        }
    }
    return count;
}

static void search_now(flight_t *flight)
{
    finder_t *self = flight->finder;
    pl_timer_stop(&flight->deadline);
    meaning_leave(&flight->wait);
    search_t *search = flight->search;
    flight->search = NULL;
    pl_metric_add(self->metrics.searched, 1);
    if (flight->late) pl_metric_add(self->metrics.late, 1);
    searcher_add(self->searcher, &search);
}

static void on_vectors(void *arg)
{
    flight_t *flight = arg;
    size_t lacking[INDEX_TEXTS_MAX];
    flight->wait = NULL;
    flight->late = take_vectors(flight->finder, flight->search, lacking) > 0;
    search_now(flight);
}

static void on_deadline(void *arg)
{
    flight_t *flight = arg;
    flight->late = true;
    search_now(flight);
}

static void set_deadline(flight_t *flight, uint32_t wait_ms)
{
    uint64_t until_ms = pl_clock_ms() + wait_ms;
    if (flight->deadline && flight->deadline_ms <= until_ms) return;
    pl_timer_stop(&flight->deadline);
    flight->deadline_ms = until_ms;
    flight->deadline = pl_timer_start(flight->finder->home, wait_ms, 0, on_deadline, flight);
}

static void depart(flight_t *flight)
{
    finder_t *self = flight->finder;
    search_t *search = flight->search;
    size_t lacking[INDEX_TEXTS_MAX];
    size_t count = 0;
    if (self->meaning && self->dimensions > 0) count = take_vectors(self, search, lacking);
    if (count > 0 && meaning_can_ask(self->meaning)) {
        const char *texts[INDEX_TEXTS_MAX];
        for (size_t i = 0; i < count; i++) texts[i] = search->texts[lacking[i]];
        flight->wait = meaning_ask(self->meaning, texts, count, on_vectors, flight);
        if (flight->wait_ms != NO_DEADLINE) set_deadline(flight, flight->wait_ms);
        return;
    }
    flight->late = count > 0;
    search_now(flight);
}

/* ---- queries ---- */

static flight_t *find_flight(finder_t *self, const char *key)
{
    for (flight_t *flight = self->flights; flight; flight = flight->next) {
        if (strcmp(flight->key, key) == 0) return flight;
    }
    return NULL;
}

static flight_t *flight_new(finder_t *self, search_t *search, char *key, const char *call_id)
{
    flight_t *flight = calloc(1, sizeof *flight);
    assert(flight);
    flight->finder = self;
    flight->key = key;
    flight->search = search;
    flight->call_id = strdup(call_id);
    assert(flight->call_id);
    search->context = flight;
    flight->next = self->flights;
    self->flights = flight;
    if (*call_id) self->prefetches++;
    return flight;
}

/* How long an asker lets vectors be waited for. */
static uint32_t patience(const finder_t *self, const Pl__SearchQuery *query, uint32_t time_left_ms)
{
    uint32_t wait_ms = query->wait_ms ? query->wait_ms : self->wait_ms;
    uint32_t most_ms = time_left_ms > WAY_BACK_MS ? time_left_ms - WAY_BACK_MS : 0;
    return wait_ms < most_ms ? wait_ms : most_ms;
}

static void on_kept(void *arg, const void *value, size_t size)
{
    flight_t *flight = arg;
    finder_t *self = flight->finder;
    Pl__SearchResult *result = value ? pl__search_result__unpack(NULL, size, value) : NULL;
    if (!result) {
        depart(flight);
        return;
    }
    pl_metric_add(self->metrics.kept, 1);
    unlink_flight(self, flight);
    answer_all(self, flight, PL_OK, result, "");
    pl__search_result__free_unpacked(result, NULL);
    free_flight(flight);
}

/* The flight may be over when it returns. */
static void look_up(flight_t *flight)
{
    finder_t *self = flight->finder;
    char *key = question_key(flight->search, self->version);
    self->provider->get(self->cache, key, on_kept, flight);
    free(key);
}

static void add_waiter(finder_t *self, flight_t *flight, finder_done_fn *done, void *arg)
{
    waiter_t *waiter = malloc(sizeof *waiter);
    assert(waiter);
    *waiter = (waiter_t){flight->waiters, done, arg};
    flight->waiters = waiter;
    self->waiting++;
}

void finder_ask(finder_t *self, const Pl__SearchQuery *query, uint32_t time_left_ms,
                finder_done_fn *done, void *arg)
{
    if (self->waiting >= self->waiting_max) {
        done(arg, PL_BUSY, NULL, "too many searches are waiting (rag.queue_max)");
        return;
    }
    search_t *search = search_new(query, &self->defaults);
    uint32_t wait_ms = patience(self, query, time_left_ms);
    char *key = question_key(search, 0);
    flight_t *flight = find_flight(self, key);
    if (!flight) {
        flight = flight_new(self, search, key, "");
        flight->wait_ms = wait_ms;
        add_waiter(self, flight, done, arg);
        look_up(flight);
        return;
    }
    pl_metric_add(self->metrics.shared, 1);
    add_waiter(self, flight, done, arg);
    if (wait_ms < flight->wait_ms) flight->wait_ms = wait_ms;
    if (flight->wait) set_deadline(flight, wait_ms);
    free(key);
    search_destroy(&search);
}

/* Those of the call that only wait for vectors, and for which nobody waits: these are kept when they
 * come, but nothing is searched for. */
static void abandon_older(finder_t *self, const char *call_id)
{
    flight_t *next = NULL;
    for (flight_t *flight = self->flights; flight; flight = next) {
        next = flight->next;
        if (!flight->wait || flight->waiters || strcmp(flight->call_id, call_id) != 0) continue;
        unlink_flight(self, flight);
        free_flight(flight);
    }
}

void finder_prefetch(finder_t *self, const Pl__SearchQuery *query, const char *call_id)
{
    search_t *search = search_new(query, &self->defaults);
    char *key = question_key(search, 0);
    const char *call = *call_id ? call_id : "-";
    bool known = find_flight(self, key) != NULL;
    if (!known) abandon_older(self, call);
    if (known || self->prefetches >= PREFETCHES_MAX) {
        if (!known) pl_metric_add(self->metrics.dropped, 1);
        free(key);
        search_destroy(&search);
        return;
    }
    pl_metric_add(self->metrics.prefetched, 1);
    flight_t *flight = flight_new(self, search, key, call);
    flight->wait_ms = NO_DEADLINE;
    look_up(flight);
}

uint32_t finder_waiting(const finder_t *self)
{
    return self->waiting;
}

void finder_index(finder_t *self, uint64_t version, size_t dimensions)
{
    self->version = version;
    self->dimensions = dimensions;
}

/* ---- life ---- */

static void metrics_new(metrics_t *m)
{
    static const char queries[] = "parley_rag_queries_total";
    static const char help[] = "Queries, by how they were answered";
    m->kept = pl_metric_counter(queries, "how=\"kept\"", help);
    m->shared = pl_metric_counter(queries, "how=\"shared\"", help);
    m->searched = pl_metric_counter(queries, "how=\"searched\"", help);
    m->late = pl_metric_counter("parley_rag_words_alone_total", NULL,
                                "Searches whose vectors were not there in time");
    m->prefetched = pl_metric_counter("parley_rag_prefetches_total", "outcome=\"begun\"",
                                      "Prefetches that were not known yet");
    m->dropped = pl_metric_counter("parley_rag_prefetches_total", "outcome=\"dropped\"",
                                   "Prefetches that were not known yet");
}

pl_err_t finder_new(finder_t **out, pl_loop_t *home, const pl_config_t *cfg, index_reader_t *reader,
                    embed_server_t *server)
{
    finder_t *self = calloc(1, sizeof *self);
    assert(self);
    self->home = home;
    self->waiting_max = (uint32_t)pl_config_int(cfg, "rag.queue_max");
    self->wait_ms = (uint32_t)pl_config_int(cfg, "rag.embeddings.query_timeout_ms");
    self->defaults = (search_defaults_t){
        .top_n = (uint32_t)pl_config_int(cfg, "rag.top_n_documents"),
        .strictness = pl_config_double(cfg, "rag.strictness"),
        .texts = (size_t)pl_config_int(cfg, "rag.expansion_n_messages"),
        .low = pl_config_double(cfg, "rag.embeddings.similarity_low"),
        .high = pl_config_double(cfg, "rag.embeddings.similarity_high"),
    };
    metrics_new(&self->metrics);
    self->provider = &cache_memory;
    pl_err_t err = self->provider->open(&self->cache, cfg, home);
    if (err) {
        free(self);
        return err;
    }
    if (server)
        self->meaning =
            meaning_new(server, (uint32_t)pl_config_int(cfg, "rag.embeddings.timeout_ms"));
    self->searcher = searcher_new(home, reader, on_found, NULL);
    *out = self;
    return PL_OK;
}

void finder_destroy(finder_t **self_p)
{
    finder_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    searcher_destroy(&self->searcher);
    while (self->flights) {
        flight_t *flight = self->flights;
        self->flights = flight->next;
        flight->finder = NULL;
        meaning_leave(&flight->wait);
        pl_timer_stop(&flight->deadline);
        answer_all(self, flight, PL_UNAVAILABLE, NULL, "the process stops");
        if (flight->search) free_flight(flight); /* else it comes back from the search thread */
    }
    meaning_destroy(&self->meaning);
    self->provider->close(&self->cache);
    free(self);
}
