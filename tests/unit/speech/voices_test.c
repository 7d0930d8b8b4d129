/* voices_test.c - the synthesis engines on their threads, and who speaks which language. */
#include "services/speech/voices.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/lane.h"
#include "services/speech/config.h"

static pl_loop_t *loop;
/* Voices borrow the configuration's strings: kept until the end. */
static pl_config_t *kept[16];
static size_t kept_count;

typedef struct {
    size_t samples, pieces;
    int16_t pcm[20 * PL_FRAME_HZ]; /* the first of it */
    struct {
        size_t bytes, samples;
    } words[64];
    size_t word_count;
    int64_t energy;
    unsigned done;
    pl_err_t err;
} heard_t;

static void on_audio(void *arg, const int16_t *pcm, size_t samples)
{
    heard_t *h = arg;
    for (size_t i = 0; i < samples && h->samples + i < sizeof h->pcm / sizeof *h->pcm; i++)
        h->pcm[h->samples + i] = pcm[i];
    for (size_t i = 0; i < samples; i++) h->energy += (int64_t)pcm[i] * pcm[i];
    h->samples += samples;
    h->pieces++;
}

static void on_said(void *arg, size_t bytes, size_t samples)
{
    heard_t *h = arg;
    assert_true(h->word_count < 64);
    h->words[h->word_count].bytes = bytes;
    h->words[h->word_count++].samples = samples;
}

static void on_done(void *arg, pl_err_t err)
{
    heard_t *h = arg;
    h->done++;
    h->err = err;
}

static void stop(void *arg)
{
    (void)arg;
    pl_loop_stop(loop);
}

static void wait_ms(const unsigned *done, uint64_t ms)
{
    uint64_t until = pl_clock_ms() + ms;
    while (!(done && *done) && pl_clock_ms() < until) {
        pl_timer_t *timer = pl_timer_start(loop, 5, 0, stop, NULL);
        pl_loop_run(loop);
        pl_timer_stop(&timer);
    }
}

static pl_config_t *parse(const char *yaml)
{
    char error[256] = "";
    pl_config_t *cfg =
        pl_config_parse("speech", speech_config_keys, "test.yaml", yaml, error, sizeof error);
    if (!cfg) fail_msg("%s", error);
    return cfg;
}

static voices_t *open_voices(const char *yaml, pl_err_t expected)
{
    pl_config_t *cfg = parse(yaml);
    voices_t *voices = NULL;
    pl_err_t err = voices_new(&voices, loop, cfg);
    if (err) assert_null(voices);
    assert_true(kept_count < sizeof kept / sizeof *kept);
    kept[kept_count++] = cfg;
    assert_int_equal(err, expected);
    return voices;
}

static void end_voices(voices_t **voices)
{
    voices_destroy(voices);
    voices_destroy(voices);
}

static void say(const voices_choice_t *who, const char *lang, const char *text, double rate,
                heard_t *h)
{
    tts_say_t what = {text, lang, who->voice, rate, PL__STYLE__NONE};
    tts_sink_t sink = {on_audio, on_said, on_done, h};
    void *job = NULL;
    assert_int_equal(who->provider->say(who->engine, &job, &what, &sink), PL_OK);
    wait_ms(&h->done, 10000);
    assert_int_equal(h->done, 1);
}

static void english_is_flite_and_the_rest_espeak(void **state)
{
    (void)state;
    voices_t *voices = open_voices("", PL_OK);
    voices_choice_t who;
    assert_int_equal(voices_pick(voices, "en-US", "", &who), PL_OK);
    assert_string_equal(who.provider->name, "flite");
    assert_int_equal(voices_pick(voices, "en-US", "rms", &who), PL_OK);
    assert_string_equal(who.voice, "rms");
    /* Another provider's voice, as configurations of the cloud have: the default. */
    assert_int_equal(voices_pick(voices, "en-US", "en-US-ShimmerTurboMultilingualNeural", &who),
                     PL_OK);
    assert_string_equal(who.voice, "");
    static const char *const langs[] = {"fr-FR", "es-ES", "zh-CN", "de-DE", "pt-BR", "it", "nb-NO"};
    for (size_t i = 0; i < sizeof langs / sizeof *langs; i++) {
        assert_int_equal(voices_pick(voices, langs[i], "", &who), PL_OK);
        assert_string_equal(who.provider->name, "espeak");
    }
    assert_int_equal(voices_pick(voices, "tlh-QO", "", &who), PL_NOT_FOUND);
    assert_int_equal(voices_pick(voices, "", "", &who), PL_NOT_FOUND);
    end_voices(&voices);
}

