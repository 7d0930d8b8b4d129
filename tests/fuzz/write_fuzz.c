/* write_fuzz.c - any bytes as an envelope with a request to the store: libFuzzer's target.
 *
 * What must hold: a write is refused or decided, a record stays one that can be packed, read again
 * and is within its size.
 */
#include <stdbool.h>
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

/* A job as the store may hold it: waiting, leased with lease 7, done or dead. */
static Pl__Job *stored_job(const char *key, const char *call_id, Pl__JobState state)
{
    Pl__Job job = PL__JOB__INIT;
    job.key = (char *)key;
    job.kind = "synthesis";
    job.call_id = (char *)call_id;
    job.state = state;
    job.attempts = 1;
    job.max_attempts = 5;
    job.lease = 7;
    return (Pl__Job *)pl_message_copy(&job.base);
}

static void check_jobs(const write_scene_t *scene)
{
    for (size_t i = 0; i < scene->n_jobs; i++) {
        const Pl__Job *job = scene->jobs[i].job;
        if (!job) continue;
        require(job->attempts <= job->max_attempts);
        require(strlen(job->last_error) <= JOB_REASON_BYTES_MAX);
        require(job->payload.len <= JOB_PAYLOAD_BYTES_MAX);
        ProtobufCMessage *again = pl_message_copy(&job->base);
        protobuf_c_message_free_unpacked(again, NULL);
    }
}

static void fill_jobs(const write_t *write, write_scene_t *scene, size_t round)
{
    bool take = write_take(write) != NULL;
    scene->n_jobs = take ? 3 : write_job_count(write);
    scene->jobs = calloc(scene->n_jobs + 1, sizeof *scene->jobs);
    require(scene->jobs != NULL);
    for (size_t i = 0; i < scene->n_jobs && (round > 0 || take); i++)
        scene->jobs[i].job = stored_job(take ? "key" : write_job_key(write, i), write->call_id,
                                        (Pl__JobState)((i + round) % (take ? 2 : 4)));
}

static void decide(const Pl__Envelope *env)
{
    write_t *write = NULL;
    char detail[STORE_DETAIL_BYTES] = "";
    if (write_new(&write, env, 1, detail)) return;
    const write_trace_t traces[] = {{0}, {write->content, write->content_bytes, 1}};
    for (size_t i = 0; i < 5; i++) {
        write_scene_t scene = {.trace = traces[i == 4]};
        if (write->kind != WRITE_CREATE && write_wants_call(write))
            scene.record = stored_record(write->call_id);
        fill_jobs(write, &scene, i);
        write_reset(write);
        pl_err_t err = write_decide(write, &scene);
        require(err == write->err);
        require(!err || !scene.call_changed);
        if (scene.record) check_record(scene.record);
        check_jobs(&scene);
        pl_record_free(&scene.record);
        for (size_t k = 0; k < scene.n_jobs; k++) job_free(&scene.jobs[k].job);
        free(scene.jobs);
    }
    write_destroy(&write);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Pl__Envelope *env = pl__envelope__unpack(NULL, size, data);
    if (!env) return 0;
    switch (env->body_case) {
    case PL__ENVELOPE__BODY_STORE_CREATE:
    case PL__ENVELOPE__BODY_STORE_APPLY:
    case PL__ENVELOPE__BODY_STORE_ADOPT:
    case PL__ENVELOPE__BODY_JOB_PUT:
    case PL__ENVELOPE__BODY_JOB_TAKE:
    case PL__ENVELOPE__BODY_JOB_RENEW:
    case PL__ENVELOPE__BODY_JOB_DONE:
    case PL__ENVELOPE__BODY_JOB_FAIL:
    case PL__ENVELOPE__BODY_JOB_RETRY:
        decide(env);
        break;
    default: /* not the store's */
        break;
    }
    pl__envelope__free_unpacked(env, NULL);
    return 0;
}
