/* call_record.c - the changes of a call's record that its machine makes. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"
#include "services/dialogue/call_internal.h"

enum { PASSAGES_NOTED_MAX = 50 };

void call_apply(call_t *self, const Pl__CallChange *change, effects_t *fx)
{
    pl_err_t err = pl_record_apply(self->record, change);
    assert(err == PL_OK); /* we made it */
    (void)fx_store(fx, change);
}

Pl__Message *call_message(const call_t *self, uint32_t number)
{
    for (size_t i = self->record->n_messages; number && i-- > 0;) {
        if (self->record->messages[i]->number == number) return self->record->messages[i];
    }
    return NULL;
}

void call_store_message(call_t *self, const Pl__Message *message, effects_t *fx)
{
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    change.change_case = PL__CALL_CHANGE__CHANGE_MESSAGE;
    /* The copy in the record is replaced by a copy of itself: changes have one way only. */
    Pl__Message *copy = (Pl__Message *)pl_message_copy(&message->base);
    change.message = copy;
    call_apply(self, &change, fx);
    pl__message__free_unpacked(copy, NULL);
}

/* Gives it its number, time and language. */
static uint32_t add(call_t *self, int64_t wall_ms, Pl__Message *message, effects_t *fx)
{
    uint32_t last = 0;
    for (size_t i = 0; i < self->record->n_messages; i++) {
        if (self->record->messages[i]->number > last) last = self->record->messages[i]->number;
    }
    message->number = last + 1;
    message->created_at_ms = wall_ms;
    message->lang_short_code = (char *)call_lang(self);
    call_store_message(self, message, fx);
    return message->number;
}

uint32_t call_add_message(call_t *self, int64_t wall_ms, Pl__Action action, Pl__Persona persona,
                          const char *content, effects_t *fx)
{
    Pl__Message message = PL__MESSAGE__INIT;
    message.action = action;
    message.persona = persona;
    message.content = (char *)content;
    return add(self, wall_ms, &message, fx);
}

uint32_t call_add_utterance(call_t *self, int64_t wall_ms, const Pl__Utterance *said, effects_t *fx)
{
    Pl__Message message = PL__MESSAGE__INIT;
    message.action = PL__ACTION__TALK;
    message.persona = PL__PERSONA__HUMAN;
    message.content = said->text;
    message.heard_id = said->heard_id;
    return add(self, wall_ms, &message, fx);
}

const Pl__Message *call_newest_utterance(const Pl__CallRecord *record)
{
    for (size_t i = record->n_messages; i-- > 0;) {
        const Pl__Message *message = record->messages[i];
        bool said = message->persona == PL__PERSONA__HUMAN && message->action == PL__ACTION__TALK;
        if (said) return message;
    }
    return NULL;
}

void call_put_text(char **field, const char *text)
{
    char *copy = strdup(text);
    assert(copy);
    if (*field != (char *)protobuf_c_empty_string) free(*field);
    *field = copy;
}

static char *text_copy(const char *text)
{
    char *copy = strdup(text);
    assert(copy);
    return copy;
}

void call_add_tool_call(Pl__Message *message, const char *tool_id, const char *name,
                        const char *arguments)
{
    size_t n = message->n_tool_calls;
    Pl__ToolCall **list = realloc(message->tool_calls, (n + 1) * sizeof *list);
    Pl__ToolCall *call = malloc(sizeof *call);
    assert(list && call);
    pl__tool_call__init(call);
    call->tool_id = text_copy(tool_id);
    call->function_name = text_copy(name);
    call->function_arguments = text_copy(arguments);
    list[n] = call;
    message->tool_calls = list;
    message->n_tool_calls = n + 1;
}

static void note_passage(Pl__Message *message, const Pl__Passage *passage)
{
    size_t n = message->n_passages;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(message->passages[i]->id, passage->id) == 0) return;
    }
    Pl__PassageUsed **list = realloc(message->passages, (n + 1) * sizeof *list);
    Pl__PassageUsed *used = malloc(sizeof *used);
    assert(list && used);
    pl__passage_used__init(used);
    used->id = text_copy(passage->id);
    used->title = text_copy(passage->title);
    used->source = text_copy(passage->source);
    used->score = passage->score;
    list[n] = used;
    message->passages = list;
    message->n_passages = n + 1;
}

void call_add_passages(call_t *self, uint32_t number, const Pl__SearchResult *found, effects_t *fx)
{
    Pl__Message *message = call_message(self, number);
    if (!message || found->n_passages == 0) return;
    for (size_t i = 0; i < found->n_passages && message->n_passages < PASSAGES_NOTED_MAX; i++)
        note_passage(message, found->passages[i]);
    call_store_message(self, message, fx);
}

void call_set_in_progress(call_t *self, bool in_progress, effects_t *fx)
{
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    change.change_case = PL__CALL_CHANGE__CHANGE_IN_PROGRESS;
    change.in_progress = in_progress;
    call_apply(self, &change, fx);
}

void call_set_retry(call_t *self, uint32_t retry, effects_t *fx)
{
    if (self->record->recognition_retry == retry) return;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    change.change_case = PL__CALL_CHANGE__CHANGE_RECOGNITION_RETRY;
    change.recognition_retry = retry;
    call_apply(self, &change, fx);
}

void call_set_lang(call_t *self, const char *lang, effects_t *fx)
{
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    change.change_case = PL__CALL_CHANGE__CHANGE_LANG_SHORT_CODE;
    change.lang_short_code = (char *)lang;
    call_apply(self, &change, fx);
    call_prepare_prompts(self);
}

void call_set_interaction(call_t *self, int64_t wall_ms, effects_t *fx)
{
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    change.change_case = PL__CALL_CHANGE__CHANGE_LAST_INTERACTION_AT_MS;
    change.last_interaction_at_ms = wall_ms;
    call_apply(self, &change, fx);
}

/* Legs that can show text get what is said as it is said. */
void call_transcript(const call_t *self, uint32_t number, Pl__Persona persona, const char *text,
                     bool partial, effects_t *fx)
{
    if (self->leg_kind != PL__LEG_KIND__BROWSER || !self->leg[0]) return;
    Pl__LegTranscript body = PL__LEG_TRANSCRIPT__INIT;
    Pl__Envelope env;
    call_envelope(self, &env);
    body.number = number;
    body.persona = persona;
    body.text = (char *)text;
    body.partial = partial;
    env.body_case = PL__ENVELOPE__BODY_LEG_TRANSCRIPT;
    env.leg_transcript = &body;
    (void)fx_event(fx, self->leg, &env);
}
