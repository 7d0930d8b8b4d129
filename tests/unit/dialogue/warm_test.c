/* warm_test.c - the sentences that speech gets ahead of time. */
#include "services/dialogue/warm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool holds(const Pl__PhrasesWarm *warm, const char *lang, const char *text)
{
    for (size_t i = 0; i < warm->n_phrases; i++) {
        if (strcmp(warm->phrases[i]->lang, lang) == 0 && strstr(warm->phrases[i]->text, text))
            return true;
    }
    return false;
}

static void fixed_sentences_are_told_in_every_language_with_the_bots_name(void **state)
{
    (void)state;
    prompts_t *prompts = prompts_new(NULL);
    Pl__Language english = PL__LANGUAGE__INIT;
    Pl__Language french = PL__LANGUAGE__INIT;
    Pl__Language *langs[] = {&english, &french};
    Pl__Initiate defaults = PL__INITIATE__INIT;
    english.short_code = (char *)"en-US";
    english.voice = (char *)"rms";
    french.short_code = (char *)"fr-FR";
    defaults.lang_available = langs;
    defaults.n_lang_available = 2;
    defaults.bot_name = (char *)"Zora";
    defaults.bot_company = (char *)"Contoso";
    defaults.prosody_rate = 0.9;
    Pl__PhrasesWarm *warm = warm_phrases(prompts, &defaults);
    assert_true(holds(warm, "en-US", "Zora"));
    assert_true(holds(warm, "fr-FR", "Zora"));
    assert_false(holds(warm, "fr-FR", "tapez")); /* no menu for languages nobody configured */
    assert_true(holds(warm, "en-US", "moment"));
    assert_true(holds(warm, "fr-FR", "bien noter") || holds(warm, "fr-FR", "noté"));
    for (size_t i = 0; i < warm->n_phrases; i++) {
        const Pl__Phrase *phrase = warm->phrases[i];
        bool is_english = strcmp(phrase->lang, "en-US") == 0;
        assert_string_equal(phrase->voice, is_english ? "rms" : "");
        assert_true(phrase->rate > 0.89 && phrase->rate < 0.91);
        assert_null(strchr(phrase->text, '{')); /* what differs from call to call is left out */
        assert_null(strstr(phrase->text, "  "));
    }
    pl__phrases_warm__free_unpacked(warm, NULL);
    defaults.lang_menu = true;
    defaults.lang_default = (char *)"en-US";
    warm = warm_phrases(prompts, &defaults);
    assert_true(holds(warm, "en-US", "For English, press 1."));
    assert_true(holds(warm, "fr-FR", "Pour le français, tapez 2."));
    pl__phrases_warm__free_unpacked(warm, NULL);
    prompts_destroy(&prompts);
}

static void without_languages_it_is_the_default_one(void **state)
{
    (void)state;
    prompts_t *prompts = prompts_new(NULL);
    Pl__Initiate defaults = PL__INITIATE__INIT;
    defaults.lang_default = (char *)"en-US";
    Pl__PhrasesWarm *warm = warm_phrases(prompts, &defaults);
    assert_true(warm->n_phrases > 20);
    assert_false(holds(warm, "en-US", "My name is ,")); /* no name: nothing with it */
    pl__phrases_warm__free_unpacked(warm, NULL);
    prompts_destroy(&prompts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_sentences_are_told_in_every_language_with_the_bots_name),
        cmocka_unit_test(without_languages_it_is_the_default_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
