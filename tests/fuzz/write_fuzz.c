/* write_fuzz.c - any bytes as an envelope with a request to the store: libFuzzer's target.
 *
 * What must hold: a write is refused or decided, a record stays one that can be packed, read again
 * and is within its size.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"
#include "services/persistence/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds) abort();
}

static void check_record(const Pl__CallRecord *record)
{
    size_t size = pl__call_record__get_packed_size(record);
    require(size <= RECORD_BYTES_MAX);
    Pl__CallRecord *again = pl_record_copy(record);
    require(pl__call_record__get_packed_size(again) == size);
    pl_record_free(&again);
}

static Pl__CallRecord *stored_record(const char *call_id)
{
    Pl__CallRecord record = PL__CALL_RECORD__INIT;
    record.call_id = (char *)call_id;
    record.owner = "dialogue-0";
    record.epoch = 1;
    record.version = 1;
    return pl_record_copy(&record);
}

static void decide(const Pl__Envelope *env)
{
    write_t *write = NULL;
    char detail[STORE_DETAIL_BYTES] = "";
    if (write_new(&write, env, 1, detail)) return;
    const write_trace_t traces[] = {{0}, {write->content, write->content_bytes, 1}};
    for (size_t i = 0; i < 2; i++) {
        Pl__CallRecord *record = write->kind == WRITE_CREATE ? NULL : stored_record(write->call_id);
        write_reset(write);
        pl_err_t err = write_decide(write, &record, &traces[i]);
        require(err == write->err);
        if (record) check_record(record);
        pl_record_free(&record);
    }
    write_destroy(&write);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Pl__Envelope *env = pl__envelope__unpack(NULL, size, data);
    if (!env) return 0;
    bool ours = env->body_case == PL__ENVELOPE__BODY_STORE_CREATE ||
                env->body_case == PL__ENVELOPE__BODY_STORE_APPLY ||
                env->body_case == PL__ENVELOPE__BODY_STORE_ADOPT;
    if (ours) decide(env);
    pl__envelope__free_unpacked(env, NULL);
    return 0;
}
