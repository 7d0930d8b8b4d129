/* The jitter buffer and the receiver on it, against a simulated far end, network and clock. */
#include "services/telephony/receiver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/telephony/tone.h"

enum { TICK_US = 20000, WIRE = 64, MS = 1000 };

/* ---- a far end and a network -------------------------------------------------------------------- */

typedef struct {
    uint64_t arrives_us; /* 0: free */
    uint32_t timestamp;
    size_t bytes;
    uint8_t payload[3 * CODEC_MAX_PAYLOAD_BYTES];
} wire_t;

typedef struct {
    /* far end */
    codec_t *coder;
    const codec_info_t *info;
    unsigned frames_per_packet;
    double period_us; /* of its 20 ms by our clock */
    double next_us;
    uint32_t timestamp;
    size_t sample;
    bool talks_in_bursts; /* 600 ms of tone, 400 ms of near silence */
    bool off;
    /* network */
    uint32_t random;
    uint32_t delay_us, jitter_us, loss_percent, duplicate_percent;
    wire_t wire[WIRE];
    /* near end */
    codec_t *decoder;
    receiver_t *receiver;
    uint64_t now_us;
    unsigned late, duplicates, resyncs, strays;
    unsigned frames, missing, concealed;
} sim_t;

static int16_t loud[16000], soft[16000]; /* a second of each */

static void sim_init(sim_t *s, codec_kind_t kind, uint32_t min_ms, uint32_t max_ms)
{
    memset(s, 0, sizeof *s);
    s->info = codec_info(kind);
    s->coder = codec_new(kind);
    s->decoder = codec_new(kind);
    s->receiver = receiver_new(s->decoder, s->info, min_ms, max_ms);
    s->frames_per_packet = 1;
    s->period_us = TICK_US;
    s->now_us = 7000000;
    s->next_us = 7003000;
    s->timestamp = 0xffffff00u; /* wraps in the first second */
    s->random = 2463534242u;
    s->delay_us = 30 * MS;
    tone_fill(loud, 16000, 0, 440, -12);
    tone_fill(soft, 16000, 0, 440, -70);
}

static void sim_end(sim_t *s)
{
    codec_destroy(&s->coder);
    codec_destroy(&s->decoder);
    receiver_destroy(&s->receiver);
}

static void put_on_wire(sim_t *s, uint64_t sent_us, const uint8_t *payload, size_t bytes)
{
    uint32_t extra = s->jitter_us ? tone_random(&s->random) % s->jitter_us : 0;
    for (size_t i = 0; i < WIRE; i++) {
        if (s->wire[i].arrives_us) continue;
        s->wire[i].arrives_us = sent_us + s->delay_us + extra;
        s->wire[i].timestamp = s->timestamp;
        s->wire[i].bytes = bytes;
        memcpy(s->wire[i].payload, payload, bytes);
        return;
    }
    fail_msg("the wire is full");
}

static void far_end_sends(sim_t *s)
{
    uint8_t payload[3 * CODEC_MAX_PAYLOAD_BYTES];
    size_t bytes = 0;
    for (unsigned f = 0; f < s->frames_per_packet; f++) {
        size_t at = s->sample % 16000; /* 440 Hz fit into a second */
        bool quiet = s->talks_in_bursts && at >= 9600;
        bytes += codec_encode(s->coder, (quiet ? soft : loud) + at, payload + bytes);
        s->sample += CODEC_FRAME_SAMPLES;
    }
    bool lost = s->loss_percent && tone_random(&s->random) % 100 < s->loss_percent;
    if (!lost && !s->off) put_on_wire(s, (uint64_t)s->next_us, payload, bytes);
    bool twice = s->duplicate_percent && tone_random(&s->random) % 100 < s->duplicate_percent;
    if (!lost && !s->off && twice) put_on_wire(s, (uint64_t)s->next_us, payload, bytes);
    s->timestamp += s->info->ticks_per_frame * s->frames_per_packet;
    s->next_us += s->period_us * s->frames_per_packet;
}

