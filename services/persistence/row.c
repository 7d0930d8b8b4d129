#include "services/persistence/row.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"

uint8_t *row_pack(const ProtobufCMessage *message, size_t *bytes)
{
    *bytes = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = malloc(*bytes + 1);
    assert(packed);
    (void)protobuf_c_message_pack(message, packed);
    return packed;
}

uint8_t *row_reminder(const Pl__CallRecord *record, Pl__Reminder *reminder, size_t *bytes,
                      int *state)
{
    Pl__CallReminder row = PL__CALL_REMINDER__INIT;
    row.call_id = record->call_id;
    if (record->initiate) {
        row.phone_number = record->initiate->phone_number;
        row.bot_company = record->initiate->bot_company;
    }
    row.state = pl_record_reminder_state(reminder);
    row.reminder = reminder;
    *state = (int)row.state;
    return row_pack(&row.base, bytes);
}

const char *row_number(const Pl__CallRecord *record)
{
    return record->initiate ? record->initiate->phone_number : "";
}

const char *row_policyholder(const Pl__CallRecord *record)
{
    const Pl__ClaimValue *phone = pl_record_claim(record, "policyholder_phone");
    return phone && *phone->value ? phone->value : NULL;
}

uint32_t row_state_bit(int state)
{
    return state >= 0 && state < ROW_STATES ? UINT32_C(1) << state : 0;
}

bool row_is_number(const char *phone_number)
{
    return *phone_number && strcmp(phone_number, "anonymous") != 0;
}
