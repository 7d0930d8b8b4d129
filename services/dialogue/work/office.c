#include "services/dialogue/work/office.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/dialogue/work/insight.h"
#include "services/dialogue/work/notices.h"
#include "services/dialogue/work/reminding.h"
#include "services/dialogue/work/report.h"
#include "services/dialogue/work/worker.h"

struct office {
    workshop_t shop;
    notices_t *notices;
    worker_t *worker;
};

static const work_kind_t *const kinds[] = {&work_synthesis, &work_next,         &work_sms_report,
                                           &work_reminder,  &work_reminder_end, NULL};

static void on_ready(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    office_t *self = arg;
    (void)env; /* which kinds does not matter: all of ours are asked for at once */
    if (request) pl_request_done(&request);
    office_wake(self);
}

static pl_err_t read_action(const pl_config_t *cfg, const char *path, reminder_action_t *out)
{
    const char *name = pl_config_str(cfg, path);
    pl_err_t err = reminding_action(name, out);
    if (err)
        (void)fprintf(stderr, "%s: %s: \"%s\" is neither entry, sms nor call\n",
                      pl_config_where(cfg, path), path, name);
    return err;
}

pl_err_t office_new(office_t **out, pl_loop_t *loop, pl_bus_t *bus, const pl_config_t *cfg,
                    llm_t *llm, const instructions_t *instructions, void (*idle)(void *arg),
                    void *arg)
{
    notices_t *notices = NULL;
    reminder_action_t customer = REMINDER_ENTRY;
    reminder_action_t assistant = REMINDER_ENTRY;
    pl_err_t err = read_action(cfg, "dialogue.reminders.customer", &customer);
    if (!err) err = read_action(cfg, "dialogue.reminders.assistant", &assistant);
    if (!err) err = notices_new(&notices, cfg);
    if (err) return err;
    office_t *self = calloc(1, sizeof *self);
    assert(self);
    self->notices = notices;
    self->shop = (workshop_t){
        .loop = loop,
        .bus = bus,
        .llm = llm,
        .instructions = instructions,
        .notices = notices,
        .sms_report = pl_config_bool(cfg, "dialogue.sms_report.enabled"),
        .sms_to_stated = pl_config_bool(cfg, "dialogue.sms_report.to_stated"),
        .reminders_of_customer = customer,
        .reminders_of_assistant = assistant,
    };
    worker_opts_t opts = {
        .concurrency = (uint32_t)pl_config_int(cfg, "dialogue.jobs.concurrency"),
        .lease_ms = 1000 * (uint32_t)pl_config_int(cfg, "dialogue.jobs.lease_sec"),
        .poll_ms = (uint32_t)pl_config_int(cfg, "dialogue.jobs.poll_ms"),
        .store_timeout_ms = (uint32_t)pl_config_int(cfg, "dialogue.store_timeout_ms"),
    };
    self->worker = worker_new(&self->shop, kinds, &opts, idle, arg);
    pl_bus_on(bus, PL__ENVELOPE__BODY_JOB_READY, on_ready, self);
    *out = self;
    return PL_OK;
}

void office_destroy(office_t **self_p)
{
    office_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    worker_destroy(&self->worker);
    notices_destroy(&self->notices);
    free(self);
}

void office_wake(office_t *self)
{
    worker_wake(self->worker);
}

void office_drain(office_t *self)
{
    worker_drain(self->worker);
}

void office_calls_out(office_t *self, work_call_out_fn *call_out, void *arg)
{
    self->shop.call_out = call_out;
    self->shop.call_out_arg = arg;
}
