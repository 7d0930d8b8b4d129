/* call_tool.c - what the tools do to a call. Results are text for the manager. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"
#include "services/dialogue/call_internal.h"
#include "services/dialogue/nlu/phone.h"
#include "services/dialogue/tools.h"
#include "services/dialogue/value.h"

enum { RESULT_BYTES = 4096, PASSAGES = 5, SMS_TIMEOUT_MS = 10000, REMINDERS_MAX = 50 };

static void give_result(call_t *self, const char *tool_id, const char *text, effects_t *fx)
{
    call_set_tool_result(self, tool_id, text, fx);
    effect_t *effect = fx_add(fx, FX_TOOL_RESULT);
    effect->tool_id = strdup(tool_id);
    effect->text = strdup(text);
    effect->think = self->thought;
}

/* The newest thing the caller said is where a value comes from. */
static uint32_t newest_utterance(const call_t *self)
{
    for (size_t i = self->record->n_messages; i-- > 0;) {
        const Pl__Message *message = self->record->messages[i];
        bool said = message->persona == PL__PERSONA__HUMAN && message->action == PL__ACTION__TALK;
        if (said) return message->number;
    }
    return 0;
}

static bool same_value(const call_t *self, const char *name, const char *value)
{
    const Pl__ClaimValue *old = pl_record_claim(self->record, name);
    return old && strcmp(old->value, value) == 0;
}

static void update_field(call_t *self, call_now_t now, const cJSON *update, char *out, size_t bytes,
                         effects_t *fx)
{
    const char *name = cJSON_GetObjectItemCaseSensitive(update, "field")->valuestring;
    const char *text = cJSON_GetObjectItemCaseSensitive(update, "value")->valuestring;
    bool confirmed = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(update, "confirmed"));
    const Pl__ClaimField *field = pl_record_field(self->record, name);
    char value[VALUE_BYTES] = "";
    const char *reason = "no such field";
    bool good = field && (!text[0] || value_check(field->type, text, value, &reason) == PL_OK);
    if (!good) {
        snprintf(out, bytes, "Rejected %.100s: %s. ", name, reason);
        return;
    }
    Pl__ClaimValue claim = PL__CLAIM_VALUE__INIT;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    claim.name = (char *)name;
    claim.value = value;
    claim.set_at_ms = now.wall_ms;
    claim.confirmed = confirmed;
    claim.message = newest_utterance(self);
    /* A mere confirmation leaves the value where it came from. */
    const Pl__ClaimValue *old = pl_record_claim(self->record, name);
    if (old && same_value(self, name, value)) {
        claim.message = old->message;
        claim.set_at_ms = old->set_at_ms;
    }
    change.change_case = PL__CALL_CHANGE__CHANGE_CLAIM;
    change.claim = &claim;
    call_apply(self, &change, fx);
    snprintf(out, bytes, "Updated %.100s. ", name);
}

static void updated_claim(call_t *self, call_now_t now, const cJSON *args, char *out, size_t bytes,
                          effects_t *fx)
{
    size_t n = 0;
    const cJSON *update = NULL;
    cJSON_ArrayForEach(update, cJSON_GetObjectItemCaseSensitive(args, "updates"))
    {
        if (n + 200 > bytes) break;
        update_field(self, now, update, out + n, bytes - n, fx);
        n += strlen(out + n);
    }
}

static void search(call_t *self, const char *tool_id, const cJSON *args, effects_t *fx)
{
    /* One query of all the words: the index ranks by any term. */
    char text[1024] = "";
    size_t n = 0;
    const cJSON *query = NULL;
    cJSON_ArrayForEach(query, cJSON_GetObjectItemCaseSensitive(args, "queries"))
    {
        if (n >= sizeof text) break;
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? " " : "", query->valuestring);
    }
    Pl__SearchQuery body = PL__SEARCH_QUERY__INIT;
    Pl__Envelope env;
    call_envelope(self, &env);
    body.text = text;
    body.lang = (char *)call_lang(self);
    body.top_n = PASSAGES;
    env.body_case = PL__ENVELOPE__BODY_SEARCH_QUERY;
    env.search_query = &body;
    (void)fx_request(fx, "rag", &env, self->settings->search_ms, ASKED_SEARCH, tool_id);
}