/* Delivers in order of arrival what has come by now. */
static void deliver(sim_t *s)
{
    for (;;) {
        wire_t *first = NULL;
        for (size_t i = 0; i < WIRE; i++) {
            wire_t *w = &s->wire[i];
            if (!w->arrives_us || w->arrives_us > s->now_us) continue;
            if (!first || w->arrives_us < first->arrives_us) first = w;
        }
        if (!first) return;
        switch (receiver_packet(s->receiver, first->arrives_us, first->timestamp, first->payload,
                                first->bytes)) {
        case JITTER_KEPT:
            break;
        case JITTER_LATE:
            s->late++;
            break;
        case JITTER_DUPLICATE:
            s->duplicates++;
            break;
        case JITTER_STRAY:
            s->strays++;
            break;
        case JITTER_RESYNCED:
            s->resyncs++;
            break;
        case JITTER_MALFORMED:
            fail_msg("malformed");
            break;
        }
        first->arrives_us = 0;
    }
}

static receiver_frame_t sim_tick(sim_t *s, int16_t pcm[CODEC_FRAME_SAMPLES])
{
    s->now_us += TICK_US;
    while (s->next_us <= (double)s->now_us) far_end_sends(s);
    deliver(s);
    receiver_frame_t frame = receiver_frame(s->receiver, s->now_us, pcm);
    s->frames++;
    if (frame.missing) s->missing++;
    if (frame.concealed) s->concealed++;
    return frame;
}

/* Runs for so many ticks; the sound goes to out unless it is NULL. */
static void sim_run(sim_t *s, size_t ticks, int16_t *out)
{
    int16_t pcm[CODEC_FRAME_SAMPLES];
    for (size_t i = 0; i < ticks; i++) {
        sim_tick(s, pcm);
        if (out) memcpy(out + i * CODEC_FRAME_SAMPLES, pcm, sizeof pcm);
    }
}

static void sim_forget_counts(sim_t *s)
{
    s->late = s->duplicates = s->resyncs = s->strays = s->frames = s->missing = s->concealed = 0;
}

static int64_t delay_ms(const sim_t *s)
{
    return receiver_delay_us(s->receiver, s->now_us) / MS;
}

static int16_t sound[500 * CODEC_FRAME_SAMPLES];

/* ---- tests --------------------------------------------------------------------------------------- */

static void a_clean_network_loses_nothing_and_delays_little(void **state)
{
    (void)state;
    for (codec_kind_t kind = 0; kind < CODEC_KINDS; kind++) {
        sim_t s;
        sim_init(&s, kind, 20, 200);
        sim_run(&s, 10, NULL);
        sim_forget_counts(&s);
        sim_run(&s, 500, sound);
        assert_int_equal(s.missing + s.concealed + s.late + s.duplicates, 0);
        assert_true(delay_ms(&s) <= 40);
        double snr = tone_snr_db(sound, 500 * CODEC_FRAME_SAMPLES, 440);
        assert_true(snr > (kind == CODEC_OPUS ? 15 : 30));
        sim_end(&s);
    }
}

/* Error of what is heard with that loss against what would be heard without. */
static double error_db(unsigned expected_percent, uint32_t loss_percent, unsigned *concealed)
{
    static int16_t whole[300 * CODEC_FRAME_SAMPLES];
    for (int pass = 0; pass < 2; pass++) {
        sim_t s;
        sim_init(&s, CODEC_OPUS, 40, 200);
        for (size_t i = 0; i < 16000; i++) { /* glides: what was before does not stand in for it */
            double t = (double)i / 16000;
            loud[i] = (int16_t)(8000 * sin(2 * TONE_PI * (300 * t + 30 * sin(4 * TONE_PI * t))));
        }
        codec_expect_loss(s.coder, expected_percent);
        s.loss_percent = pass ? loss_percent : 0;
        sim_run(&s, 50, NULL);
        sim_forget_counts(&s);
        sim_run(&s, 300, pass ? sound : whole);
        *concealed = s.concealed;
        assert_int_equal(s.missing, 0);
        sim_end(&s);
    }
    double wrong = 0, all = 0;
    for (size_t i = 0; i < 300 * CODEC_FRAME_SAMPLES; i++) {
        wrong += pow((double)sound[i] - whole[i], 2);
        all += pow((double)whole[i], 2);
    }
    return 10 * log10(wrong / all);
}

