/* record.h - a call's record: deep copies, and the one way it changes.
 *
 * persistence applies a CallChange to the durable record, dialogue to its own copy; both by this
 * code, so that they cannot differ. All memory is malloc's; free with pl_record_free.
 * Threads: none of its own.
 */
#ifndef PL_COMMON_RECORD_H
#define PL_COMMON_RECORD_H

#include "call.pb-c.h"
#include "common/err.h"
#include "store.pb-c.h"

enum { PL_CLAIM_FORMER_MAX = 10 }; /* earlier values kept for one claim field, the latest ones */

Pl__CallRecord *pl_record_copy(const Pl__CallRecord *record); /* never NULL */
void pl_record_free(Pl__CallRecord **record_p);

/* Applies one change, copying what it needs. record must come from pl_record_copy or the unpacker.
 * - message: replaces the one of its number, else goes in by number. An appended one of that number
 *   moves to the end instead: the call's owner, who gives the numbers, did not know of it.
 * - appended: a message from a job, which does not own the call; goes in last, under a new number.
 * - claim: replaces the one of its name. Its earlier values are kept here, whatever the change says
 *   of them: the value it replaces is added, with where it came from, unless it is empty or the
 *   same; and whether a value is a correction is told by that.
 * - reminder: replaces the one of its title, which keeps its first created_at and, while it is due at
 *   the same time, what was done about it.
 * - reminder_outcome: of the reminder of that title and time; none: nothing is done.
 * - The others replace the record's field of that name.
 * PL_INVALID: no known change, or a message without number, a claim without name, a reminder
 * without title; nothing done. */
pl_err_t pl_record_apply(Pl__CallRecord *record, const Pl__CallChange *change);

/* PL_INVALID exactly where pl_record_apply would be, whatever the record. */
pl_err_t pl_record_check(const Pl__CallChange *change);

/* The number of who is on the line: E.164 or "anonymous". */
const char *pl_record_caller(const Pl__CallRecord *record);
double pl_record_rate(const Pl__CallRecord *record); /* speed of speech; 1 where none is set */

/* NULL when absent; borrowed. */
const Pl__ClaimValue *pl_record_claim(const Pl__CallRecord *record, const char *name);
const Pl__ClaimField *pl_record_field(const Pl__CallRecord *record, const char *name);

/* Ended, open (due, and somebody has to see to it), or neither: upcoming. */
Pl__ReminderState pl_record_reminder_state(const Pl__Reminder *reminder);

/* Any protobuf-c message, copied by packing and unpacking. Never NULL. */
ProtobufCMessage *pl_message_copy(const ProtobufCMessage *message);

#endif
