#include "common/record.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- copies ---- */

ProtobufCMessage *pl_message_copy(const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(size ? size : 1);
    assert(bytes);
    (void)protobuf_c_message_pack(message, bytes);
    ProtobufCMessage *copy = protobuf_c_message_unpack(message->descriptor, NULL, size, bytes);
    free(bytes);
    assert(copy); /* we packed it ourselves */
    return copy;
}

Pl__CallRecord *pl_record_copy(const Pl__CallRecord *record)
{
    return (Pl__CallRecord *)pl_message_copy(&record->base);
}

void pl_record_free(Pl__CallRecord **record_p)
{
    if (!*record_p) return;
    pl__call_record__free_unpacked(*record_p, NULL);
    *record_p = NULL;
}

static void free_message(void *message)
{
    if (message) protobuf_c_message_free_unpacked(message, NULL);
}

/* protobuf-c's absent strings all point at one constant, which is never freed. */
static void free_string(char *text)
{
    if (text != (char *)protobuf_c_empty_string) free(text);
}

static void set_string(char **out, const char *text)
{
    char *copy = (char *)protobuf_c_empty_string;
    if (text && *text) {
        copy = strdup(text);
        assert(copy);
    }
    free_string(*out);
    *out = copy;
}

static const char *text_of(const char *text)
{
    return text ? text : "";
}

/* ---- repeated fields ---- */

/* Makes room in a repeated field for one more pointer at position at, and puts it there. */
static void *insert_at(void *items, size_t *count, size_t at, void *item)
{
    void **grown = realloc(items, (*count + 1) * sizeof *grown);
    assert(grown);
    memmove(grown + at + 1, grown + at, (*count - at) * sizeof *grown);
    grown[at] = item;
    (*count)++;
    return grown;
}

static uint32_t last_number(const Pl__CallRecord *record)
{
    return record->n_messages ? record->messages[record->n_messages - 1]->number : 0;
}

static void apply_message(Pl__CallRecord *record, const Pl__Message *change)
{
    size_t at = record->n_messages; /* messages come in order: look from the end */
    while (at > 0 && record->messages[at - 1]->number > change->number) at--;
    Pl__Message *copy = (Pl__Message *)pl_message_copy(&change->base);
    Pl__Message *same = NULL;
    if (at > 0 && record->messages[at - 1]->number == change->number)
        same = record->messages[at - 1];
    if (!same) {
        record->messages = insert_at(record->messages, &record->n_messages, at, copy);
        return;
    }
    record->messages[at - 1] = copy;
    if (!same->appended || copy->appended) {
        free_message(same);
        return;
    }
    /* The call's owner did not know of the appended one: that moves on. */
    same->number = last_number(record) + 1;
    record->messages = insert_at(record->messages, &record->n_messages, record->n_messages, same);
}

static void apply_appended(Pl__CallRecord *record, const Pl__Message *change)
{
    Pl__Message *copy = (Pl__Message *)pl_message_copy(&change->base);
    copy->number = last_number(record) + 1;
    copy->appended = true;
    record->messages = insert_at(record->messages, &record->n_messages, record->n_messages, copy);
}

static void drop_earlier(Pl__ClaimValue *value)
{
    for (size_t i = 0; i < value->n_former; i++) free_string(value->former[i]);
    for (size_t i = 0; i < value->n_earlier; i++) free_message(value->earlier[i]);
    free(value->former);
    free(value->earlier);
    value->former = NULL;
    value->earlier = NULL;
    value->n_former = value->n_earlier = 0;
}

/* The oldest goes when there are enough. */
static void add_earlier(Pl__ClaimValue *to, const Pl__ClaimEarlier *facts)
{
    if (to->n_earlier >= PL_CLAIM_FORMER_MAX) {
        free_message(to->earlier[0]);
        to->n_earlier--;
        memmove(to->earlier, to->earlier + 1, to->n_earlier * sizeof(Pl__ClaimEarlier *));
    }
    to->earlier =
        insert_at(to->earlier, &to->n_earlier, to->n_earlier, pl_message_copy(&facts->base));
}

