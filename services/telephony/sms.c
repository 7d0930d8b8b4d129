#include "services/telephony/sms.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/metrics.h"

static const sms_provider_t *const providers[] = {&sms_record, &sms_twilio, &sms_acs, NULL};

const sms_provider_t *sms_provider_find(const char *name)
{
    for (const sms_provider_t *const *at = providers; *at; at++) {
        if (strcmp((*at)->name, name) == 0) return *at;
    }
    return NULL;
}

typedef struct {
    char key[SMS_KEY_BYTES_MAX + 1]; /* "": free */
    bool sending;
    sms_outcome_t outcome;
} memory_t;

/* One message at the provider. */
typedef struct errand {
    struct errand *next;
    sms_desk_t *desk;
    char key[SMS_KEY_BYTES_MAX + 1];
    sms_done_fn *done;
    void *arg;
} errand_t;

struct sms_desk {
    const sms_provider_t *provider;
    void *opened;
    memory_t memory[SMS_KEYS];
    size_t next;       /* the place that is used next: the oldest */
    errand_t *errands; /* at the provider */
    pl_metric_t *sent, *recorded, *failed, *repeated, *unknown;
};

pl_err_t sms_desk_new(sms_desk_t **out, const sms_provider_t *provider, pl_loop_t *loop,
                      const pl_config_t *cfg)
{
    static const char name[] = "parley_sms_total";
    static const char help[] = "Text messages asked for, by outcome";
    void *opened = NULL;
    pl_err_t err = provider->open(&opened, loop, cfg);
    if (err) return err;
    sms_desk_t *self = calloc(1, sizeof *self);
    assert(self);
    self->provider = provider;
    self->opened = opened;
    self->sent = pl_metric_counter(name, "outcome=\"sent\"", help);
    self->recorded = pl_metric_counter(name, "outcome=\"recorded\"", help);
    self->failed = pl_metric_counter(name, "outcome=\"failed\"", help);
    self->repeated = pl_metric_counter(name, "outcome=\"repeated\"", help);
    self->unknown = pl_metric_counter(name, "outcome=\"unknown\"", help);
    *out = self;
    return PL_OK;
}

void sms_desk_destroy(sms_desk_t **self_p)
{
    sms_desk_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    self->provider->close(&self->opened);
    for (errand_t *errand = self->errands; errand;) {
        errand_t *next = errand->next;
        free(errand);
        errand = next;
    }
    free(self);
}

/* ---- memory ---- */

static memory_t *remembered(sms_desk_t *self, const char *key)
{
    for (size_t i = 0; *key && i < SMS_KEYS; i++) {
        if (strcmp(self->memory[i].key, key) == 0) return &self->memory[i];
    }
    return NULL;
}

/* Takes the oldest place, but not that of a message which is just being sent. */
static memory_t *remember(sms_desk_t *self, const char *key)
{
    for (size_t i = 0; i < SMS_KEYS; i++) {
        memory_t *at = &self->memory[self->next];
        self->next = (self->next + 1) % SMS_KEYS;
        if (at->sending) continue;
        *at = (memory_t){.sending = true};
        (void)snprintf(at->key, sizeof at->key, "%s", key);
        return at;
    }
    return NULL;
}

static sms_outcome_t outcome_unknown(const char *why)
{
    sms_outcome_t outcome = {.unknown = true};
    (void)snprintf(outcome.detail, sizeof outcome.detail, "%s", why);
    return outcome;
}

/* ---- sending ---- */

static void settle(sms_desk_t *self, const char *key, pl_err_t *err, sms_outcome_t *outcome)
{
    memory_t *at = remembered(self, key);
    if (*err == PL_TIMEOUT && !self->provider->idempotent) {
        *outcome = outcome_unknown("the provider did not answer; it may have been sent");
        *err = PL_OK;
    }
    if (*err) {
        pl_metric_add(self->failed, 1);
        if (at) *at = (memory_t){0};
        return;
    }
    pl_metric_t *metric = outcome->delivered ? self->sent : self->recorded;
    pl_metric_add(outcome->unknown ? self->unknown : metric, 1);
    if (!at) return;
    at->sending = false;
    at->outcome = *outcome;
}

static void on_done(void *arg, pl_err_t err, const sms_outcome_t *outcome)
{
    errand_t *errand = arg;
    errand_t **at = &errand->desk->errands;
    while (*at != errand) at = &(*at)->next;
    *at = errand->next;
    sms_outcome_t settled = {0};
    if (outcome) settled = *outcome;
    settle(errand->desk, errand->key, &err, &settled);
    errand->done(errand->arg, err, err ? NULL : &settled);
    free(errand);
}

static pl_err_t check(const sms_t *sms)
{
    size_t size = strlen(sms->text);
    bool good = size > 0 && size <= SMS_TEXT_BYTES_MAX && strlen(sms->key) <= SMS_KEY_BYTES_MAX;
    return good ? PL_OK : PL_INVALID;
}

void sms_desk_send(sms_desk_t *self, const sms_t *sms, sms_done_fn *done, void *arg)
{
    pl_err_t err = check(sms);
    memory_t *known = err ? NULL : remembered(self, sms->key);
    if (!err && known && known->sending) err = PL_BUSY;
    if (!err && !known && *sms->key && sms->again && !self->provider->idempotent) {
        sms_outcome_t outcome =
            outcome_unknown("telephony was restarted meanwhile; it may have been sent");
        pl_metric_add(self->unknown, 1);
        done(arg, PL_OK, &outcome);
        return;
    }
    if (!err && known) {
        sms_outcome_t outcome = known->outcome;
        pl_metric_add(self->repeated, 1);
        done(arg, PL_OK, &outcome);
        return;
    }
    if (!err && *sms->key && !remember(self, sms->key)) err = PL_BUSY;
    if (err) {
        done(arg, err, NULL);
        return;
    }
    errand_t *errand = calloc(1, sizeof *errand);
    assert(errand);
    *errand = (errand_t){.next = self->errands, .desk = self, .done = done, .arg = arg};
    self->errands = errand;
    (void)snprintf(errand->key, sizeof errand->key, "%s", sms->key);
    self->provider->send(self->opened, sms, on_done, errand);
}
