/* call_tool.c - a call's tools: checked, run, and each given exactly one result.
 *
 * A result is text for the manager and the history. A tool that waits for another process has one
 * from the moment its thought is given up ("no result yet"), which the true one replaces when it
 * comes; so the history never holds a tool call without a result for long, and none with two. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/record.h"
#include "services/dialogue/call_internal.h"
#include "services/dialogue/nlu/phone.h"
#include "services/dialogue/nlu/tongue.h"
#include "services/dialogue/toolbox.h"
#include "services/dialogue/value.h"

enum {
    RESULT_BYTES = 8192,
    PASSAGES = 5,
    NAME_MAX_BYTES = 64,
    SEARCH_TEXTS = 5, /* of one search; more are left out */
    SEARCH_BYTES = 512,
};

#define RESULT_CANCELLED "No result yet: the caller went on speaking before it was there."
#define RESULT_CALL_LEFT "No result: a new claim was begun before it was there."
#define RESULT_CALL_ENDED "No result: the call ended before it was there."

static char *text_copy(const char *text)
{
    char *copy = strdup(text);
    assert(copy);
    return copy;
}

/* ---- tools under way ---- */

static void forget(call_t *self, running_t *tool)
{
    free(tool->key);
    free(tool->id);
    *tool = self->running[--self->n_running];
}

void call_tools_clear(call_t *self)
{
    while (self->n_running) forget(self, &self->running[0]);
}

running_t *call_running(call_t *self, const char *key)
{
    for (size_t i = 0; i < self->n_running; i++) {
        if (strcmp(self->running[i].key, key) == 0) return &self->running[i];
    }
    return NULL;
}

/* Ids are the model's, and may come again in a later answer: with the message they are unique. */
static running_t *run(call_t *self, const tool_t *tool, const remote_tool_t *remote,
                      uint32_t message, const char *id)
{
    char key[RESULT_BYTES];
    running_t *out = &self->running[self->n_running++];
    snprintf(key, sizeof key, "%u:%s", message, id);
    *out = (running_t){.kind = tool ? tool->kind : TOOL_KINDS,
                       .message = message,
                       .thought = self->thought,
                       .remote = remote,
                       .filler_ms = NO_DEADLINE,
                       .key = text_copy(key),
                       .id = text_copy(id)};
    return out;
}

static void set_result(call_t *self, const running_t *tool, const char *text, effects_t *fx)
{
    Pl__Message *message = call_message(self, tool->message);
    for (size_t i = 0; message && i < message->n_tool_calls; i++) {
        Pl__ToolCall *call = message->tool_calls[i];
        if (strcmp(call->tool_id, tool->id) != 0) continue;
        call_put_text(&call->content, text);
        (void)value_scrub(call->content); /* names of the model's may have been cut */
        call_store_message(self, message, fx);
        return;
    }
}

static void tell_manager(call_t *self, const char *id, const char *text, effects_t *fx)
{
    effect_t *effect = fx_add(fx, FX_TOOL_RESULT);
    effect->tool_id = text_copy(id);
    effect->text = value_scrub(text_copy(text));
    effect->think = self->thought;
}

/* Its one result; the tool is over. A manager that has given the thought up does not hear of it. */
void call_give_result(call_t *self, running_t *tool, const char *text, effects_t *fx)
{
    set_result(self, tool, text, fx);
    if (self->thinking && tool->thought == self->thought) tell_manager(self, tool->id, text, fx);
    forget(self, tool);
}

void call_tools_cancelled(call_t *self, effects_t *fx)
{
    for (size_t i = 0; i < self->n_running; i++) {
        running_t *tool = &self->running[i];
        if (tool->thought == self->thought) set_result(self, tool, RESULT_CANCELLED, fx);
    }
}

void call_tools_left(call_t *self, effects_t *fx)
{
    while (self->n_running) call_give_result(self, &self->running[0], RESULT_CALL_LEFT, fx);
}

void call_tools_ended(call_t *self, effects_t *fx)
{
    for (size_t i = 0; i < self->n_running; i++) {
        set_result(self, &self->running[i], RESULT_CALL_ENDED, fx);
    }
}

/* ---- looking up ---- */

static void search(call_t *self, const running_t *tool, const cJSON *args, effects_t *fx)
{
    /* Each is searched for by itself; rag unites what is found. */
    char texts[SEARCH_TEXTS][SEARCH_BYTES];
    char *others[SEARCH_TEXTS];
    size_t n = 0;
    const cJSON *query = NULL;
    cJSON_ArrayForEach(query, cJSON_GetObjectItemCaseSensitive(args, "queries"))
    {
        if (n == SEARCH_TEXTS) break;
        if (n > 0) others[n - 1] = texts[n];
        value_copy(texts[n++], SEARCH_BYTES, query->valuestring);
    }
    Pl__SearchQuery body = PL__SEARCH_QUERY__INIT;
    Pl__Envelope env;
    call_envelope(self, &env);
    body.text = texts[0];
    body.earlier = others;
    body.n_earlier = n - 1;
    body.lang = (char *)call_lang(self);
    body.top_n = PASSAGES;
    env.body_case = PL__ENVELOPE__BODY_SEARCH_QUERY;
    env.search_query = &body;
    (void)fx_request(fx, "rag", &env, self->settings->search_ms, ASKED_SEARCH, tool->key);
}

