#include "services/dialogue/postcall.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"
#include "services/dialogue/label.h"
#include "services/dialogue/nlu/civil.h"
#include "services/dialogue/nlu/text.h"

enum { TEXT_BYTES = 4096, BRIEF_VALUE = 60 };

static bool is_said(const Pl__Message *message)
{
    return message->persona == PL__PERSONA__HUMAN && message->content[0] &&
           (message->action == PL__ACTION__TALK || message->action == PL__ACTION__SMS);
}

bool postcall_interaction(const Pl__CallRecord *record)
{
    for (size_t i = 0; i < record->n_messages; i++) {
        if (is_said(record->messages[i])) return true;
    }
    return false;
}

bool postcall_worth(const Pl__CallRecord *record)
{
    for (size_t i = record->n_messages; i-- > 0;) {
        if (record->messages[i]->action == PL__ACTION__CALL) return false; /* it began here */
        if (is_said(record->messages[i])) return true;
    }
    return false;
}

typedef struct {
    size_t fields, filled, confirmed;
    bool wanted_human;
} outcome_t;

/* Fields that everyone's claim has are counted only when they hold something. */
static bool counts(const Pl__CallRecord *record, const Pl__ClaimField *field)
{
    const Pl__ClaimValue *value = pl_record_claim(record, field->name);
    bool filled = value && value->value[0];
    return filled || strncmp(field->name, "policyholder_", 13) != 0;
}

static outcome_t outcome_of(const Pl__CallRecord *record)
{
    outcome_t out = {0};
    const Pl__Initiate *initiate = record->initiate;
    for (size_t i = 0; initiate && i < initiate->n_claim; i++) {
        const Pl__ClaimField *field = initiate->claim[i];
        const Pl__ClaimValue *value = pl_record_claim(record, field->name);
        if (!counts(record, field)) continue;
        out.fields++;
        if (!value || !value->value[0]) continue;
        out.filled++;
        if (value->confirmed) out.confirmed++;
    }
    for (size_t i = 0; i < record->n_messages; i++) {
        const Pl__Message *message = record->messages[i];
        for (size_t k = 0; k < message->n_tool_calls; k++) {
            const char *name = message->tool_calls[k]->function_name;
            if (strcmp(name, "talk_to_human") == 0) out.wanted_human = true;
        }
    }
    return out;
}

static Pl__Satisfaction satisfaction_of(const Pl__CallRecord *record, const outcome_t *outcome)
{
    bool transferred = record->ended == PL__LEG_END__LEG_TRANSFERRED;
    if (outcome->wanted_human && !transferred) return PL__SATISFACTION__LOW;
    if (outcome->fields == 0) return PL__SATISFACTION__UNKNOW;
    if (outcome->confirmed == outcome->fields) return PL__SATISFACTION__HIGH;
    if (outcome->filled * 2 >= outcome->fields) return PL__SATISFACTION__PARTIAL_SATISFACTION;
    return PL__SATISFACTION__LOW;
}

static void append(char *out, size_t bytes, const char *text)
{
    size_t n = strlen(out);
    snprintf(out + n, bytes - n, "%s", text);
}

/* Contact details and names stay out of what is sent and shown in lists. */
static bool personal(const Pl__ClaimField *field)
{
    char label[LABEL_BYTES];
    return field->type == PL__CLAIM_TYPE__EMAIL || field->type == PL__CLAIM_TYPE__PHONE_NUMBER ||
           text_kind_of(label_bare(field, label)) == TEXT_PERSON;
}

static void write_value(const Pl__ClaimField *field, const char *value, char *out, size_t bytes)
{
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    civil_t at;
    bool timed = false;
    if (field->type != PL__CLAIM_TYPE__DATETIME || !civil_parse(value, &at, &timed)) {
        snprintf(out, bytes, "%.500s", value);
        return;
    }
    int n = snprintf(out, bytes, "%d %s %d", at.day, months[at.month - 1], at.year);
    if (timed) snprintf(out + n, bytes - (size_t)n, " at %02d:%02d", at.hour, at.minute);
}

/* "a case about dell laptop", cut at a word. */
static void write_brief(const Pl__CallRecord *record, char *out, size_t bytes)
{
    const Pl__Initiate *initiate = record->initiate;
    for (size_t i = 0; i < initiate->n_claim; i++) {
        const Pl__ClaimField *field = initiate->claim[i];
        const Pl__ClaimValue *value = pl_record_claim(record, field->name);
        bool usable = value && value->value[0] && field->type == PL__CLAIM_TYPE__TEXT;
        if (!usable || personal(field)) continue;
        size_t n = strlen(value->value);
        if (n > BRIEF_VALUE) {
            n = BRIEF_VALUE;
            while (n > 0 && value->value[n] != ' ') n--;
        }
        snprintf(out, bytes, "a case about %.*s", (int)n, value->value);
        return;
    }
    snprintf(out, bytes, "a conversation with %s",
             initiate->bot_company[0] ? initiate->bot_company : "us");
}

static void write_list(const Pl__CallRecord *record, bool filled, char *out, size_t bytes)
{
    const Pl__Initiate *initiate = record->initiate;
    bool first = true;
    for (size_t i = 0; i < initiate->n_claim; i++) {
        const Pl__ClaimField *field = initiate->claim[i];
        const Pl__ClaimValue *value = pl_record_claim(record, field->name);
        bool has = value && value->value[0];
        if (has != filled || !counts(record, field) || (filled && personal(field))) continue;
        char label[LABEL_BYTES];
        char text[512];
        append(out, bytes, first ? "" : filled ? "; " : ", ");
        append(out, bytes, "**");
        append(out, bytes, label_bare(field, label));
        append(out, bytes, "**");
        if (filled) {
            write_value(field, value->value, text, sizeof text);
            append(out, bytes, " ");
            append(out, bytes, text);
        }
        first = false;
    }
}

