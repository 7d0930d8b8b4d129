/* query_test.c - what a caller said, made into terms; what a text is indexed under. */
#include "services/rag/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/rag/encoding.h"

static lexicon_t *lexicon;

static int setup(void **state)
{
    (void)state;
    lexicon = lexicon_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lexicon_destroy(&lexicon);
    return 0;
}

/* terms: "print* jam", a star behind those that longer words match too. */
static void becomes(const char *text, const char *lang, const char *terms)
{
    query_t query;
    char got[2048] = "";
    (void)query_parse(&query, lexicon, text, lang);
    for (size_t i = 0; i < query.count; i++)
        (void)snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s%s", i ? " " : "",
                       query.words[i].term, query.words[i].beginning ? "*" : "");
    assert_string_equal(got, terms);
}

static void words_that_say_something_are_searched_for(void **state)
{
    (void)state;
    becomes("What are your opening hours, please?", "en-US", "open hour");
    becomes("My VPN doesn't connect", "en-US", "vpn connect*");
    becomes("VPN vpn VpN", "", "vpn");
    becomes("form CT-4711", "en", "form ct 4711");
}

static void stop_words_are_those_of_the_language(void **state)
{
    (void)state;
    becomes("quels sont vos horaires", "fr-FR", "horair*");
    becomes("wie sind die Zeiten", "de-DE", "zeit");
    becomes("cuál es el horario", "es-ES", "horari*");
    becomes("die", "en-US", "die"); /* a stop word in German only */
    becomes("the", "", "");         /* not told: English */
    becomes("the", "sv-SE", "the"); /* of a language without a list */
}

static void words_are_stemmed_in_the_language_they_are_said_in(void **state)
{
    (void)state;
    becomes("imprimantes bloquées", "fr", "imprim* bloqu*");
    becomes("impresoras atascadas", "es", "impresor* atasc*");
    becomes("Häuser", "de", "haus");
    becomes("принтеры", "ru", "принтер*");
    becomes("drukarki", "pl", "drukarki*"); /* no stemmer: as it is */
}

static void chinese_and_japanese_are_searched_by_pairs(void **state)
{
    (void)state;
    becomes("打印机卡纸了", "zh-CN", "打印 印机 机卡 卡纸");
    becomes("请问怎么退款", "zh-CN", "退款");
    becomes("纸", "zh", "纸*");
    becomes("プリンターの紙詰まり", "ja-JP", "プリ リン ンタ ター 紙詰");
    becomes("これは", "ja", "これ れは"); /* nothing better */
    becomes("USB接口", "zh", "usb 接口");
    becomes("프린터가", "ko", "프린 린터 터가");
}

static void nothing_to_search_for_is_no_search(void **state)
{
    (void)state;
    const char *empty[] = {"",      " ",  "?!",         "um, the, of...", "\"\"\"\"",
                           "* * *", "()", "NOT AND OR", "- + ^ : { }",    "\xff\xfe\x80"};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) becomes(empty[i], "en", "");
}

static void signs_of_the_query_language_never_get_through(void **state)
{
    (void)state;
    becomes("title:\"x\" OR content:y*", "en", "titl x content* y");
    becomes("x\" OR \"y", "en", "x y");
    becomes("NEAR(laptop printer, 5) AND NOT vpn^2", "en", "near laptop* printer* 5 vpn 2");
    becomes("x'); DROP TABLE passages;--", "en", "x drop tabl passag*");
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    enum { BYTES = 100 * 1024 };
    char *text = malloc(BYTES + 1);
    assert_non_null(text);
    memset(text, 'a', BYTES);
    text[BYTES] = '\0';
    query_t query;
    assert_int_equal(query_parse(&query, lexicon, text, "en"), 0); /* nobody says such a word */
    for (size_t i = 0; i + 7 <= BYTES; i += 7) { /* thousands of different words */
        char word[8];
        (void)snprintf(word, sizeof word, "w%05u ", (unsigned)(i / 7));
        memcpy(text + i, word, 7);
    }
    assert_int_equal(query_parse(&query, lexicon, text, "en"), QUERY_WORDS);
    size_t size = 0;
    for (unsigned i = 0; i < QUERY_WORDS; i++) { /* the longest ones */
        size += (size_t)sprintf(text + size, "%02u", i);
        memset(text + size, 'c', LEXICON_TERM_BYTES - 3);
        size += LEXICON_TERM_BYTES - 3;
        text[size++] = ' ';
    }
    text[size] = '\0';
    assert_int_equal(query_parse(&query, lexicon, text, "en"), QUERY_WORDS);
    assert_int_equal(strlen(query.words[0].term), LEXICON_TERM_BYTES - 1);
    free(text);
}

