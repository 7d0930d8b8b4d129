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

Pl__CallRecord *pl_record_copy(const Pl__CallRecord *record); /* never NULL */
void pl_record_free(Pl__CallRecord **record_p);

/* Applies one change, copying what it needs. PL_INVALID: no known change in it; nothing done. */
pl_err_t pl_record_apply(Pl__CallRecord *record, const Pl__CallChange *change);

/* NULL when absent; borrowed. */
const Pl__ClaimValue *pl_record_claim(const Pl__CallRecord *record, const char *name);
const Pl__ClaimField *pl_record_field(const Pl__CallRecord *record, const char *name);

/* Any protobuf-c message, copied by packing and unpacking. Never NULL. */
ProtobufCMessage *pl_message_copy(const ProtobufCMessage *message);

#endif
