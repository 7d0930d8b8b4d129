/* Hours of a call in minutes: everything that is kept between two frames of a leg's audio, driven by a
 * simulated clock. The far end's clock runs at another speed, its packets are lost, late, doubled and out
 * of order; it hears our voice and sends it back as an echo. Neither delay nor memory may grow, and what
 * the first minutes could the last can.
 *
 * PARLEY_ENDURE_HOURS=24 spreads so many hours over the calls (make endure); a few minutes otherwise.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/speech/resample.h"
#include "services/telephony/cleaner.h"
#include "services/telephony/playout.h"
#include "services/telephony/receiver.h"
#include "services/telephony/vad.h"
#include "tests/support/echo_scene.h"
#include "tests/unit/telephony/tone.h"

size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

enum { TICK_US = 20000, MINUTE_TICKS = 3000, WIRE = 64, SETTLED_MINUTES = 2, PATH_TICKS = 4 };
enum { VOICE_HZ = 24000, VOICE_FRAME = VOICE_HZ / 50, CREDIT_MS = 400 };

typedef struct {
    codec_kind_t codec;
    double drift_ppm; /* of the far end's clock */
    uint32_t jitter_us, loss_per_mille, duplicates_per_mille;
} line_t;

static const line_t lines[] = {
    {CODEC_PCMU, 100, 15000, 5, 1},  {CODEC_PCMA, -100, 30000, 10, 1},
    {CODEC_G722, 200, 40000, 20, 2}, {CODEC_L16, -200, 25000, 10, 1},
    {CODEC_OPUS, 50, 60000, 30, 2},  {CODEC_G722, 0, 5000, 1, 0},
};
enum { LINES = sizeof lines / sizeof *lines };

typedef struct {
    uint64_t arrives_us; /* 0: free */
    uint32_t timestamp;
    size_t bytes;
    uint8_t payload[CODEC_MAX_PAYLOAD_BYTES];
} packet_t;

typedef struct {
    const line_t *line;
    const codec_info_t *info;
    scene_t scene;
    uint32_t random;
    uint64_t now_us;
    /* the far end */
    codec_t *coder;
    double next_us, period_us;
    uint32_t timestamp;
    packet_t wire[WIRE];
    /* our side of what comes */
    codec_t *decoder;
    receiver_t *receiver;
    cleaner_t *cleaner;
    vad_t vad;
    /* and of what goes */
    resample_t *resample;
    playout_t *playout;
    codec_t *sender;
    int16_t said[CODEC_FRAME_SAMPLES]; /* resampled, until it is a whole frame */
    size_t said_samples, made;
    uint32_t turn, seq;
    uint64_t fed_samples;
    /* what is watched */
    uint64_t frames, missing, concealed, sounding;
    double delay_us;  /* summed over a minute */
    uint32_t packets; /* the most that waited, in a minute */
    double first_delay_ms, most_delay_ms, last_delay_ms;
    size_t bytes_then;
} call_t;

static size_t bytes_now(void)
{
    if (__sanitizer_get_current_allocated_bytes) return __sanitizer_get_current_allocated_bytes();
    return mallinfo2().uordblks;
}

static bool chance(call_t *c, uint32_t per_mille)
{
    return tone_random(&c->random) % 1000 < per_mille;
}

/* The part of the scene that a tick holds; it begins anew at its end. */
static const int16_t *part(const call_t *c, const int16_t *pcm, uint64_t tick)
{
    return pcm + tick % (c->scene.samples / CODEC_FRAME_SAMPLES) * CODEC_FRAME_SAMPLES;
}

/* ---- the far end and the network --------------------------------------------------------------------- */

static void put_on_wire(call_t *c, const uint8_t *payload, size_t bytes)
{
    uint32_t extra = tone_random(&c->random) % (c->line->jitter_us + 1);
    if (chance(c, 1)) extra += 60000; /* a spike now and then */
    for (size_t i = 0; i < WIRE; i++) {
        if (c->wire[i].arrives_us) continue;
        c->wire[i].arrives_us = (uint64_t)c->next_us + 30000 + extra;
        c->wire[i].timestamp = c->timestamp;
        c->wire[i].bytes = bytes;
        memcpy(c->wire[i].payload, payload, bytes);
        return;
    }
    fail_msg("the wire is full");
}