/* Angle brackets of a document cannot be taken for ours: JSON reads them as what they were. */
static char *without_tags(const char *json)
{
    size_t n = 0;
    char *out = malloc(6 * strlen(json) + 1);
    assert(out);
    for (; *json; json++) {
        if (*json == '<' || *json == '>') {
            n += (size_t)sprintf(out + n, "\\u%04x", (unsigned)*json);
        } else {
            out[n++] = *json;
        }
    }
    out[n] = '\0';
    return out;
}

void call_searched(call_t *self, const char *key, pl_err_t err, const Pl__Envelope *env,
                   effects_t *fx)
{
    running_t *tool = call_running(self, key);
    if (!tool) return;
    cJSON *list = cJSON_CreateArray();
    bool found = !err && env && env->body_case == PL__ENVELOPE__BODY_SEARCH_RESULT;
    size_t count = found ? env->search_result->n_passages : 0;
    if (found) call_add_passages(self, tool->message, env->search_result, fx);
    for (size_t i = 0; i < count && i < PASSAGES; i++) {
        const Pl__Passage *passage = env->search_result->passages[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "title", passage->title);
        cJSON_AddStringToObject(item, "content", passage->content);
        cJSON_AddNumberToObject(item, "score", passage->score);
        cJSON_AddItemToArray(list, item);
    }
    char *text = cJSON_PrintUnformatted(list);
    char *data = without_tags(text ? text : "[]");
    call_give_result(self, tool, data, fx);
    free(data);
    cJSON_free(text);
    cJSON_Delete(list);
}

/* ---- how we speak ---- */

static void speech_speed(call_t *self, const cJSON *args, char *out, size_t bytes, effects_t *fx)
{
    double speed = cJSON_GetObjectItemCaseSensitive(args, "speed")->valuedouble;
    double old = pl_record_rate(self->record);
    speed = speed < 0.75 ? 0.75 : speed > 1.25 ? 1.25 : speed;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    change.change_case = PL__CALL_CHANGE__CHANGE_PROSODY_RATE;
    change.prosody_rate = speed;
    call_apply(self, &change, fx);
    snprintf(out, bytes, "Speed set to %.2f, was %.2f.", speed, old);
}

/* Ears and mouth change at once: what is said after this is said in the new language. */
static bool speech_lang(call_t *self, const cJSON *args, char *out, size_t bytes, effects_t *fx)
{
    const char *wish = tool_string(args, "lang");
    const Pl__Initiate *initiate = self->record->initiate;
    char old[36];
    int index = tongue_meant(initiate, wish);
    if (index == TONGUE_NONE) {
        size_t n =
            (size_t)snprintf(out, bytes, "Rejected: %.20s is not available. There are:", wish);
        for (size_t i = 0; i < initiate->n_lang_available && n < bytes; i++) {
            n += (size_t)snprintf(out + n, bytes - n, " %s",
                                  initiate->lang_available[i]->short_code);
        }
        return false;
    }
    const char *lang = initiate->lang_available[index]->short_code;
    snprintf(old, sizeof old, "%s", call_lang(self));
    call_set_lang(self, lang, fx);
    call_send_listen(self, fx);
    snprintf(out, bytes, "Language set to %.35s, was %s.", lang, old);
    return true;
}

/* ---- running one ---- */

/* The model's sentence for the caller; the script says its own. */
static void say_response(call_t *self, call_now_t now, const cJSON *args, effects_t *fx)
{
    const char *text = tool_string(args, TOOL_RESPONSE);
    if (text[0]) call_say_text(self, now, text, fx);
}

