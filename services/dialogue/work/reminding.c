#include "services/dialogue/work/reminding.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/record.h"
#include "services/dialogue/nlu/civil.h"
#include "services/dialogue/nlu/phone.h"
#include "services/dialogue/reminder.h"
#include "services/dialogue/uuid.h"
#include "services/dialogue/work/notices.h"
#include "services/dialogue/work/texting.h"

enum { KEY_BYTES = 200, LOOK_UP_MS = 3000, TASK_BYTES = 4096, DUE_BYTES = 64 };

/* A call out that is being begun; the work may be gone before it has. */
typedef struct {
    work_t *work; /* NULL: gone */
} calling_t;

typedef struct {
    const Pl__Reminder *reminder; /* of the work's record */
    texting_t *texting;
    calling_t *calling;
    char call_id[UUID_BYTES]; /* of the call out */
} reminding_t;

pl_err_t reminding_action(const char *name, reminder_action_t *out)
{
    static const char *const names[] = {"entry", "sms", "call"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], name) != 0) continue;
        *out = (reminder_action_t)i;
        return PL_OK;
    }
    return PL_INVALID;
}

static void free_reminding(work_t *work)
{
    reminding_t *self = work_kept(work);
    if (!self) return;
    texting_free(&self->texting);
    if (self->calling) self->calling->work = NULL;
    free(self);
    work_keep(work, NULL);
}

/* ---- which ---- */

/* The reminder that the job is about, as the call has it now; NULL when it is no more, or is due at
 * another time. */
static const Pl__Reminder *find(const work_t *work, bool any_time)
{
    const ProtobufCBinaryData *bytes = &work_job(work)->payload;
    const Pl__CallRecord *record = work_record(work);
    cJSON *json = cJSON_ParseWithLength((const char *)bytes->data, bytes->len);
    const char *title = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "title"));
    const char *due = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "due"));
    const Pl__Reminder *found = NULL;
    for (size_t i = 0; title && i < record->n_reminders; i++) {
        const Pl__Reminder *reminder = record->reminders[i];
        bool same_time = any_time || (due && strcmp(reminder->due_date_time, due) == 0);
        if (strcmp(reminder->title, title) == 0 && same_time) found = reminder;
    }
    cJSON_Delete(json);
    return found && !found->ended_at_ms ? found : NULL;
}

/* ---- outcomes ---- */

static void make_outcome(Pl__CallChange *change, Pl__ReminderOutcome *body,
                         const Pl__Reminder *reminder, const char *outcome, bool ended)
{
    *change = (Pl__CallChange)PL__CALL_CHANGE__INIT;
    *body = (Pl__ReminderOutcome)PL__REMINDER_OUTCOME__INIT;
    body->title = reminder->title;
    body->due_date_time = reminder->due_date_time;
    body->at_ms = pl_clock_wall_ms();
    body->outcome = (char *)outcome;
    body->ended = ended;
    change->change_case = PL__CALL_CHANGE__CHANGE_REMINDER_OUTCOME;
    change->reminder_outcome = body;
}

static void done_as(work_t *work, const Pl__Reminder *reminder, const char *outcome, bool ended)
{
    Pl__CallChange change;
    Pl__ReminderOutcome body;
    Pl__CallChange *changes[] = {&change};
    make_outcome(&change, &body, reminder, outcome, ended);
    work_done(&work, &(work_result_t){.changes = changes, .n_changes = 1});
}

static void done_as_entry(work_t *work, const Pl__Reminder *reminder)
{
    done_as(work, reminder, "entry", false);
}

/* ---- an SMS ---- */

static void sms_failed(work_t *work, const Pl__Reminder *reminder, const texting_end_t *end)
{
    Pl__CallChange change;
    Pl__ReminderOutcome body;
    Pl__CallChange *changes[] = {&change};
    const Pl__Job *job = work_job(work);
    bool again = !end->unknown && pl_err_retry(end->err) && job->attempts < job->max_attempts;
    make_outcome(&change, &body, reminder, "entry", false);
    work_result_t result = {.changes = changes, .n_changes = 1};
    texting_not_sent(&work, end, again ? NULL : &result);
}

