/* service_world.h - the whole dialogue process on a thread; telephony, speech, rag and persistence
 * are bus instances on the test's loop. Every test program includes this once, after cmocka.h.
 */
#ifndef TEST_SERVICE_WORLD_H
#define TEST_SERVICE_WORLD_H

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/bus.h"
#include "common/clock.h"
#include "common/loop.h"
#include "common/record.h"
#include "services/dialogue/config.h"
#include "services/dialogue/server.h"

#define UNUSED __attribute__((unused))

enum { CALLS = 24, WAIT_MS = 5000 };

/* A call as the world outside dialogue sees it. */
typedef struct {
    char id[64];
    char number[32];
    Pl__CallRecord *record; /* of the store */
    Pl__JobSpec *jobs[8];   /* waiting; NULL: taken */
    size_t job_count, jobs_done;
    uint64_t last_write;
    unsigned line; /* of the caller's text said next */
    bool hung_up, ended;
    unsigned keep_alives, says;
    char heard[4096]; /* all that the bot said */
} seen_t;

static struct {
    pl_loop_t *loop;
    pl_config_t *configs[6];
    pl_bus_t *gateway, *telephony, *speech, *rag, *persistence;
    pthread_t thread;
    server_t *server;
    pl_err_t run_err;
    char dir[64];
    seen_t seen[CALLS];
    size_t count;
    const char *const *lines; /* what callers say, turn by turn */
    bool when_asked;          /* only after a question */
    Pl__LegEnd dial_outcome;  /* not LEG_NOT_ENDED: the leg ends instead of being answered */
    unsigned store_failures;  /* so many writes are refused as unavailable */
    bool store_refuses_create;
    bool speech_is_late; /* start leaves it to the test */
    unsigned replies, errors;
    pl_err_t last_error;
    char last_detail[256];
    char last_id[64];
    unsigned accepted, incoming_ended, listed, adopted, gets, moves;
    int64_t not_before_ms;  /* of the last look-up */
    char accepted_as[64];   /* CallAccepted.call_id */
    Pl__CallRecord *orphan; /* left in the store by a former run */
} world;

static const pl_config_key_t no_keys[] = {{NULL, 0, NULL, 0, 0, NULL}};

static UNUSED seen_t *seen_of(const char *id)
{
    for (size_t i = 0; i < world.count; i++) {
        if (strcmp(world.seen[i].id, id) == 0) return &world.seen[i];
    }
    assert_true(world.count < CALLS);
    seen_t *s = &world.seen[world.count++];
    memset(s, 0, sizeof *s);
    snprintf(s->id, sizeof s->id, "%s", id);
    return s;
}

/* ---- persistence ---- */

static UNUSED void on_create(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    if (world.store_refuses_create) {
        pl_request_refuse(&request, PL_UNAVAILABLE, 0, "disk full");
        return;
    }
    seen_t *s = seen_of(env->call_id);
    assert_null(s->record);
    s->record = pl_record_copy(env->store_create->call);
    snprintf(s->number, sizeof s->number, "%s", s->record->initiate->phone_number);
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    Pl__StoreAck ack = PL__STORE_ACK__INIT;
    reply.body_case = PL__ENVELOPE__BODY_STORE_ACK;
    reply.store_ack = &ack;
    pl_request_reply(&request, &reply);
}

static UNUSED void on_apply(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    if (world.store_failures) {
        world.store_failures--;
        pl_request_refuse(&request, PL_UNAVAILABLE, 0, "busy with a vacuum");
        return;
    }
    seen_t *s = seen_of(env->call_id);
    assert_non_null(s->record);
    assert_int_equal(env->store_apply->write_id, s->last_write + 1);
    s->last_write++;
    for (size_t i = 0; i < env->store_apply->n_changes; i++) {
        assert_int_equal(pl_record_apply(s->record, env->store_apply->changes[i]), PL_OK);
    }
    for (size_t i = 0; i < env->store_apply->n_jobs; i++) {
        assert_true(s->job_count < 8);
        s->jobs[s->job_count++] = (Pl__JobSpec *)pl_message_copy(&env->store_apply->jobs[i]->base);
    }
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    Pl__StoreAck ack = PL__STORE_ACK__INIT;
    reply.body_case = PL__ENVELOPE__BODY_STORE_ACK;
    reply.store_ack = &ack;
    pl_request_reply(&request, &reply);
}

