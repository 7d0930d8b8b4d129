/* llm_bench.c - what the language-model client costs: so many streams at once against llm-double.
 *
 *   llm_bench [STREAMS] [SECONDS]     JSON on standard output
 * Each stream is an answer of some 60 tokens at 50 a second; when it ends the next begins. The first
 * piece's delay is counted from llm_ask, so the double's own time is in it. CPU and memory are those
 * of this process alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "services/dialogue/llm/llm.h"
#include "tests/support/llm_double.h"

enum { STREAMS_MOST = 5000, DELAYS_MOST = 1000000, PROMPT_BYTES = 6000, ANSWER_MS = 1240 };

typedef struct bench bench_t;

typedef struct {
    bench_t *bench;
    uint64_t asked_us;
    bool spoke;
    pl_timer_t *start;
} stream_t;

struct bench {
    pl_loop_t *loop;
    llm_t *llm;
    stream_t *streams;
    unsigned n_streams;
    char prompt[PROMPT_BYTES];
    uint32_t *delays_us;
    size_t n_delays;
    uint64_t pieces, answers, failures, asks, ask_us;
    bool over;
};

static void ask(stream_t *stream);

static void on_text(void *arg, const char *piece)
{
    stream_t *stream = arg;
    bench_t *bench = stream->bench;
    (void)piece;
    bench->pieces++;
    if (stream->spoke) return;
    stream->spoke = true;
    if (bench->n_delays == DELAYS_MOST) return;
    bench->delays_us[bench->n_delays++] = (uint32_t)(pl_clock_us() - stream->asked_us);
}

static void on_tool(void *arg, const llm_tool_call_t *call)
{
    (void)arg;
    (void)call;
}

static void on_done(void *arg, pl_err_t err, const llm_end_t *end)
{
    stream_t *stream = arg;
    (void)end;
    if (err) {
        stream->bench->failures++;
    } else {
        stream->bench->answers++;
    }
    if (!stream->bench->over) ask(stream);
}

/* A prompt of the size that a call's has: instructions, a claim, some turns, and ten tools. */
static void ask(stream_t *stream)
{
    static const char schema[] = "{\"type\":\"object\",\"properties\":{\"customer_response\":"
                                 "{\"type\":\"string\",\"description\":\"What is said to the "
                                 "customer\"}},\"required\":[\"customer_response\"]}";
    bench_t *bench = stream->bench;
    llm_tool_t tools[10];
    llm_message_t messages[20] = {{.role = LLM_SYSTEM, .content = bench->prompt}};
    for (size_t i = 1; i < 20; i++) {
        messages[i] = (llm_message_t){.role = i % 2 ? LLM_USER : LLM_ASSISTANT,
                                      .content = "A sentence or two of what has been said so far, "
                                                 "as people say it on the telephone."};
    }
    for (size_t i = 0; i < 10; i++) {
        tools[i] = (llm_tool_t){"updated_claim", "Use this when the customer says so.", schema};
    }
    stream->spoke = false;
    stream->asked_us = pl_clock_us();
    (void)llm_ask(bench->llm, LLM_FAST,
                  &(llm_request_t){.messages = messages,
                                   .n_messages = 20,
                                   .tools = tools,
                                   .n_tools = 10,
                                   .max_tokens = 160},
                  &(llm_sink_t){.arg = stream, .text = on_text, .tool = on_tool, .done = on_done});
    bench->asks++;
    bench->ask_us += pl_clock_us() - stream->asked_us;
}

