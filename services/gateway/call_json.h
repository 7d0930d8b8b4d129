/* call_json.h - a call's record as the public JSON object.
 *
 * Members and spellings are those clients of the original know: call_id, created_at, in_progress,
 * initiate, claim, messages, next, reminders, synthesis. Values set by nobody are left out of
 * claim; next and synthesis are null until they exist. Members beyond those (claim_details, ended,
 * a message's turn, interrupted and latency) are additions that such clients ignore.
 *
 * Threads: none; pure. The output is valid JSON whatever bytes the record holds.
 */
#ifndef GATEWAY_CALL_JSON_H
#define GATEWAY_CALL_JSON_H

#include "call.pb-c.h"
#include "store.pb-c.h"
#include "services/gateway/text.h"

void call_json(text_t *out, const Pl__CallRecord *call);

/* A reminder's members, without the braces. */
void reminder_json(text_t *out, const Pl__Reminder *reminder);

/* The API's spellings; "unknown" for a number this build does not know. */
const char *action_name(Pl__Action action);
const char *persona_name(Pl__Persona persona);
const char *style_name(Pl__Style style);
const char *claim_type_name(Pl__ClaimType type);
const char *next_action_name(Pl__NextAction action);
const char *satisfaction_name(Pl__Satisfaction satisfaction);
const char *leg_end_name(Pl__LegEnd end);
const char *reminder_state_name(Pl__ReminderState state);

#endif