/* Gives out one job that waits. */
static UNUSED void on_take(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    assert_string_equal(env->job_take->worker, "dialogue-0");
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    Pl__JobTaken taken = PL__JOB_TAKEN__INIT;
    Pl__Job job = PL__JOB__INIT;
    Pl__Job *jobs[] = {&job};
    Pl__JobSpec *spec = NULL;
    for (size_t i = 0; i < world.count && !spec; i++) {
        seen_t *s = &world.seen[i];
        for (size_t k = 0; k < s->job_count && !spec; k++) {
            spec = s->jobs[k];
            s->jobs[k] = NULL;
            job.call_id = s->id;
        }
    }
    if (spec) {
        job.key = spec->key;
        job.kind = spec->kind;
        job.lease = 7;
        taken.jobs = jobs;
        taken.n_jobs = 1;
        taken.next_ms = 1;
    }
    reply.body_case = PL__ENVELOPE__BODY_JOB_TAKEN;
    reply.job_taken = &taken;
    pl_request_reply(&request, &reply);
    if (spec) pl__job_spec__free_unpacked(spec, NULL);
}

static UNUSED void on_job_done(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    seen_t *s = seen_of(env->call_id);
    assert_int_equal(env->job_done->lease, 7);
    for (size_t i = 0; i < env->job_done->n_changes; i++)
        assert_int_equal(pl_record_apply(s->record, env->job_done->changes[i]), PL_OK);
    s->jobs_done++;
    pl_request_done(&request);
}

static UNUSED void on_list(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    assert_true(env->store_list->in_progress_only);
    assert_string_equal(env->store_list->owner, "dialogue-0");
    world.listed++;
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    Pl__StoreCalls calls = PL__STORE_CALLS__INIT;
    if (world.orphan) {
        calls.calls = &world.orphan;
        calls.n_calls = 1;
        calls.total = 1;
    }
    reply.body_case = PL__ENVELOPE__BODY_STORE_CALLS;
    reply.store_calls = &calls;
    pl_request_reply(&request, &reply);
}

static UNUSED void on_adopt(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    world.adopted++;
    seen_t *s = seen_of(env->call_id);
    if (!s->record) s->record = pl_record_copy(world.orphan);
    const Pl__StoreAdopt *adopt = env->store_adopt;
    bool again = s->record->epoch == adopt->expected_epoch + 1 &&
                 strcmp(s->record->owner, adopt->owner) == 0; /* as the store: the same once more */
    if (!again && adopt->expected_epoch != s->record->epoch) {
        pl_request_refuse(&request, PL_STALE, 0, "another owner");
        return;
    }
    if (!again) {
        s->record->epoch++;
        s->last_write = 0;
        s->ended = s->hung_up = false;
    }
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    Pl__StoreCall body = PL__STORE_CALL__INIT;
    body.call = s->record;
    reply.body_case = PL__ENVELOPE__BODY_STORE_CALL;
    reply.store_call = &body;
    pl_request_reply(&request, &reply);
}

static UNUSED void give_call(Pl__CallRecord *record, pl_request_t *request)
{
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    Pl__StoreCall body = PL__STORE_CALL__INIT;
    body.call = record;
    reply.body_case = PL__ENVELOPE__BODY_STORE_CALL;
    reply.store_call = &body;
    pl_request_reply(&request, &reply);
}

