/* chunker_test.c - documents cut into passages. */
#include "services/rag/chunker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "services/rag/encoding.h"

enum { PASSAGES_MAX = 4000 };
static char *titles[PASSAGES_MAX];
static char *contents[PASSAGES_MAX];
static size_t count;

static size_t chars_of(const char *text)
{
    size_t chars = 0;
    for (; *text; text++) chars += ((unsigned char)*text & 0xc0) != 0x80;
    return chars;
}

static void take(void *arg, const passage_t *passage)
{
    (void)arg;
    const char *title = passage->title;
    const char *content = passage->content;
    assert_true(count < PASSAGES_MAX);
    assert_true(*content);
    assert_true(chars_of(content) <= PASSAGE_CHARS);
    assert_true(strlen(title) < PASSAGE_TITLE_BYTES);
    assert_true(utf8_valid(title, strlen(title)));
    assert_true(utf8_valid(content, strlen(content)));
    titles[count] = strdup(title);
    contents[count++] = strdup(content);
}

static void forget(void)
{
    while (count > 0) {
        free(titles[--count]);
        free(contents[count]);
    }
}

static int teardown(void **state)
{
    (void)state;
    forget();
    return 0;
}

static void cut(chunk_format_t format, const char *text)
{
    forget();
    char *exact = malloc(strlen(text) + 1); /* no NUL behind it: reading on is found by ASan */
    assert_non_null(exact);
    memcpy(exact, text, strlen(text));
    chunker_run(format, "the name", exact, strlen(text), take, NULL);
    free(exact);
}

static void passage_is(size_t i, const char *title, const char *content)
{
    assert_true(i < count);
    assert_string_equal(titles[i], title);
    assert_string_equal(contents[i], content);
}

static void one_line(const char *markdown, const char *plain)
{
    cut(CHUNK_MARKDOWN, markdown);
    assert_int_equal(count, 1);
    assert_string_equal(contents[0], plain);
}

/* ---- headings ---- */

static void headings_above_a_passage_are_its_title(void **state)
{
    (void)state;
    cut(CHUNK_MARKDOWN, "before\n\n# One\nfirst\n## Two ##\nsecond\n### Three\nthird\n"
                        "## Four\nfourth\n# Five\nfifth\n");
    assert_int_equal(count, 6);
    passage_is(0, "the name", "before");
    passage_is(1, "One", "first");
    passage_is(2, "One > Two", "second");
    passage_is(3, "One > Two > Three", "third");
    passage_is(4, "One > Four", "fourth");
    passage_is(5, "Five", "fifth");
}

static void underlined_headings_count_too(void **state)
{
    (void)state;
    cut(CHUNK_MARKDOWN, "Big\n===\ntext\n\nSmall\n---\nmore\n\n---\n\nafter the rule\n");
    assert_int_equal(count, 2);
    passage_is(0, "Big", "text");
    passage_is(1, "Big > Small", "more\nafter the rule");
}

static void what_only_looks_like_a_heading_is_text(void **state)
{
    (void)state;
    one_line("#hashtag", "#hashtag");
    one_line("####### seven", "####### seven");
    one_line("    # indented like code", "# indented like code");
    cut(CHUNK_MARKDOWN, "# Shell\n```sh\n# a comment\nls -l | wc_x_y\n```\nafter\n");
    assert_int_equal(count, 1);
    passage_is(0, "Shell", "# a comment\nls -l | wc_x_y\nafter");
}

static void a_fence_closes_only_by_its_own_kind(void **state)
{
    (void)state;
    cut(CHUNK_MARKDOWN, "~~~~\n# a\n```\n~~~\n# b\n~~~~~\n# Real\nx\n");
    assert_int_equal(count, 2);
    passage_is(0, "the name", "# a\n```\n~~~\n# b");
    passage_is(1, "Real", "x");
}

static void headings_without_text_make_no_passage(void **state)
{
    (void)state;
    cut(CHUNK_MARKDOWN, "# One\n## Two\n## Three\n\n   \n");
    assert_int_equal(count, 0);
    cut(CHUNK_MARKDOWN, "# One\n#\nx\n"); /* an empty heading ends the former */
    assert_int_equal(count, 1);
    passage_is(0, "the name", "x");
}

