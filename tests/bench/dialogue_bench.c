/* dialogue_bench.c - what dialogue adds to a model's own time, and what a call takes of memory.
 *
 * The real dialogue process and a model's double; telephony, speech, rag and persistence are played
 * here on the real bus. Callers speak some seconds after they have heard an answer. Measured is the time
 * from the final transcript (sent) to the first sentence for speech (received), and, at the same time
 * and on the same machine, how long the double alone takes for a request of that size. Memory is
 * the growth of the process's resident set between two numbers of calls, each in mid-conversation.
 * Prints one JSON object; added is the whole without the double's median, p99_to_p99 without its own
 * 99th percentile, which tells of the machine's other load. Usage: dialogue_bench [CALLS [SECONDS [speculate]]]
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "common/log.h"
#include "tests/support/llm_double.h"
#include "tests/support/process.h"

enum {
    CALLS_MAX = 500,
    SAMPLES_MAX = 200000,
    PAUSE_LEAST_MS = 1500, /* from an answer's end to the caller's next words */
    PAUSE_SPREAD_MS = 3000,
    FINAL_MS = 300, /* from the words to their being final */
    PROBE_MS = 25,
    PROMPT_BYTES = 16000, /* of the request that the double alone is asked */
};

static const char model_script[] =
    "rules:\n"
    "  - when: {not_offered: updated_claim}\n"
    "    say: 'I see, thank you. And what happened then?'\n"
    "  - say: 'I see, thank you. And what happened then? Please take your time.'\n";

typedef struct {
    char id[40];
    uint32_t turn, turns;
    uint64_t asked_us; /* 0: no answer is awaited */
    pl_timer_t *pause;
} caller_t;

static process_t dialogue;
static llm_double_t model;
static pl_loop_t *loop;
static pl_config_t *configs[5];
static pl_bus_t *gateway, *telephony, *speech, *rag, *persistence;
static caller_t callers[CALLS_MAX];
static size_t count, failed;
static uint32_t *samples_us;
static size_t samples;
static bool measuring;
static uint32_t seed = 1;

/* ---- callers ---- */

static caller_t *caller_of(const char *id)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(callers[i].id, id) == 0) return &callers[i];
    }
    assert_true(count < CALLS_MAX);
    caller_t *caller = &callers[count++];
    *caller = (caller_t){0};
    (void)snprintf(caller->id, sizeof caller->id, "%s", id);
    return caller;
}

static void to_dialogue(pl_bus_t *from, Pl__Envelope *env, const caller_t *caller)
{
    env->call_id = (char *)caller->id;
    env->epoch = 1;
    if (pl_bus_event(from, "dialogue-0", env) != PL_OK) failed++;
}

static const char *next_words(const caller_t *caller, char out[64])
{
    (void)snprintf(out, 64, "and then it broke for the %u time", caller->turns);
    return out;
}

static void speak(void *arg)
{
    caller_t *caller = arg;
    char text[64];
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__Utterance said = PL__UTTERANCE__INIT;
    said.text = (char *)next_words(caller, text);
    env.body_case = PL__ENVELOPE__BODY_UTTERANCE;
    env.utterance = &said;
    caller->asked_us = pl_clock_us();
    to_dialogue(speech, &env, caller);
}

/* As speech does: the words are known some time before it is certain that they were all. */
static void begin_to_speak(void *arg)
{
    caller_t *caller = arg;
    char text[64];
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__Partial heard = PL__PARTIAL__INIT;
    caller->turns++;
    heard.text = (char *)next_words(caller, text);
    env.body_case = PL__ENVELOPE__BODY_PARTIAL;
    env.partial = &heard;
    to_dialogue(speech, &env, caller);
    pl_timer_stop(&caller->pause);
    caller->pause = pl_timer_start(loop, FINAL_MS, 0, speak, caller);
}