/* The call of the id, else the newest of the number, as the store finds it. */
static UNUSED void on_get(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    const char *number = env->store_get->phone_number;
    if (env->call_id[0]) {
        give_call(seen_of(env->call_id)->record, request);
        return;
    }
    world.gets++;
    world.not_before_ms = env->store_get->not_before_ms;
    for (size_t i = world.count; i-- > 0;) {
        Pl__CallRecord *record = world.seen[i].record;
        const Pl__ClaimValue *phone = record ? pl_record_claim(record, "policyholder_phone") : NULL;
        bool its = record && (strcmp(record->initiate->phone_number, number) == 0 ||
                              (phone && strcmp(phone->value, number) == 0));
        if (!its || record->created_at_ms < env->store_get->not_before_ms) continue;
        give_call(record, request);
        return;
    }
    pl_request_refuse(&request, PL_NOT_FOUND, 0, "no such call");
}

/* ---- telephony ---- */

static UNUSED uint32_t epoch_of(const char *id)
{
    const seen_t *s = seen_of(id);
    return s->record ? s->record->epoch : 1;
}

static UNUSED void answer_leg(const char *id, Pl__LegKind kind)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__LegAnswered answered = PL__LEG_ANSWERED__INIT;
    answered.speech = (char *)"speech-0";
    answered.kind = kind;
    env.call_id = (char *)id;
    env.epoch = epoch_of(id);
    env.body_case = PL__ENVELOPE__BODY_LEG_ANSWERED;
    env.leg_answered = &answered;
    assert_int_equal(pl_bus_event(world.telephony, "dialogue-0", &env), PL_OK);
}

static UNUSED void end_leg(const char *id, Pl__LegEnd end)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__LegEnded ended = PL__LEG_ENDED__INIT;
    ended.end = end;
    ended.detail = (char *)"test";
    env.call_id = (char *)id;
    env.epoch = epoch_of(id);
    env.body_case = PL__ENVELOPE__BODY_LEG_ENDED;
    env.leg_ended = &ended;
    (void)pl_bus_event(world.telephony, "dialogue-0", &env);
    seen_of(id)->ended = true;
}

static UNUSED void on_dial(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    char id[64];
    snprintf(id, sizeof id, "%s", env->call_id);
    assert_non_null(seen_of(id)->record); /* stored before it is dialled */
    assert_string_equal(env->sender, "dialogue-0");
    pl_request_done(&request);
    if (world.dial_outcome) {
        end_leg(id, world.dial_outcome);
    } else {
        answer_leg(id, PL__LEG_KIND__SIP);
    }
}

static UNUSED void on_hangup(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    seen_t *s = seen_of(env->call_id);
    assert_false(s->hung_up);
    s->hung_up = true;
    char id[64];
    snprintf(id, sizeof id, "%s", env->call_id);
    pl_request_done(&request);
    end_leg(id, PL__LEG_END__LEG_BYE_LOCAL);
}

/* The line goes on as that call; what the caller says next too. */
static UNUSED void on_move(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    unsigned line = seen_of(env->call_id)->line;
    seen_t *s = seen_of(env->leg_move->call_id);
    assert_non_null(s->record); /* stored before the leg moves */
    s->line = line;
    world.moves++;
    pl_request_done(&request);
}

static UNUSED void on_keep_alive(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    assert_null(request);
    seen_of(env->call_id)->keep_alives++;
}

static UNUSED void ignore(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    (void)env;
    if (request) pl_request_done(&request);
}

/* ---- speech ---- */

static UNUSED void to_dialogue(Pl__Envelope *env, const char *id)
{
    env->call_id = (char *)id;
    env->epoch = epoch_of(id);
    (void)pl_bus_event(world.speech, "dialogue-0", env);
}

