/* call_reach.c - the tools that ask others: an SMS, emergency contacts, an integrator's server. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/record.h"
#include "services/dialogue/call_internal.h"
#include "services/dialogue/nlu/phone.h"
#include "services/dialogue/value.h"

enum {
    SMS_TIMEOUT_MS = 10000,
    ALERT_TIMEOUT_MS = 5000,
    ANSWER_BYTES = 4096, /* of a server's answer that the model gets to see */
    REFUSAL_BYTES = 512, /* of one that is a refusal */
    ID_BYTES = 128,
};

static char *text_copy(const char *text)
{
    char *copy = strdup(text);
    assert(copy);
    return copy;
}

static const Pl__ToolCall *stored_call(const call_t *self, const running_t *tool, size_t *index)
{
    const Pl__Message *message = call_message(self, tool->message);
    for (size_t i = 0; message && i < message->n_tool_calls; i++) {
        *index = i;
        if (strcmp(message->tool_calls[i]->tool_id, tool->id) == 0) return message->tool_calls[i];
    }
    return NULL;
}

/* ---- SMS ---- */

static void sms(call_t *self, const running_t *tool, const char *to, const char *text,
                uint32_t timeout_ms, asked_t asked, effects_t *fx)
{
    Pl__SmsSend body = PL__SMS_SEND__INIT;
    Pl__Envelope env;
    call_envelope(self, &env);
    body.to = (char *)to;
    body.text = (char *)text;
    env.body_case = PL__ENVELOPE__BODY_SMS_SEND;
    env.sms_send = &body;
    (void)fx_request(fx, self->leg[0] ? self->leg : "telephony", &env, timeout_ms, asked,
                     tool->key);
}

void call_send_sms(call_t *self, const running_t *tool, const cJSON *args, effects_t *fx)
{
    sms(self, tool, pl_record_caller(self->record), tool_string(args, "message"), SMS_TIMEOUT_MS,
        ASKED_SMS, fx);
}

void call_sms_sent(call_t *self, call_now_t now, const char *key, pl_err_t err,
                   const Pl__Envelope *env, effects_t *fx)
{
    running_t *tool = call_running(self, key);
    if (!tool) return;
    char out[256];
    /* Without a provider telephony takes it and sends nothing: it stays in the record. */
    bool taken = !err && env && env->body_case == PL__ENVELOPE__BODY_SMS_SENT;
    if (taken) {
        size_t index = 0;
        const Pl__ToolCall *call = stored_call(self, tool, &index);
        cJSON *args = call ? cJSON_Parse(call->function_arguments) : NULL;
        (void)call_add_message(self, now.wall_ms, PL__ACTION__SMS, PL__PERSONA__ASSISTANT,
                               tool_string(args, "message"), fx);
        cJSON_Delete(args);
    }
    if (taken && env->sms_sent->delivered) {
        snprintf(out, sizeof out, "Sent.");
    } else if (taken) {
        snprintf(out, sizeof out, "Not sent, only noted in the file: %.160s.",
                 env->sms_sent->detail);
    } else {
        snprintf(out, sizeof out, "Not sent: %s.", pl_err_text(err ? err : PL_INTERNAL));
    }
    call_give_result(self, tool, out, fx);
}

/* ---- requests to servers ---- */

/* Names the tool call among all: what a receiver knows a repeated request by. */
static void event_id(const call_t *self, const running_t *tool, unsigned part, char out[ID_BYTES])
{
    size_t index = 0;
    (void)stored_call(self, tool, &index);
    snprintf(out, ID_BYTES, "%.64s.%u.%zu.%u", call_id(self), tool->message, index, part);
}

static cJSON *event(const call_t *self, const char *id, const char *kind)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "event_id", id);
    cJSON_AddStringToObject(body, "event", kind);
    cJSON_AddStringToObject(body, "call_id", call_id(self));
    cJSON_AddStringToObject(body, "phone_number", pl_record_caller(self->record));
    cJSON_AddStringToObject(body, "lang", call_lang(self));
    return body;
}

/* Takes body. */
static effect_t *post(const running_t *tool, const char *url, const char *secret, const char *id,
                      cJSON *body, effects_t *fx)
{
    effect_t *effect = fx_add(fx, FX_POST);
    effect->tool_id = text_copy(tool->key);
    effect->text = cJSON_PrintUnformatted(body);
    assert(effect->text);
    cJSON_Delete(body);
    effect->post.url = text_copy(url);
    effect->post.secret = text_copy(secret);
    effect->post.event_id = text_copy(id);
    return effect;
}

/* ---- emergencies ---- */

static void alert_server(call_t *self, running_t *tool, const cJSON *args, const contact_t *contact,
                         effects_t *fx)
{
    static const char *const names[] = {"service", "reason", "location", "contact"};
    char id[ID_BYTES];
    event_id(self, tool, tool->asked, id);
    cJSON *body = event(self, id, "emergency");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cJSON_AddStringToObject(body, names[i], tool_string(args, names[i]));
    }
    cJSON_AddStringToObject(body, "bot_company", self->record->initiate->bot_company);
    effect_t *effect = post(tool, contact->url, contact->secret, id, body, fx);
    effect->timeout_ms = ALERT_TIMEOUT_MS;
    effect->post.idempotent = true; /* one alarm too many is better than none */
    tool->asked++;
}