static void long_titles_are_cut_at_a_character(void **state)
{
    (void)state;
    char text[1024] = "# ";
    for (int i = 0; i < 200; i++) strcat(text, "\xc3\xa9");
    strcat(text, "\n## second\nx\n");
    cut(CHUNK_MARKDOWN, text);
    assert_int_equal(count, 1);
    assert_int_equal(strlen(titles[0]), PASSAGE_TITLE_BYTES - 2); /* 239 would cut an e acute */
}

/* ---- markup ---- */

static void markup_is_taken_out_and_text_stays(void **state)
{
    (void)state;
    one_line("Print to **FollowMe**, *now*, ~~not~~ `later`.",
             "Print to FollowMe, now, not later.");
    one_line("See [the page](https://contoso.example/a_b(c)?x) or [it][ref]!",
             "See the page?x) or it!"); /* nested brackets in a target are rare enough */
    one_line("![A jam](jam.png) happens", "A jam happens");
    one_line("> quoted > text", "quoted > text");
    one_line("2 * 3 * 4 and a_b_c and __init__", "2 * 3 * 4 and a_b_c and init");
    one_line("a \\*star\\* and \\# hash", "a *star* and # hash");
    one_line("[not a link] and ](nor this", "[not a link] and ](nor this");
    one_line("price: 5 < 6 > 4 & \"so on\"", "price: 5 < 6 > 4 & \"so on\"");
    one_line("tabs\tand   blanks", "tabs and blanks");
}

static void lists_are_lines_and_tables_are_cells(void **state)
{
    (void)state;
    cut(CHUNK_MARKDOWN, "- one\n- *two*\n1. three\n2) four\n\n| Day | Hours |\n|-----|:----:|\n"
                        "| Monday | 8 to 6 |\n");
    assert_int_equal(count, 1);
    assert_string_equal(contents[0], "one\ntwo\n1. three\n2) four\nDay, Hours\nMonday, 8 to 6");
}

static void comments_and_front_matter_are_left_out(void **state)
{
    (void)state;
    cut(CHUNK_MARKDOWN, "---\ntitle: x\n# no: heading\n---\n<!-- secret -->\nseen\n<!-- a\n# b\n"
                        "c -->\nalso seen\n");
    assert_int_equal(count, 1);
    assert_string_equal(contents[0], "seen\nalso seen");
    one_line("---\nnever closed\n", "never closed");
}

static void plain_text_keeps_its_signs(void **state)
{
    (void)state;
    cut(CHUNK_TEXT, "# no heading\r\n*stars* and [brackets](x)\r\rnext\r\n");
    assert_int_equal(count, 1);
    passage_is(0, "the name", "# no heading\n*stars* and [brackets](x)\nnext");
}

/* ---- sizes ---- */

static char *repeated(const char *piece, size_t times)
{
    size_t size = strlen(piece);
    char *text = malloc(size * times + 1);
    assert_non_null(text);
    for (size_t i = 0; i < times; i++) memcpy(text + i * size, piece, size);
    text[size * times] = '\0';
    return text;
}

static void paragraphs_are_packed_whole(void **state)
{
    (void)state;
    char *paragraph = repeated("word ", 100); /* 499 characters without the last blank */
    char text[2048];
    (void)snprintf(text, sizeof text, "# T\n%s\n\n%s\n\n%s\n", paragraph, paragraph, paragraph);
    cut(CHUNK_MARKDOWN, text);
    assert_int_equal(count, 2);
    assert_int_equal(strlen(contents[0]), 499 + 1 + 499);
    assert_int_equal(strlen(contents[1]), 499);
    assert_string_equal(titles[1], "T");
    free(paragraph);
}

static void a_long_paragraph_is_cut_after_a_sentence(void **state)
{
    (void)state;
    char *text = repeated("This is a sentence of forty characters. ", 100);
    cut(CHUNK_TEXT, text);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(contents[i]);
        assert_int_equal(contents[i][size - 1], '.');
        assert_int_equal(contents[i][0], 'T');
    }
    free(text);
}