static void on_say(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    (void)request;
    uint64_t now_us = pl_clock_us();
    caller_t *caller = caller_of(env->call_id);
    const Pl__Say *say = env->say;
    if (caller->asked_us && say->text[0]) {
        if (measuring && samples < SAMPLES_MAX) {
            samples_us[samples++] = (uint32_t)(now_us - caller->asked_us);
        }
        caller->asked_us = 0;
    }
    if (!say->last) return;
    Pl__Envelope told = PL__ENVELOPE__INIT;
    Pl__TurnSpoken spoken = PL__TURN_SPOKEN__INIT;
    spoken.turn = say->turn;
    told.body_case = PL__ENVELOPE__BODY_TURN_SPOKEN;
    told.turn_spoken = &spoken;
    to_dialogue(speech, &told, caller);
    seed = seed * 1664525U + 1013904223U;
    uint64_t pause_ms = PAUSE_LEAST_MS + (seed >> 8) % PAUSE_SPREAD_MS;
    pl_timer_stop(&caller->pause);
    caller->pause = pl_timer_start(loop, pause_ms, 0, begin_to_speak, caller);
}

/* ---- the other services ---- */

static void on_dial(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    const caller_t *caller = caller_of(env->call_id);
    pl_request_done(&request);
    Pl__Envelope told = PL__ENVELOPE__INIT;
    Pl__LegAnswered answered = PL__LEG_ANSWERED__INIT;
    answered.speech = (char *)"speech-0";
    told.body_case = PL__ENVELOPE__BODY_LEG_ANSWERED;
    told.leg_answered = &answered;
    to_dialogue(telephony, &told, caller);
}

static void acknowledge(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    (void)env;
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    Pl__StoreAck ack = PL__STORE_ACK__INIT;
    reply.body_case = PL__ENVELOPE__BODY_STORE_ACK;
    reply.store_ack = &ack;
    pl_request_reply(&request, &reply);
}

static void find_nothing(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    (void)env;
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    Pl__SearchResult result = PL__SEARCH_RESULT__INIT;
    reply.body_case = PL__ENVELOPE__BODY_SEARCH_RESULT;
    reply.search_result = &result;
    pl_request_reply(&request, &reply);
}

static void list_nothing(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    (void)env;
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    Pl__StoreCalls calls = PL__STORE_CALLS__INIT;
    reply.body_case = PL__ENVELOPE__BODY_STORE_CALLS;
    reply.store_calls = &calls;
    pl_request_reply(&request, &reply);
}

static void no_such_call(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    (void)env;
    pl_request_refuse(&request, PL_NOT_FOUND, 0, "none");
}

static void ignore(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    (void)env;
    if (request) pl_request_done(&request);
}

static pl_bus_t *instance(size_t i, const char *service, const char *const *peers)
{
    static const pl_config_key_t no_keys[] = {{NULL, 0, NULL, 0, 0, NULL}};
    char dir[128];
    int status = 0;
    pl_bus_t *bus = NULL;
    (void)snprintf(dir, sizeof dir, "bus.run_dir=%s/run", dialogue.folder);
    char *args[] = {"bench", "--set", dir, "--set", "log.level=error", NULL};
    configs[i] = pl_config_load(service, no_keys, 5, args, &status);
    assert_non_null(configs[i]);
    assert_int_equal(pl_bus_new(&bus, loop, configs[i], peers), PL_OK);
    return bus;
}

static void open_services(void)
{
    static const char *const to_dialogue_only[] = {"dialogue", NULL};
    static const char *const nobody[] = {NULL};
    char dir[128];
    (void)snprintf(dir, sizeof dir, "%s/run", dialogue.folder);
    (void)mkdir(dir, 0700);
    gateway = instance(0, "gateway", to_dialogue_only);
    telephony = instance(1, "telephony", to_dialogue_only);
    speech = instance(2, "speech", to_dialogue_only);
    rag = instance(3, "rag", nobody);
    persistence = instance(4, "persistence", nobody);
    pl_bus_on(telephony, PL__ENVELOPE__BODY_LEG_DIAL, on_dial, NULL);
    pl_bus_on(telephony, PL__ENVELOPE__BODY_LEG_KEEP_ALIVE, ignore, NULL);
    pl_bus_on(speech, PL__ENVELOPE__BODY_SAY, on_say, NULL);
    pl_bus_on(speech, PL__ENVELOPE__BODY_LISTEN, ignore, NULL);
    pl_bus_on(speech, PL__ENVELOPE__BODY_SAY_STOP, ignore, NULL);
    pl_bus_on(rag, PL__ENVELOPE__BODY_SEARCH_QUERY, find_nothing, NULL);
    pl_bus_on(persistence, PL__ENVELOPE__BODY_STORE_CREATE, acknowledge, NULL);
    pl_bus_on(persistence, PL__ENVELOPE__BODY_STORE_APPLY, acknowledge, NULL);
    pl_bus_on(persistence, PL__ENVELOPE__BODY_STORE_LIST, list_nothing, NULL);
    pl_bus_on(persistence, PL__ENVELOPE__BODY_STORE_GET, no_such_call, NULL);
    pl_bus_on(persistence, PL__ENVELOPE__BODY_JOB_TAKE, no_such_call, NULL);
}

