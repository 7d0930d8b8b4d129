/* sms_record.c - the embedded SMS provider: no network, no account. That a message was written stands
 * in the log, its text in the record of its call, kept by dialogue. */
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "services/telephony/sms.h"

static pl_err_t record_open(void **provider, pl_loop_t *loop, const pl_config_t *cfg)
{
    (void)loop;
    (void)cfg;
    *provider = NULL;
    return PL_OK;
}

static void record_send(void *provider, const sms_t *sms, sms_done_fn *done, void *arg)
{
    (void)provider;
    sms_outcome_t outcome = {.delivered = false};
    log_info("sms.recorded", "call=%s bytes=%zu", sms->call_id, strlen(sms->text));
    (void)snprintf(outcome.detail, sizeof outcome.detail, "recorded only");
    done(arg, PL_OK, &outcome);
}

static void record_close(void **provider)
{
    *provider = NULL;
}

/* Nothing is sent, so nothing is sent twice. */
const sms_provider_t sms_record = {
    .name = "record",
    .idempotent = true,
    .open = record_open,
    .send = record_send,
    .close = record_close,
};
