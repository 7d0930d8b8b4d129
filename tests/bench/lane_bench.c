/* lane_bench.c - round trips through one media lane: how long a frame takes there and back.
 *
 * usage: lane_bench [CALLS [SECONDS]]
 * One thread plays telephony: each 20 ms it sends one frame of every call, staggered as calls are.
 * Another plays speech and sends every frame back as a turn's. Prints one JSON object.
 */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/lane.h"
#include "common/log.h"

enum { SLICES = PL_FRAME_MS, MAX_SAMPLES = 8 * 1000 * 1000 };

static const uint8_t token[PL_LANE_TOKEN_BYTES] = "bench";

typedef struct {
    pl_loop_t *loop;
    pl_lane_t *lane;
    pthread_t thread;
    double cpu_seconds;
    uint64_t frames, refused;
} speech_t;

typedef struct {
    pl_loop_t *loop;
    pl_lane_t *lane;
    unsigned calls;
    uint64_t began_us, until_us;
    uint64_t steps; /* of one millisecond, played so far */
    uint64_t sent, refused;
    uint32_t *round_trips_us;
    size_t count;
} telephony_t;

static double thread_cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void ready(void *arg)
{
    (void)arg;
}

static void broken(void *arg, const char *why)
{
    (void)arg;
    fprintf(stderr, "lane_bench: the lane broke: %s\n", why);
    exit(EXIT_FAILURE);
}

/* ---- speech -------------------------------------------------------------------------------- */

static void send_back(void *arg, const Pl__LaneFrame *frame)
{
    speech_t *self = arg;
    Pl__LaneSayOut say = PL__LANE_SAY_OUT__INIT;
    say.turn = 1;
    say.seq = frame->in->seq;
    say.pcm = frame->in->pcm;
    Pl__LaneFrame back = PL__LANE_FRAME__INIT;
    back.slot = frame->slot;
    back.generation = frame->generation;
    back.body_case = PL__LANE_FRAME__BODY_OUT;
    back.out = &say;
    self->frames++;
    if (pl_lane_send(self->lane, &back) != PL_OK) self->refused++;
}

static void *speech_thread(void *arg)
{
    speech_t *self = arg;
    pl_loop_run(self->loop);
    self->cpu_seconds = thread_cpu_seconds();
    return NULL;
}

/* ---- telephony ----------------------------------------------------------------------------- */

static void take_back(void *arg, const Pl__LaneFrame *frame)
{
    telephony_t *self = arg;
    uint64_t sent_us;
    memcpy(&sent_us, frame->out->pcm.data, sizeof sent_us);
    if (self->count < MAX_SAMPLES) {
        self->round_trips_us[self->count++] = (uint32_t)(pl_clock_us() - sent_us);
    }
}

static void send_call(telephony_t *self, unsigned call, uint32_t seq)
{
    uint8_t pcm[PL_FRAME_BYTES] = {0};
    uint64_t now_us = pl_clock_us();
    memcpy(pcm, &now_us, sizeof now_us);
    Pl__LaneHeardIn heard = PL__LANE_HEARD_IN__INIT;
    heard.seq = seq;
    heard.pcm = (ProtobufCBinaryData){sizeof pcm, pcm};
    heard.voice = true;
    heard.level_cb = -250;
    heard.floor_cb = -600;
    Pl__LaneFrame frame = PL__LANE_FRAME__INIT;
    frame.slot = call;
    frame.generation = 1;
    frame.body_case = PL__LANE_FRAME__BODY_IN;
    frame.in = &heard;
    if (pl_lane_send(self->lane, &frame) == PL_OK)
        self->sent++;
    else
        self->refused++;
}

/* Every millisecond's slice of the calls, by an absolute clock. */
static void play(void *arg)
{
    telephony_t *self = arg;
    uint64_t now_us = pl_clock_us();
    if (now_us >= self->until_us) {
        pl_loop_stop(self->loop);
        return;
    }
    for (; self->steps <= (now_us - self->began_us) / 1000; self->steps++) {
        for (unsigned call = (unsigned)(self->steps % SLICES); call < self->calls; call += SLICES) {
            send_call(self, call, (uint32_t)(self->steps / SLICES));
        }
    }
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void print(telephony_t *telephony, const speech_t *speech, unsigned seconds)
{
    qsort(telephony->round_trips_us, telephony->count, sizeof(uint32_t), by_size);
    const uint32_t *sorted = telephony->round_trips_us;
    size_t n = telephony->count;
    printf("{\"bench\": \"lane\", \"calls\": %u, \"seconds\": %u, \"frames\": %llu, "
           "\"refused\": %llu, \"round_trip_p50_us\": %u, \"round_trip_p99_us\": %u, "
           "\"round_trip_max_us\": %u, \"speech_cpu_s\": %.2f, \"telephony_cpu_s\": %.2f}\n",
           telephony->calls, seconds, (unsigned long long)telephony->sent,
           (unsigned long long)(telephony->refused + speech->refused), n ? sorted[n / 2] : 0,
           n ? sorted[n * 99 / 100] : 0, n ? sorted[n - 1] : 0, speech->cpu_seconds,
           thread_cpu_seconds());
}

int main(int argc, char **argv)
{
    pl_signals_init();
    pl_log_init("lane_bench", PL_LOG_WARN);
    unsigned calls = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100;
    unsigned seconds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 5;
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "ipc:///tmp/parley-lane-bench-%d", (int)getpid());

    speech_t speech = {.loop = pl_loop_new()};
    pl_lane_sink_t at_speech = {ready, send_back, broken, &speech};
    telephony_t telephony = {.loop = pl_loop_new(), .calls = calls};
    pl_lane_sink_t at_telephony = {ready, take_back, broken, &telephony};
    telephony.round_trips_us = malloc(MAX_SAMPLES * sizeof(uint32_t));
    assert(telephony.round_trips_us);
    if (pl_lane_listen(&speech.lane, speech.loop, endpoint, NULL, token, &at_speech) != PL_OK) {
        return EXIT_FAILURE;
    }
    int rc = pthread_create(&speech.thread, NULL, speech_thread, &speech);
    assert(rc == 0);
    (void)rc;
    if (pl_lane_connect(&telephony.lane, telephony.loop, endpoint, NULL, token, &at_telephony)) {
        return EXIT_FAILURE;
    }
    telephony.began_us = pl_clock_us() + 200 * 1000; /* after the hello */
    telephony.until_us = telephony.began_us + seconds * 1000000ULL;
    pl_timer_t *clock = pl_timer_start(telephony.loop, 201, 1, play, &telephony);
    pl_loop_run(telephony.loop);
    pl_timer_stop(&clock);
    pl_loop_stop(speech.loop);
    pthread_join(speech.thread, NULL);
    print(&telephony, &speech, seconds);
    pl_lane_destroy(&telephony.lane);
    pl_lane_destroy(&speech.lane);
    pl_loop_destroy(&telephony.loop);
    pl_loop_destroy(&speech.loop);
    free(telephony.round_trips_us);
    return EXIT_SUCCESS;
}