static void opus_survives_loss_with_the_copies_it_sends(void **state)
{
    (void)state;
    unsigned concealed = 0, guessed = 0;
    double with_db = error_db(10, 10, &concealed);
    double without_db = error_db(0, 10, &guessed);
    print_message(
        "opus with 10 %% loss: %u concealed, error %.1f dB with copies, %.1f dB without\n",
        concealed, with_db, without_db);
    assert_in_range(concealed, 15, 50);
    assert_in_range(guessed, 15, 50);
    assert_true(with_db < without_db - 4);
}

/* A sender with DTX: a frame of comfort noise in 400 ms, nothing between. */
static void what_a_silent_opus_sender_leaves_out_is_filled(void **state)
{
    (void)state;
    codec_t *coder = codec_new(CODEC_OPUS);
    codec_t *decoder = codec_new(CODEC_OPUS);
    receiver_t *r = receiver_new(decoder, codec_info(CODEC_OPUS), 20, 200);
    uint64_t now = 1000000;
    unsigned missing = 0;
    for (unsigned t = 0; t < 500; t++) {
        now += TICK_US;
        int16_t pcm[CODEC_FRAME_SAMPLES];
        uint8_t payload[CODEC_MAX_PAYLOAD_BYTES];
        tone_fill(pcm, CODEC_FRAME_SAMPLES, (size_t)t * CODEC_FRAME_SAMPLES, 440,
                  t % 200 < 100 ? -12 : -60);
        size_t bytes = codec_encode(coder, pcm, payload);
        if (t % 200 < 105 || t % 20 == 0) receiver_packet(r, now, t * 960, payload, bytes);
        missing += receiver_frame(r, now, pcm).missing && t > 5;
    }
    assert_int_equal(missing, 0);
    assert_true(receiver_delay_us(r, now) < 100 * MS);
    receiver_destroy(&r);
    codec_destroy(&coder);
    codec_destroy(&decoder);
}

static void every_packetisation_from_10_to_60_ms_is_cut_into_ticks(void **state)
{
    (void)state;
    for (unsigned frames = 1; frames <= 3; frames++) {
        sim_t s;
        sim_init(&s, CODEC_G722, 20, 200);
        s.frames_per_packet = frames;
        sim_run(&s, 20, NULL);
        sim_forget_counts(&s);
        sim_run(&s, 300, sound);
        assert_int_equal(s.missing + s.concealed + s.late, 0);
        assert_true(tone_snr_db(sound, 300 * CODEC_FRAME_SAMPLES, 440) > 30);
        sim_end(&s);
    }
}

static void packets_of_10_and_30_ms_play_without_gaps(void **state)
{
    (void)state;
    static const uint32_t sizes_ms[] = {10, 30, 40};
    for (size_t k = 0; k < 3; k++) {
        codec_t *codec = codec_new(CODEC_L16);
        receiver_t *r = receiver_new(codec, codec_info(CODEC_L16), 20, 200);
        uint64_t now = 1000000;
        uint64_t sent = now;
        size_t sample = 0;
        unsigned bad = 0;
        for (size_t t = 0; t < 300; t++) {
            now += TICK_US;
            for (; sent <= now; sent += sizes_ms[k] * MS) {
                int16_t pcm[640];
                uint8_t payload[1280];
                size_t n = sizes_ms[k] * 16;
                tone_fill(pcm, n, sample, 300, -10);
                for (size_t i = 0; i < n; i++) {
                    payload[2 * i] = (uint8_t)((uint16_t)pcm[i] >> 8);
                    payload[2 * i + 1] = (uint8_t)((uint16_t)pcm[i] & 0xff);
                }
                assert_int_equal(receiver_packet(r, sent, (uint32_t)sample, payload, 2 * n),
                                 JITTER_KEPT);
                sample += n;
            }
            receiver_frame_t f = receiver_frame(r, now, sound + t * CODEC_FRAME_SAMPLES);
            if (t > 10 && (f.missing || f.concealed)) bad++;
        }
        assert_int_equal(bad, 0);
        assert_true(tone_snr_db(sound + 6400, 280 * CODEC_FRAME_SAMPLES, 300) > 50);
        receiver_destroy(&r);
        codec_destroy(&codec);
    }
}

