/* shop.h - for tests of post-call work: a worker on one bus instance, a store of jobs and calls on
 * another, both on the test's loop. Include after cmocka.h; each test program includes it once. */
#ifndef TESTS_DIALOGUE_SHOP_H
#define TESTS_DIALOGUE_SHOP_H

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/bus.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/record.h"
#include "services/dialogue/work/worker.h"

enum { SHOP_JOBS = 32, SHOP_WAIT_MS = 5000 };

typedef struct {
    Pl__Job *job;
    bool taken;
    unsigned renewed;
    size_t done, failed, released, refused;
    Pl__JobDone *result;  /* of the last JobDone that was taken */
    Pl__JobFail *failure; /* the same of JobFail */
} shop_job_t;

static struct {
    char dir[64];
    pl_loop_t *loop;
    pl_config_t *configs[3];
    pl_bus_t *dialogue, *persistence, *telephony;
    workshop_t shop;
    worker_t *worker;
    shop_job_t jobs[SHOP_JOBS];
    size_t count;
    Pl__CallRecord *record; /* of every call; NULL: none is known */
    unsigned takes, idle;
    unsigned store_failures; /* so many requests are refused as unavailable */
    unsigned get_failures;   /* the same of look-ups of a call */
    pl_err_t refuse_results; /* JobDone and JobFail are refused so */
    pl_err_t refuse_renewals;

    /* telephony, once shop_telephony was called */
    unsigned sms_asked, sms_sent; /* requests; those that reached a phone */
    char sms_to[64], sms_text[2048], sms_key[256], sms_keys[SHOP_JOBS][256];
    bool sms_again, sms_silent, sms_unknown; /* of the last; give no answer; say so */
    pl_err_t sms_error;
} shop;

static const pl_config_key_t shop_no_keys[] = {{NULL, PL_CONFIG_STRING, NULL, 0, 0, NULL}};

static inline shop_job_t *shop_job(const char *key)
{
    for (size_t i = 0; i < shop.count; i++) {
        if (strcmp(shop.jobs[i].job->key, key) == 0) return &shop.jobs[i];
    }
    fail_msg("no job %s", key);
    return NULL;
}

/* ---- the store ---- */

static bool shop_fails(pl_request_t **request_p)
{
    if (!shop.store_failures) return false;
    shop.store_failures--;
    pl_request_refuse(request_p, PL_UNAVAILABLE, 0, "away for a moment");
    return true;
}

static void shop_on_take(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    if (shop_fails(&request)) return;
    shop.takes++;
    Pl__Job *jobs[SHOP_JOBS];
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    Pl__JobTaken taken = PL__JOB_TAKEN__INIT;
    for (size_t i = 0; i < shop.count && taken.n_jobs < env->job_take->limit; i++) {
        shop_job_t *at = &shop.jobs[i];
        if (at->taken) continue;
        at->taken = true;
        at->job->attempts++;
        at->job->lease += 10;
        jobs[taken.n_jobs++] = at->job;
    }
    taken.jobs = jobs;
    for (size_t i = 0; i < shop.count; i++) {
        if (!shop.jobs[i].taken) taken.next_ms = 1;
    }
    reply.body_case = PL__ENVELOPE__BODY_JOB_TAKEN;
    reply.job_taken = &taken;
    pl_request_reply(&request, &reply);
}

static void shop_on_get(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    (void)env;
    if (shop_fails(&request)) return;
    if (shop.get_failures) {
        shop.get_failures--;
        pl_request_refuse(&request, PL_UNAVAILABLE, 0, "not now");
        return;
    }
    if (!shop.record) {
        pl_request_refuse(&request, PL_NOT_FOUND, 0, "no such call");
        return;
    }
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    Pl__StoreCall body = PL__STORE_CALL__INIT;
    body.call = shop.record;
    reply.body_case = PL__ENVELOPE__BODY_STORE_CALL;
    reply.store_call = &body;
    pl_request_reply(&request, &reply);
}

static void shop_on_renew(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    if (shop_fails(&request)) return;
    shop_job_t *at = shop_job(env->job_renew->key);
    at->renewed++;
    if (shop.refuse_renewals) {
        pl_request_refuse(&request, shop.refuse_renewals, 0, "the lease is over");
        return;
    }
    if (env->job_renew->note) {
        free(at->job->progress.data);
        at->job->progress.data = malloc(env->job_renew->progress.len + 1);
        assert_non_null(at->job->progress.data);
        at->job->progress.len = env->job_renew->progress.len;
        memcpy(at->job->progress.data, env->job_renew->progress.data, at->job->progress.len);
    }
    pl_request_done(&request);
}