/* Hands the earlier values of old over to its successor, with old's own when that changed. */
static void inherit_earlier(Pl__ClaimValue *successor, const Pl__ClaimValue *old)
{
    for (size_t i = 0; i < old->n_former; i++) { /* of a record from before there were facts */
        Pl__ClaimEarlier facts = PL__CLAIM_EARLIER__INIT;
        facts.value = old->former[i];
        add_earlier(successor, &facts);
    }
    for (size_t i = 0; i < old->n_earlier; i++) add_earlier(successor, old->earlier[i]);
    const char *value = text_of(old->value);
    bool same = strcmp(value, text_of(successor->value)) == 0;
    if (same) successor->corrected = old->corrected;
    if (!*value || same) return;
    successor->corrected = *text_of(successor->value) != '\0';
    Pl__ClaimEarlier facts = PL__CLAIM_EARLIER__INIT;
    facts.value = old->value;
    facts.message = old->message;
    facts.set_at_ms = old->set_at_ms;
    facts.confirmed = old->confirmed;
    facts.corrected = old->corrected;
    add_earlier(successor, &facts);
}

static void apply_claim(Pl__CallRecord *record, const Pl__ClaimValue *change)
{
    Pl__ClaimValue *copy = (Pl__ClaimValue *)pl_message_copy(&change->base);
    drop_earlier(copy);
    copy->corrected = false;
    for (size_t i = 0; i < record->n_claim; i++) {
        Pl__ClaimValue *old = record->claim[i];
        if (strcmp(text_of(old->name), copy->name) != 0) continue;
        inherit_earlier(copy, old);
        free_message(old);
        record->claim[i] = copy;
        return;
    }
    record->claim = insert_at(record->claim, &record->n_claim, record->n_claim, copy);
}

/* What was done about it stays as long as it is due at the same time. */
static void inherit_outcome(Pl__Reminder *successor, const Pl__Reminder *old)
{
    if (strcmp(text_of(old->due_date_time), text_of(successor->due_date_time)) != 0) return;
    if (successor->fired_at_ms || successor->ended_at_ms) return;
    successor->fired_at_ms = old->fired_at_ms;
    successor->ended_at_ms = old->ended_at_ms;
    set_string(&successor->outcome, text_of(old->outcome));
}

static void apply_reminder(Pl__CallRecord *record, const Pl__Reminder *change)
{
    Pl__Reminder *copy = (Pl__Reminder *)pl_message_copy(&change->base);
    for (size_t i = 0; i < record->n_reminders; i++) {
        Pl__Reminder *old = record->reminders[i];
        if (strcmp(text_of(old->title), copy->title) != 0) continue;
        if (old->created_at_ms) copy->created_at_ms = old->created_at_ms;
        inherit_outcome(copy, old);
        free_message(old);
        record->reminders[i] = copy;
        return;
    }
    record->reminders =
        insert_at(record->reminders, &record->n_reminders, record->n_reminders, copy);
}

static void apply_outcome(Pl__CallRecord *record, const Pl__ReminderOutcome *change)
{
    for (size_t i = 0; i < record->n_reminders; i++) {
        Pl__Reminder *reminder = record->reminders[i];
        bool meant = strcmp(text_of(reminder->title), text_of(change->title)) == 0 &&
                     strcmp(text_of(reminder->due_date_time), text_of(change->due_date_time)) == 0;
        if (!meant) continue;
        if (change->outcome && *change->outcome) {
            set_string(&reminder->outcome, change->outcome);
            reminder->fired_at_ms = change->at_ms;
        }
        if (change->ended) reminder->ended_at_ms = change->at_ms;
    }
}

static void apply_recording(Pl__CallRecord *record, const Pl__Recording *change)
{
    Pl__Recording *copy = (Pl__Recording *)pl_message_copy(&change->base);
    for (size_t i = 0; i < record->n_recordings; i++) {
        Pl__Recording *old = record->recordings[i];
        bool same = old->number == copy->number && old->started_at_ms == copy->started_at_ms &&
                    strcmp(text_of(old->instance), text_of(copy->instance)) == 0;
        if (!same) continue;
        free_message(old);
        record->recordings[i] = copy;
        return;
    }
    record->recordings =
        insert_at(record->recordings, &record->n_recordings, record->n_recordings, copy);
}

