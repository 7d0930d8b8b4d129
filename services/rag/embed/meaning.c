#include "services/rag/embed/meaning.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/lru.h"
#include "services/rag/question_key.h"

enum { KEPT = 4096, KEPT_BYTES = 48 * 1024 * 1024 };

struct meaning_wait {
    meaning_wait_t *next, **at; /* in meaning->waits */
    meaning_t *meaning;
    char *keys[EMBED_TEXTS_MAX];
    size_t count;
    embed_call_t *call;
    void (*done)(void *arg); /* NULL: nobody waits any more */
    void *arg;
};

struct meaning {
    embed_server_t *server;
    uint32_t timeout_ms;
    pl_lru_t *kept;
    meaning_wait_t *waits;
    uint64_t sulk_until_ms;
    bool failing; /* said already */
};

meaning_t *meaning_new(embed_server_t *server, uint32_t timeout_ms)
{
    meaning_t *self = calloc(1, sizeof *self);
    assert(self);
    self->server = server;
    self->timeout_ms = timeout_ms;
    self->kept = pl_lru_new(KEPT, KEPT_BYTES);
    return self;
}

static void drop(meaning_wait_t *wait)
{
    if (wait->next) wait->next->at = wait->at;
    *wait->at = wait->next;
    embed_cancel(&wait->call);
    for (size_t i = 0; i < wait->count; i++) free(wait->keys[i]);
    free(wait);
}

void meaning_destroy(meaning_t **self_p)
{
    meaning_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    while (self->waits) drop(self->waits);
    pl_lru_destroy(&self->kept);
    free(self);
}

const float *meaning_known(meaning_t *self, const char *text, size_t *dimensions)
{
    size_t size = 0;
    char *key = question_text_key(text);
    const float *vector = pl_lru_get(self->kept, key, 0, &size);
    free(key);
    *dimensions = size / sizeof *vector;
    return vector;
}

bool meaning_can_ask(const meaning_t *self)
{
    return pl_clock_ms() >= self->sulk_until_ms;
}

static void fail(meaning_t *self, const char *detail)
{
    self->sulk_until_ms = pl_clock_ms() + MEANING_SULK_MS;
    if (!self->failing) log_warn("search.words_alone", "detail=\"%s\"", detail);
    self->failing = true;
}

static void keep(meaning_wait_t *wait, const embed_outcome_t *outcome)
{
    meaning_t *self = wait->meaning;
    float *vectors = NULL;
    size_t dimensions = 0;
    char detail[EMBED_DETAIL_BYTES];
    if (embed_answer_read(outcome->body, outcome->bytes, wait->count, &vectors, &dimensions,
                          detail) != PL_OK) {
        fail(self, detail);
        return;
    }
    for (size_t i = 0; i < wait->count; i++)
        pl_lru_put(self->kept, wait->keys[i], vectors + i * dimensions,
                   dimensions * sizeof *vectors, UINT64_MAX);
    free(vectors);
    if (self->failing) log_info("search.with_meaning", "dimensions=%zu", dimensions);
    self->failing = false;
}

static void on_outcome(void *arg, const embed_outcome_t *outcome)
{
    meaning_wait_t *wait = arg;
    wait->call = NULL;
    if (outcome->end == EMBED_ANSWERED)
        keep(wait, outcome);
    else if (outcome->end != EMBED_REFUSED) /* that is of these texts */
        fail(wait->meaning, outcome->detail);
    void (*done)(void *) = wait->done;
    void *done_arg = wait->arg;
    drop(wait);
    if (done) done(done_arg);
}

meaning_wait_t *meaning_ask(meaning_t *self, const char *const *texts, size_t count,
                            void (*done)(void *arg), void *arg)
{
    meaning_wait_t *wait = calloc(1, sizeof *wait);
    assert(wait);
    wait->meaning = self;
    wait->done = done;
    wait->arg = arg;
    wait->count = count;
    for (size_t i = 0; i < count; i++) wait->keys[i] = question_text_key(texts[i]);
    wait->at = &self->waits;
    wait->next = self->waits;
    if (wait->next) wait->next->at = &wait->next;
    self->waits = wait;
    wait->call = embed_ask(self->server, texts, count, true, self->timeout_ms, on_outcome, wait);
    return wait;
}

void meaning_leave(meaning_wait_t **wait_p)
{
    if (*wait_p) (*wait_p)->done = NULL;
    *wait_p = NULL;
}
