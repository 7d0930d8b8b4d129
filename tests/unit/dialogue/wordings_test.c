/* wordings_test.c - every language that we say we have says everything, with the same blanks. */
#include "services/dialogue/wordings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define PROMPT_NAME(id, name) name,
static const char *const names[PROMPT_COUNT] = {PROMPT_MAP(PROMPT_NAME)};

static void no_language_lacks_a_sentence(void **state)
{
    (void)state;
    for (const char *const *lang = wordings_langs(); *lang; lang++) {
        for (int id = 0; id < PROMPT_COUNT; id++) {
            const wording_t *found = wordings_find(*lang, (prompt_t)id);
            if (!found) fail_msg("%s has no %s", *lang, names[id]);
            assert_true(found->texts[0][0]);
        }
    }
}

/* What a sentence is told must be said in each language: a number that is not read back confirms
 * nothing. A name of the bot or its company may be left out. */
static void no_language_drops_what_a_sentence_is_told(void **state)
{
    (void)state;
    static const char *const told[] = {"{value}", "{label}", "{index}", "{task}"};
    for (const char *const *lang = wordings_langs(); *lang; lang++) {
        for (int id = 0; id < PROMPT_COUNT; id++) {
            const wording_t *english = wordings_find("en", (prompt_t)id);
            const wording_t *own = wordings_find(*lang, (prompt_t)id);
            for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
                bool due = strstr(english->texts[0], told[i]);
                for (size_t w = 0; w < WORDINGS_BUILT_IN && own->texts[w]; w++) {
                    bool there = strstr(own->texts[w], told[i]);
                    if (due != there) fail_msg("%s %s: %s", *lang, names[id], own->texts[w]);
                }
            }
        }
    }
}

static void a_language_without_sentences_has_its_menu_at_most(void **state)
{
    (void)state;
    assert_non_null(wordings_find("sv-SE", PROMPT_LANGUAGE_MENU));
    assert_null(wordings_find("sv-SE", PROMPT_HELLO));
    assert_null(wordings_find("xx", PROMPT_LANGUAGE_MENU));
    assert_null(wordings_find("", PROMPT_HELLO));
    assert_ptr_equal(wordings_find("de-AT", PROMPT_HELLO), wordings_find("de", PROMPT_HELLO));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_language_lacks_a_sentence),
        cmocka_unit_test(no_language_drops_what_a_sentence_is_told),
        cmocka_unit_test(a_language_without_sentences_has_its_menu_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