static double cpu_s(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void stop(void *loop)
{
    pl_loop_stop(loop);
}

static void run_ms(bench_t *self, uint64_t ms)
{
    pl_timer_t *timer = pl_timer_start(self->loop, ms, 0, stop, self->loop);
    pl_loop_run(self->loop);
    pl_timer_stop(&timer);
}

static int by_size(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

static double percentile_ms(const bench_t *self, double share)
{
    if (!self->n_delays) return 0;
    return self->delays_us[(size_t)((double)(self->n_delays - 1) * share)] / 1000.0;
}

static void begin(void *arg)
{
    stream_t *stream = arg;
    pl_timer_stop(&stream->start);
    ask(stream);
}

static void measure(bench_t *self, unsigned seconds)
{
    size_t idle_bytes = mallinfo2().uordblks;
    for (unsigned i = 0; i < self->n_streams; i++) { /* callers do not speak in step */
        self->streams[i].bench = self;
        self->streams[i].start = pl_timer_start(
            self->loop, (uint64_t)ANSWER_MS * i / self->n_streams, 0, begin, &self->streams[i]);
    }
    run_ms(self, ANSWER_MS);
    self->n_delays = 0;
    size_t busy_bytes = mallinfo2().uordblks;

    self->ask_us = self->asks = 0;
    double cpu_before_s = cpu_s();
    uint64_t pieces = self->pieces;
    uint64_t from_us = pl_clock_us();
    run_ms(self, 1000ULL * seconds);
    double wall_s = (double)(pl_clock_us() - from_us) / 1e6;
    double spent_s = cpu_s() - cpu_before_s;
    pieces = self->pieces - pieces;
    self->over = true;
    qsort(self->delays_us, self->n_delays, sizeof *self->delays_us, by_size);
    printf("{\"bench\":\"llm\",\"streams\":%u,\"seconds\":%.1f,\"answers\":%llu,\"failures\":%llu,"
           "\"pieces_per_s\":%.0f,\"first_piece_ms\":{\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,"
           "\"max\":%.3f},\"ask_us\":%.1f,\"cpu_share\":%.4f,\"cpu_us_per_piece\":%.2f,"
           "\"heap_bytes_per_stream\":%.0f}\n",
           self->n_streams, wall_s, (unsigned long long)self->answers,
           (unsigned long long)self->failures, (double)pieces / wall_s, percentile_ms(self, 0.5),
           percentile_ms(self, 0.9), percentile_ms(self, 0.99), percentile_ms(self, 1),
           self->asks ? (double)self->ask_us / (double)self->asks : 0, spent_s / wall_s,
           pieces ? spent_s * 1e6 / (double)pieces : 0,
           ((double)busy_bytes - (double)idle_bytes) / self->n_streams);
}

/* An argument from 1 to most; 0 when it is none. */
static unsigned number(const char *text, unsigned long most)
{
    char *end = NULL;
    unsigned long value = strtoul(text, &end, 10);
    return *end || value > most ? 0 : (unsigned)value;
}

int main(int argc, char **argv)
{
    static const pl_config_key_t *const keys = llm_config_keys;
    unsigned streams = argc > 1 ? number(argv[1], STREAMS_MOST) : 100;
    unsigned seconds = argc > 2 ? number(argv[2], 3600) : 10;
    if (!streams || !seconds) {
        fprintf(stderr, "llm_bench [STREAMS] [SECONDS]\n");
        return 64;
    }
    pl_signals_init();
    pl_log_init("bench", PL_LOG_ERROR);
    llm_double_t server = llm_double_start(
        "rules: [{say: 'This is an answer of some sixty tokens, as they are spoken on a telephone, "
        "one after the other, while the caller listens; it ends when all has been said, and then "
        "the next one begins, so that there are always as many streams as were asked for, and "
        "none of them waits for another one of them.', pace: {tokens_per_s: 50}}]");
    char yaml[256];
    char error[256];
    (void)snprintf(yaml, sizeof yaml,
                   "llm: {connections: 0, fast: {endpoint: 'http://127.0.0.1:%d', model: m}}",
                   server.port);
    pl_config_t *cfg = pl_config_parse("dialogue", keys, "bench", yaml, error, sizeof error);
    bench_t bench = {.loop = pl_loop_new(), .n_streams = streams};
    bench.streams = calloc(streams, sizeof *bench.streams);
    bench.delays_us = calloc(DELAYS_MOST, sizeof *bench.delays_us);
    memset(bench.prompt, 'p', sizeof bench.prompt - 1);
    if (!cfg || !bench.streams || !bench.delays_us ||
        llm_new(&bench.llm, bench.loop, cfg) != PL_OK) {
        fprintf(stderr, "%s\n", error);
        return EXIT_FAILURE;
    }
    measure(&bench, seconds);
    llm_destroy(&bench.llm);
    pl_loop_destroy(&bench.loop);
    pl_config_destroy(&cfg);
    free(bench.streams);
    free(bench.delays_us);
    llm_double_stop(&server);
    return bench.failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