void call_searched(call_t *self, const char *tool_id, pl_err_t err, const Pl__Envelope *env,
                   effects_t *fx)
{
    cJSON *list = cJSON_CreateArray();
    bool found = !err && env && env->body_case == PL__ENVELOPE__BODY_SEARCH_RESULT;
    size_t count = found ? env->search_result->n_passages : 0;
    if (found) call_add_passages(self, tool_id, env->search_result, fx);
    for (size_t i = 0; i < count && i < PASSAGES; i++) {
        const Pl__Passage *passage = env->search_result->passages[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "title", passage->title);
        cJSON_AddStringToObject(item, "content", passage->content);
        cJSON_AddNumberToObject(item, "score", passage->score);
        cJSON_AddItemToArray(list, item);
    }
    char *text = cJSON_PrintUnformatted(list);
    give_result(self, tool_id, text ? text : "[]", fx);
    cJSON_free(text);
    cJSON_Delete(list);
}

static void reminder(call_t *self, call_now_t now, const cJSON *args, char *out, size_t bytes,
                     effects_t *fx)
{
    char due[VALUE_BYTES];
    const char *reason = "";
    const char *text = tool_string(args, "due_date_time");
    if (value_check(PL__CLAIM_TYPE__DATETIME, text, due, &reason) != PL_OK) {
        snprintf(out, bytes, "Rejected: due_date_time is %s.", reason);
        return;
    }
    if (self->record->n_reminders >= REMINDERS_MAX) {
        snprintf(out, bytes, "Rejected: there are %d reminders already.", REMINDERS_MAX);
        return;
    }
    Pl__Reminder item = PL__REMINDER__INIT;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    item.title = (char *)tool_string(args, "title");
    item.description = (char *)tool_string(args, "description");
    item.owner = (char *)tool_string(args, "owner");
    item.due_date_time = due;
    item.created_at_ms = now.wall_ms;
    change.change_case = PL__CALL_CHANGE__CHANGE_REMINDER;
    change.reminder = &item;
    call_apply(self, &change, fx);
    snprintf(out, bytes, "Reminder noted.");
}

static void speech_speed(call_t *self, const cJSON *args, char *out, size_t bytes, effects_t *fx)
{
    double speed = cJSON_GetObjectItemCaseSensitive(args, "speed")->valuedouble;
    double old = self->record->initiate->prosody_rate;
    speed = speed < 0.75 ? 0.75 : speed > 1.25 ? 1.25 : speed;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    change.change_case = PL__CALL_CHANGE__CHANGE_PROSODY_RATE;
    change.prosody_rate = speed;
    call_apply(self, &change, fx);
    snprintf(out, bytes, "Speed set to %.2f, was %.2f.", speed, old > 0 ? old : 1.0);
}

static void speech_lang(call_t *self, const cJSON *args, char *out, size_t bytes, effects_t *fx)
{
    const char *lang = tool_string(args, "lang");
    const Pl__Initiate *initiate = self->record->initiate;
    for (size_t i = 0; i < initiate->n_lang_available; i++) {
        if (strcmp(initiate->lang_available[i]->short_code, lang) != 0) continue;
        char old[32];
        snprintf(old, sizeof old, "%s", call_lang(self));
        Pl__CallChange change = PL__CALL_CHANGE__INIT;
        change.change_case = PL__CALL_CHANGE__CHANGE_LANG_SHORT_CODE;
        change.lang_short_code = (char *)lang;
        call_apply(self, &change, fx);
        snprintf(out, bytes, "Language set to %.20s, was %s.", lang, old);
        return;
    }
    snprintf(out, bytes, "Rejected: %.20s is not available.", lang);
}

