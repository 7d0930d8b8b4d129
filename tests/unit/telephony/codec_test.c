#include "services/telephony/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/telephony/tone.h"

enum { FRAMES = 100, SAMPLES = FRAMES * CODEC_FRAME_SAMPLES, SETTLED = 3 * CODEC_FRAME_SAMPLES };

/* Sends a tone through coder and decoder, payloads decoded in pieces of that many bytes. */
static void through(codec_kind_t kind, double hz, double dbfs, size_t piece, int16_t *out)
{
    codec_t *codec = codec_new(kind);
    size_t got = 0;
    for (size_t f = 0; f < FRAMES; f++) {
        int16_t pcm[CODEC_FRAME_SAMPLES];
        uint8_t payload[CODEC_MAX_PAYLOAD_BYTES];
        tone_fill(pcm, CODEC_FRAME_SAMPLES, f * CODEC_FRAME_SAMPLES, hz, dbfs);
        size_t bytes = codec_encode(codec, pcm, payload);
        assert_int_equal(bytes, codec_info(kind)->payload_bytes);
        for (size_t at = 0; at < bytes; at += piece) {
            int16_t back[CODEC_FRAME_SAMPLES];
            size_t n = codec_decode(codec, payload + at, piece, back);
            assert_int_equal(n, piece * CODEC_FRAME_SAMPLES / bytes);
            memcpy(out + got, back, n * sizeof *out);
            got += n;
        }
    }
    assert_int_equal(got, SAMPLES);
    codec_destroy(&codec);
    assert_null(codec);
}

static void a_tone_comes_through_every_codec(void **state)
{
    (void)state;
    static const struct {
        codec_kind_t kind;
        double hz, least_snr_db;
    } cases[] = {
        {CODEC_PCMU, 1004, 35}, {CODEC_PCMA, 1004, 35}, {CODEC_PCMU, 3000, 33},
        {CODEC_G722, 1004, 35}, {CODEC_G722, 6000, 15}, {CODEC_L16, 7000, 70},
    };
    static int16_t out[SAMPLES];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        through(cases[i].kind, cases[i].hz, -10, codec_info(cases[i].kind)->payload_bytes, out);
        double snr = tone_snr_db(out + SETTLED, SAMPLES - SETTLED, cases[i].hz);
        double level = tone_level_db(out + SETTLED, SAMPLES - SETTLED);
        print_message("%s %.0f Hz: SNR %.1f dB, level %.2f dB\n", codec_info(cases[i].kind)->name,
                      cases[i].hz, snr, level);
        assert_true(snr > cases[i].least_snr_db);
        assert_true(fabs(level + 10) < 1);
    }
}

static void narrow_band_codecs_keep_out_what_would_alias(void **state)
{
    (void)state;
    static int16_t out[SAMPLES];
    through(CODEC_PCMU, 6000, -10, 160, out);
    double level = tone_level_db(out + SETTLED, SAMPLES - SETTLED);
    print_message("6 kHz through PCMU: %.1f dB\n", level);
    assert_true(level < -50);
    through(CODEC_PCMU, 500, -10, 160, out); /* its image at 7.5 kHz */
    assert_true(tone_snr_db(out + SETTLED, SAMPLES - SETTLED, 500) > 35);
}

static void pieces_of_a_payload_decode_like_the_whole(void **state)
{
    (void)state;
    static int16_t whole[SAMPLES];
    static int16_t parts[SAMPLES];
    for (codec_kind_t kind = 0; kind < CODEC_OPUS; kind++) {
        size_t bytes = codec_info(kind)->payload_bytes;
        through(kind, 700, -15, bytes, whole);
        through(kind, 700, -15, bytes / 2, parts);
        assert_memory_equal(whole, parts, sizeof whole);
        through(kind, 700, -15, bytes / 80, parts);
        assert_memory_equal(whole, parts, sizeof whole);
    }
}

static void l16_is_in_network_byte_order(void **state)
{
    (void)state;
    codec_t *codec = codec_new(CODEC_L16);
    int16_t pcm[CODEC_FRAME_SAMPLES] = {0x1234, -2};
    uint8_t payload[CODEC_MAX_PAYLOAD_BYTES];
    assert_int_equal(codec_encode(codec, pcm, payload), 640);
    const uint8_t expected[4] = {0x12, 0x34, 0xff, 0xfe};
    assert_memory_equal(payload, expected, 4);
    codec_destroy(&codec);
}