/* Its microphone hears what we played a while ago, by its own clock. */
static void far_end_sends(call_t *c)
{
    uint64_t ours = (uint64_t)(c->next_us / TICK_US);
    uint64_t plays = ours > PATH_TICKS ? ours - PATH_TICKS : 0;
    uint8_t payload[CODEC_MAX_PAYLOAD_BYTES];
    size_t bytes = codec_encode(c->coder, part(c, c->scene.mic, plays), payload);
    if (!chance(c, c->line->loss_per_mille)) put_on_wire(c, payload, bytes);
    if (chance(c, c->line->duplicates_per_mille)) put_on_wire(c, payload, bytes);
    c->timestamp += c->info->ticks_per_frame;
    c->next_us += c->period_us;
}

static packet_t *first_arrived(call_t *c)
{
    packet_t *first = NULL;
    for (size_t i = 0; i < WIRE; i++) {
        packet_t *p = &c->wire[i];
        bool here = p->arrives_us && p->arrives_us <= c->now_us;
        if (here && (!first || p->arrives_us < first->arrives_us)) first = p;
    }
    return first;
}

/* ---- what goes: a synthesiser's samples to frames, in turns ------------------------------------------ */

static void on_resampled(void *arg, const int16_t *pcm, size_t samples)
{
    call_t *c = arg;
    c->made += samples;
    while (samples > 0) {
        size_t room = CODEC_FRAME_SAMPLES - c->said_samples;
        size_t some = samples < room ? samples : room;
        memcpy(c->said + c->said_samples, pcm, some * sizeof *pcm);
        c->said_samples += some;
        pcm += some;
        samples -= some;
        if (c->said_samples < CODEC_FRAME_SAMPLES) return;
        c->said_samples = 0;
        playout_stats_t stats;
        playout_stats(c->playout, &stats);
        if (stats.queued_ms >= CREDIT_MS) continue; /* speech keeps to its credit */
        pl_err_t err = playout_put(c->playout, c->turn, c->seq++, (const uint8_t *)c->said,
                                   sizeof c->said, false, false);
        assert_true(err == PL_OK || err == PL_STALE);
    }
}

static void speak(call_t *c)
{
    int16_t voice[VOICE_FRAME + 2];
    size_t samples = VOICE_FRAME + tone_random(&c->random) % 3 - 1; /* pieces come as they come */
    tone_fill(voice, samples, c->fed_samples, 300, -20);
    c->fed_samples += samples;
    resample_feed(c->resample, voice, samples);
    uint32_t at = tone_random(&c->random) % 500;
    if (at == 0) playout_flush(c->playout, c->turn); /* interrupted */
    if (at == 1) playout_end(c->playout);
    if (at == 2) playout_reset(c->playout);
    if (at <= 2) {
        c->turn = at == 2 ? 1 : c->turn + 1;
        c->seq = 0;
    }
    int16_t pcm[CODEC_FRAME_SAMPLES];
    (void)playout_tick(c->playout, pcm);
    playout_report_t report;
    while (playout_report(c->playout, &report)) assert_true(report.heard_ms < 3600000);
    playout_stats_t stats;
    playout_stats(c->playout, &stats);
    assert_true(stats.queued_ms <= CREDIT_MS + 20);
}

/* ---- a tick of ours ----------------------------------------------------------------------------------- */

static void hear(call_t *c)
{
    int16_t pcm[CODEC_FRAME_SAMPLES];
    receiver_frame_t frame = receiver_frame(c->receiver, c->now_us, pcm);
    c->frames++;
    c->missing += frame.missing;
    c->concealed += frame.concealed;
    float echo_db = cleaner_heard(c->cleaner, pcm, frame.missing);
    const int16_t *played = part(c, c->scene.played, c->now_us / TICK_US);
    uint8_t sent[CODEC_MAX_PAYLOAD_BYTES];
    (void)codec_encode(c->sender, played, sent);
    const int16_t *narrow = codec_narrow(c->sender);
    cleaner_played(c->cleaner, narrow ? narrow : played);
    c->sounding += vad_frame_over(&c->vad, frame.missing ? NULL : pcm, echo_db).voice;
    c->delay_us += (double)receiver_delay_us(c->receiver, c->now_us);
    size_t packets = receiver_packets(c->receiver);
    if (packets > c->packets) c->packets = (uint32_t)packets;
}

