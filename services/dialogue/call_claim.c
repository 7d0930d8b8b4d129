/* call_claim.c - the tools that change the claim and the reminders. What a model proposes is
 * checked before it is stored, and the result tells what was wrong, field by field. */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/record.h"
#include "services/dialogue/call_internal.h"
#include "services/dialogue/nlu/civil.h"
#include "services/dialogue/reminder.h"
#include "services/dialogue/tools.h"
#include "services/dialogue/value.h"

enum { REMINDERS_MAX = 50 };

/* The newest thing the caller said is where a value comes from. */
static uint32_t newest_utterance(const call_t *self)
{
    const Pl__Message *said = call_newest_utterance(self->record);
    return said ? said->number : 0;
}

static bool same_value(const call_t *self, const char *name, const char *value)
{
    const Pl__ClaimValue *old = pl_record_claim(self->record, name);
    return old && strcmp(old->value, value) == 0;
}

/* True when it was stored. */
static bool update_field(call_t *self, call_now_t now, const cJSON *update, char *out, size_t bytes,
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
        return false;
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
        claim.confirmed = confirmed || old->confirmed;
    }
    change.change_case = PL__CALL_CHANGE__CHANGE_CLAIM;
    change.claim = &claim;
    call_apply(self, &change, fx);
    snprintf(out, bytes, "Updated %.100s. ", name);
    return true;
}

bool call_updated_claim(call_t *self, call_now_t now, const cJSON *args, char *out, size_t bytes,
                        effects_t *fx)
{
    size_t n = 0;
    bool any = false;
    const cJSON *update = NULL;
    cJSON_ArrayForEach(update, cJSON_GetObjectItemCaseSensitive(args, "updates"))
    {
        any = update_field(self, now, update, out + n, bytes - n, fx) || any;
        n += strlen(out + n);
    }
    return any;
}

/* A day without time is over when the day is, by the caller's calendar. */
static bool is_past(const call_t *self, call_now_t now, const char *due, int64_t due_at_ms)
{
    civil_t at;
    bool timed = false;
    if (!civil_parse(due, &at, &timed)) return false;
    if (timed) return due_at_ms < now.wall_ms;
    civil_t today = civil_in(call_zone(self), now.wall_ms);
    return civil_seconds(&at) / 86400 < civil_seconds(&today) / 86400;
}

bool call_reminder(call_t *self, call_now_t now, const cJSON *args, char *out, size_t bytes,
                   effects_t *fx)
{
    char due[VALUE_BYTES];
    const char *reason = "";
    const char *text = tool_string(args, "due_date_time");
    if (value_check(PL__CLAIM_TYPE__DATETIME, text, due, &reason) != PL_OK) {
        snprintf(out, bytes, "Rejected: due_date_time is %s.", reason);
        return false;
    }
    Pl__Reminder item = PL__REMINDER__INIT;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    reminder_due(text, call_zone(self), due, &item.due_at_ms);
    if (is_past(self, now, due, item.due_at_ms)) {
        char iso[PL_CLOCK_ISO_BYTES];
        snprintf(out, bytes, "Rejected: due_date_time is in the past, it is %s now.",
                 pl_clock_iso(now.wall_ms, iso));
        return false;
    }
    const char *title = tool_string(args, "title");
    bool known = false;
    for (size_t i = 0; i < self->record->n_reminders; i++) {
        known = known || strcmp(self->record->reminders[i]->title, title) == 0;
    }
    if (!known && self->record->n_reminders >= REMINDERS_MAX) {
        snprintf(out, bytes, "Rejected: there are %d reminders already.", REMINDERS_MAX);
        return false;
    }
    item.title = (char *)title;
    item.description = (char *)tool_string(args, "description");
    item.owner = (char *)tool_string(args, "owner");
    item.due_date_time = due;
    item.created_at_ms = now.wall_ms;
    change.change_case = PL__CALL_CHANGE__CHANGE_REMINDER;
    change.reminder = &item;
    reminder_job_t job;
    size_t first = fx->count;
    call_apply(self, &change, fx);
    reminder_job(&job, call_id(self), &item);
    (void)fx_job(fx, &job.spec);
    reminder_job_free(&job);
    fx_join(fx, first); /* neither without the other */
    snprintf(out, bytes, "Reminder %s.", known ? "updated" : "noted");
    return true;
}