static void the_delay_follows_the_jitter_up_and_down(void **state)
{
    (void)state;
    sim_t s;
    sim_init(&s, CODEC_PCMU, 20, 200);
    s.talks_in_bursts = true;
    s.jitter_us = 90 * MS; /* reorders, too */
    sim_run(&s, 500, NULL);
    sim_forget_counts(&s);
    sim_run(&s, 1000, NULL);
    int64_t high = delay_ms(&s);
    print_message("90 ms of jitter: delay %d ms, %u of %u late\n", (int)high, s.late, s.frames);
    assert_true(high >= 70 && high <= 130);
    assert_true(s.late < 50);

    s.jitter_us = 0;
    sim_run(&s, 1000, NULL);
    int64_t low = delay_ms(&s);
    print_message("none any more: delay %d ms\n", (int)low);
    assert_true(low <= 45);
    sim_forget_counts(&s);
    sim_run(&s, 500, NULL);
    assert_int_equal(s.late + s.concealed, 0);
    sim_end(&s);
}

static void the_delay_stays_within_its_bounds(void **state)
{
    (void)state;
    sim_t s;
    sim_init(&s, CODEC_PCMU, 60, 80);
    s.talks_in_bursts = true;
    sim_run(&s, 300, NULL);
    assert_true(delay_ms(&s) >= 45 && delay_ms(&s) <= 80);
    s.jitter_us = 180 * MS;
    sim_run(&s, 600, NULL);
    for (int i = 0; i < 500; i++) {
        int16_t pcm[CODEC_FRAME_SAMPLES];
        sim_tick(&s, pcm);
        assert_true(delay_ms(&s) <= 200);
    }
    sim_end(&s);
}

static void reordered_packets_within_the_delay_play_in_order(void **state)
{
    (void)state;
    sim_t s;
    sim_init(&s, CODEC_L16, 80, 200);
    s.jitter_us = 60 * MS;
    sim_run(&s, 100, NULL);
    sim_forget_counts(&s);
    sim_run(&s, 300, sound);
    assert_int_equal(s.late + s.concealed + s.missing, 0);
    assert_true(tone_snr_db(sound, 300 * CODEC_FRAME_SAMPLES, 440) > 60);
    sim_end(&s);
}

static void duplicates_are_not_heard(void **state)
{
    (void)state;
    sim_t s;
    sim_init(&s, CODEC_L16, 60, 200);
    s.duplicate_percent = 30;
    sim_run(&s, 50, NULL);
    sim_forget_counts(&s);
    sim_run(&s, 300, sound);
    assert_true(s.duplicates > 50);
    assert_true(tone_snr_db(sound, 300 * CODEC_FRAME_SAMPLES, 440) > 60);
    sim_end(&s);
}

static void lost_packets_are_concealed(void **state)
{
    (void)state;
    sim_t s;
    sim_init(&s, CODEC_G722, 20, 200);
    s.loss_percent = 5;
    sim_run(&s, 50, NULL);
    sim_forget_counts(&s);
    sim_run(&s, 500, sound);
    double snr = tone_snr_db(sound, 500 * CODEC_FRAME_SAMPLES, 440);
    print_message("5 %% loss: %u of %u concealed, SNR %.1f dB\n", s.concealed, s.frames, snr);
    assert_true(s.concealed >= 10 && s.concealed <= 60);
    assert_int_equal(s.missing, 0);
    assert_true(snr > 12); /* zeros instead would give at most 13 dB less noise than signal */
    sim_end(&s);
}

static void a_long_loss_fades_to_silence_and_is_told(void **state)
{
    (void)state;
    sim_t s;
    sim_init(&s, CODEC_PCMA, 20, 200);
    sim_run(&s, 50, NULL);
    s.off = true;
    sim_forget_counts(&s);
    sim_run(&s, 25, sound);
    assert_true(s.concealed >= 3 && s.concealed <= 6);
    assert_true(s.missing >= 18);
    assert_true(tone_level_db(sound + 10 * CODEC_FRAME_SAMPLES, 15 * CODEC_FRAME_SAMPLES) < -100);
    s.off = false;
    sim_run(&s, 10, NULL);
    sim_forget_counts(&s);
    sim_run(&s, 100, sound);
    assert_int_equal(s.missing + s.concealed, 0);
    assert_true(tone_snr_db(sound, 100 * CODEC_FRAME_SAMPLES, 440) > 30);
    sim_end(&s);
}

