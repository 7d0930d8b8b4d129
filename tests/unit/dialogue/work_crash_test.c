/* work_crash_test.c - the real dialogue process killed while it does post-call work, again and again,
 * with the real persistence process: in the end all of it is done, each piece exactly once. The test
 * is telephony, and sends a text message once under its key, as the real one does.
 *
 * PARLEY_CRASH_ROUNDS sets how often (12).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/record.h"
#include "services/dialogue/postcall.h"
#include "tests/support/process.h"
#include "tests/unit/persistence/requests.h"

enum {
    JOBS_A_CALL = 3,
    SMS_MS = 5,
    CALLS_A_ROUND = 20,
    CALLS_MAX = 4096,
    ROUNDS = 12,
    DONE_MS = 30000
};

static process_t persistence, dialogue;
static char ids[CALLS_MAX][40];
static size_t calls;
static char sms_keys[CALLS_MAX][128]; /* of the messages that reached a phone */
static size_t sms_sent, sms_repeated;

/* ---- telephony ---- */

/* A carrier takes its time, in which many a worker dies. */
typedef struct {
    pl_request_t *request;
    pl_timer_t *timer;
} answer_t;

static void answer_sms(void *arg)
{
    answer_t *answer = arg;
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    Pl__SmsSent sent = PL__SMS_SENT__INIT;
    sent.delivered = 1;
    reply.body_case = PL__ENVELOPE__BODY_SMS_SENT;
    reply.sms_sent = &sent;
    pl_request_reply(&answer->request, &reply);
    pl_timer_stop(&answer->timer);
    free(answer);
}

static void on_sms(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    const Pl__SmsSend *sms = env->sms_send;
    bool known = false;
    for (size_t i = 0; i < sms_sent && !known; i++) known = strcmp(sms_keys[i], sms->key) == 0;
    if (known) {
        assert_true(sms->again); /* nobody asks twice without saying so */
        sms_repeated++;
    } else {
        assert_true(sms_sent < CALLS_MAX);
        (void)snprintf(sms_keys[sms_sent++], sizeof sms_keys[0], "%s", sms->key);
    }
    answer_t *answer = calloc(1, sizeof *answer);
    assert_non_null(answer);
    answer->request = request;
    answer->timer = pl_timer_start(persistence.loop, SMS_MS, 0, answer_sms, answer);
}

/* ---- calls that have just ended ---- */

static void add_message(Pl__CallRecord *record, uint32_t number, Pl__Action action,
                        Pl__Persona persona, const char *content)
{
    Pl__Message message = PL__MESSAGE__INIT;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    message.number = number;
    message.action = action;
    message.persona = persona;
    message.content = (char *)content;
    change.change_case = PL__CALL_CHANGE__CHANGE_MESSAGE;
    change.message = &message;
    assert_int_equal(pl_record_apply(record, &change), PL_OK);
}

/* What dialogue sends at the end of a call. */
static void end_call(Pl__CallRecord *record)
{
    effects_t fx = {0};
    postcall_end(record, PL__LEG_END__LEG_BYE_REMOTE, "", true, &fx);
    Pl__StoreApply apply = PL__STORE_APPLY__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__CallChange *changes[8];
    Pl__JobSpec *jobs[8];
    effect_t *effects[8];
    size_t n = 0;
    for (effect_t *effect = NULL; (effect = fx_take(&fx)); n++) {
        assert_true(n < 8);
        effects[n] = effect;
        if (effect->change) changes[apply.n_changes++] = effect->change;
        if (effect->job) jobs[apply.n_jobs++] = effect->job;
    }
    assert_int_equal(apply.n_jobs, JOBS_A_CALL);
    apply.write_id = 1;
    apply.changes = changes;
    apply.jobs = jobs;
    env.call_id = record->call_id;
    env.epoch = 1;
    env.body_case = PL__ENVELOPE__BODY_STORE_APPLY;
    env.store_apply = &apply;
    assert_int_equal(process_ask(&persistence, &env, NULL), PL_OK);
    for (size_t i = 0; i < n; i++) fx_free(&effects[i]);
}

static void make_call(void)
{
    create_t create;
    assert_true(calls < CALLS_MAX);
    char *id = ids[calls++];
    (void)snprintf(id, sizeof ids[0], "%08zx-0000-4000-8000-000000000000", calls);
    (void)make_create(&create, id, "+15550100", 1000);
    create.call.in_progress = 0;
    create.initiate.lang_default = "en-US";
    Pl__CallRecord *record = pl_record_copy(&create.call);
    add_message(record, 1, PL__ACTION__CALL, PL__PERSONA__HUMAN, "");
    add_message(record, 2, PL__ACTION__TALK, PL__PERSONA__HUMAN, "my laptop is broken");
    add_message(record, 3, PL__ACTION__HANGUP, PL__PERSONA__HUMAN, "");
    create.create.call = record;
    assert_int_equal(process_ask(&persistence, &create.env, NULL), PL_OK);
    end_call(record);
    pl_record_free(&record);
}

/* ---- the check ---- */