static void silence_is_the_idle_octet_of_g711(void **state)
{
    (void)state;
    int16_t pcm[CODEC_FRAME_SAMPLES] = {0};
    uint8_t payload[CODEC_MAX_PAYLOAD_BYTES];
    codec_t *codec = codec_new(CODEC_PCMU);
    codec_encode(codec, pcm, payload);
    assert_int_equal(payload[0], 0xff);
    codec_destroy(&codec);
    codec = codec_new(CODEC_PCMA);
    codec_encode(codec, pcm, payload);
    assert_int_equal(payload[0], 0xd5);
    codec_destroy(&codec);
}

static void malformed_payloads_give_nothing(void **state)
{
    (void)state;
    int16_t pcm[CODEC_FRAME_SAMPLES];
    uint8_t payload[CODEC_MAX_PAYLOAD_BYTES + 2] = {0};
    for (codec_kind_t kind = 0; kind < CODEC_OPUS; kind++) {
        codec_t *codec = codec_new(kind);
        size_t bytes = codec_info(kind)->payload_bytes;
        assert_int_equal(codec_decode(codec, payload, 0, pcm), 0);
        assert_int_equal(codec_decode(codec, payload, bytes + 1, pcm), 0);
        codec_destroy(&codec);
        codec_destroy(&codec);
    }
    codec_t *l16 = codec_new(CODEC_L16);
    assert_int_equal(codec_decode(l16, payload, 3, pcm), 0);
    codec_destroy(&l16);
}

/* A voice's stand-in: a tone that glides, so that a repeated frame does not fit. */
static void glide(int16_t *pcm, size_t frame)
{
    for (size_t i = 0; i < CODEC_FRAME_SAMPLES; i++) {
        double t = (double)(frame * CODEC_FRAME_SAMPLES + i) / 16000;
        double phase = 2 * TONE_PI * (300 * t + 60 * sin(2 * TONE_PI * 2 * t));
        pcm[i] = (int16_t)(8000 * sin(phase) + 3000 * sin(2 * phase));
    }
}

static double difference_db(const int16_t *a, const int16_t *b, size_t samples)
{
    double wrong = 0, all = 0;
    for (size_t i = 0; i < samples; i++) {
        wrong += pow((double)a[i] - b[i], 2);
        all += pow((double)b[i], 2);
    }
    return 10 * log10(wrong / all);
}

static void opus_carries_wideband_in_few_bytes(void **state)
{
    (void)state;
    codec_t *codec = codec_new(CODEC_OPUS);
    assert_null(codec_narrow(codec));
    static int16_t out[SAMPLES];
    size_t bytes = 0;
    for (size_t f = 0; f < FRAMES; f++) {
        int16_t pcm[CODEC_FRAME_SAMPLES];
        uint8_t payload[CODEC_MAX_PAYLOAD_BYTES];
        glide(pcm, f);
        size_t n = codec_encode(codec, pcm, payload);
        assert_int_equal(codec_ticks(codec_info(CODEC_OPUS), payload, n), 960);
        assert_int_equal(codec_decode(codec, payload, n, out + f * CODEC_FRAME_SAMPLES),
                         CODEC_FRAME_SAMPLES);
        bytes += n;
    }
    print_message("opus: %.1f kbit/s, level %.1f dB\n", (double)bytes * 8 / (FRAMES * 20.0),
                  tone_level_db(out + SETTLED, SAMPLES - SETTLED));
    assert_true(bytes * 8 < FRAMES * 20 * 40);
    assert_true(fabs(tone_level_db(out + SETTLED, SAMPLES - SETTLED) + 14.7) < 1.5);
    codec_destroy(&codec);
}

