#include "services/telephony/tone_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <flite/flite.h>

#include "tests/unit/telephony/tone.h"

cst_voice *register_cmu_us_slt(const char *);
cst_voice *register_cmu_us_rms(const char *);
cst_voice *register_cmu_us_awb(const char *);
cst_voice *register_cmu_us_kal16(const char *);

enum { FRAME = CODEC_FRAME_SAMPLES, TICK_MS = 20 };

/* The keys as a far end would play them, and then some silence. */
typedef struct {
    dtmf_out_t out;
    tone_mouth_t mouth;
} far_end_t;

static void far_frame(far_end_t *self, int16_t pcm[FRAME])
{
    dtmf_packet_t key;
    memset(pcm, 0, FRAME * sizeof *pcm);
    if (dtmf_out_tick(&self->out, 0, 8000, &key)) tone_mouth_frame(&self->mouth, &key, pcm);
}

typedef struct {
    tone_ear_t *ear;
    char keys[64];
    uint32_t ms[64];
    size_t count;
} heard_t;

static void hear(heard_t *self, int16_t pcm[FRAME], bool made)
{
    tone_key_t key = tone_ear_frame(self->ear, pcm, made);
    if (!key.digit) return;
    assert_true(self->count + 1 < sizeof self->keys);
    self->keys[self->count] = key.digit;
    self->ms[self->count++] = key.duration_ms;
}

static void every_key_is_heard_once_through_every_codec(void **state)
{
    (void)state;
    static const char all[] = "0123456789*#ABCD11";
    for (int kind = 0; kind < CODEC_KINDS; kind++) {
        codec_t *codec = codec_new((codec_kind_t)kind);
        far_end_t far = {0};
        heard_t heard = {.ear = tone_ear_new()};
        assert_int_equal(dtmf_out_queue(&far.out, all, 80), PL_OK);
        for (int i = 0; i < 250; i++) {
            int16_t pcm[FRAME], got[CODEC_MAX_SAMPLES];
            uint8_t payload[CODEC_MAX_PAYLOAD_BYTES];
            far_frame(&far, pcm);
            size_t bytes = codec_encode(codec, pcm, payload);
            assert_int_equal(codec_decode(codec, payload, bytes, got), FRAME);
            hear(&heard, got, false);
        }
        assert_string_equal(heard.keys, all);
        for (size_t i = 0; i < heard.count; i++) assert_in_range(heard.ms[i], 40, 100);
        tone_ear_destroy(&heard.ear);
        codec_destroy(&codec);
    }
}

static void a_key_is_silent_for_who_listens_to_voices(void **state)
{
    (void)state;
    far_end_t far = {0};
    heard_t heard = {.ear = tone_ear_new()};
    assert_int_equal(dtmf_out_queue(&far.out, "5", 400), PL_OK);
    unsigned loud = 0;
    for (int i = 0; i < 40; i++) {
        int16_t pcm[FRAME];
        far_frame(&far, pcm);
        hear(&heard, pcm, false);
        loud += tone_level_db(pcm, FRAME) > -40;
    }
    assert_string_equal(heard.keys, "5");
    assert_in_range(loud, 1, 3); /* until it was known to be one */
    tone_ear_destroy(&heard.ear);
}

static void a_lost_packet_does_not_make_two_keys_of_one(void **state)
{
    (void)state;
    far_end_t far = {0};
    heard_t heard = {.ear = tone_ear_new()};
    assert_int_equal(dtmf_out_queue(&far.out, "7", 300), PL_OK);
    for (int i = 0; i < 30; i++) {
        int16_t pcm[FRAME];
        far_frame(&far, pcm);
        bool lost = i == 6 || i == 9 || i == 10;
        if (lost) memset(pcm, 0, sizeof pcm);
        hear(&heard, pcm, lost);
    }
    assert_string_equal(heard.keys, "7");
    tone_ear_destroy(&heard.ear);
}

static void a_key_ends_when_nothing_comes_any_more(void **state)
{
    (void)state;
    far_end_t far = {0};
    heard_t heard = {.ear = tone_ear_new()};
    assert_int_equal(dtmf_out_queue(&far.out, "3", 2000), PL_OK);
    for (int i = 0; i < 40; i++) {
        int16_t pcm[FRAME];
        far_frame(&far, pcm);
        hear(&heard, pcm, i >= 10);
    }
    assert_string_equal(heard.keys, "3");
    assert_in_range(heard.ms[0], 160, 400);
    tone_ear_destroy(&heard.ear);
}

static void speech_is_not_taken_for_keys(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "My number is five five five, one two three, four five six seven. The pound key, and star.",
        "Well, I will tell you, we all feel really ill at sea. Who knew? You do, too, do you not?",
        "She sells sea shells by the sea shore; seventy six trombones led the big parade.",
        "Zero, oh, nine, eight, seven. Monday the first of June at a quarter to eleven, please.",
        "Hello? Hello, hello. Yes. No. Mmm. Aha. Building four, second floor, room two hundred.",
    };
    flite_init();
    cst_voice *voices[] = {register_cmu_us_slt(NULL), register_cmu_us_rms(NULL),
                           register_cmu_us_awb(NULL), register_cmu_us_kal16(NULL)};
    static const double levels_db[] = {-30, -20, -12};
    size_t frames = 0;
    for (size_t i = 0; i < 4 * 5; i++) {
        cst_wave *wave = flite_text_to_wave(texts[i / 4], voices[i % 4]);
        assert_int_equal(cst_wave_sample_rate(wave), 16000);
        size_t samples = (size_t)cst_wave_num_samples(wave);
        double own_db = tone_level_db(cst_wave_samples(wave), samples);
        for (size_t level = 0; level < 3; level++) {
            double gain = pow(10, (levels_db[level] - own_db) / 20);
            heard_t heard = {.ear = tone_ear_new()};
            for (size_t at = 0; at + FRAME <= samples; at += FRAME, frames++) {
                int16_t pcm[FRAME];
                for (size_t k = 0; k < FRAME; k++) {
                    double s = gain * cst_wave_samples(wave)[at + k];
                    pcm[k] = (int16_t)(s > 32767 ? 32767 : s < -32768 ? -32768 : s);
                }
                hear(&heard, pcm, false);
            }
            assert_string_equal(heard.keys, "");
            tone_ear_destroy(&heard.ear);
        }
        delete_wave(wave);
    }
    assert_true(frames * TICK_MS > 180 * 1000); /* minutes of it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_heard_once_through_every_codec),
        cmocka_unit_test(a_key_is_silent_for_who_listens_to_voices),
        cmocka_unit_test(a_lost_packet_does_not_make_two_keys_of_one),
        cmocka_unit_test(a_key_ends_when_nothing_comes_any_more),
        cmocka_unit_test(speech_is_not_taken_for_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