static void without_sentences_words_are_kept_whole_and_without_words_characters(void **state)
{
    (void)state;
    char *words = repeated("lorem ", 500);
    cut(CHUNK_TEXT, words);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(contents[i] + strlen(contents[i]) - 5, "lorem");
    free(words);
    char *letters = repeated("\xe6\xbc\xa2", 2500); /* checked for UTF-8 by take */
    cut(CHUNK_TEXT, letters);
    assert_int_equal(count, 3);
    assert_int_equal(strlen(contents[0]), PASSAGE_CHARS * 3);
    assert_int_equal(strlen(contents[2]), 100 * 3);
    free(letters);
}

/* Each letter of the text is there once, in order, whatever was cut where. */
static void nothing_is_lost_nor_said_twice(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (int round = 0; round < 50; round++) {
        char text[20001];
        size_t size = 0;
        while (size < sizeof text - 1) {
            seed = seed * 1664525u + 1013904223u;
            static const char letters[] = "abcdefgh.  \n\n";
            text[size++] = letters[(seed >> 16) % (sizeof letters - 1)];
            if (seed >> 30 == 0 && size < sizeof text - 40) {
                memset(text + size, 'x', 30);
                size += 30;
            }
        }
        text[size] = '\0';
        cut(CHUNK_TEXT, text);
        size_t at = 0;
        for (size_t i = 0; i < count; i++) {
            for (const char *c = contents[i]; *c; c++) {
                if (*c == ' ' || *c == '\n') continue;
                while (text[at] == ' ' || text[at] == '\n') at++;
                assert_int_equal(*c, text[at]);
                at++;
            }
        }
        while (text[at] == ' ' || text[at] == '\n') at++;
        assert_int_equal(text[at], '\0');
    }
}

static void empty_and_blank_documents_have_no_passages(void **state)
{
    (void)state;
    const char *blank[] = {"",           "\n",    "   \n\t\n", "---\n---\n", "<!-- -->",
                           "```\n```\n", "***\n", "|---|\n",   "> \n",       "[](x)"};
    for (size_t i = 0; i < sizeof blank / sizeof *blank; i++) {
        cut(CHUNK_MARKDOWN, blank[i]);
        if (count) fail_msg("\"%s\" gives \"%s\"", blank[i], contents[0]);
    }
}

/* Markup that invites a parser to look ahead again and again. */
static void hostile_markup_takes_linear_time(void **state)
{
    (void)state;
    const char *pieces[] = {"[", "](", "![[", "*_~`", "<!--", "\\", "[](", "|", "#", "> ", "]["};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        char *text = repeated(pieces[i], 1000000 / strlen(pieces[i]));
        clock_t started = clock();
        cut(CHUNK_MARKDOWN, text);
        double took_s = (double)(clock() - started) / CLOCKS_PER_SEC;
        if (took_s > 8) fail_msg("%s took %.1f s", pieces[i], took_s); /* sanitizers are slow */
        free(text);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
    const struct CMUnitTest tests[] = {
        TEST(headings_above_a_passage_are_its_title),
        TEST(underlined_headings_count_too),
        TEST(what_only_looks_like_a_heading_is_text),
        TEST(a_fence_closes_only_by_its_own_kind),
        TEST(headings_without_text_make_no_passage),
        TEST(long_titles_are_cut_at_a_character),
        TEST(markup_is_taken_out_and_text_stays),
        TEST(lists_are_lines_and_tables_are_cells),
        TEST(comments_and_front_matter_are_left_out),
        TEST(plain_text_keeps_its_signs),
        TEST(paragraphs_are_packed_whole),
        TEST(a_long_paragraph_is_cut_after_a_sentence),
        TEST(without_sentences_words_are_kept_whole_and_without_words_characters),
        TEST(nothing_is_lost_nor_said_twice),
        TEST(empty_and_blank_documents_have_no_passages),
        TEST(hostile_markup_takes_linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