static void drift(double ppm, unsigned minutes, bool bursts)
{
    sim_t s;
    sim_init(&s, CODEC_L16, 20, 200);
    s.period_us = TICK_US * (1 - ppm / 1e6);
    s.talks_in_bursts = bursts;
    sim_run(&s, 100, NULL);
    sim_forget_counts(&s);
    int64_t most_ms = 0;
    size_t most_packets = 0;
    int16_t pcm[CODEC_FRAME_SAMPLES];
    for (size_t t = 0; t < (size_t)minutes * 60 * 50; t++) {
        sim_tick(&s, pcm);
        if (delay_ms(&s) > most_ms) most_ms = delay_ms(&s);
        if (receiver_packets(s.receiver) > most_packets)
            most_packets = receiver_packets(s.receiver);
    }
    print_message("%+.0f ppm%s for %u min: delay at most %d ms, %zu packets, %u concealed\n", ppm,
                  bursts ? " in bursts" : "", minutes, (int)most_ms, most_packets, s.concealed);
    assert_true(most_ms <= 100);
    assert_true(most_packets <= 6);
    assert_int_equal(s.resyncs, 0);
    /* 400 ppm are 1.4 s an hour: 72 frames; each may need a repair or two, no more. */
    double frames = fabs(ppm) / 1e6 * minutes * 3000;
    assert_true(s.concealed + s.missing < 2 * frames + 10);
    sim_end(&s);
}

static void drifting_clocks_grow_neither_delay_nor_memory(void **state)
{
    (void)state;
    drift(400, 60, true);
    drift(-400, 60, true);
    drift(800, 15, false);
    drift(-800, 15, false);
}

static void a_jump_of_the_time_stamp_begins_a_new_time_line(void **state)
{
    (void)state;
    static const int32_t jumps[] = {1000000, -1000000, 8000, -8000, INT32_MIN / 2};
    for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
        sim_t s;
        sim_init(&s, CODEC_PCMU, 20, 200);
        s.talks_in_bursts = true;
        sim_run(&s, 100, NULL);
        s.timestamp += (uint32_t)jumps[i];
        sim_run(&s, 100, NULL); /* 2 s to get over it */
        sim_forget_counts(&s);
        sim_run(&s, 200, NULL);
        assert_int_equal(s.missing + s.concealed + s.late, 0);
        assert_true(delay_ms(&s) <= 45);
        sim_end(&s);
    }
}

static void one_stray_time_stamp_changes_nothing(void **state)
{
    (void)state;
    sim_t s;
    sim_init(&s, CODEC_L16, 40, 200);
    sim_run(&s, 100, NULL);
    sim_forget_counts(&s);
    uint8_t payload[640];
    memset(payload, 0x55, sizeof payload);
    assert_int_equal(receiver_packet(s.receiver, s.now_us, s.timestamp + 500000, payload, 640),
                     JITTER_STRAY);
    sim_run(&s, 100, sound);
    assert_int_equal(s.missing + s.concealed + s.late + s.resyncs, 0);
    assert_true(tone_snr_db(sound, 100 * CODEC_FRAME_SAMPLES, 440) > 60);
    sim_end(&s);
}

static void a_network_that_gets_slower_or_faster_for_good_is_followed(void **state)
{
    (void)state;
    static const uint32_t delays_ms[] = {130, 600, 30};
    sim_t s;
    sim_init(&s, CODEC_PCMU, 20, 200);
    s.talks_in_bursts = true;
    sim_run(&s, 100, NULL);
    for (size_t i = 0; i < 3; i++) {
        s.delay_us = delays_ms[i] * MS;
        sim_run(&s, 600, NULL);
        sim_forget_counts(&s);
        sim_run(&s, 200, NULL);
        print_message("delay now %u ms: buffered %d ms\n", delays_ms[i], (int)delay_ms(&s));
        assert_int_equal(s.missing + s.concealed + s.late, 0);
        assert_true(delay_ms(&s) <= 60);
    }
    sim_end(&s);
}

static void a_burst_after_a_stall_does_not_stay_as_delay(void **state)
{
    (void)state;
    sim_t s;
    sim_init(&s, CODEC_PCMU, 20, 200);
    s.talks_in_bursts = true;
    sim_run(&s, 200, NULL);
    for (unsigned n = 0; n < 40; n++) { /* 800 ms arrive at once */
        s.delay_us = 830 * MS - n * TICK_US;
        int16_t pcm[CODEC_FRAME_SAMPLES];
        sim_tick(&s, pcm);
    }
    s.delay_us = 30 * MS;
    sim_run(&s, 500, NULL);
    assert_true(delay_ms(&s) <= 60);
    sim_forget_counts(&s);
    sim_run(&s, 100, NULL);
    assert_int_equal(s.missing + s.concealed + s.late, 0);
    sim_end(&s);
}