/* ---- single fields ---- */

static void apply_next(Pl__CallRecord *record, const Pl__Next *change)
{
    free_message(record->next);
    record->next = (Pl__Next *)pl_message_copy(&change->base);
}

static void apply_synthesis(Pl__CallRecord *record, const Pl__Synthesis *change)
{
    free_message(record->synthesis);
    record->synthesis = (Pl__Synthesis *)pl_message_copy(&change->base);
}

static void apply_voice(Pl__CallRecord *record, const Pl__LegStats *change)
{
    free_message(record->voice);
    record->voice = (Pl__LegStats *)pl_message_copy(&change->base);
}

static void apply_ended(Pl__CallRecord *record, const Pl__LegEnded *change)
{
    record->ended = change->end;
    set_string(&record->ended_detail, change->detail);
}

static void apply_text(Pl__CallRecord *record, const Pl__CallChange *change)
{
    if (change->change_case == PL__CALL_CHANGE__CHANGE_LANG_SHORT_CODE) {
        set_string(&record->lang_short_code, change->lang_short_code);
    } else if (change->change_case == PL__CALL_CHANGE__CHANGE_CALLER_NUMBER) {
        set_string(&record->caller_number, change->caller_number);
    } else if (change->change_case == PL__CALL_CHANGE__CHANGE_TIME_ZONE) {
        set_string(&record->time_zone, change->time_zone);
    } else {
        set_string(&record->continued_as, change->continued_as);
    }
}

/* A change that names nothing could neither be found nor replaced later. */
static bool usable(const Pl__CallChange *change)
{
    switch (change->change_case) {
    case PL__CALL_CHANGE__CHANGE_MESSAGE:
        return change->message && change->message->number != 0;
    case PL__CALL_CHANGE__CHANGE_CLAIM:
        return change->claim && *text_of(change->claim->name);
    case PL__CALL_CHANGE__CHANGE_REMINDER:
        return change->reminder && *text_of(change->reminder->title);
    case PL__CALL_CHANGE__CHANGE_NEXT:
        return change->next != NULL;
    case PL__CALL_CHANGE__CHANGE_SYNTHESIS:
        return change->synthesis != NULL;
    case PL__CALL_CHANGE__CHANGE_ENDED:
        return change->ended != NULL;
    case PL__CALL_CHANGE__CHANGE_VOICE:
        return change->voice != NULL;
    case PL__CALL_CHANGE__CHANGE_RECORDING:
        return change->recording != NULL;
    case PL__CALL_CHANGE__CHANGE_APPENDED:
        return change->appended != NULL;
    case PL__CALL_CHANGE__CHANGE_REMINDER_OUTCOME:
        return change->reminder_outcome && *text_of(change->reminder_outcome->title);
    case PL__CALL_CHANGE__CHANGE_IN_PROGRESS:
    case PL__CALL_CHANGE__CHANGE_LANG_SHORT_CODE:
    case PL__CALL_CHANGE__CHANGE_RECOGNITION_RETRY:
    case PL__CALL_CHANGE__CHANGE_PROSODY_RATE:
    case PL__CALL_CHANGE__CHANGE_LAST_INTERACTION_AT_MS:
    case PL__CALL_CHANGE__CHANGE_CALLER_NUMBER:
    case PL__CALL_CHANGE__CHANGE_TIME_ZONE:
    case PL__CALL_CHANGE__CHANGE_CONTINUED_AS:
        return true;
    case PL__CALL_CHANGE__CHANGE__NOT_SET:
    case _PL__CALL_CHANGE__CHANGE__CASE_IS_INT_SIZE:
        break;
    }
    return false;
}

pl_err_t pl_record_check(const Pl__CallChange *change)
{
    return usable(change) ? PL_OK : PL_INVALID;
}

