#include "services/speech/recognisers.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

struct recognisers {
    pl_loop_t *loop;
    recogniser_t list[RECOGNISERS_MAX];
    size_t count;
    uint32_t deadline_ms;
    bool hedge;
    stt_failed_fn *failed;
    void *failed_arg;
};

static size_t left(const recognisers_t *self)
{
    size_t count = 0;
    for (size_t i = 0; i < self->count; i++) count += !self->list[i].gone;
    return count;
}

static void on_gone(void *arg)
{
    recogniser_t *r = arg;
    recognisers_t *self = r->owner;
    r->gone = true;
    log_error("stt.gone", "provider=%s left=%zu", r->provider->name, left(self));
    if (left(self) == 0) self->failed(self->failed_arg);
}

static pl_err_t wrong(const char *key, const char *name, const char *why)
{
    (void)fprintf(stderr, "parley-speech: %s: \"%s\" %s\n", key, name, why);
    return PL_INVALID;
}

static pl_err_t open_engine(recognisers_t *self, const pl_config_t *cfg,
                            const stt_provider_t *provider)
{
    recogniser_t *r = &self->list[self->count];
    r->owner = self;
    r->provider = provider;
    char label[64];
    (void)snprintf(label, sizeof label, "provider=\"%s\"", provider->name);
    r->failures =
        pl_metric_counter("parley_stt_failures_total", label, "Utterances a recogniser gave up");
    r->replaced = pl_metric_counter("parley_stt_replaced_total", label,
                                    "Utterances another recogniser took over from it");
    pl_err_t err = provider->open_engine(&r->engine, self->loop, cfg, on_gone, r);
    if (!err) self->count++;
    return err;
}

pl_err_t recognisers_new_of(recognisers_t **out, pl_loop_t *loop, const pl_config_t *cfg,
                            const stt_provider_t *const *providers, stt_failed_fn *failed,
                            void *arg)
{
    recognisers_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->failed = failed;
    self->failed_arg = arg;
    self->deadline_ms = (uint32_t)pl_config_int(cfg, "speech.stt.deadline_ms");
    self->hedge = pl_config_bool(cfg, "speech.stt.hedge");
    pl_err_t err = PL_OK;
    for (size_t i = 0; !err && providers[i]; i++) {
        assert(i < RECOGNISERS_MAX);
        err = open_engine(self, cfg, providers[i]);
    }
    if (err) {
        recognisers_destroy(&self);
        return err;
    }
    *out = self;
    return PL_OK;
}

/* Puts the provider of that name at the list's end, which NULL marks. */
static pl_err_t add(const stt_provider_t **list, const char *key, const char *name)
{
    const stt_provider_t *provider = stt_provider_find(name);
    if (!provider) return wrong(key, name, "is not one of: sphinx, openai");
    size_t count = 0;
    for (; list[count]; count++) {
        if (list[count] == provider) return wrong(key, name, "stands there twice");
    }
    if (count == RECOGNISERS_MAX) return wrong(key, name, "is one too many");
    list[count] = provider;
    return PL_OK;
}

pl_err_t recognisers_new(recognisers_t **out, pl_loop_t *loop, const pl_config_t *cfg,
                         stt_failed_fn *failed, void *arg)
{
    const stt_provider_t *list[RECOGNISERS_MAX + 1] = {NULL};
    pl_err_t err = add(list, "speech.stt.provider", pl_config_str(cfg, "speech.stt.provider"));
    size_t count = pl_config_count(cfg, "speech.stt.fallbacks");
    for (size_t i = 0; !err && i < count; i++)
        err = add(list, "speech.stt.fallbacks[]",
                  pl_config_item(cfg, "speech.stt.fallbacks[%zu]", i));
    return err ? err : recognisers_new_of(out, loop, cfg, list, failed, arg);
}

void recognisers_destroy(recognisers_t **self_p)
{
    recognisers_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    while (self->count-- > 0)
        self->list[self->count].provider->close_engine(&self->list[self->count].engine);
    free(self);
}

pl_loop_t *recognisers_loop(const recognisers_t *self)
{
    return self->loop;
}

size_t recognisers_count(const recognisers_t *self)
{
    return self->count;
}

recogniser_t *recognisers_at(recognisers_t *self, size_t i)
{
    assert(i < self->count);
    return &self->list[i];
}

size_t recognisers_next(const recognisers_t *self, size_t from, uint64_t now_ms)
{
    size_t spare = from % self->count;
    for (size_t n = 0; n < self->count; n++) {
        size_t i = (from + n) % self->count;
        if (self->list[i].gone) continue;
        if (breaker_open(&self->list[i].breaker, now_ms)) return i;
        if (self->list[spare].gone) spare = i;
    }
    return spare;
}

uint32_t recognisers_deadline_ms(const recognisers_t *self)
{
    return self->deadline_ms;
}

bool recognisers_hedge(const recognisers_t *self)
{
    return self->hedge;
}