static void close_services(void)
{
    for (size_t i = 0; i < count; i++) pl_timer_stop(&callers[i].pause);
    pl_bus_destroy(&gateway);
    pl_bus_destroy(&telephony);
    pl_bus_destroy(&speech);
    pl_bus_destroy(&rag);
    pl_bus_destroy(&persistence);
    pl_loop_destroy(&loop);
    for (size_t i = 0; i < 5; i++) pl_config_destroy(&configs[i]);
}

/* ---- the double alone ---- */

static atomic_bool probing;
static uint32_t alone_us[SAMPLES_MAX / 100];
static size_t alone;

static int connect_to(int port)
{
    int one = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static size_t write_request(char *out, size_t bytes)
{
    static char body[PROMPT_BYTES + 512];
    static char prompt[PROMPT_BYTES + 1];
    memset(prompt, 'x', PROMPT_BYTES);
    for (size_t i = 7; i < PROMPT_BYTES; i += 8) prompt[i] = ' ';
    int n = snprintf(body, sizeof body,
                     "{\"model\":\"fast\",\"stream\":true,\"messages\":[{\"role\":\"system\","
                     "\"content\":\"%s\"},{\"role\":\"user\",\"content\":\"and then\"}]}",
                     prompt);
    n = snprintf(out, bytes,
                 "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                 "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                 n, body);
    assert_true(n > 0 && (size_t)n < bytes);
    return (size_t)n;
}

/* Asks again and again on one connection; the time is that to the first sentence's bytes. */
static void *probe(void *arg)
{
    (void)arg;
    static char request[PROMPT_BYTES + 2048];
    static char answer[65536];
    size_t size = write_request(request, sizeof request);
    int fd = connect_to(model.port);
    while (atomic_load(&probing)) {
        size_t n = 0;
        bool first = true;
        uint64_t from_us = pl_clock_us();
        assert_int_equal(send(fd, request, size, 0), (ssize_t)size);
        for (answer[0] = '\0'; !strstr(answer, "\r\n0\r\n\r\n");) {
            ssize_t more = recv(fd, answer + n, sizeof answer - n - 1, 0);
            assert_true(more > 0);
            n += (size_t)more;
            answer[n] = '\0';
            if (!first || !strstr(answer, "\"content\":\"")) continue;
            first = false;
            if (alone < sizeof alone_us / sizeof alone_us[0]) {
                alone_us[alone++] = (uint32_t)(pl_clock_us() - from_us);
            }
        }
        usleep(PROBE_MS * 1000);
    }
    (void)close(fd);
    return NULL;
}

/* ---- running ---- */

static void stop_loop(void *arg)
{
    (void)arg;
    pl_loop_stop(loop);
}

static void run_ms(uint64_t ms)
{
    pl_timer_t *timer = pl_timer_start(loop, ms, 0, stop_loop, NULL);
    pl_loop_run(loop);
    pl_timer_stop(&timer);
}

static bool all_up(void)
{
    pl_peer_t peer;
    return pl_bus_pick(gateway, "dialogue", &peer) && pl_bus_pick(telephony, "dialogue", &peer) &&
           pl_bus_pick(speech, "dialogue", &peer);
}

static void on_started(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    (void)arg;
    (void)reply;
    if (err) failed++;
}

static void start_calls(size_t wanted)
{
    for (size_t i = count; i < wanted; i++) {
        char number[32];
        Pl__Envelope env = PL__ENVELOPE__INIT;
        Pl__CallStart body = PL__CALL_START__INIT;
        Pl__Initiate initiate = PL__INITIATE__INIT;
        (void)snprintf(number, sizeof number, "+336%08zu", 10000000 + i);
        initiate.phone_number = number;
        body.initiate = &initiate;
        env.body_case = PL__ENVELOPE__BODY_CALL_START;
        env.call_start = &body;
        pl_bus_request(gateway, "dialogue", &env, 5000, on_started, NULL);
        run_ms(5);
    }
    for (int i = 0; i < 1000 && count < wanted; i++) run_ms(5);
    assert_int_equal(count, wanted);
}

static long resident_bytes(void)
{
    char path[64];
    char line[256];
    long kilobytes = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)dialogue.pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, "VmRSS:", 6) == 0) kilobytes = strtol(line + 6, NULL, 10);
    }
    (void)fclose(file);
    return kilobytes * 1024;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double at_ms(const uint32_t *sorted, size_t n, unsigned per_mille)
{
    return n ? sorted[n * per_mille / 1000] / 1000.0 : 0;
}

