/* translate_test.c - texts in another language: asked for once, kept, never waited for. */
#include "services/dialogue/translation/translate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_llm.h"
#include "services/dialogue/config.h"
#include "services/dialogue/prompts.h"

static uint64_t clock_ms = 1000000;
static instructions_t *instructions;

static uint64_t now_ms(void)
{
    return clock_ms;
}

static translate_t *begin(void)
{
    assert_int_equal(instructions_new(&instructions, NULL), PL_OK);
    return translate_new(&translator_llm, translator_llm_new(&fake_llm, instructions), now_ms);
}

static void end(translate_t **translate)
{
    translate_destroy(translate);
    instructions_destroy(&instructions);
    fake_clear();
}

static void answer(const char *text)
{
    llm_asked_t *asked = fake_newest();
    fake_text(asked, text);
    fake_done(asked, PL_OK, LLM_STOP);
}

static void a_text_is_asked_for_once_and_then_known(void **state)
{
    (void)state;
    translate_t *t = begin();
    assert_null(translate_text(t, "en-US", "fr-FR", "good morning"));
    assert_null(translate_text(t, "en-US", "fr-FR", "good morning"));
    assert_int_equal(fake_count, 1);
    assert_non_null(strstr(fake_newest()->text.at, "from English into French"));
    assert_non_null(strstr(fake_newest()->text.at, "user: good morning\n"));
    answer("bonjour");
    assert_string_equal(translate_text(t, "en-US", "fr-FR", "good morning"), "bonjour");
    assert_null(translate_text(t, "en-US", "de-DE", "good morning")); /* another pair */
    assert_int_equal(fake_count, 2);
    end(&t);
}

static void one_language_needs_no_translation(void **state)
{
    (void)state;
    translate_t *t = begin();
    static const char text[] = "hello";
    assert_ptr_equal(translate_text(t, "en-US", "en-GB", text), text);
    assert_ptr_equal(translate_text(NULL, "en-US", "en-GB", text), text);
    assert_null(translate_text(NULL, "en-US", "fr-FR", text)); /* off */
    assert_string_equal(translate_text(t, "en-US", "fr-FR", ""), "");
    assert_null(translate_text(t, "", "fr-FR", text));
    assert_int_equal(fake_count, 0);
    end(&t);
}

static void what_failed_is_left_alone_for_a_while(void **state)
{
    (void)state;
    translate_t *t = begin();
    static const llm_finish_t ends[] = {LLM_FILTERED, LLM_LENGTH};
    assert_null(translate_text(t, "en", "fr", "one"));
    fake_done(fake_newest(), PL_UNAVAILABLE, LLM_STOP);
    assert_null(translate_text(t, "en", "fr", "one"));
    assert_int_equal(fake_count, 1);
    clock_ms += 61000;
    for (size_t i = 0; i < 2; i++) { /* half a sentence is none */
        assert_null(translate_text(t, "en", "fr", "one"));
        assert_int_equal(fake_count, 2 + i);
        fake_text(fake_newest(), "un");
        fake_done(fake_newest(), PL_OK, ends[i]);
        clock_ms += 61000;
    }
    assert_null(translate_text(t, "en", "fr", "one"));
    answer(" \n"); /* nothing said */
    assert_null(translate_text(t, "en", "fr", "one"));
    assert_int_equal(fake_count, 4);
    end(&t);
}

static void it_is_known_for_a_day(void **state)
{
    (void)state;
    translate_t *t = begin();
    (void)translate_text(t, "en", "fr", "one");
    answer("un");
    clock_ms += 24 * 3600 * 1000 - 1;
    assert_string_equal(translate_text(t, "en", "fr", "one"), "un");
    clock_ms += 1;
    assert_null(translate_text(t, "en", "fr", "one"));
    end(&t);
}

static void a_few_are_asked_for_at_once_and_the_rest_waits(void **state)
{
    (void)state;
    translate_t *t = begin();
    char text[32];
    for (int i = 0; i < TRANSLATE_WAITING + 20; i++) {
        (void)snprintf(text, sizeof text, "text %d", i);
        assert_null(translate_text(t, "en", "fr", text));
    }
    assert_int_equal(fake_count, TRANSLATE_AT_ONCE);
    for (size_t i = 0; i < 200; i++) { /* in turn, as they were asked for */
        llm_asked_t *asked = fake_asked[i];
        (void)snprintf(text, sizeof text, "user: text %zu\n", i);
        assert_non_null(strstr(asked->text.at, text));
        fake_text(asked, "texte");
        fake_done(asked, PL_OK, LLM_STOP);
    }
    assert_string_equal(translate_text(t, "en", "fr", "text 199"), "texte");
    end(&t);
}