static void the_configuration_decides(void **state)
{
    (void)state;
    voices_t *voices = open_voices("speech:\n  tts:\n    voices:\n"
                                   "      - {lang: en, provider: espeak, voice: ''}\n"
                                   "      - {lang: en-GB, provider: flite, voice: awb}\n",
                                   PL_OK);
    voices_choice_t who;
    assert_int_equal(voices_pick(voices, "en-US", "", &who), PL_OK);
    assert_string_equal(who.provider->name, "espeak");
    assert_int_equal(voices_pick(voices, "en-GB", "", &who), PL_OK);
    assert_string_equal(who.provider->name, "flite");
    assert_string_equal(who.voice, "awb");
    assert_int_equal(voices_pick(voices, "fr-FR", "", &who), PL_OK);
    assert_string_equal(who.provider->name, "espeak");
    end_voices(&voices);
}

static void a_wrong_entry_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "{lang: en, provider: nobody}", "{lang: en, provider: flite, voice: nobody}",
        "{lang: fr-FR, provider: flite}", "{lang: '', provider: flite}",
        "{lang: tlh, provider: espeak}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char yaml[256];
        (void)snprintf(yaml, sizeof yaml, "speech:\n  tts:\n    voices:\n      - %s\n", wrong[i]);
        (void)open_voices(yaml, PL_INVALID);
    }
}

static void both_engines_speak_and_keep_the_rate(void **state)
{
    (void)state;
    voices_t *voices = open_voices("", PL_OK);
    static const char *const said[][2] = {{"en-US", "How can I help you today?"},
                                          {"fr-FR", "Comment puis-je vous aider aujourd'hui ?"}};
    for (size_t i = 0; i < 2; i++) {
        voices_choice_t who;
        assert_int_equal(voices_pick(voices, said[i][0], "", &who), PL_OK);
        heard_t normal = {0}, slow = {0};
        say(&who, said[i][0], said[i][1], 1.0, &normal);
        say(&who, said[i][0], said[i][1], 0.75, &slow);
        assert_int_equal(normal.err, PL_OK);
        assert_in_range(normal.samples, PL_FRAME_HZ, 4 * PL_FRAME_HZ);
        assert_true(normal.energy / (int64_t)normal.samples > 300 * 300);
        assert_in_range(slow.samples * 100 / normal.samples, 115, 150);
    }
    end_voices(&voices);
}

static void a_long_sentence_comes_in_pieces(void **state)
{
    (void)state;
    voices_t *voices = open_voices("", PL_OK);
    voices_choice_t who;
    assert_int_equal(voices_pick(voices, "en", "", &who), PL_OK);
    static heard_t h;
    h = (heard_t){0};
    say(&who, "en",
        "This is a long sentence with a clause, and another clause that makes it longer, "
        "and a third one, which is the end of it.",
        1.0, &h);
    assert_true(h.pieces >= 3);
    assert_int_equal(h.err, PL_OK);
    end_voices(&voices);
}

static void nothing_to_say_is_told(void **state)
{
    (void)state;
    voices_t *voices = open_voices("", PL_OK);
    voices_choice_t who;
    assert_int_equal(voices_pick(voices, "en", "", &who), PL_OK);
    static heard_t h;
    h = (heard_t){0};
    say(&who, "en", "  ", 1.0, &h);
    assert_int_equal(h.err, PL_INVALID);
    assert_int_equal(h.samples, 0);
    end_voices(&voices);
}

/* Loudest sample of so many ms from there on, of the audio. */
static int loudest(const heard_t *h, size_t from, size_t ms)
{
    int most = 0;
    for (size_t i = from; i < from + ms * 16 && i < h->samples; i++)
        most = abs(h->pcm[i]) > most ? abs(h->pcm[i]) : most;
    return most;
}

static void check_words(const heard_t *h, const char *text)
{
    assert_true(h->word_count >= 4);
    for (size_t i = 0; i < h->word_count; i++) {
        size_t bytes = h->words[i].bytes;
        assert_true(bytes == strlen(text) || strchr(" ,.", text[bytes]) ||
                    strchr(" ,.", text[bytes - 1]));
        assert_true(h->words[i].samples <= h->samples);
        if (i == 0) continue;
        assert_true(bytes > h->words[i - 1].bytes);
        assert_true(h->words[i].samples > h->words[i - 1].samples);
    }
    assert_int_equal(h->words[h->word_count - 1].bytes, strlen(text));
    assert_true(h->words[h->word_count - 1].samples + 3200 > h->samples);
}