static void minute_over(call_t *c, uint64_t minute)
{
    double delay_ms = c->delay_us / MINUTE_TICKS / 1000;
    if (minute == SETTLED_MINUTES) {
        c->first_delay_ms = delay_ms;
        c->bytes_then = bytes_now();
    }
    if (minute >= SETTLED_MINUTES && delay_ms > c->most_delay_ms) c->most_delay_ms = delay_ms;
    c->last_delay_ms = delay_ms;
    assert_true(c->packets <= 20);
    c->delay_us = 0;
    c->packets = 0;
}

static void open_call(call_t *c, const line_t *line)
{
    static const scene_opts_t room = {
        .delay_ms = 60, .echo_db = -20, .reverb_ms = 40, .noise_db = -60, .near_db = -24};
    static const cleaner_opts_t clean = {.echo = true, .noise = true, .gain = true};
    *c = (call_t){.line = line, .info = codec_info(line->codec), .random = 2463534242U};
    c->scene = scene_new(&room, 16000, 7);
    c->now_us = (uint64_t)TICK_US * 1000;
    c->next_us = (double)c->now_us + 3000;
    c->period_us = TICK_US / (1 + line->drift_ppm * 1e-6);
    c->timestamp = 0xfffff000U; /* wraps soon */
    c->coder = codec_new(line->codec);
    c->decoder = codec_new(line->codec);
    c->sender = codec_new(line->codec);
    c->receiver = receiver_new(c->decoder, c->info, 20, 200);
    c->cleaner = cleaner_new(codec_narrow(c->sender) ? 8000 : 16000, &clean);
    c->resample = resample_new(VOICE_HZ, on_resampled, c);
    c->playout = playout_new(CREDIT_MS);
    c->turn = 1;
    vad_init(&c->vad, 0.5);
}

static void close_call(call_t *c)
{
    codec_destroy(&c->coder);
    codec_destroy(&c->decoder);
    codec_destroy(&c->sender);
    receiver_destroy(&c->receiver);
    cleaner_destroy(&c->cleaner);
    resample_destroy(&c->resample);
    playout_destroy(&c->playout);
    scene_free(&c->scene);
}

static void check(const call_t *c, uint64_t minutes)
{
    cleaner_stats_t echo;
    cleaner_stats(c->cleaner, &echo);
    size_t bytes = bytes_now();
    double lost = (double)(c->missing + c->concealed) / (double)c->frames;
    printf("%-5s %+4.0f ppm %5llu min: delay %.1f ms then %.1f, at most %.1f; %.2f %% made up; "
           "echo %.0f dB softer; bytes %+ld\n",
           c->info->name, c->line->drift_ppm, (unsigned long long)minutes, c->first_delay_ms,
           c->last_delay_ms, c->most_delay_ms, 100 * lost, (double)echo.enhance_db,
           (long)bytes - (long)c->bytes_then);
    assert_true(c->last_delay_ms < c->first_delay_ms + 15);
    assert_true(c->most_delay_ms < c->first_delay_ms + 60);
    assert_true(lost < 0.02 + 1.2 * c->line->loss_per_mille / 1000);
    assert_true(echo.heard_echo);
    assert_true(echo.enhance_db > 6);
    assert_true(bytes <= c->bytes_then + 1024);
    /* All of a voice comes out of the resampler, but for what is on its way. */
    assert_true(llabs((long long)c->made - (long long)c->fed_samples * 2 / 3) < 200);
    /* The caller is heard about as often as they speak, to the end. */
    double heard = (double)c->sounding / (double)c->frames;
    assert_true(heard > 0.1 && heard < 0.5);
}

static void a_call_of_hours_is_as_its_first_minutes(void **state)
{
    (void)state;
    const char *hours = getenv("PARLEY_ENDURE_HOURS");
    uint64_t minutes = hours ? strtoul(hours, NULL, 10) * 60 / LINES : 4;
    for (size_t i = 0; i < LINES; i++) {
        call_t *c = calloc(1, sizeof *c);
        assert_non_null(c);
        open_call(c, &lines[i]);
        for (uint64_t minute = 1; minute <= minutes; minute++) {
            for (size_t t = 0; t < MINUTE_TICKS; t++) {
                c->now_us += TICK_US;
                while (c->next_us <= (double)c->now_us) far_end_sends(c);
                for (packet_t *p; (p = first_arrived(c)); p->arrives_us = 0) {
                    (void)receiver_packet(c->receiver, p->arrives_us, p->timestamp, p->payload,
                                          p->bytes);
                }
                hear(c);
                speak(c);
            }
            minute_over(c, minute);
        }
        check(c, minutes);
        close_call(c);
        free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_of_hours_is_as_its_first_minutes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