/* The turn is heard, then the caller says the next line. */
static UNUSED void on_say(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    assert_null(request);
    seen_t *s = seen_of(env->call_id);
    const Pl__Say *say = env->say;
    size_t n = strlen(s->heard);
    if (say->text[0]) snprintf(s->heard + n, sizeof s->heard - n, "%s ", say->text);
    s->says++;
    assert_false(s->hung_up);
    if (!say->last) return;
    Pl__Envelope spoken_env = PL__ENVELOPE__INIT;
    Pl__TurnSpoken spoken = PL__TURN_SPOKEN__INIT;
    spoken.turn = say->turn;
    spoken_env.body_case = PL__ENVELOPE__BODY_TURN_SPOKEN;
    spoken_env.turn_spoken = &spoken;
    to_dialogue(&spoken_env, s->id);
    const char *line = world.lines ? world.lines[s->line] : NULL;
    bool asked = strlen(s->heard) > 1 && s->heard[strlen(s->heard) - 2] == '?';
    if (!line || (world.when_asked && !asked)) return;
    s->line++;
    char text[256];
    /* Each caller says a number of their own where the line asks for one. */
    snprintf(text, sizeof text, strchr(line, '%') ? "%s%s" : "%s",
             strchr(line, '%') ? "room " : line, s->number + 8);
    Pl__Envelope env_out = PL__ENVELOPE__INIT;
    Pl__Utterance utterance = PL__UTTERANCE__INIT;
    utterance.text = text;
    env_out.body_case = PL__ENVELOPE__BODY_UTTERANCE;
    env_out.utterance = &utterance;
    to_dialogue(&env_out, s->id);
}

static UNUSED void on_search(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    (void)env;
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    Pl__SearchResult result = PL__SEARCH_RESULT__INIT;
    Pl__Passage passage = PL__PASSAGE__INIT;
    Pl__Passage *passages[] = {&passage};
    passage.content = (char *)"The desk opens at eight.";
    passage.score = 4;
    result.passages = passages;
    result.n_passages = 1;
    reply.body_case = PL__ENVELOPE__BODY_SEARCH_RESULT;
    reply.search_result = &result;
    pl_request_reply(&request, &reply);
}

/* ---- the world ---- */

static UNUSED pl_config_t *config(const char *service, const pl_config_key_t *keys,
                                  const char *const *more)
{
    char dir[128];
    snprintf(dir, sizeof dir, "bus.run_dir=%s", world.dir);
    const char *args[32] = {
        "test", "--set", dir, "--set", "log.level=error", "--set", "bus.heartbeat_ms=100"};
    int count = 7;
    if (strcmp(service, "dialogue") == 0) {
        args[count++] = "--set";
        args[count++] = "dialogue.recovery_wait_ms=0";
    }
    for (; more && *more; more++) {
        args[count++] = "--set";
        args[count++] = *more;
    }
    int status = 0;
    pl_config_t *cfg = pl_config_load(service, keys, count, (char **)args, &status);
    assert_non_null(cfg);
    return cfg;
}

static UNUSED pl_bus_t *instance(size_t i, const char *service, const char *const *peers)
{
    pl_bus_t *bus = NULL;
    world.configs[i] = config(service, no_keys, NULL);
    assert_int_equal(pl_bus_new(&bus, world.loop, world.configs[i], peers), PL_OK);
    return bus;
}

static UNUSED void *serve(void *arg)
{
    world.run_err = server_run(arg);
    return NULL;
}

static UNUSED void look(void *arg)
{
    (void)arg;
    pl_loop_stop(world.loop);
}

static UNUSED bool wait_for(bool (*so)(void))
{
    uint64_t until = pl_clock_ms() + WAIT_MS;
    while (!so() && pl_clock_ms() < until) {
        pl_timer_t *timer = pl_timer_start(world.loop, 5, 0, look, NULL);
        pl_loop_run(world.loop);
        pl_timer_stop(&timer);
    }
    return so();
}

static UNUSED bool all_up(void)
{
    pl_peer_t peer;
    return pl_bus_pick(world.gateway, "dialogue", &peer) &&
           pl_bus_pick(world.telephony, "dialogue", &peer) &&
           (world.speech_is_late || pl_bus_pick(world.speech, "dialogue", &peer));
}