static void send_sms(call_t *self, const char *tool_id, const cJSON *args, effects_t *fx)
{
    if (!phone_valid(self->record->initiate->phone_number)) {
        give_result(self, tool_id, "Not sent: the caller's number is not known.", fx);
        return;
    }
    Pl__SmsSend body = PL__SMS_SEND__INIT;
    Pl__Envelope env;
    call_envelope(self, &env);
    body.to = self->record->initiate->phone_number;
    body.text = (char *)tool_string(args, "message");
    env.body_case = PL__ENVELOPE__BODY_SMS_SEND;
    env.sms_send = &body;
    effect_t *effect = fx_request(fx, self->leg, &env, SMS_TIMEOUT_MS, ASKED_SMS, tool_id);
    effect->text = strdup(body.text);
}

static const char *sms_text(const call_t *self, const char *tool_id, cJSON **args)
{
    *args = NULL;
    for (size_t i = self->record->n_messages; i-- > 0;) {
        const Pl__Message *message = self->record->messages[i];
        for (size_t k = 0; k < message->n_tool_calls; k++) {
            if (strcmp(message->tool_calls[k]->tool_id, tool_id) != 0) continue;
            *args = cJSON_Parse(message->tool_calls[k]->function_arguments);
            return tool_string(*args, "message");
        }
    }
    return "";
}

void call_sms_sent(call_t *self, call_now_t now, const char *tool_id, pl_err_t err,
                   const Pl__Envelope *env, effects_t *fx)
{
    bool sent =
        !err && env && env->body_case == PL__ENVELOPE__BODY_SMS_SENT && env->sms_sent->delivered;
    if (sent) {
        cJSON *args = NULL;
        const char *text = sms_text(self, tool_id, &args);
        (void)call_add_message(self, now.wall_ms, PL__ACTION__SMS, PL__PERSONA__ASSISTANT, text,
                               fx);
        cJSON_Delete(args);
    }
    give_result(self, tool_id, sent ? "Sent." : "Not sent.", fx);
}

void call_run_tool(call_t *self, call_now_t now, const char *tool_id, const char *name,
                   const char *arguments, effects_t *fx)
{
    char out[RESULT_BYTES] = "";
    const tool_t *tool = tool_find(name);
    cJSON *args = NULL;
    if (!tool) {
        snprintf(out, sizeof out, "There is no tool %.60s.", name);
        give_result(self, tool_id, out, fx);
        return;
    }
    if (tool_arguments(tool, arguments, &args, out, sizeof out) != PL_OK) {
        give_result(self, tool_id, out, fx);
        return;
    }
    bool later = false;
    switch (tool->kind) {
    case TOOL_UPDATED_CLAIM:
        updated_claim(self, now, args, out, sizeof out, fx);
        break;
    case TOOL_END_CALL:
        self->after = AFTER_HANGUP;
        snprintf(out, sizeof out, "The call ends after this.");
        break;
    case TOOL_TALK_TO_HUMAN:
        self->after = AFTER_TRANSFER;
        snprintf(out, sizeof out, "The caller is transferred after this.");
        break;
    case TOOL_SEARCH_DOCUMENT:
        search(self, tool_id, args, fx);
        later = true;
        break;
    case TOOL_REMINDER:
        reminder(self, now, args, out, sizeof out, fx);
        break;
    case TOOL_SPEECH_SPEED:
        speech_speed(self, args, out, sizeof out, fx);
        break;
    case TOOL_SPEECH_LANG:
        speech_lang(self, args, out, sizeof out, fx);
        break;
    case TOOL_SEND_SMS:
        send_sms(self, tool_id, args, fx);
        later = true;
        break;
    }
    if (!later) give_result(self, tool_id, out, fx);
    cJSON_Delete(args);
}