static void the_engines_tell_where_their_words_end(void **state)
{
    (void)state;
    voices_t *voices = open_voices("", PL_OK);
    voices_choice_t who;
    static heard_t h;
    h = (heard_t){0};
    assert_int_equal(voices_pick(voices, "en-US", "", &who), PL_OK);
    const char *english = "Certainly, building four, second floor";
    say(&who, "en-US", english, 1.0, &h);
    check_words(&h, english);
    assert_int_equal(h.words[0].bytes, strlen("Certainly,"));
    assert_true(loudest(&h, h.words[0].samples - 3200, 200) > 2000); /* the word */
    assert_true(loudest(&h, h.words[0].samples + 480, 60) < 400);    /* the pause after it */
    h = (heard_t){0};
    assert_int_equal(voices_pick(voices, "fr-FR", "", &who), PL_OK);
    const char *french = "D\xc3\xa9j\xc3\xa0 fini, b\xc3\xa2timent quatre, \xc3\xa9tage deux";
    say(&who, "fr-FR", french, 1.0, &h);
    check_words(&h, french);
    end_voices(&voices);
}

static void words_of_a_sentence_cut_in_clauses_are_those_of_the_whole(void **state)
{
    (void)state;
    voices_t *voices = open_voices("", PL_OK);
    voices_choice_t who;
    static heard_t h;
    h = (heard_t){0};
    assert_int_equal(voices_pick(voices, "en-US", "", &who), PL_OK);
    const char *text =
        "This is a long sentence with a clause in it, and another clause that makes it "
        "longer than the eighty characters, which it is now";
    say(&who, "en-US", text, 1.0, &h);
    assert_int_equal(h.word_count, 25);
    check_words(&h, text);
    end_voices(&voices);
}

static void what_is_cancelled_is_not_heard(void **state)
{
    (void)state;
    voices_t *voices = open_voices("", PL_OK);
    voices_choice_t who[2];
    assert_int_equal(voices_pick(voices, "en", "", &who[0]), PL_OK);
    assert_int_equal(voices_pick(voices, "fr", "", &who[1]), PL_OK);
    static heard_t h;
    h = (heard_t){0};
    void *jobs[24];
    for (size_t i = 0; i < 24; i++) { /* some under way, some waiting */
        const voices_choice_t *w = &who[i % 2];
        tts_say_t what = {"one two three four five six seven eight", i % 2 ? "fr" : "en", "", 1.0,
                          PL__STYLE__NONE};
        tts_sink_t sink = {on_audio, on_said, on_done, &h};
        assert_int_equal(w->provider->say(w->engine, &jobs[i], &what, &sink), PL_OK);
    }
    for (size_t i = 0; i < 24; i++) {
        who[i % 2].provider->cancel(&jobs[i]);
        who[i % 2].provider->cancel(&jobs[i]); /* NULL by now */
    }
    wait_ms(NULL, 200);
    assert_int_equal(h.samples, 0);
    assert_int_equal(h.done, 0);
    static heard_t after; /* and the engine goes on */
    say(&who[0], "en", "hello there", 1.0, &after);
    assert_int_equal(after.err, PL_OK);
    end_voices(&voices);
}

static int make_loop(void **state)
{
    (void)state;
    loop = pl_loop_new();
    return 0;
}

static int end_loop(void **state)
{
    (void)state;
    pl_loop_destroy(&loop);
    while (kept_count > 0) pl_config_destroy(&kept[--kept_count]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(english_is_flite_and_the_rest_espeak),
        cmocka_unit_test(the_configuration_decides),
        cmocka_unit_test(a_wrong_entry_is_refused),
        cmocka_unit_test(both_engines_speak_and_keep_the_rate),
        cmocka_unit_test(a_long_sentence_comes_in_pieces),
        cmocka_unit_test(nothing_to_say_is_told),
        cmocka_unit_test(the_engines_tell_where_their_words_end),
        cmocka_unit_test(words_of_a_sentence_cut_in_clauses_are_those_of_the_whole),
        cmocka_unit_test(what_is_cancelled_is_not_heard),
    };
    return cmocka_run_group_tests(tests, make_loop, end_loop);
}
