/* reminding.h - reminders, as jobs: kind reminder, when one falls due; kind reminder_end, when somebody
 * has ticked one off.
 *
 * What is done goes by the owner: the customer is sent an SMS or rung (dialogue.reminders.customer), for
 * the assistant the customer is rung or an entry is made (dialogue.reminders.assistant), for anybody
 * else an entry is made: it stands in GET /reminders as open until it is ticked off. What cannot be done
 * becomes an entry as well. A reminder that was ended, or put off meanwhile, is left alone.
 *
 * A call is dialled at most once: its id is noted with the job before, and whoever takes the job up
 * again finds that call's record, or makes it.
 *
 * Threads: all on the loop's thread.
 */
#ifndef DIALOGUE_WORK_REMINDING_H
#define DIALOGUE_WORK_REMINDING_H

#include "services/dialogue/work/work.h"

extern const work_kind_t work_reminder, work_reminder_end;

/* PL_INVALID: no such action. */
pl_err_t reminding_action(const char *name, reminder_action_t *out);

#endif
