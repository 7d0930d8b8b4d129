#include "services/dialogue/work/texting.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

enum { SEND_MS = 15000, INSTANCE_BYTES = 64 };

struct texting {
    work_t *work;
    char *to, *text, *key;
    char instance[INSTANCE_BYTES]; /* telephony's; "": any */
    bool again;
    pl_timer_t *soon;
    void (*end)(work_t *work, const texting_end_t *end);
};

static char *copy(const char *text)
{
    char *made = strdup(text);
    assert(made);
    return made;
}

/* ---- progress ---- */

static cJSON *progress_of(const work_t *work)
{
    const ProtobufCBinaryData *bytes = &work_job(work)->progress;
    cJSON *json = cJSON_ParseWithLength((const char *)bytes->data, bytes->len);
    bool good = cJSON_IsString(cJSON_GetObjectItemCaseSensitive(json, "to")) &&
                cJSON_IsString(cJSON_GetObjectItemCaseSensitive(json, "text")) &&
                cJSON_IsString(cJSON_GetObjectItemCaseSensitive(json, "telephony"));
    if (good) return json;
    cJSON_Delete(json);
    return NULL;
}

static const char *string_of(const cJSON *json, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(json, name)->valuestring;
}

bool texting_begun(const work_t *work)
{
    cJSON *progress = progress_of(work);
    cJSON_Delete(progress);
    return progress != NULL;
}

/* ---- the end ---- */

static void finish(texting_t *self, pl_err_t err, bool unknown, const char *detail)
{
    texting_end_t end = {.err = err, .unknown = unknown, .text = self->text, .detail = detail};
    self->end(self->work, &end); /* it frees us */
}

static void on_sent(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    texting_t *self = arg;
    if (err)
        finish(self, err, false, pl_bus_error_detail(err, reply));
    else if (reply->body_case != PL__ENVELOPE__BODY_SMS_SENT)
        finish(self, PL_INTERNAL, false, "telephony's answer is none");
    else
        finish(self, PL_OK, reply->sms_sent->unknown, reply->sms_sent->detail);
}

/* ---- sending ---- */

static void send(void *arg)
{
    texting_t *self = arg;
    pl_peer_t peer;
    Pl__SmsSend body = PL__SMS_SEND__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    pl_timer_stop(&self->soon);
    bool there = pl_bus_pick(work_shop(self->work)->bus, self->instance, &peer);
    body.to = self->to;
    body.text = self->text;
    body.key = self->key;
    body.again = self->again;
    env.call_id = work_job(self->work)->call_id;
    env.body_case = PL__ENVELOPE__BODY_SMS_SEND;
    env.sms_send = &body;
    work_ask(self->work, there ? self->instance : "telephony", &env, SEND_MS, on_sent, self);
}

static void nobody_there(void *arg)
{
    texting_t *self = arg;
    pl_timer_stop(&self->soon);
    finish(self, PL_UNAVAILABLE, false, "telephony is away");
}

static void note(texting_t *self)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "to", self->to);
    cJSON_AddStringToObject(json, "text", self->text);
    cJSON_AddStringToObject(json, "telephony", self->instance);
    char *text = cJSON_PrintUnformatted(json);
    assert(text);
    work_note(self->work, text, strlen(text), send, self);
    cJSON_free(text);
    cJSON_Delete(json);
}

texting_t *texting_new(work_t *work, const char *to, const char *text, const char *key,
                       void (*end)(work_t *work, const texting_end_t *end))
{
    texting_t *self = calloc(1, sizeof *self);
    assert(self);
    self->work = work;
    self->end = end;
    self->key = copy(key);
    pl_loop_t *loop = work_shop(work)->loop;
    cJSON *progress = progress_of(work);
    if (progress) {
        self->again = true;
        self->to = copy(string_of(progress, "to"));
        self->text = copy(string_of(progress, "text"));
        (void)snprintf(self->instance, sizeof self->instance, "%s",
                       string_of(progress, "telephony"));
        cJSON_Delete(progress);
        self->soon = pl_timer_start(loop, 0, 0, send, self);
        return self;
    }
    pl_peer_t peer;
    self->to = copy(to);
    self->text = copy(text);
    if (pl_bus_pick(work_shop(work)->bus, "telephony", &peer)) {
        (void)snprintf(self->instance, sizeof self->instance, "%s", peer.instance);
        note(self);
    } else {
        self->soon = pl_timer_start(loop, 0, 0, nobody_there, self);
    }
    return self;
}

void texting_free(texting_t **self_p)
{
    texting_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_timer_stop(&self->soon);
    free(self->to);
    free(self->text);
    free(self->key);
    free(self);
}

/* ---- what follows ---- */

void texting_message(Pl__CallChange *change, Pl__Message *message, const char *text,
                     const char *lang)
{
    *change = (Pl__CallChange)PL__CALL_CHANGE__INIT;
    *message = (Pl__Message)PL__MESSAGE__INIT;
    message->created_at_ms = pl_clock_wall_ms();
    message->action = PL__ACTION__SMS;
    message->persona = PL__PERSONA__ASSISTANT;
    message->content = (char *)text;
    message->lang_short_code = (char *)lang;
    change->change_case = PL__CALL_CHANGE__CHANGE_APPENDED;
    change->appended = message;
}

void texting_not_sent(work_t **work_p, const texting_end_t *end, const work_result_t *result)
{
    if (end->unknown)
        work_give_up(work_p, result, "whether the SMS was sent is not known: %s", end->detail);
    else if (pl_err_retry(end->err))
        work_fail(work_p, 0, result, "the SMS was not sent: %s", end->detail);
    else
        work_give_up(work_p, result, "the SMS was not sent: %s", end->detail);
}