static void on_sent(work_t *work, const texting_end_t *end)
{
    reminding_t *self = work_kept(work);
    if (end->err || end->unknown) {
        sms_failed(work, self->reminder, end);
        free_reminding(work);
        return;
    }
    Pl__CallChange changes[2];
    Pl__CallChange *list[] = {&changes[0], &changes[1]};
    Pl__Message message;
    Pl__ReminderOutcome body;
    texting_message(&changes[0], &message, end->text, notices_lang(work_record(work)));
    make_outcome(&changes[1], &body, self->reminder, "sms", true);
    work_t *ended = work;
    work_done(&ended, &(work_result_t){.changes = list, .n_changes = 2});
    free_reminding(work);
}

static char *write_sms(const work_t *work, const Pl__Reminder *reminder)
{
    const Pl__CallRecord *record = work_record(work);
    char due[DUE_BYTES];
    civil_t at;
    bool timed = false;
    draft_t text = {0};
    (void)snprintf(due, sizeof due, "%.40s", reminder->due_date_time);
    if (civil_parse(reminder->due_date_time, &at, &timed)) {
        int n = snprintf(due, sizeof due, "%04d-%02d-%02d", at.year, at.month, at.day);
        if (timed)
            (void)snprintf(due + n, sizeof due - (size_t)n, " %02d:%02d", at.hour, at.minute);
    }
    const char *values[] = {"title",       reminder->title,
                            "description", reminder->description,
                            "due",         due,
                            "bot_name",    record->initiate->bot_name,
                            "bot_company", record->initiate->bot_company,
                            NULL};
    notices_fill(work_shop(work)->notices, NOTICE_REMINDER, notices_lang(record), values, &text);
    return draft_take(&text);
}

static void send_sms(work_t *work)
{
    reminding_t *self = work_kept(work);
    char key[KEY_BYTES];
    (void)snprintf(key, sizeof key, "%.130s/%.40s", work_job(work)->key,
                   self->reminder->due_date_time);
    char *text = write_sms(work, self->reminder);
    self->texting = texting_new(work, pl_record_caller(work_record(work)), text, key, on_sent);
    free(text);
}

/* ---- a call ---- */

static void on_called(void *arg, pl_err_t err, const char *detail)
{
    calling_t *calling = arg;
    work_t *work = calling->work;
    free(calling);
    if (!work) return;
    reminding_t *self = work_kept(work);
    self->calling = NULL;
    bool again = work_job(work)->attempts < work_job(work)->max_attempts;
    work_t *ended = work;
    if ((err == PL_BUSY || err == PL_TIMEOUT) && again)
        work_fail(&ended, 0, NULL, "the customer was not rung: %s", detail);
    else if (err) /* nobody there, or no line: somebody has to see to it */
        done_as_entry(work, self->reminder);
    else
        done_as(work, self->reminder, "call", true);
    free_reminding(work);
}

static void call_out(work_t *work)
{
    reminding_t *self = work_kept(work);
    const workshop_t *shop = work_shop(work);
    const Pl__CallRecord *record = work_record(work);
    char task[TASK_BYTES];
    Pl__Initiate *initiate = (Pl__Initiate *)pl_message_copy(&record->initiate->base);
    Pl__Initiate asked = *initiate;
    (void)snprintf(task, sizeof task,
                   "You ring the customer because of what was noted in an earlier call: %.400s. "
                   "%.1000s\n%.2500s",
                   self->reminder->title, self->reminder->description, initiate->task);
    asked.task = task;
    asked.phone_number = (char *)pl_record_caller(record);
    asked.lang_default = (char *)notices_lang(record);
    self->calling = calloc(1, sizeof *self->calling);
    assert(self->calling);
    self->calling->work = work;
    shop->call_out(shop->call_out_arg, self->call_id, &asked, on_called, self->calling);
    pl__initiate__free_unpacked(initiate, NULL);
}

