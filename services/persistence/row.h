/* row.h - what every store provider keeps of records and jobs in rows: packed, and the columns that
 * look-ups need.
 *
 * Threads: none; values only. Packed bytes are malloc's.
 */
#ifndef PERSISTENCE_ROW_H
#define PERSISTENCE_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "job.pb-c.h"
#include "store.pb-c.h"

uint8_t *row_pack(const ProtobufCMessage *message, size_t *bytes); /* never NULL */

/* Packed as a list shows it, with its call; *state: as the list is filtered. */
uint8_t *row_reminder(const Pl__CallRecord *record, Pl__Reminder *reminder, size_t *bytes,
                      int *state);

const char *row_number(const Pl__CallRecord *record);       /* the caller's; "" for none */
const char *row_policyholder(const Pl__CallRecord *record); /* the claim's; NULL: none */

/* States to be listed are kept as bits; one that does not exist has none. */
enum { ROW_STATES = 8 };
uint32_t row_state_bit(int state);

/* Callers who show no number all look the same: a number look-up must never find one of them. */
bool row_is_number(const char *phone_number);

#endif