static void any_bytes_make_safe_terms(void **state)
{
    (void)state;
    static const char *const langs[] = {"en", "fr", "ja", "zh", "ru", "", "x"};
    uint32_t seed = 3;
    for (int round = 0; round < 5000; round++) {
        char text[200];
        size_t size = 0;
        for (; size < sizeof text - 1; size++) {
            seed = seed * 1664525u + 1013904223u;
            char c = (char)(seed >> 24);
            text[size] = c ? c : ' ';
        }
        text[size] = '\0';
        query_t query;
        (void)query_parse(&query, lexicon, text, langs[round % 7]);
        for (size_t i = 0; i < query.count; i++) {
            const char *term = query.words[i].term;
            assert_true(*term && !strpbrk(term, "\"*()^: "));
        }
    }
}

/* ---- what texts are indexed under ---- */

typedef struct {
    char text[4096];
    size_t places;
} terms_t;

static int note(void *arg, const char *term, size_t bytes, size_t from, size_t to, bool again)
{
    terms_t *self = arg;
    assert_true(bytes > 0 && bytes < LEXICON_TERM_BYTES && from < to);
    size_t size = strlen(self->text);
    (void)snprintf(self->text + size, sizeof self->text - size, "%s%.*s",
                   again ? "|" : (size ? " " : ""), (int)bytes, term);
    self->places += !again;
    return 0;
}

static void is_indexed_under(const char *text, const char *terms)
{
    terms_t got = {.places = 0};
    assert_int_equal(lexicon_index(lexicon, text, strlen(text), note, &got), 0);
    assert_string_equal(got.text, terms);
}

static void a_word_is_indexed_under_itself_and_its_stems(void **state)
{
    (void)state;
    is_indexed_under("VPN", "vpn");
    is_indexed_under("CT-4711 x2s", "ct 4711 x2s"); /* model numbers have no stems */
    is_indexed_under("", "");
    terms_t got = {.places = 0};
    (void)lexicon_index(lexicon, "Imprimantes bloquées", strlen("Imprimantes bloquées"), note,
                        &got);
    assert_int_equal(got.places, 2);
    assert_non_null(strstr(got.text, "imprimantes|"));
    assert_non_null(strstr(got.text, "|imprim"));
    assert_non_null(strstr(got.text, "bloquees|"));
}

static void wide_texts_are_indexed_by_pairs(void **state)
{
    (void)state;
    is_indexed_under("打印机", "打印 印机 机");
    is_indexed_under("A4纸张", "a4 纸张 张");
    is_indexed_under("𠀀𠀁", "𠀀𠀁 𠀁"); /* beyond the basic plane */
}

/* Whatever the language, the query's form meets the text's. */
static void every_form_of_a_word_meets_the_others(void **state)
{
    (void)state;
    const struct {
        const char *lang, *said, *written;
    } cases[] = {
        {"en", "printing", "printed"},
        {"en", "claims", "claim"},
        {"fr", "remboursements", "remboursement"},
        {"fr", "annulée", "annuler"},
        {"es", "devoluciones", "devolución"},
        {"es", "cancelar", "cancelación"},
        {"de", "Rechnungen", "Rechnung"},
        {"de", "Häuser", "Haus"},
        {"it", "pagamenti", "pagamento"},
        {"pt", "pagamentos", "pagamento"},
        {"nl", "rekeningen", "rekening"},
        {"ru", "документы", "документов"},
        {"fr", "Émilie", "EMILIE"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        query_t query;
        terms_t got = {.places = 0};
        assert_int_equal(query_parse(&query, lexicon, cases[i].said, cases[i].lang), 1);
        (void)lexicon_index(lexicon, cases[i].written, strlen(cases[i].written), note, &got);
        bool met = false;
        for (char *at = strtok(got.text, "| "); at; at = strtok(NULL, "| "))
            met |= query.words[0].beginning
                       ? strncmp(at, query.words[0].term, strlen(query.words[0].term)) == 0
                       : strcmp(at, query.words[0].term) == 0;
        if (!met) fail_msg("%s does not meet %s", cases[i].said, cases[i].written);
    }
}

static void any_bytes_can_be_indexed(void **state)
{
    (void)state;
    uint32_t seed = 5;
    for (int round = 0; round < 3000; round++) {
        char text[120];
        for (size_t i = 0; i < sizeof text; i++) {
            seed = seed * 1664525u + 1013904223u;
            text[i] = (char)(seed >> (round % 2 ? 24 : 23));
        }
        terms_t got = {.places = 0};
        assert_int_equal(lexicon_index(lexicon, text, sizeof text, note, &got), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_that_say_something_are_searched_for),
        cmocka_unit_test(stop_words_are_those_of_the_language),
        cmocka_unit_test(words_are_stemmed_in_the_language_they_are_said_in),
        cmocka_unit_test(chinese_and_japanese_are_searched_by_pairs),
        cmocka_unit_test(nothing_to_search_for_is_no_search),
        cmocka_unit_test(signs_of_the_query_language_never_get_through),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(any_bytes_make_safe_terms),
        cmocka_unit_test(a_word_is_indexed_under_itself_and_its_stems),
        cmocka_unit_test(wide_texts_are_indexed_by_pairs),
        cmocka_unit_test(every_form_of_a_word_meets_the_others),
        cmocka_unit_test(any_bytes_can_be_indexed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