static uint64_t open_jobs(uint64_t *dead)
{
    keyed_t keyed;
    Pl__Envelope *reply = NULL;
    Pl__Envelope *env = make_job_list(&keyed, "");
    keyed.list.count = 1;
    assert_int_equal(process_ask(&persistence, env, &reply), PL_OK);
    uint64_t open = 0;
    *dead = 0;
    for (size_t i = 0; i < reply->jobs->n_counts; i++) {
        const Pl__JobCount *count = reply->jobs->counts[i];
        *(count->state == PL__JOB_STATE__JOB_DEAD ? dead : &open) += count->count;
    }
    pl__envelope__free_unpacked(reply, NULL);
    return open;
}

static void check_call(const char *id)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__StoreGet get = PL__STORE_GET__INIT;
    Pl__Envelope *reply = NULL;
    env.call_id = (char *)id;
    env.body_case = PL__ENVELOPE__BODY_STORE_GET;
    env.store_get = &get;
    assert_int_equal(process_ask(&persistence, &env, &reply), PL_OK);
    const Pl__CallRecord *record = reply->store_call->call;
    assert_non_null(record->synthesis);
    assert_non_null(record->next);
    assert_int_equal(record->n_messages, 4);
    assert_int_equal(record->messages[3]->action, PL__ACTION__SMS);
    /* Created, ended, and one write for each job: a second result would be one version more. */
    assert_int_equal(record->version, 2 + JOBS_A_CALL);
    pl__envelope__free_unpacked(reply, NULL);
}

/* ---- rounds ---- */

static void start_dialogue(void)
{
    process_start(&dialogue, NULL);
}

static void post_call_work_is_done_once_however_often_its_worker_is_killed(void **state)
{
    (void)state;
    const char *rounds_text = getenv("PARLEY_CRASH_ROUNDS");  // NOLINT(concurrency-mt-unsafe)
    long rounds = rounds_text ? strtol(rounds_text, NULL, 10) : ROUNDS;
    uint32_t seed = 20261123;
    size_t killed_at_work = 0;
    for (long round = 0; round < rounds; round++) {
        uint64_t dead = 0;
        uint64_t before = open_jobs(&dead);
        for (int i = 0; i < CALLS_A_ROUND; i++) make_call();
        seed = seed * 1664525u + 1013904223u;
        start_dialogue();
        /* It has begun: with anything, or, every second time, with a message. */
        uint64_t until_ms = pl_clock_ms() + DONE_MS;
        size_t sent = sms_sent;
        while (round % 2 ? sms_sent == sent
                         : open_jobs(&dead) >= before + JOBS_A_CALL * (uint64_t)CALLS_A_ROUND) {
            assert_true(pl_clock_ms() < until_ms);
            process_run_ms(&persistence, 1);
        }
        process_run_ms(&persistence, (seed >> 16) % 12);
        assert_int_equal(process_stop(&dialogue, SIGKILL), 256 + SIGKILL);
        uint64_t open = open_jobs(&dead);
        killed_at_work += open > 0 && open < before + JOBS_A_CALL * (uint64_t)CALLS_A_ROUND;
    }
    start_dialogue();
    uint64_t dead = 0;
    uint64_t until_ms = pl_clock_ms() + DONE_MS;
    while (open_jobs(&dead) > 0) {
        assert_true(pl_clock_ms() < until_ms);
        process_run_ms(&persistence, 20);
    }
    assert_int_equal(dead, 0);
    assert_true(killed_at_work > 0); /* else it was killed before any work */
    for (size_t i = 0; i < calls; i++) check_call(ids[i]);
    assert_int_equal(sms_sent, calls);
    assert_true(sms_repeated > 0); /* else none was killed while it sent */
    assert_int_equal(process_stop(&dialogue, SIGTERM), 0);
    print_message("%zu calls, killed %ld times, %zu of them in the middle of the work; %zu text "
                  "messages asked for again\n",
                  calls, rounds, killed_at_work, sms_repeated);
}

static int setup(void **state)
{
    (void)state;
    pl_signals_init();
    process_make_folder(&persistence, "persistence");
    persistence.client = "telephony";
    persistence.settings[0] = "bus.heartbeat_ms=50";
    process_start(&persistence, NULL);
    process_connect(&persistence);
    pl_bus_on(persistence.bus, PL__ENVELOPE__BODY_SMS_SEND, on_sms, NULL);
    process_await_up(&persistence);
    dialogue = (process_t){.service = "dialogue"};
    memcpy(dialogue.folder, persistence.folder, sizeof dialogue.folder);
    dialogue.settings[0] = "bus.heartbeat_ms=50";
    dialogue.settings[1] = "dialogue.jobs.lease_sec=1";
    dialogue.settings[2] = "dialogue.jobs.poll_ms=200";
    dialogue.settings[3] = "dialogue.jobs.concurrency=2";
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (dialogue.pid > 0) (void)process_stop(&dialogue, SIGKILL);
    process_clean_up(&persistence);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            post_call_work_is_done_once_however_often_its_worker_is_killed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