static void write_detail(const Pl__CallRecord *record, const outcome_t *outcome, char *out,
                         size_t bytes)
{
    char list[TEXT_BYTES] = "";
    out[0] = '\0';
    write_list(record, true, list, sizeof list);
    if (list[0]) {
        append(out, bytes, "Here is what you told me: ");
        append(out, bytes, list);
        append(out, bytes, ". ");
    } else {
        append(out, bytes, "We spoke about your request. ");
    }
    list[0] = '\0';
    write_list(record, false, list, sizeof list);
    if (list[0]) {
        append(out, bytes, "I still need from you: ");
        append(out, bytes, list);
        append(out, bytes, ".");
    } else if (outcome->fields) {
        append(out, bytes, "I have everything I need, and a colleague is looking at your case.");
    } else {
        append(out, bytes, "A colleague is looking at it.");
    }
}

static void write_improvement(const Pl__CallRecord *record, const outcome_t *outcome, char *out,
                              size_t bytes)
{
    char list[TEXT_BYTES] = "";
    write_list(record, false, list, sizeof list);
    if (list[0]) {
        snprintf(out, bytes,
                 "Ask again for %.2000s, perhaps with a clearer description of the field.", list);
    } else if (outcome->confirmed < outcome->fields) {
        snprintf(out, bytes, "Have the caller confirm every value before the call ends.");
    } else if (outcome->wanted_human) {
        snprintf(out, bytes, "Have a colleague reachable while calls are made.");
    } else {
        snprintf(out, bytes, "Nothing stands out.");
    }
}

static void write_next(const Pl__CallRecord *record, const outcome_t *outcome, Pl__Next *next,
                       char *out, size_t bytes)
{
    if (record->ended == PL__LEG_END__LEG_TRANSFERRED) {
        next->action = PL__NEXT_ACTION__REQUIRES_EXPERTISE;
        snprintf(out, bytes, "The caller asked for a colleague and was transferred.");
    } else if (outcome->filled < outcome->fields) {
        next->action = PL__NEXT_ACTION__CUSTOMER_WILL_SEND_INFO;
        snprintf(out, bytes,
                 "%zu of %zu facts are known; the customer still has to give the others.",
                 outcome->filled, outcome->fields);
    } else {
        next->action = PL__NEXT_ACTION__REQUIRES_EXPERTISE;
        snprintf(out, bytes,
                 outcome->fields ? "All the facts asked for are known, so a colleague can work on "
                                   "the case."
                                 : "Nothing had to be asked; a colleague should read the "
                                   "conversation.");
    }
}

static char *text_copy(const char *text)
{
    char *copy = strdup(text);
    assert(copy);
    return copy;
}

Pl__Synthesis *postcall_synthesis(const Pl__CallRecord *record)
{
    outcome_t outcome = outcome_of(record);
    char brief[256] = "";
    char text[TEXT_BYTES] = "";
    char improvement[TEXT_BYTES] = "";
    write_brief(record, brief, sizeof brief);
    write_detail(record, &outcome, text, sizeof text);
    write_improvement(record, &outcome, improvement, sizeof improvement);
    Pl__Synthesis *synthesis = malloc(sizeof *synthesis);
    assert(synthesis);
    pl__synthesis__init(synthesis);
    synthesis->brief = text_copy(brief);
    synthesis->detail = text_copy(text);
    synthesis->improvement_suggestions = text_copy(improvement);
    synthesis->satisfaction = satisfaction_of(record, &outcome);
    return synthesis;
}

Pl__Next *postcall_next(const Pl__CallRecord *record)
{
    outcome_t outcome = outcome_of(record);
    char text[TEXT_BYTES] = "";
    Pl__Next *next = malloc(sizeof *next);
    assert(next);
    pl__next__init(next);
    write_next(record, &outcome, next, text, sizeof text);
    next->justification = text_copy(text);
    return next;
}

/* ---- the end ---- */

void postcall_jobs(const Pl__CallRecord *record, effects_t *fx)
{
    static const char *const kinds[] = {"synthesis", "next", "sms_report"};
    if (!record->initiate || !postcall_worth(record)) return;
    /* The same work as long as nothing more was said: a later end of the call takes its place. */
    char payload[64];
    uint32_t last = record->messages[record->n_messages - 1]->number;
    (void)snprintf(payload, sizeof payload, "{\"last_message\":%" PRIu32 "}", last);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char key[128];
        Pl__JobSpec job = PL__JOB_SPEC__INIT;
        (void)snprintf(key, sizeof key, "%s/%.64s", kinds[i], record->call_id);
        job.key = key;
        job.kind = (char *)kinds[i];
        job.payload.data = (uint8_t *)payload;
        job.payload.len = strlen(payload);
        job.max_attempts = POSTCALL_ATTEMPTS;
        job.mode = PL__JOB_MODE__JOB_REPLACE;
        (void)fx_job(fx, &job);
    }
}

void postcall_end(Pl__CallRecord *record, Pl__LegEnd end, const char *detail, bool answered,
                  effects_t *fx)
{
    Pl__LegEnded ended = PL__LEG_ENDED__INIT;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    ended.end = end;
    ended.detail = (char *)detail;
    change.change_case = PL__CALL_CHANGE__CHANGE_ENDED;
    change.ended = &ended;
    pl_err_t err = pl_record_apply(record, &change);
    assert(err == PL_OK); /* we made it */
    (void)err;
    (void)fx_store(fx, &change);
    if (answered) postcall_jobs(record, fx);
}