/* One frame in eight is lost; what stands in for it is compared with what it would have been. */
static void a_lost_frame_of_opus_comes_back_with_the_next(void **state)
{
    (void)state;
    codec_t *coder = codec_new(CODEC_OPUS);
    codec_t *whole = codec_new(CODEC_OPUS);
    codec_t *copied = codec_new(CODEC_OPUS);
    codec_t *guessed = codec_new(CODEC_OPUS);
    codec_expect_loss(coder, 15);
    double copy_db = 0, guess_db = 0;
    unsigned lost = 0;
    int16_t pcm[CODEC_FRAME_SAMPLES], right[CODEC_FRAME_SAMPLES] = {0}, was[CODEC_FRAME_SAMPLES];
    int16_t other[CODEC_MAX_SAMPLES];
    for (size_t f = 0; f < FRAMES; f++) {
        uint8_t payload[CODEC_MAX_PAYLOAD_BYTES];
        glide(pcm, f);
        size_t n = codec_encode(coder, pcm, payload);
        memcpy(was, right, sizeof was);
        codec_decode(whole, payload, n, right);
        if (f % 8 == 7) continue; /* on its way */
        if (f % 8 == 0 && f > 20) {
            assert_int_equal(codec_recover(copied, payload, n, CODEC_FRAME_SAMPLES, other),
                             CODEC_FRAME_SAMPLES);
            copy_db += difference_db(other, was, CODEC_FRAME_SAMPLES);
            assert_int_equal(codec_conceal(guessed, CODEC_FRAME_SAMPLES - 1, other),
                             CODEC_FRAME_SAMPLES);
            guess_db += difference_db(other, was, CODEC_FRAME_SAMPLES);
            lost++;
        }
        codec_decode(copied, payload, n, other);
        codec_decode(guessed, payload, n, other);
    }
    print_message("lost frames: error %.1f dB with the copy, %.1f dB guessed\n", copy_db / lost,
                  guess_db / lost);
    assert_true(copy_db / lost < guess_db / lost - 3);
    codec_destroy(&coder);
    codec_destroy(&whole);
    codec_destroy(&copied);
    codec_destroy(&guessed);
}

static void malformed_opus_gives_nothing(void **state)
{
    (void)state;
    const codec_info_t *info = codec_info(CODEC_OPUS);
    codec_t *codec = codec_new(CODEC_OPUS);
    int16_t pcm[CODEC_MAX_SAMPLES];
    uint8_t payload[CODEC_MAX_PAYLOAD_BYTES + 1] = {0};
    assert_int_equal(codec_ticks(info, payload, 0), 0);
    assert_int_equal(codec_ticks(info, payload, sizeof payload), 0);
    assert_int_equal(codec_decode(codec, payload, 0, pcm), 0);
    payload[0] = 0x4b; /* code 3, of which the count is missing */
    assert_int_equal(codec_ticks(info, payload, 1), 0);
    payload[0] = 0x1b, payload[1] = 0x3f; /* 63 frames of 60 ms */
    assert_int_equal(codec_ticks(info, payload, 2), 0);
    uint32_t random = 4711;
    for (int i = 0; i < 20000; i++) {
        size_t n = 1 + tone_random(&random) % CODEC_MAX_PAYLOAD_BYTES;
        for (size_t k = 0; k < n; k++) payload[k] = (uint8_t)tone_random(&random);
        uint32_t ticks = codec_ticks(info, payload, n);
        assert_true(ticks <= 2880);
        assert_true(codec_decode(codec, payload, n, pcm) <= CODEC_MAX_SAMPLES);
        (void)codec_recover(codec, payload, n, CODEC_FRAME_SAMPLES, pcm);
    }
    codec_destroy(&codec);
    codec = codec_new(CODEC_G722);
    assert_int_equal(codec_conceal(codec, 320, pcm), 0);
    assert_int_equal(codec_recover(codec, payload, 160, 320, pcm), 0);
    codec_expect_loss(codec, 10);
    codec_destroy(&codec);
}

static void codecs_are_found_by_their_sdp_name_and_clock(void **state)
{
    (void)state;
    assert_int_equal(codec_find("g722", 8000)->kind, CODEC_G722);
    assert_int_equal(codec_find("PCMA", 8000)->static_pt, 8);
    assert_int_equal(codec_find("L16", 16000)->ticks_per_frame, 320);
    assert_null(codec_find("L16", 8000));
    assert_null(codec_find("G722", 16000));
    assert_int_equal(codec_find("OPUS", 48000)->ticks_per_frame, 960);
    assert_int_equal(codec_find("opus", 48000)->sdp_channels, 2);
    assert_null(codec_find("opus", 16000));
    assert_null(codec_find("", 8000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tone_comes_through_every_codec),
        cmocka_unit_test(narrow_band_codecs_keep_out_what_would_alias),
        cmocka_unit_test(pieces_of_a_payload_decode_like_the_whole),
        cmocka_unit_test(l16_is_in_network_byte_order),
        cmocka_unit_test(silence_is_the_idle_octet_of_g711),
        cmocka_unit_test(malformed_payloads_give_nothing),
        cmocka_unit_test(opus_carries_wideband_in_few_bytes),
        cmocka_unit_test(a_lost_frame_of_opus_comes_back_with_the_next),
        cmocka_unit_test(malformed_opus_gives_nothing),
        cmocka_unit_test(codecs_are_found_by_their_sdp_name_and_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