static bool shop_refuses(shop_job_t *at, uint64_t lease, pl_request_t **request_p)
{
    pl_err_t err = lease == at->job->lease ? shop.refuse_results : PL_STALE;
    if (!err) return false;
    at->refused++;
    pl_request_refuse(request_p, err, 0, "the result is refused");
    return true;
}

static void shop_apply(Pl__CallChange *const *changes, size_t count)
{
    for (size_t i = 0; shop.record && i < count; i++)
        assert_int_equal(pl_record_apply(shop.record, changes[i]), PL_OK);
}

static void shop_on_done(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    const Pl__JobDone *done = env->job_done;
    shop_job_t *at = shop_job(done->key);
    if (shop_fails(&request) || shop_refuses(at, done->lease, &request)) return;
    at->done++;
    if (at->result) pl__job_done__free_unpacked(at->result, NULL);
    at->result = (Pl__JobDone *)pl_message_copy(&done->base);
    shop_apply(done->changes, done->n_changes);
    pl_request_done(&request);
}

static void shop_on_fail(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    const Pl__JobFail *fail = env->job_fail;
    shop_job_t *at = shop_job(fail->key);
    if (shop_fails(&request)) return;
    bool bare = fail->final && fail->n_changes == 0;
    if ((!bare || shop.refuse_results == PL_STALE) && shop_refuses(at, fail->lease, &request))
        return;
    at->failed += fail->released ? 0 : 1;
    at->released += fail->released ? 1 : 0;
    if (at->failure) pl__job_fail__free_unpacked(at->failure, NULL);
    at->failure = (Pl__JobFail *)pl_message_copy(&fail->base);
    shop_apply(fail->changes, fail->n_changes);
    pl_request_done(&request);
}

/* ---- telephony ---- */

/* Sends a key once, as the real one does. */
static void shop_on_sms(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    const Pl__SmsSend *sms = env->sms_send;
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    Pl__SmsSent sent = PL__SMS_SENT__INIT;
    shop.sms_asked++;
    shop.sms_again = sms->again;
    (void)snprintf(shop.sms_to, sizeof shop.sms_to, "%s", sms->to);
    (void)snprintf(shop.sms_text, sizeof shop.sms_text, "%s", sms->text);
    (void)snprintf(shop.sms_key, sizeof shop.sms_key, "%s", sms->key);
    if (shop.sms_error) {
        pl_request_refuse(&request, shop.sms_error, 0, "the carrier says no");
        return;
    }
    bool known = false;
    for (unsigned i = 0; i < shop.sms_sent; i++)
        known = known || strcmp(shop.sms_keys[i], sms->key) == 0;
    if (!known && !shop.sms_unknown) {
        assert_true(shop.sms_sent < SHOP_JOBS);
        (void)snprintf(shop.sms_keys[shop.sms_sent++], sizeof shop.sms_keys[0], "%s", sms->key);
    }
    if (shop.sms_silent) { /* it was sent, and then it died */
        pl_request_refuse(&request, PL_UNAVAILABLE, 0, "gone");
        return;
    }
    sent.delivered = !shop.sms_unknown;
    sent.unknown = shop.sms_unknown;
    sent.detail = "as the test wants it";
    reply.body_case = PL__ENVELOPE__BODY_SMS_SENT;
    reply.sms_sent = &sent;
    pl_request_reply(&request, &reply);
}

/* ---- the place ---- */

static pl_bus_t *shop_bus(size_t i, const char *service, const char *peer, const char *second)
{
    char dir[128];
    const char *peers[] = {peer, second, NULL};
    (void)snprintf(dir, sizeof dir, "bus.run_dir=%s", shop.dir);
    const char *args[] = {
        "test", "--set", dir, "--set", "log.level=error", "--set", "bus.heartbeat_ms=50"};
    int status = 0;
    pl_bus_t *bus = NULL;
    shop.configs[i] = pl_config_load(service, shop_no_keys, 7, (char **)args, &status);
    assert_non_null(shop.configs[i]);
    assert_int_equal(pl_bus_new(&bus, shop.loop, shop.configs[i], peers), PL_OK);
    return bus;
}

static void shop_stop_loop(void *arg)
{
    pl_loop_stop(arg);
}

