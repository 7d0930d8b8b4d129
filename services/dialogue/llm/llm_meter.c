#include "services/dialogue/llm/llm_meter.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/metrics.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

enum { LABEL_BYTES = 320, NAME_MOST = 200 };

typedef enum {
    OUTCOME_OK,
    OUTCOME_FILTERED,
    OUTCOME_BUSY,
    OUTCOME_TIMEOUT,
    OUTCOME_DOWN,
    OUTCOME_SENSELESS,
    OUTCOME_REFUSED,
    OUTCOME_HOPELESS,
    OUTCOME_CANCELLED,
    OUTCOMES,
} outcome_t;

static const char *const outcome_names[OUTCOMES] = {
    "ok", "filtered", "busy", "timeout", "down", "senseless", "refused", "hopeless", "cancelled",
};

/* Bounds of the delay's histogram; the last one is "+Inf". */
static const double bounds_s[] = {0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8};

struct llm_meter {
    pl_metric_t *outcomes[OUTCOMES];
    pl_metric_t *prompt_tokens, *answer_tokens;
    pl_metric_t *first[COUNT(bounds_s) + 1], *first_sum, *first_count;
    pl_metric_t *retries, *fallbacks, *well;
};

typedef struct {
    const char *size;
    char name[NAME_MOST]; /* of the model, as a label's value */
} subject_t;

static subject_t subject_of(const model_t *model)
{
    subject_t out = {.size = model->size};
    size_t to = 0;
    for (const char *c = model->name; *c && to < sizeof out.name - 1; c++) {
        bool plain = (unsigned char)*c >= ' ' && *c != '"' && *c != '\\';
        out.name[to++] = plain ? *c : '_';
    }
    return out;
}

static pl_metric_t *counter(const subject_t *of, const char *name, const char *key,
                            const char *value, const char *help)
{
    char label[LABEL_BYTES];
    (void)snprintf(label, sizeof label, "size=\"%s\",model=\"%s\"%s%s%s%s", of->size, of->name,
                   *key ? "," : "", key, *key ? "=" : "", value);
    return pl_metric_counter(name, label, help);
}

static void make_first(llm_meter_t *self, const subject_t *of)
{
    for (size_t i = 0; i < COUNT(self->first); i++) {
        char bound[32] = "\"+Inf\"";
        if (i < COUNT(bounds_s)) (void)snprintf(bound, sizeof bound, "\"%g\"", bounds_s[i]);
        self->first[i] = counter(of, "parley_llm_first_token_seconds_bucket", "le", bound,
                                 "answers whose first piece came within le seconds");
    }
    self->first_sum = counter(of, "parley_llm_first_token_seconds_sum", "", "",
                              "seconds from requests to the first piece");
    self->first_count = counter(of, "parley_llm_first_token_seconds_count", "", "",
                                "answers of which a first piece came");
}

llm_meter_t *llm_meter_new(const model_t *model)
{
    llm_meter_t *self = calloc(1, sizeof *self);
    assert(self);
    subject_t of = subject_of(model);
    for (size_t i = 0; i < OUTCOMES; i++) {
        char value[32];
        (void)snprintf(value, sizeof value, "\"%s\"", outcome_names[i]);
        self->outcomes[i] = counter(&of, "parley_llm_requests_total", "outcome", value,
                                    "tries of a request, by what came of them");
    }
    static const char tokens[] = "parley_llm_tokens_total";
    static const char tokens_help[] = "tokens as the server counts them";
    self->prompt_tokens = counter(&of, tokens, "kind", "\"prompt\"", tokens_help);
    self->answer_tokens = counter(&of, tokens, "kind", "\"answer\"", tokens_help);
    self->retries = counter(&of, "parley_llm_retries_total", "", "", "tries after a failed one");
    self->fallbacks = counter(&of, "parley_llm_fallbacks_total", "", "",
                              "requests this model took over from the other");
    char label[LABEL_BYTES];
    (void)snprintf(label, sizeof label, "size=\"%s\",model=\"%s\"", of.size, of.name);
    self->well = pl_metric_gauge("parley_llm_well", label, "1: the model is worth asking");
    pl_metric_set(self->well, 1);
    make_first(self, &of);
    return self;
}

void llm_meter_destroy(llm_meter_t **self_p)
{
    free(*self_p); /* the metrics stay */
    *self_p = NULL;
}

static outcome_t outcome_of(const exchange_end_t *end)
{
    switch (end->result) {
    case EXCHANGE_ANSWERED:
        return end->finish == LLM_FILTERED ? OUTCOME_FILTERED : OUTCOME_OK;
    case EXCHANGE_BUSY:
        return OUTCOME_BUSY;
    case EXCHANGE_TIMEOUT:
        return OUTCOME_TIMEOUT;
    case EXCHANGE_DOWN:
        return OUTCOME_DOWN;
    case EXCHANGE_SENSELESS:
        return OUTCOME_SENSELESS;
    case EXCHANGE_REFUSED:
        return OUTCOME_REFUSED;
    case EXCHANGE_HOPELESS:
        return OUTCOME_HOPELESS;
    }
    return OUTCOME_DOWN;
}

void llm_meter_end(llm_meter_t *self, const exchange_end_t *end)
{
    pl_metric_add(self->outcomes[outcome_of(end)], 1);
    pl_metric_add(self->prompt_tokens, end->prompt_tokens);
    pl_metric_add(self->answer_tokens, end->answer_tokens);
    if (!end->first_ms) return;
    double first_s = end->first_ms / 1000.0;
    for (size_t i = 0; i < COUNT(self->first); i++) {
        if (i == COUNT(bounds_s) || first_s <= bounds_s[i]) pl_metric_add(self->first[i], 1);
    }
    pl_metric_add(self->first_sum, first_s);
    pl_metric_add(self->first_count, 1);
}

void llm_meter_cancelled(llm_meter_t *self)
{
    pl_metric_add(self->outcomes[OUTCOME_CANCELLED], 1);
}

void llm_meter_retry(llm_meter_t *self)
{
    pl_metric_add(self->retries, 1);
}

void llm_meter_fallback(llm_meter_t *self)
{
    pl_metric_add(self->fallbacks, 1);
}

void llm_meter_well(llm_meter_t *self, bool well)
{
    pl_metric_set(self->well, well ? 1 : 0);
}