static void pauses_of_a_sender_that_keeps_silent_are_no_trouble(void **state)
{
    (void)state;
    sim_t s;
    sim_init(&s, CODEC_G722, 20, 200);
    sim_run(&s, 50, NULL);
    for (int i = 0; i < 20; i++) { /* silence suppression: time stamps go on, packets do not */
        s.off = true;
        sim_run(&s, (size_t)(10 + 13 * i), NULL);
        s.off = false;
        sim_run(&s, 5, NULL);
        sim_forget_counts(&s);
        sim_run(&s, 50, NULL);
        assert_int_equal(s.missing + s.concealed + s.late, 0);
    }
    sim_end(&s);
}

static void garbage_keeps_the_buffer_bounded(void **state)
{
    (void)state;
    codec_t *codec = codec_new(CODEC_PCMU);
    receiver_t *r = receiver_new(codec, codec_info(CODEC_PCMU), 20, 200);
    uint32_t random = 12345;
    uint8_t payload[2000];
    memset(payload, 0x7f, sizeof payload);
    uint64_t now = 1000000;
    int16_t pcm[CODEC_FRAME_SAMPLES];
    for (int i = 0; i < 200000; i++) {
        uint32_t pick = tone_random(&random);
        uint32_t timestamp = pick % 3 ? tone_random(&random) : (uint32_t)(now / 125);
        receiver_packet(r, now, timestamp, payload, pick % 700);
        assert_true(receiver_packets(r) <= 64);
        if (pick % 5 == 0) {
            now += pick % 1000 == 0 ? 3000000 : TICK_US;
            receiver_frame(r, now, pcm);
        }
    }
    receiver_destroy(&r);
    receiver_destroy(&r);
    codec_destroy(&codec);
}

static void payloads_that_are_no_audio_are_malformed(void **state)
{
    (void)state;
    uint8_t payload[2000] = {0};
    jitter_t *j = jitter_new(codec_info(CODEC_L16), 20, 200);
    assert_int_equal(jitter_put(j, 1000, 0, payload, 0), JITTER_MALFORMED);
    assert_int_equal(jitter_put(j, 1000, 0, payload, 639), JITTER_MALFORMED);
    assert_int_equal(jitter_put(j, 1000, 0, payload, 1922), JITTER_MALFORMED);
    assert_int_equal(jitter_put(j, 1000, 0, payload, 1920), JITTER_KEPT);
    assert_int_equal(jitter_packets(j), 1);
    jitter_destroy(&j);
    jitter_destroy(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_network_loses_nothing_and_delays_little),
        cmocka_unit_test(opus_survives_loss_with_the_copies_it_sends),
        cmocka_unit_test(what_a_silent_opus_sender_leaves_out_is_filled),
        cmocka_unit_test(every_packetisation_from_10_to_60_ms_is_cut_into_ticks),
        cmocka_unit_test(packets_of_10_and_30_ms_play_without_gaps),
        cmocka_unit_test(the_delay_follows_the_jitter_up_and_down),
        cmocka_unit_test(the_delay_stays_within_its_bounds),
        cmocka_unit_test(reordered_packets_within_the_delay_play_in_order),
        cmocka_unit_test(duplicates_are_not_heard),
        cmocka_unit_test(lost_packets_are_concealed),
        cmocka_unit_test(a_long_loss_fades_to_silence_and_is_told),
        cmocka_unit_test(drifting_clocks_grow_neither_delay_nor_memory),
        cmocka_unit_test(a_jump_of_the_time_stamp_begins_a_new_time_line),
        cmocka_unit_test(one_stray_time_stamp_changes_nothing),
        cmocka_unit_test(a_network_that_gets_slower_or_faster_for_good_is_followed),
        cmocka_unit_test(a_burst_after_a_stall_does_not_stay_as_delay),
        cmocka_unit_test(pauses_of_a_sender_that_keeps_silent_are_no_trouble),
        cmocka_unit_test(garbage_keeps_the_buffer_bounded),
        cmocka_unit_test(payloads_that_are_no_audio_are_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