static inline void shop_run_ms(uint64_t ms)
{
    pl_timer_t *timer = pl_timer_start(shop.loop, ms, 0, shop_stop_loop, shop.loop);
    pl_loop_run(shop.loop);
    pl_timer_stop(&timer);
}

static inline bool shop_wait(bool (*so)(void))
{
    uint64_t until_ms = pl_clock_ms() + SHOP_WAIT_MS;
    while (!so() && pl_clock_ms() < until_ms) shop_run_ms(2);
    return so();
}

static bool shop_is_up(void)
{
    pl_peer_t peer;
    return pl_bus_pick(shop.dialogue, "persistence", &peer);
}

static void shop_on_idle(void *arg)
{
    (void)arg;
    shop.idle++;
}

static inline void shop_start(const work_kind_t *const *kinds, const worker_opts_t *opts)
{
    (void)snprintf(shop.dir, sizeof shop.dir, "/tmp/parley-shop-XXXXXX");
    assert_non_null(mkdtemp(shop.dir));
    shop.loop = pl_loop_new();
    shop.persistence = shop_bus(0, "persistence", NULL, NULL);
    shop.dialogue = shop_bus(1, "dialogue", "persistence", "telephony");
    pl_bus_on(shop.persistence, PL__ENVELOPE__BODY_JOB_TAKE, shop_on_take, NULL);
    pl_bus_on(shop.persistence, PL__ENVELOPE__BODY_STORE_GET, shop_on_get, NULL);
    pl_bus_on(shop.persistence, PL__ENVELOPE__BODY_JOB_RENEW, shop_on_renew, NULL);
    pl_bus_on(shop.persistence, PL__ENVELOPE__BODY_JOB_DONE, shop_on_done, NULL);
    pl_bus_on(shop.persistence, PL__ENVELOPE__BODY_JOB_FAIL, shop_on_fail, NULL);
    assert_true(shop_wait(shop_is_up));
    shop.shop.loop = shop.loop;
    shop.shop.bus = shop.dialogue;
    shop.worker = worker_new(&shop.shop, kinds, opts, shop_on_idle, NULL);
}

static bool shop_telephony_is_up(void)
{
    pl_peer_t peer;
    return pl_bus_pick(shop.dialogue, "telephony", &peer);
}

static inline void shop_telephony(void)
{
    shop.telephony = shop_bus(2, "telephony", NULL, NULL);
    pl_bus_on(shop.telephony, PL__ENVELOPE__BODY_SMS_SEND, shop_on_sms, NULL);
    assert_true(shop_wait(shop_telephony_is_up));
}

/* The job waits again, as after a lease that ran out. */
static inline void shop_again(shop_job_t *at)
{
    at->taken = false;
    worker_wake(shop.worker);
}

static inline shop_job_t *shop_put(const char *key, const char *kind, const char *call_id)
{
    assert_true(shop.count < SHOP_JOBS);
    shop_job_t *at = &shop.jobs[shop.count++];
    Pl__Job job = PL__JOB__INIT;
    job.key = (char *)key;
    job.kind = (char *)kind;
    job.call_id = (char *)call_id;
    job.max_attempts = 5;
    *at = (shop_job_t){.job = (Pl__Job *)pl_message_copy(&job.base)};
    return at;
}

static inline int shop_clean_up(void **state)
{
    (void)state;
    worker_destroy(&shop.worker);
    pl_bus_destroy(&shop.dialogue);
    pl_bus_destroy(&shop.telephony);
    pl_bus_destroy(&shop.persistence);
    pl_loop_destroy(&shop.loop);
    for (size_t i = 0; i < 3; i++) pl_config_destroy(&shop.configs[i]);
    for (size_t i = 0; i < shop.count; i++) {
        pl__job__free_unpacked(shop.jobs[i].job, NULL);
        if (shop.jobs[i].result) pl__job_done__free_unpacked(shop.jobs[i].result, NULL);
        if (shop.jobs[i].failure) pl__job_fail__free_unpacked(shop.jobs[i].failure, NULL);
    }
    pl_record_free(&shop.record);
    DIR *dir = opendir(shop.dir);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%s", shop.dir, entry->d_name);
        if (entry->d_name[0] != '.') (void)unlink(path);
    }
    if (dir) (void)closedir(dir);
    (void)rmdir(shop.dir);
    memset(&shop, 0, sizeof shop);
    return 0;
}

#endif
