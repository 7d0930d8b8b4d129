/* rtp_bench.c - how many legs one core carries: RTP both ways, codec, jitter buffer, voice activity.
 *
 * usage: rtp_bench [LEGS [TICKS]]
 * Pairs of legs talk over loopback with a simulated clock, as fast as the core goes. Prints one
 * JSON object with the time of a leg's 20 ms tick for each codec.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "services/telephony/rtp_leg.h"
#include "services/telephony/vad.h"

enum { MAX_LEGS = 400, TICK_US = 20000, SPEECH_FRAMES = 50 };

static int16_t speech[SPEECH_FRAMES * CODEC_FRAME_SAMPLES];
static size_t at_frame;
static uint64_t heard_frames;

typedef struct {
    rtp_leg_t *leg;
    vad_t vad;
} caller_t;

static void on_heard(void *arg, const rtp_heard_t *frame)
{
    caller_t *c = arg;
    heard_frames += !frame->missing;
    (void)vad_frame(&c->vad, frame->missing ? NULL : frame->pcm);
}

static bool on_next(void *arg, int16_t pcm[CODEC_FRAME_SAMPLES])
{
    (void)arg;
    memcpy(pcm, speech + at_frame * CODEC_FRAME_SAMPLES, CODEC_FRAME_SAMPLES * sizeof *pcm);
    return true;
}

static void on_dtmf(void *arg, char digit, uint32_t duration_ms)
{
    (void)arg;
    (void)digit;
    (void)duration_ms;
}

static void on_lost(void *arg)
{
    (void)arg;
}

static struct sockaddr_storage loopback(uint16_t port)
{
    struct sockaddr_storage out = {0};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(&out, &a, sizeof a);
    return out;
}

static void connect_all(caller_t *callers, size_t count, pl_loop_t *loop, codec_kind_t codec)
{
    struct sockaddr_storage any = loopback(0);
    for (size_t i = 0; i < count; i++) {
        vad_init(&callers[i].vad, 0.5);
        if (rtp_leg_new(&callers[i].leg, (struct sockaddr *)&any, 22000, 29999) == PL_OK) continue;
        fprintf(stderr, "rtp_bench: no free ports in 22000-29999\n");
        exit(EXIT_FAILURE);
    }
    for (size_t i = 0; i < count; i++) {
        rtp_params_t params = {.codec = codec, .pt = 96, .send = true, .receive = true};
        params.remote = loopback(rtp_leg_port(callers[i ^ 1].leg));
        rtp_sink_t sink = {on_heard, on_next, on_dtmf, on_lost, &callers[i]};
        if (rtp_leg_start(callers[i].leg, loop, &params, &sink) != PL_OK) exit(EXIT_FAILURE);
    }
}

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double us_per_tick(codec_kind_t codec, size_t legs, size_t ticks)
{
    static caller_t callers[MAX_LEGS];
    pl_loop_t *loop = pl_loop_new();
    connect_all(callers, legs, loop, codec);
    heard_frames = 0;
    uint64_t now_us = 1000000000;
    double before = cpu_us();
    for (size_t t = 0; t < ticks; t++) {
        now_us += TICK_US;
        at_frame = t % SPEECH_FRAMES;
        for (size_t i = 0; i < legs; i++) rtp_leg_tick_at(callers[i].leg, now_us);
    }
    double each = (cpu_us() - before) / (double)(legs * ticks);
    for (size_t i = 0; i < legs; i++) rtp_leg_destroy(&callers[i].leg);
    pl_loop_destroy(&loop);
    if (heard_frames * 10 < legs * ticks * 9) {
        fprintf(stderr, "rtp_bench: legs did not hear each other\n");
        exit(EXIT_FAILURE);
    }
    return each;
}

int main(int argc, char **argv)
{
    size_t legs = argc > 1 ? strtoul(argv[1], NULL, 10) & ~1ul : 200;
    size_t ticks = argc > 2 ? strtoul(argv[2], NULL, 10) : 250;
    if (legs < 2 || legs > MAX_LEGS || ticks < 50) {
        fprintf(stderr, "usage: rtp_bench [LEGS (2-%d) [TICKS (50-)]]\n", MAX_LEGS);
        return EXIT_FAILURE;
    }
    uint32_t random = 1;
    for (size_t i = 0; i < sizeof speech / sizeof speech[0]; i++) {
        random = random * 1664525 + 1013904223;
        speech[i] = (int16_t)((int)(random >> 20) - 2048);
    }
    printf("{\"bench\": \"rtp\", \"legs\": %zu, \"ticks\": %zu", legs, ticks);
    for (codec_kind_t codec = 0; codec < CODEC_KINDS; codec++) {
        double us = us_per_tick(codec, legs, ticks);
        printf(", \"%s\": {\"us_per_tick\": %.1f, \"legs_per_core\": %.0f}",
               codec_info(codec)->name, us, TICK_US / us);
    }
    printf("}\n");
    return EXIT_SUCCESS;
}