static UNUSED bool listed(void)
{
    return world.listed > 0;
}

static const char *const to_dialogue_only[] = {"dialogue", NULL};

static UNUSED void open_speech(void)
{
    world.speech = instance(2, "speech", to_dialogue_only);
    pl_bus_on(world.speech, PL__ENVELOPE__BODY_SAY, on_say, NULL);
    pl_bus_on(world.speech, PL__ENVELOPE__BODY_LISTEN, ignore, NULL);
    pl_bus_on(world.speech, PL__ENVELOPE__BODY_SAY_STOP, ignore, NULL);
}

static UNUSED void start(const char *const *settings)
{
    static const char *const nobody[] = {NULL};
    snprintf(world.dir, sizeof world.dir, "/tmp/parley-dlg-XXXXXX");
    assert_non_null(mkdtemp(world.dir));
    world.loop = pl_loop_new();
    world.configs[5] = config("dialogue", dialogue_config_keys, settings);
    world.gateway = instance(0, "gateway", to_dialogue_only);
    world.telephony = instance(1, "telephony", to_dialogue_only);
    if (!world.speech_is_late) open_speech();
    world.rag = instance(3, "rag", nobody);
    world.persistence = instance(4, "persistence", nobody);
    pl_bus_on(world.persistence, PL__ENVELOPE__BODY_STORE_CREATE, on_create, NULL);
    pl_bus_on(world.persistence, PL__ENVELOPE__BODY_STORE_APPLY, on_apply, NULL);
    pl_bus_on(world.persistence, PL__ENVELOPE__BODY_STORE_LIST, on_list, NULL);
    pl_bus_on(world.persistence, PL__ENVELOPE__BODY_STORE_ADOPT, on_adopt, NULL);
    pl_bus_on(world.persistence, PL__ENVELOPE__BODY_STORE_GET, on_get, NULL);
    pl_bus_on(world.persistence, PL__ENVELOPE__BODY_JOB_TAKE, on_take, NULL);
    pl_bus_on(world.persistence, PL__ENVELOPE__BODY_JOB_DONE, on_job_done, NULL);
    pl_bus_on(world.telephony, PL__ENVELOPE__BODY_LEG_DIAL, on_dial, NULL);
    pl_bus_on(world.telephony, PL__ENVELOPE__BODY_LEG_HANGUP, on_hangup, NULL);
    pl_bus_on(world.telephony, PL__ENVELOPE__BODY_LEG_MOVE, on_move, NULL);
    pl_bus_on(world.telephony, PL__ENVELOPE__BODY_LEG_KEEP_ALIVE, on_keep_alive, NULL);
    pl_bus_on(world.telephony, PL__ENVELOPE__BODY_LEG_TRANSCRIPT, ignore, NULL);
    pl_bus_on(world.rag, PL__ENVELOPE__BODY_SEARCH_QUERY, on_search, NULL);
    assert_int_equal(server_new(&world.server, world.configs[5]), PL_OK);
    assert_int_equal(pthread_create(&world.thread, NULL, serve, world.server), 0);
    assert_true(wait_for(all_up));
    assert_true(wait_for(listed));
}

static UNUSED int stop(void **state)
{
    (void)state;
    if (world.server) {
        server_stop(world.server);
        (void)pthread_join(world.thread, NULL);
        server_destroy(&world.server);
    }
    pl_bus_destroy(&world.gateway);
    pl_bus_destroy(&world.telephony);
    pl_bus_destroy(&world.speech);
    pl_bus_destroy(&world.rag);
    pl_bus_destroy(&world.persistence);
    pl_loop_destroy(&world.loop);
    for (size_t i = 0; i < 6; i++) pl_config_destroy(&world.configs[i]);
    for (size_t i = 0; i < world.count; i++) {
        pl_record_free(&world.seen[i].record);
        for (size_t k = 0; k < world.seen[i].job_count; k++) {
            if (world.seen[i].jobs[k]) pl__job_spec__free_unpacked(world.seen[i].jobs[k], NULL);
        }
    }
    pl_record_free(&world.orphan);
    DIR *dir = opendir(world.dir);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", world.dir, entry->d_name);
        if (entry->d_name[0] != '.') unlink(path);
    }
    if (dir) closedir(dir);
    rmdir(world.dir);
    memset(&world, 0, sizeof world);
    return 0;
}