pl_err_t pl_record_apply(Pl__CallRecord *record, const Pl__CallChange *change)
{
    if (!usable(change)) return PL_INVALID;
    switch (change->change_case) {
    case PL__CALL_CHANGE__CHANGE_MESSAGE:
        apply_message(record, change->message);
        break;
    case PL__CALL_CHANGE__CHANGE_APPENDED:
        apply_appended(record, change->appended);
        break;
    case PL__CALL_CHANGE__CHANGE_REMINDER_OUTCOME:
        apply_outcome(record, change->reminder_outcome);
        break;
    case PL__CALL_CHANGE__CHANGE_CLAIM:
        apply_claim(record, change->claim);
        break;
    case PL__CALL_CHANGE__CHANGE_REMINDER:
        apply_reminder(record, change->reminder);
        break;
    case PL__CALL_CHANGE__CHANGE_LANG_SHORT_CODE:
    case PL__CALL_CHANGE__CHANGE_CALLER_NUMBER:
    case PL__CALL_CHANGE__CHANGE_TIME_ZONE:
    case PL__CALL_CHANGE__CHANGE_CONTINUED_AS:
        apply_text(record, change);
        break;
    case PL__CALL_CHANGE__CHANGE_IN_PROGRESS:
        record->in_progress = change->in_progress;
        break;
    case PL__CALL_CHANGE__CHANGE_NEXT:
        apply_next(record, change->next);
        break;
    case PL__CALL_CHANGE__CHANGE_SYNTHESIS:
        apply_synthesis(record, change->synthesis);
        break;
    case PL__CALL_CHANGE__CHANGE_ENDED:
        apply_ended(record, change->ended);
        break;
    case PL__CALL_CHANGE__CHANGE_RECORDING:
        apply_recording(record, change->recording);
        break;
    case PL__CALL_CHANGE__CHANGE_VOICE:
        apply_voice(record, change->voice);
        break;
    case PL__CALL_CHANGE__CHANGE_RECOGNITION_RETRY:
        record->recognition_retry = change->recognition_retry;
        break;
    case PL__CALL_CHANGE__CHANGE_PROSODY_RATE:
        record->prosody_rate = change->prosody_rate;
        break;
    case PL__CALL_CHANGE__CHANGE_LAST_INTERACTION_AT_MS:
        record->last_interaction_at_ms = change->last_interaction_at_ms;
        break;
    case PL__CALL_CHANGE__CHANGE__NOT_SET:
    case _PL__CALL_CHANGE__CHANGE__CASE_IS_INT_SIZE:
        break;
    }
    return PL_OK;
}

/* ---- looking things up ---- */

const char *pl_record_caller(const Pl__CallRecord *record)
{
    if (*text_of(record->caller_number)) return record->caller_number;
    return record->initiate ? text_of(record->initiate->phone_number) : "";
}

double pl_record_rate(const Pl__CallRecord *record)
{
    if (record->prosody_rate > 0) return record->prosody_rate;
    double asked = record->initiate ? record->initiate->prosody_rate : 0;
    return asked > 0 ? asked : 1;
}

const Pl__ClaimValue *pl_record_claim(const Pl__CallRecord *record, const char *name)
{
    for (size_t i = 0; i < record->n_claim; i++) {
        if (strcmp(text_of(record->claim[i]->name), name) == 0) return record->claim[i];
    }
    return NULL;
}

const Pl__ClaimField *pl_record_field(const Pl__CallRecord *record, const char *name)
{
    if (!record->initiate) return NULL;
    for (size_t i = 0; i < record->initiate->n_claim; i++) {
        const Pl__ClaimField *field = record->initiate->claim[i];
        if (strcmp(text_of(field->name), name) == 0) return field;
    }
    return NULL;
}

Pl__ReminderState pl_record_reminder_state(const Pl__Reminder *reminder)
{
    if (reminder->ended_at_ms) return PL__REMINDER_STATE__REMINDER_ENDED;
    if (reminder->fired_at_ms) return PL__REMINDER_STATE__REMINDER_OPEN;
    return PL__REMINDER_STATE__REMINDER_UPCOMING;
}