static void alert_phone(call_t *self, running_t *tool, const cJSON *args, const contact_t *contact,
                        effects_t *fx)
{
    char text[1024];
    snprintf(text, sizeof text,
             "EMERGENCY (%s): %.300s. Where: %.300s. Contact: %.100s. Reported by %.32s to %.100s.",
             tool_string(args, "service"), tool_string(args, "reason"),
             tool_string(args, "location"), tool_string(args, "contact"),
             pl_record_caller(self->record), self->record->initiate->bot_company);
    sms(self, tool, contact->phone_number, value_scrub(text), ALERT_TIMEOUT_MS, ASKED_ALERT, fx);
    tool->asked++;
}

bool call_notify(call_t *self, running_t *tool, const cJSON *args, char *out, size_t bytes,
                 effects_t *fx)
{
    size_t at = 0;
    const char *service = tool_string(args, "service");
    const contact_t *contact = NULL;
    while ((contact = contacts_next(self->settings->contacts, service, &at))) {
        if (contact->url[0]) alert_server(self, tool, args, contact, fx);
        if (contact->phone_number[0]) alert_phone(self, tool, args, contact, fx);
    }
    log_warn("call.emergency", "call=%s service=%s contacts=%u", call_id(self), service,
             tool->asked);
    if (tool->asked) return true;
    snprintf(
        out, bytes,
        "Nobody was notified: no contact for %s is configured. Tell the caller so, and to ring "
        "the emergency number of their country themselves, now.",
        service);
    return false;
}

/* One contact has answered; when all have, the result is there. */
static void count_alert(call_t *self, running_t *tool, bool reached, effects_t *fx)
{
    char out[256];
    if (reached) {
        tool->reached++;
    } else {
        tool->failed++;
    }
    if (tool->reached + tool->failed < tool->asked) return;
    log_warn("call.emergency_told", "call=%s reached=%u of=%u", call_id(self), tool->reached,
             tool->asked);
    if (tool->reached) {
        snprintf(out, sizeof out, "Notified: the message was taken by %u of %u contacts.",
                 tool->reached, tool->asked);
    } else {
        snprintf(out, sizeof out,
                 "Nobody was notified: none of %u contacts could be reached. Tell the caller so, "
                 "and to ring the emergency number of their country themselves, now.",
                 tool->asked);
    }
    call_give_result(self, tool, out, fx);
}

void call_alerted(call_t *self, const char *key, pl_err_t err, const Pl__Envelope *env,
                  effects_t *fx)
{
    running_t *tool = call_running(self, key);
    if (!tool || tool->kind != TOOL_NOTIFY_EMERGENCIES) return;
    bool sent =
        !err && env && env->body_case == PL__ENVELOPE__BODY_SMS_SENT && env->sms_sent->delivered;
    count_alert(self, tool, sent, fx);
}

/* ---- an integrator's tools ---- */

void call_remote(call_t *self, call_now_t now, running_t *tool, const cJSON *args, effects_t *fx)
{
    const remote_tool_t *remote = tool->remote;
    char id[ID_BYTES];
    event_id(self, tool, 0, id);
    cJSON *body = event(self, id, "tool");
    cJSON_AddStringToObject(body, "tool", remote->name);
    cJSON_AddItemToObject(body, "arguments", cJSON_Duplicate(args, 1));
    effect_t *effect = post(tool, remote->url, remote->secret, id, body, fx);
    effect->timeout_ms = remote->timeout_ms;
    effect->post.idempotent = remote->idempotent;
    if (remote->filler_after_ms) tool->filler_ms = now.mono_ms + remote->filler_after_ms;
}

static void remote_answered(call_t *self, running_t *tool, const posted_t *posted, effects_t *fx)
{
    char out[ANSWER_BYTES + 128];
    char text[ANSWER_BYTES];
    bool good = posted->status >= 200 && posted->status < 300;
    log_info("call.remote_tool", "call=%s tool=%s err=%s status=%ld", call_id(self),
             tool->remote->name, pl_err_name(posted->err), posted->status);
    if (posted->err == PL_TIMEOUT) {
        snprintf(out, sizeof out, "The tool failed: no answer in time.");
    } else if (posted->err) {
        snprintf(out, sizeof out, "The tool failed: %.200s.", posted->detail);
    } else {
        size_t whole = strlen(posted->body);
        size_t room = good ? sizeof text : REFUSAL_BYTES;
        value_copy(text, room, posted->body);
        const char *cut = whole >= room ? " (cut here)" : "";
        if (good) {
            snprintf(out, sizeof out, "%s%s", text[0] ? text : "Done.", cut);
        } else {
            snprintf(out, sizeof out, "The tool failed with status %ld: %s%s", posted->status, text,
                     cut);
        }
    }
    call_give_result(self, tool, out, fx);
}

void call_posted(call_t *self, call_now_t now, const char *key, const posted_t *posted,
                 effects_t *fx)
{
    (void)now;
    running_t *tool = call_running(self, key);
    if (!tool) return;
    if (tool->remote) {
        remote_answered(self, tool, posted, fx);
    } else if (tool->kind == TOOL_NOTIFY_EMERGENCIES) {
        bool taken = !posted->err && posted->status >= 200 && posted->status < 300;
        count_alert(self, tool, taken, fx);
    }
}

uint64_t call_filler_due(const call_t *self)
{
    uint64_t due = NO_DEADLINE;
    for (size_t i = 0; self->thinking && i < self->n_running; i++) {
        const running_t *tool = &self->running[i];
        if (tool->thought == self->thought && tool->filler_ms < due) due = tool->filler_ms;
    }
    return due;
}

void call_filler_said(call_t *self)
{
    for (size_t i = 0; i < self->n_running; i++) self->running[i].filler_ms = NO_DEADLINE;
}