/* Does the tool's work. Returns true when the result is in out; false when it comes later. */
static bool perform(call_t *self, call_now_t now, running_t *tool, const cJSON *args,
                    char out[RESULT_BYTES], effects_t *fx)
{
    const Pl__Initiate *initiate = self->record->initiate;
    if (tool->thought == self->welcome && TOOLBOX_BARRED_ON_RETURN & TOOLBOX_BIT(tool->kind)) {
        snprintf(out, RESULT_BYTES,
                 "Not possible: the caller has just rung back. Hear first what they want.");
        return true;
    }
    bool done = true; /* what the sentence for the caller says is so */
    bool later = false;
    switch (tool->kind) {
    case TOOL_UPDATED_CLAIM:
        done = call_updated_claim(self, now, args, out, RESULT_BYTES, fx);
        break;
    case TOOL_END_CALL:
        self->after = AFTER_HANGUP;
        snprintf(out, RESULT_BYTES, "The call ends after this.");
        break;
    case TOOL_TALK_TO_HUMAN:
        done = phone_valid(initiate->agent_phone_number);
        if (done) self->after = AFTER_TRANSFER;
        snprintf(out, RESULT_BYTES, "%s",
                 done ? "The caller is transferred after this."
                      : "Not possible: there is no colleague to transfer to.");
        break;
    case TOOL_SEARCH_DOCUMENT:
        search(self, tool, args, fx);
        later = true;
        break;
    case TOOL_REMINDER:
        done = call_reminder(self, now, args, out, RESULT_BYTES, fx);
        break;
    case TOOL_SPEECH_SPEED:
        speech_speed(self, args, out, RESULT_BYTES, fx);
        break;
    case TOOL_SPEECH_LANG:
        done = speech_lang(self, args, out, RESULT_BYTES, fx);
        break;
    case TOOL_SEND_SMS:
        later = done = phone_valid(pl_record_caller(self->record));
        if (later) call_send_sms(self, tool, args, fx);
        snprintf(out, RESULT_BYTES, "Not sent: the caller's number is not known.");
        break;
    case TOOL_NOTIFY_EMERGENCIES:
        later = done = call_notify(self, tool, args, out, RESULT_BYTES, fx);
        break;
    case TOOL_NEW_CLAIM: {
        const char *why = call_may_split(self);
        later = done = !why;
        if (later) call_split(tool, fx);
        snprintf(out, RESULT_BYTES, "Not possible: %s.", why ? why : "");
        break;
    }
    case TOOL_KINDS:
        break;
    }
    if (done) say_response(self, now, args, fx);
    return !later;
}

/* An integrator's tool. Returns as perform does. */
static bool perform_remote(call_t *self, call_now_t now, running_t *tool, const char *arguments,
                           char out[RESULT_BYTES], effects_t *fx)
{
    cJSON *args = NULL;
    char *response = NULL;
    pl_err_t err =
        remote_tool_arguments(tool->remote, arguments, &args, &response, out, RESULT_BYTES);
    if (err) return true;
    call_remote(self, now, tool, args, fx);
    if (response && response[0]) {
        call_say_text(self, now, response, fx);
    }
    free(response);
    cJSON_Delete(args);
    return false;
}

/* Why it cannot be run at all; NULL when it can. */
static const char *unfit(const call_t *self, const Pl__Message *message, const char *id)
{
    if (!id[0] || strlen(id) > TOOL_ID_MAX || !value_is_plain(id)) {
        return "the id of the tool call is empty, too long or no plain text";
    }
    if (self->n_running == RUNNING_MAX) return "too many tools are running";
    if (message->n_tool_calls >= TOOL_CALLS_MAX) return "too many tool calls in one answer";
    for (size_t i = 0; i < message->n_tool_calls; i++) {
        if (strcmp(message->tool_calls[i]->tool_id, id) == 0) return "the same id twice";
    }
    return NULL;
}

static void name_tools(const call_t *self, const char *wrong, char out[RESULT_BYTES])
{
    const remote_tools_t *remote = self->settings->remote_tools;
    tool_names(out, RESULT_BYTES, wrong);
    for (size_t i = 0; i < remote_tools_count(remote); i++) {
        size_t n = strlen(out);
        snprintf(out + n, RESULT_BYTES - n, ", %s", remote_tools_at(remote, i)->name);
    }
}

void call_run_tool(call_t *self, call_now_t now, const char *id, const char *name,
                   const char *arguments, effects_t *fx)
{
    char out[RESULT_BYTES] = "";
    Pl__Message *message = call_message(self, self->turn.message);
    assert(message);
    const char *why = unfit(self, message, id);
    if (why) {
        log_warn("call.tool_refused", "call=%s why=\"%s\"", call_id(self), why);
        snprintf(out, sizeof out, "Refused: %s.", why);
        tell_manager(self, id, out, fx);
        return;
    }
    char short_name[NAME_MAX_BYTES];
    char *bounded = text_copy(arguments);
    value_copy(short_name, sizeof short_name, name);
    if (strlen(bounded) > TOOL_JSON_MAX) value_copy(bounded, TOOL_JSON_MAX + 1, bounded);
    call_add_tool_call(message, id, value_scrub(short_name), value_scrub(bounded));
    free(bounded);
    call_store_message(self, message, fx);

    const tool_t *tool = tool_find(name);
    const remote_tool_t *remote = remote_tools_find(self->settings->remote_tools, name);
    running_t *running = run(self, tool, remote, self->turn.message, id);
    char *key = text_copy(running->key);
    cJSON *args = NULL;
    bool here = true;
    if (remote) {
        here = perform_remote(self, now, running, arguments, out, fx);
    } else if (!tool) {
        name_tools(self, name, out);
    } else if (tool_arguments(tool, arguments, &args, out, sizeof out) == PL_OK) {
        here = perform(self, now, running, args, out, fx);
    }
    running = call_running(self, key);
    if (here && running) call_give_result(self, running, out, fx);
    free(key);
    cJSON_Delete(args);
}