static void measure(size_t calls, unsigned seconds, bool speculate)
{
    pthread_t prober;
    start_calls(calls);
    run_ms(4000); /* all have begun to talk */
    measuring = true;
    atomic_store(&probing, true);
    assert_int_equal(pthread_create(&prober, NULL, probe, NULL), 0);
    run_ms((uint64_t)seconds * 1000);
    measuring = false;
    atomic_store(&probing, false);
    (void)pthread_join(prober, NULL);
    long few = resident_bytes();
    size_t more = CALLS_MAX;
    start_calls(more);
    run_ms((uint64_t)seconds * 1000); /* as long talks as the first ones had */
    long many = resident_bytes();
    qsort(samples_us, samples, sizeof *samples_us, by_value);
    qsort(alone_us, alone, sizeof *alone_us, by_value);
    double model_ms = at_ms(alone_us, alone, 500);
    printf("{\"bench\":\"dialogue\",\"speculation\":%s,\"calls\":%zu,\"seconds\":%u,\"answers\":%"
           "zu,\"failed\":%zu,"
           "\"whole_ms\":{\"p50\":%.2f,\"p99\":%.2f,\"max\":%.2f},"
           "\"model_alone_ms\":{\"p50\":%.2f,\"p99\":%.2f},"
           "\"added_ms\":{\"p50\":%.2f,\"p99\":%.2f,\"p99_to_p99\":%.2f},\"goal_ms\":{\"p50\":1,"
           "\"p99\":5},"
           "\"memory\":{\"calls\":%zu,\"bytes_a_call\":%ld,\"goal\":65536}}\n",
           speculate ? "true" : "false", calls, seconds, samples, failed,
           at_ms(samples_us, samples, 500), at_ms(samples_us, samples, 990),
           at_ms(samples_us, samples, 999), model_ms, at_ms(alone_us, alone, 990),
           at_ms(samples_us, samples, 500) - model_ms, at_ms(samples_us, samples, 990) - model_ms,
           at_ms(samples_us, samples, 990) - at_ms(alone_us, alone, 990), more,
           (many - few) / (long)(more - calls));
}

int main(int argc, char **argv)
{
    char endpoint[96];
    unsigned calls = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100;
    unsigned seconds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 20;
    bool speculate = argc > 3 && strcmp(argv[3], "speculate") == 0;
    if (calls == 0 || calls >= CALLS_MAX || seconds == 0) {
        fprintf(stderr,
                "usage: dialogue_bench [CALLS [SECONDS [speculate]]], fewer than %d calls\n",
                CALLS_MAX);
        return EXIT_FAILURE;
    }
    pl_signals_init();
    pl_log_init("bench", PL_LOG_ERROR);
    samples_us = calloc(SAMPLES_MAX, sizeof *samples_us);
    assert_non_null(samples_us);
    loop = pl_loop_new();
    model = llm_double_start(model_script);
    process_make_folder(&dialogue, "dialogue");
    open_services();
    (void)snprintf(endpoint, sizeof endpoint, "llm.fast.endpoint=http://127.0.0.1:%d/v1",
                   model.port);
    dialogue.settings[0] = endpoint;
    dialogue.settings[1] = "llm.fast.model=fast";
    dialogue.settings[2] = "log.level=warn";
    dialogue.settings[3] =
        speculate ? "dialogue.llm.speculate=true" : "dialogue.llm.speculate=false";
    process_start(&dialogue, NULL);
    for (int i = 0; i < 1000 && !all_up(); i++) run_ms(10);
    assert_true(all_up());
    run_ms(500);
    measure(calls, seconds, speculate);
    (void)fflush(stdout);
    (void)kill(dialogue.pid, SIGKILL);
    (void)waitpid(dialogue.pid, NULL, 0);
    dialogue.pid = 0;
    llm_double_stop(&model);
    close_services();
    process_clean_up(&dialogue);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
