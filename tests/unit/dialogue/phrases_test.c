/* phrases_test.c - yes, no and wishes in the languages that the fixed sentences have. */
#include "services/dialogue/nlu/phrases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "services/dialogue/nlu/intent.h"
#include "services/dialogue/wordings.h"

static void yes_and_no_are_understood_in_each_language(void **state)
{
    (void)state;
    static const struct {
        const char *lang, *text;
        polarity_t want;
        size_t used;
    } rows[] = {
        {"de-DE", "Ja, das ist richtig.", POLARITY_YES, 4},
        {"de-DE", "Ähm, ja genau", POLARITY_YES, 3},
        {"de-DE", "ähm ja genau", POLARITY_YES, 3},
        {"de-DE", "Nein, es war zehn", POLARITY_NO, 1},
        {"de-DE", "ein Laptop", POLARITY_NONE, 0},
        {"es-ES", "¡Sí, claro!", POLARITY_YES, 2},
        {"es-ES", "Bueno, sí", POLARITY_YES, 2},
        {"es-ES", "No, fue ayer", POLARITY_NO, 1},
        {"es-MX", "un ordenador", POLARITY_NONE, 0},
        {"zh-CN", "是的。", POLARITY_YES, 1},
        {"zh-CN", "对，没错", POLARITY_YES, 1},
        {"zh-CN", "不是，是四号楼", POLARITY_NO, 1},
        {"zh-CN", "四号楼", POLARITY_NONE, 0},
        {"fr-FR", "Oui, c'est correct", POLARITY_YES, 1},
        {"fr-FR", "non merci", POLARITY_NO, 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        words_t w;
        size_t used = 0;
        words_split(&w, rows[i].text);
        polarity_t got = intent_polarity(&w, rows[i].lang, &used);
        if (got != rows[i].want)
            fail_msg("%s \"%s\": %d, not %d", rows[i].lang, rows[i].text, (int)got,
                     (int)rows[i].want);
        assert_int_equal(used, rows[i].used);
    }
}

static void wishes_are_understood_in_each_language(void **state)
{
    (void)state;
    static const struct {
        const char *lang, *text;
        intent_t want;
    } rows[] = {
        {"de-DE", "Auf Wiederhören!", INTENT_GOODBYE},
        {"de-DE", "Das war alles, danke", INTENT_DONE},
        {"de-DE", "Ich möchte mit einem Menschen sprechen", INTENT_HUMAN},
        {"de-DE", "Können Sie das wiederholen?", INTENT_REPEAT},
        {"de-DE", "Bitte etwas langsamer", INTENT_SLOWER},
        {"de-DE", "einen Moment", INTENT_WAIT},
        {"de-DE", "Keine Ahnung", INTENT_SKIP},
        {"es-ES", "Adiós, gracias", INTENT_GOODBYE},
        {"es-ES", "quiero hablar con una persona", INTENT_HUMAN},
        {"es-ES", "¿Puede repetirlo?", INTENT_REPEAT},
        {"es-ES", "más despacio, por favor", INTENT_SLOWER},
        {"es-ES", "Un momento", INTENT_WAIT},
        {"es-ES", "no lo sé", INTENT_SKIP},
        {"es-ES", "nada más", INTENT_DONE},
        {"zh-CN", "好的，再见！", INTENT_GOODBYE},
        {"zh-CN", "我要转人工客服", INTENT_HUMAN},
        {"zh-CN", "请再说一遍", INTENT_REPEAT},
        {"zh-CN", "请说慢一点", INTENT_SLOWER},
        {"zh-CN", "等一下", INTENT_WAIT},
        {"zh-CN", "我不知道", INTENT_SKIP},
        {"zh-CN", "没有了，谢谢", INTENT_DONE},
        /* Long utterances hold such words without being wishes. */
        {"de-DE",
         "der Drucker ging an einem Montag kaputt als ich auf einen Moment ohne Strom wartete",
         INTENT_NONE},
        {"zh-CN", "昨天上午我在四号楼二层的时候笔记本电脑突然坏了我不知道为什么", INTENT_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        words_t w;
        words_split(&w, rows[i].text);
        intent_t got = intent_of(&w, rows[i].lang);
        if (got != rows[i].want)
            fail_msg("%s \"%s\": %s", rows[i].lang, rows[i].text, intent_name(got));
    }
}

static void whoever_is_spoken_to_can_answer(void **state)
{
    (void)state;
    for (const char *const *lang = wordings_langs() + 1; *lang; lang++) {
        const phrases_t *phrases = phrases_of(*lang);
        if (!phrases) fail_msg("sentences in %s, but not even yes is understood", *lang);
        assert_non_null(phrases->yes[0]);
        assert_non_null(phrases->no[0]);
    }
    assert_null(phrases_of("en-US"));
    assert_null(phrases_of(""));
}

static void marks_beyond_ascii_are_no_letters(void **state)
{
    (void)state;
    words_t w;
    words_split(&w, "¿Cómo? «Sí»… 对，没错。 “gut”—ja");
    static const char *const want[] = {"cómo", "sí", "对", "没错", "gut", "ja"};
    assert_int_equal(w.count, 6);
    for (size_t i = 0; i < 6; i++) assert_string_equal(words_at(&w, i), want[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yes_and_no_are_understood_in_each_language),
        cmocka_unit_test(wishes_are_understood_in_each_language),
        cmocka_unit_test(whoever_is_spoken_to_can_answer),
        cmocka_unit_test(marks_beyond_ascii_are_no_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
