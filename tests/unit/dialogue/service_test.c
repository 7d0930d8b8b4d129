/* service_test.c - the whole process on a thread; telephony, speech, rag and persistence are bus
 * instances on the test's loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

enum { CALLS = 24, WAIT_MS = 5000 };

/* A call as the world outside dialogue sees it. */
typedef struct {
    char id[64];
    char number[32];
    Pl__CallRecord *record; /* of the store */
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
    Pl__LegEnd dial_outcome;  /* not LEG_NOT_ENDED: the leg ends instead of being answered */
    unsigned store_failures;  /* so many writes are refused as unavailable */
    bool store_refuses_create;
    unsigned replies, errors;
    pl_err_t last_error;
    char last_detail[256];
    char last_id[64];
    unsigned accepted, incoming_ended, listed, adopted;
    Pl__CallRecord *orphan; /* left in the store by a former run */
} world;

static const pl_config_key_t no_keys[] = {{NULL, 0, NULL, 0, 0, NULL}};

static seen_t *seen_of(const char *id)
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

static void on_create(void *arg, const Pl__Envelope *env, pl_request_t *request)
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

static void on_apply(void *arg, const Pl__Envelope *env, pl_request_t *request)
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
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    Pl__StoreAck ack = PL__STORE_ACK__INIT;
    reply.body_case = PL__ENVELOPE__BODY_STORE_ACK;
    reply.store_ack = &ack;
    pl_request_reply(&request, &reply);
}

static void on_list(void *arg, const Pl__Envelope *env, pl_request_t *request)
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

static void on_adopt(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    assert_int_equal(env->store_adopt->expected_epoch, 1);
    world.adopted++;
    seen_t *s = seen_of(env->call_id);
    s->record = pl_record_copy(world.orphan);
    s->record->epoch = 2;
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    Pl__StoreCall body = PL__STORE_CALL__INIT;
    body.call = s->record;
    reply.body_case = PL__ENVELOPE__BODY_STORE_CALL;
    reply.store_call = &body;
    pl_request_reply(&request, &reply);
}

/* ---- telephony ---- */

static void answer_leg(const char *id, Pl__LegKind kind)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__LegAnswered answered = PL__LEG_ANSWERED__INIT;
    answered.speech = (char *)"speech-0";
    answered.kind = kind;
    env.call_id = (char *)id;
    env.epoch = 1;
    env.body_case = PL__ENVELOPE__BODY_LEG_ANSWERED;
    env.leg_answered = &answered;
    assert_int_equal(pl_bus_event(world.telephony, "dialogue-0", &env), PL_OK);
}

static void end_leg(const char *id, Pl__LegEnd end)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__LegEnded ended = PL__LEG_ENDED__INIT;
    ended.end = end;
    ended.detail = (char *)"test";
    env.call_id = (char *)id;
    env.epoch = 1;
    env.body_case = PL__ENVELOPE__BODY_LEG_ENDED;
    env.leg_ended = &ended;
    (void)pl_bus_event(world.telephony, "dialogue-0", &env);
    seen_of(id)->ended = true;
}

static void on_dial(void *arg, const Pl__Envelope *env, pl_request_t *request)
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

static void on_hangup(void *arg, const Pl__Envelope *env, pl_request_t *request)
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

static void on_keep_alive(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    assert_null(request);
    seen_of(env->call_id)->keep_alives++;
}

static void ignore(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    (void)env;
    if (request) pl_request_done(&request);
}

/* ---- speech ---- */

static void to_dialogue(Pl__Envelope *env, const char *id)
{
    env->call_id = (char *)id;
    env->epoch = 1;
    (void)pl_bus_event(world.speech, "dialogue-0", env);
}