static UNUSED void on_started(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    (void)arg;
    world.replies++;
    if (err) {
        world.errors++;
        world.last_error = err;
        snprintf(world.last_detail, sizeof world.last_detail, "%s",
                 pl_bus_error_detail(err, reply));
        return;
    }
    assert_int_equal(reply->body_case, PL__ENVELOPE__BODY_CALL_STARTED);
    snprintf(world.last_id, sizeof world.last_id, "%s", reply->call_started->call->call_id);
}

static UNUSED void post_call(const char *number)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__CallStart body = PL__CALL_START__INIT;
    Pl__Initiate initiate = PL__INITIATE__INIT;
    Pl__ClaimField fields[3];
    Pl__ClaimField *claim[3];
    static const char *const names[] = {"hardware_info", "first_seen", "building_location"};
    for (size_t i = 0; i < 3; i++) {
        pl__claim_field__init(&fields[i]);
        fields[i].name = (char *)names[i];
        fields[i].type = i == 1 ? PL__CLAIM_TYPE__DATETIME : PL__CLAIM_TYPE__TEXT;
        claim[i] = &fields[i];
    }
    initiate.phone_number = (char *)number;
    initiate.claim = claim;
    initiate.n_claim = 3;
    body.initiate = &initiate;
    env.body_case = PL__ENVELOPE__BODY_CALL_START;
    env.call_start = &body;
    pl_bus_request(world.gateway, "dialogue", &env, 5000, on_started, NULL);
}

static UNUSED bool one_reply(void)
{
    return world.replies >= 1;
}

/* All calls are over and their post-call work is stored. */
static UNUSED bool all_closed(void)
{
    if (world.count == 0) return false;
    for (size_t i = 0; i < world.count; i++) {
        const Pl__CallRecord *r = world.seen[i].record;
        if (!r || !world.seen[i].ended || r->ended == PL__LEG_END__LEG_NOT_ENDED) return false;
        if (r->n_messages && (!r->next || !r->synthesis)) return false;
    }
    return true;
}

static UNUSED const char *value(const seen_t *s, const char *name)
{
    const Pl__ClaimValue *v = pl_record_claim(s->record, name);
    return v ? v->value : "";
}

static UNUSED void on_accepted(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    (void)arg;
    assert_int_equal(err, PL_OK);
    assert_int_equal(reply->body_case, PL__ENVELOPE__BODY_CALL_ACCEPTED);
    assert_string_equal(reply->call_accepted->lang, "en-US");
    assert_string_equal(reply->sender, "dialogue-0");
    world.accepted++;
    snprintf(world.accepted_as, sizeof world.accepted_as, "%s", reply->call_accepted->call_id);
    if (world.accepted_as[0])
        assert_int_equal(reply->call_accepted->epoch, epoch_of(world.accepted_as));
    /* The leg belongs to that call from now on. */
    answer_leg(world.accepted_as[0] ? world.accepted_as : reply->call_id, PL__LEG_KIND__BROWSER);
}

static UNUSED void ring_in(const char *id, const char *from)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__CallIncoming body = PL__CALL_INCOMING__INIT;
    body.kind = PL__LEG_KIND__BROWSER;
    body.from = (char *)from;
    env.call_id = (char *)id;
    env.body_case = PL__ENVELOPE__BODY_CALL_INCOMING;
    env.call_incoming = &body;
    pl_bus_request(world.telephony, "dialogue", &env, 5000, on_accepted, NULL);
}

#endif
