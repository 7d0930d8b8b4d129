/* reminder.h - when a reminder falls due, and the job that will see to it then.
 *
 * There is one job of a title in a call: a reminder that is put off puts its job off, too, and one that
 * is ended takes its job away.
 *
 * Threads: none; values only.
 */
#ifndef DIALOGUE_REMINDER_H
#define DIALOGUE_REMINDER_H

#include <stdbool.h>
#include <stdint.h>

#include "call.pb-c.h"
#include "job.pb-c.h"
#include "services/dialogue/value.h"

enum { REMINDER_KEY_BYTES = 160, REMINDER_ATTEMPTS = 10 };

typedef enum { REMINDER_OF_CUSTOMER, REMINDER_OF_ASSISTANT, REMINDER_OF_OTHERS } reminder_owner_t;

reminder_owner_t reminder_owner(const char *owner); /* "customer", "Assistant", whoever */

/* A moment as a model gave it (value_check has passed it) to what is stored: as the wall clock of the
 * caller's zone has it, and in ms since the epoch. With "Z" or an offset it is that one, else in the
 * zone; a date alone is 9 o'clock. */
void reminder_due(const char *text, const char *zone, char due[VALUE_BYTES], int64_t *due_at_ms);

typedef struct {
    char key[REMINDER_KEY_BYTES];
    char *payload; /* {"title":..., "due":...} */
    Pl__JobSpec spec;
} reminder_job_t;

/* The job of a reminder with due_at_ms; of one that is ended, what drops its job. */
void reminder_job(reminder_job_t *out, const char *call_id, const Pl__Reminder *reminder);
void reminder_job_free(reminder_job_t *self);

#endif