/* The turn is heard, then the caller says the next line. */
static void on_say(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    assert_null(request);
    seen_t *s = seen_of(env->call_id);
    const Pl__Say *say = env->say;
    size_t n = strlen(s->heard);
    snprintf(s->heard + n, sizeof s->heard - n, "%s ", say->text);
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
    if (!line) return;
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

static void on_search(void *arg, const Pl__Envelope *env, pl_request_t *request)
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

static pl_config_t *config(const char *service, const pl_config_key_t *keys,
                           const char *const *more)
{
    char dir[128];
    snprintf(dir, sizeof dir, "bus.run_dir=%s", world.dir);
    const char *args[32] = {
        "test", "--set", dir, "--set", "log.level=error", "--set", "bus.heartbeat_ms=100"};
    int count = 7;
    for (; more && *more; more++) {
        args[count++] = "--set";
        args[count++] = *more;
    }
    int status = 0;
    pl_config_t *cfg = pl_config_load(service, keys, count, (char **)args, &status);
    assert_non_null(cfg);
    return cfg;
}

static pl_bus_t *instance(size_t i, const char *service, const char *const *peers)
{
    pl_bus_t *bus = NULL;
    world.configs[i] = config(service, no_keys, NULL);
    assert_int_equal(pl_bus_new(&bus, world.loop, world.configs[i], peers), PL_OK);
    return bus;
}

static void *serve(void *arg)
{
    world.run_err = server_run(arg);
    return NULL;
}

static void look(void *arg)
{
    (void)arg;
    pl_loop_stop(world.loop);
}

static bool wait_for(bool (*so)(void))
{
    uint64_t until = pl_clock_ms() + WAIT_MS;
    while (!so() && pl_clock_ms() < until) {
        pl_timer_t *timer = pl_timer_start(world.loop, 5, 0, look, NULL);
        pl_loop_run(world.loop);
        pl_timer_stop(&timer);
    }
    return so();
}

static bool all_up(void)
{
    pl_peer_t peer;
    return pl_bus_pick(world.gateway, "dialogue", &peer) &&
           pl_bus_pick(world.telephony, "dialogue", &peer) &&
           pl_bus_pick(world.speech, "dialogue", &peer);
}

static bool listed(void)
{
    return world.listed > 0;
}

static void start(const char *const *settings)
{
    static const char *const to_dialogue_only[] = {"dialogue", NULL};
    static const char *const nobody[] = {NULL};
    snprintf(world.dir, sizeof world.dir, "/tmp/parley-dlg-XXXXXX");
    assert_non_null(mkdtemp(world.dir));
    world.loop = pl_loop_new();
    world.configs[5] = config("dialogue", dialogue_config_keys, settings);
    world.gateway = instance(0, "gateway", to_dialogue_only);
    world.telephony = instance(1, "telephony", to_dialogue_only);
    world.speech = instance(2, "speech", to_dialogue_only);
    world.rag = instance(3, "rag", nobody);
    world.persistence = instance(4, "persistence", nobody);
    pl_bus_on(world.persistence, PL__ENVELOPE__BODY_STORE_CREATE, on_create, NULL);
    pl_bus_on(world.persistence, PL__ENVELOPE__BODY_STORE_APPLY, on_apply, NULL);
    pl_bus_on(world.persistence, PL__ENVELOPE__BODY_STORE_LIST, on_list, NULL);
    pl_bus_on(world.persistence, PL__ENVELOPE__BODY_STORE_ADOPT, on_adopt, NULL);
    pl_bus_on(world.telephony, PL__ENVELOPE__BODY_LEG_DIAL, on_dial, NULL);
    pl_bus_on(world.telephony, PL__ENVELOPE__BODY_LEG_HANGUP, on_hangup, NULL);
    pl_bus_on(world.telephony, PL__ENVELOPE__BODY_LEG_KEEP_ALIVE, on_keep_alive, NULL);
    pl_bus_on(world.telephony, PL__ENVELOPE__BODY_LEG_TRANSCRIPT, ignore, NULL);
    pl_bus_on(world.speech, PL__ENVELOPE__BODY_SAY, on_say, NULL);
    pl_bus_on(world.speech, PL__ENVELOPE__BODY_LISTEN, ignore, NULL);
    pl_bus_on(world.speech, PL__ENVELOPE__BODY_SAY_STOP, ignore, NULL);
    pl_bus_on(world.rag, PL__ENVELOPE__BODY_SEARCH_QUERY, on_search, NULL);
    assert_int_equal(server_new(&world.server, world.configs[5]), PL_OK);
    assert_int_equal(pthread_create(&world.thread, NULL, serve, world.server), 0);
    assert_true(wait_for(all_up));
    assert_true(wait_for(listed));
}

static int stop(void **state)
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
    for (size_t i = 0; i < world.count; i++) pl_record_free(&world.seen[i].record);
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

static void on_started(void *arg, pl_err_t err, const Pl__Envelope *reply)
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

static void post_call(const char *number)
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

static bool one_reply(void)
{
    return world.replies >= 1;
}

/* All calls are over and their post-call work is stored. */
static bool all_closed(void)
{
    if (world.count == 0) return false;
    for (size_t i = 0; i < world.count; i++) {
        const Pl__CallRecord *r = world.seen[i].record;
        if (!r || !world.seen[i].ended || r->ended == PL__LEG_END__LEG_NOT_ENDED) return false;
        if (r->n_messages && (!r->next || !r->synthesis)) return false;
    }
    return true;
}

static const char *value(const seen_t *s, const char *name)
{
    const Pl__ClaimValue *v = pl_record_claim(s->record, name);
    return v ? v->value : "";
}

static const char *const three_answers[] = {"a dell laptop that does not turn on",
                                            "on the third of march twenty twenty six at nine",
                                            "yes",
                                            "building for second floor",
                                            "no thank you",
                                            NULL};

static void a_call_is_made_and_its_claim_filled(void **state)
{
    (void)state;
    world.lines = three_answers;
    start(NULL);
    post_call("+33699999999");
    assert_true(wait_for(one_reply));
    assert_int_equal(world.errors, 0);
    assert_int_equal(strlen(world.last_id), 36);
    assert_int_equal(world.last_id[14], '4');
    assert_true(wait_for(all_closed));
    const seen_t *s = &world.seen[0];
    assert_string_equal(value(s, "hardware_info"), "a dell laptop that does not turn on");
    assert_string_equal(value(s, "first_seen"), "2026-03-03T09:00:00");
    assert_string_equal(value(s, "building_location"), "building four, second floor");
    assert_true(s->hung_up);
    assert_false(s->record->in_progress);
    assert_int_equal(s->record->ended, PL__LEG_END__LEG_BYE_LOCAL);
    assert_int_equal(s->record->synthesis->satisfaction, PL__SATISFACTION__HIGH);
    assert_int_equal(s->record->messages[0]->action, PL__ACTION__CALL);
    assert_int_equal(s->record->messages[s->record->n_messages - 1]->action, PL__ACTION__HANGUP);
}

static void nothing_leaks_from_one_call_to_another(void **state)
{
    (void)state;
    static const char *const lines[] = {"a laptop", "yesterday at nine", "yes",
                                        "%",        "no thanks",         NULL};
    world.lines = lines;
    start(NULL);
    for (unsigned i = 0; i < 20; i++) {
        char number[32];
        snprintf(number, sizeof number, "+3369999%04u", 9000 + i);
        post_call(number);
    }
    assert_true(wait_for(all_closed));
    assert_int_equal(world.count, 20);
    for (size_t i = 0; i < world.count; i++) {
        char want[64];
        snprintf(want, sizeof want, "room %s", world.seen[i].number + 8);
        assert_string_equal(value(&world.seen[i], "building_location"), want);
    }
}

static void a_busy_number_ends_the_record(void **state)
{
    (void)state;
    world.dial_outcome = PL__LEG_END__LEG_BUSY;
    start(NULL);
    post_call("+33699999999");
    assert_true(wait_for(all_closed));
    assert_int_equal(world.seen[0].record->ended, PL__LEG_END__LEG_BUSY);
    assert_string_equal(world.seen[0].record->ended_detail, "test");
    assert_int_equal(world.seen[0].says, 0);
    assert_null(world.seen[0].record->synthesis);
}

static void a_wrong_start_is_refused_and_nothing_stored(void **state)
{
    (void)state;
    start(NULL);
    post_call("0699999999");
    assert_true(wait_for(one_reply));
    assert_int_equal(world.last_error, PL_INVALID);
    assert_non_null(strstr(world.last_detail, "phone_number"));
    assert_int_equal(world.count, 0);
}

static void a_call_that_cannot_be_stored_is_not_dialled(void **state)
{
    (void)state;
    world.store_refuses_create = true;
    start(NULL);
    post_call("+33699999999");
    assert_true(wait_for(one_reply));
    assert_int_equal(world.last_error, PL_UNAVAILABLE);
    assert_int_equal(world.count, 0);
}

static bool two_replies(void)
{
    return world.replies >= 2;
}

static void more_calls_than_allowed_are_refused_as_busy(void **state)
{
    (void)state;
    static const char *const settings[] = {"dialogue.max_calls=1", NULL};
    start(settings);
    post_call("+33699999999");
    assert_true(wait_for(one_reply));
    post_call("+33699999998");
    assert_true(wait_for(two_replies));
    assert_int_equal(world.errors, 1);
    assert_int_equal(world.last_error, PL_BUSY);
}

static void writes_survive_a_store_that_fails_for_a_while(void **state)
{
    (void)state;
    world.lines = three_answers;
    world.store_failures = 4;
    start(NULL);
    post_call("+33699999999");
    assert_true(wait_for(all_closed));
    assert_string_equal(value(&world.seen[0], "building_location"), "building four, second floor");
    for (size_t i = 0; i < world.seen[0].record->n_messages; i++) {
        assert_int_equal(world.seen[0].record->messages[i]->number, i + 1);
    }
}

static void on_accepted(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    (void)arg;
    assert_int_equal(err, PL_OK);
    assert_int_equal(reply->body_case, PL__ENVELOPE__BODY_CALL_ACCEPTED);
    assert_string_equal(reply->call_accepted->lang, "en-US");
    assert_string_equal(reply->sender, "dialogue-0");
    world.accepted++;
    answer_leg(reply->call_id, PL__LEG_KIND__BROWSER);
}

static bool caller_heard_the_goodbye(void)
{
    return world.count && world.seen[0].hung_up && all_closed();
}

static void an_incoming_call_is_answered(void **state)
{
    (void)state;
    static const char *const lines[] = {"when does the desk open", "goodbye", NULL};
    static const char *const settings[] = {"conversation.initiate.bot_name=Ada", NULL};
    world.lines = lines;
    start(settings);
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__CallIncoming body = PL__CALL_INCOMING__INIT;
    body.kind = PL__LEG_KIND__BROWSER;
    body.from = (char *)"sip:somebody";
    env.call_id = (char *)"11111111-2222-4333-8444-555555555555";
    env.body_case = PL__ENVELOPE__BODY_CALL_INCOMING;
    env.call_incoming = &body;
    pl_bus_request(world.telephony, "dialogue", &env, 5000, on_accepted, NULL);
    assert_true(wait_for(caller_heard_the_goodbye));
    assert_int_equal(world.accepted, 1);
    assert_string_equal(world.seen[0].number, "anonymous");
    assert_false(world.seen[0].record->outbound);
    assert_non_null(strstr(world.seen[0].heard, "Ada"));
    assert_non_null(strstr(world.seen[0].heard, "The desk opens at eight."));
}

static bool kept_alive(void)
{
    return world.count && world.seen[0].keep_alives >= 2;
}

static void live_legs_are_kept_alive(void **state)
{
    (void)state;
    start(NULL);
    post_call("+33699999999");
    assert_true(wait_for(kept_alive));
}

static bool orphan_closed(void)
{
    return world.count && world.seen[0].record && world.seen[0].record->synthesis;
}

static void calls_of_a_former_run_are_closed(void **state)
{
    (void)state;
    Pl__CallRecord record = PL__CALL_RECORD__INIT;
    Pl__Initiate initiate = PL__INITIATE__INIT;
    Pl__Message message = PL__MESSAGE__INIT;
    Pl__Message *messages[] = {&message};
    message.number = 7;
    message.persona = PL__PERSONA__HUMAN;
    message.content = (char *)"hello";
    initiate.phone_number = (char *)"+33699999999";
    record.call_id = (char *)"c-orphan";
    record.created_at_ms = 1000;
    record.in_progress = true;
    record.initiate = &initiate;
    record.epoch = 1;
    record.owner = (char *)"dialogue-0";
    record.messages = messages;
    record.n_messages = 1;
    world.orphan = pl_record_copy(&record);
    start(NULL);
    assert_true(wait_for(orphan_closed));
    const Pl__CallRecord *closed = world.seen[0].record;
    assert_int_equal(world.adopted, 1);
    assert_int_equal(closed->epoch, 2);
    assert_false(closed->in_progress);
    assert_int_equal(closed->ended, PL__LEG_END__LEG_OWNER_LOST);
    assert_int_equal(closed->n_messages, 2);
    assert_int_equal(closed->messages[1]->number, 8);
    assert_int_equal(closed->messages[1]->action, PL__ACTION__HANGUP);
}

int main(void)
{
    pl_signals_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_call_is_made_and_its_claim_filled, stop),
        cmocka_unit_test_teardown(nothing_leaks_from_one_call_to_another, stop),
        cmocka_unit_test_teardown(a_busy_number_ends_the_record, stop),
        cmocka_unit_test_teardown(a_wrong_start_is_refused_and_nothing_stored, stop),
        cmocka_unit_test_teardown(a_call_that_cannot_be_stored_is_not_dialled, stop),
        cmocka_unit_test_teardown(more_calls_than_allowed_are_refused_as_busy, stop),
        cmocka_unit_test_teardown(writes_survive_a_store_that_fails_for_a_while, stop),
        cmocka_unit_test_teardown(an_incoming_call_is_answered, stop),
        cmocka_unit_test_teardown(live_legs_are_kept_alive, stop),
        cmocka_unit_test_teardown(calls_of_a_former_run_are_closed, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