static void on_looked_up(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    work_t *work = arg;
    reminding_t *self = work_kept(work);
    if (err == PL_NOT_FOUND) {
        call_out(work);
        return;
    }
    if (err) {
        work_t *failed = work;
        work_fail(&failed, 0, NULL, "whether the call was made cannot be read: %s",
                  pl_bus_error_detail(err, reply));
    } else {
        done_as(work, self->reminder, "call", true);
    }
    free_reminding(work);
}

static void look_up_call(work_t *work)
{
    reminding_t *self = work_kept(work);
    Pl__StoreGet body = PL__STORE_GET__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = self->call_id;
    env.body_case = PL__ENVELOPE__BODY_STORE_GET;
    env.store_get = &body;
    work_ask(work, "persistence", &env, LOOK_UP_MS, on_looked_up, work);
}

static void noted(void *arg)
{
    call_out(arg);
}

/* The id that an earlier attempt has noted, or a new one, noted first. */
static void ring(work_t *work)
{
    reminding_t *self = work_kept(work);
    const ProtobufCBinaryData *progress = &work_job(work)->progress;
    if (progress->len == UUID_BYTES - 1) {
        memcpy(self->call_id, progress->data, UUID_BYTES - 1);
        look_up_call(work);
    } else {
        (void)uuid_draw(self->call_id);
        work_note(work, self->call_id, UUID_BYTES - 1, noted, work);
    }
}

/* ---- beginning ---- */

static reminder_action_t action_of(const work_t *work, const Pl__Reminder *reminder)
{
    const workshop_t *shop = work_shop(work);
    reminder_action_t action = REMINDER_ENTRY;
    switch (reminder_owner(reminder->owner)) {
    case REMINDER_OF_CUSTOMER:
        action = shop->reminders_of_customer;
        break;
    case REMINDER_OF_ASSISTANT:
        action = shop->reminders_of_assistant;
        break;
    case REMINDER_OF_OTHERS:
        break;
    }
    bool reachable = phone_valid(pl_record_caller(work_record(work)));
    if (!reachable || (action == REMINDER_CALL && !shop->call_out)) return REMINDER_ENTRY;
    return action;
}

static void begin(work_t *work)
{
    const Pl__Reminder *reminder = find(work, false);
    if (!reminder || reminder->fired_at_ms) {
        work_done(&work, NULL); /* nobody wants it any more, or not now */
        return;
    }
    reminder_action_t action = action_of(work, reminder);
    if (action == REMINDER_ENTRY) {
        done_as_entry(work, reminder);
        return;
    }
    if (action == REMINDER_CALL && work_record(work)->in_progress) {
        work_fail(&work, 60000, NULL, "the customer is on the line with us");
        return;
    }
    reminding_t *self = calloc(1, sizeof *self);
    assert(self);
    self->reminder = reminder;
    work_keep(work, self);
    if (action == REMINDER_SMS)
        send_sms(work);
    else
        ring(work);
}

/* ---- ticked off ---- */

static void nothing_to_stop(work_t *work)
{
    (void)work;
}

static void end_reminder(work_t *work)
{
    const Pl__Reminder *reminder = find(work, true);
    Pl__CallChange change;
    Pl__ReminderOutcome body;
    Pl__CallChange *changes[] = {&change};
    reminder_job_t job;
    Pl__JobSpec *jobs[] = {&job.spec};
    if (!reminder) {
        work_done(&work, NULL);
        return;
    }
    make_outcome(&change, &body, reminder, "", true);
    reminder_job(&job, work_job(work)->call_id, reminder);
    job.spec.mode = PL__JOB_MODE__JOB_DROP; /* it may still wait for its time */
    work_done(&work,
              &(work_result_t){.changes = changes, .n_changes = 1, .jobs = jobs, .n_jobs = 1});
    reminder_job_free(&job);
}

const work_kind_t work_reminder = {"reminder", true, begin, free_reminding};
const work_kind_t work_reminder_end = {"reminder_end", true, end_reminder, nothing_to_stop};