static void long_texts_stay_as_they_are(void **state)
{
    (void)state;
    translate_t *t = begin();
    char *text = malloc(TRANSLATE_TEXT_BYTES + 2);
    assert_non_null(text);
    memset(text, 'x', TRANSLATE_TEXT_BYTES + 1);
    text[TRANSLATE_TEXT_BYTES + 1] = '\0';
    assert_null(translate_text(t, "en", "fr", text));
    assert_int_equal(fake_count, 0);
    text[TRANSLATE_TEXT_BYTES] = '\0';
    assert_null(translate_text(t, "en", "fr", text));
    assert_int_equal(fake_count, 1);
    free(text);
    end(&t);
}

/* ---- fixed sentences ---- */

static void a_sentence_that_a_language_lacks_is_translated(void **state)
{
    (void)state;
    translate_t *t = begin();
    prompts_t *prompts = prompts_new(NULL);
    const char *values[] = {"bot_name", "Ada", "bot_company", "Contoso", NULL};
    char out[PROMPT_BYTES];
    prompts_translate(prompts, t);
    /* Not there yet: English, at once. */
    (void)prompts_say(prompts, "sv-SE", PROMPT_HELLO, 0, values, out, sizeof out);
    assert_string_equal(out, "Hello, this is Ada, the virtual assistant of Contoso.");
    assert_non_null(strstr(fake_newest()->text.at, "from English into Swedish"));
    answer("Hej, det här är Ada.");
    (void)prompts_say(prompts, "sv-SE", PROMPT_HELLO, 0, values, out, sizeof out);
    assert_string_equal(out, "Hej, det här är Ada.");
    /* What there is needs no model. */
    size_t before = fake_count;
    (void)prompts_say(prompts, "de-DE", PROMPT_HELLO, 0, values, out, sizeof out);
    assert_non_null(strstr(out, "Guten Tag"));
    prompts_prepare(prompts, "de-DE", values);
    assert_int_equal(fake_count, before);
    prompts_prepare(prompts, "sv-SE", values);
    assert_true(fake_count > before);
    end(&t);
    prompts_translate(prompts, NULL);
    (void)prompts_say(prompts, "sv-SE", PROMPT_HELLO, 0, values, out, sizeof out);
    assert_non_null(strstr(out, "Hello"));
    prompts_destroy(&prompts);
}

static void the_configurations_words_are_translated_before_built_in_ones_are_used(void **state)
{
    (void)state;
    char error[512] = "";
    pl_config_t *cfg = pl_config_parse("dialogue", dialogue_config_keys, "test.yaml",
                                       "prompts:\n  tts_lang: fr-FR\n  tts:\n"
                                       "    hello_tpl: [\"Salut de {bot_name}\"]\n",
                                       error, sizeof error);
    if (!cfg) fail_msg("%s", error);
    translate_t *t = begin();
    prompts_t *prompts = prompts_new(cfg);
    const char *values[] = {"bot_name", "Ada", NULL};
    char out[PROMPT_BYTES];
    prompts_translate(prompts, t);
    (void)prompts_say(prompts, "fr-CA", PROMPT_HELLO, 0, values, out, sizeof out);
    assert_string_equal(out, "Salut de Ada");
    (void)prompts_say(prompts, "de-DE", PROMPT_HELLO, 0, values, out, sizeof out);
    assert_non_null(strstr(out, "Guten Tag"));
    assert_non_null(strstr(fake_newest()->text.at, "from French into German"));
    answer("Hallo von Ada");
    (void)prompts_say(prompts, "de-DE", PROMPT_HELLO, 0, values, out, sizeof out);
    assert_string_equal(out, "Hallo von Ada");
    end(&t);
    prompts_destroy(&prompts);
    pl_config_destroy(&cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_asked_for_once_and_then_known),
        cmocka_unit_test(one_language_needs_no_translation),
        cmocka_unit_test(what_failed_is_left_alone_for_a_while),
        cmocka_unit_test(it_is_known_for_a_day),
        cmocka_unit_test(a_few_are_asked_for_at_once_and_the_rest_waits),
        cmocka_unit_test(long_texts_stay_as_they_are),
        cmocka_unit_test(a_sentence_that_a_language_lacks_is_translated),
        cmocka_unit_test(the_configurations_words_are_translated_before_built_in_ones_are_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
