/* sentences_test.c - what a model writes, cut into what is spoken: sentences, Markdown, styles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/dialogue/model/letters.h"
#include "services/dialogue/model/sentences.h"
#include "services/dialogue/model/style.h"

enum { OUT_BYTES = 65536 };

/* All sentences, joined by "|". step: bytes shown at a time; 0: all at once. */
static char *cut_by(const char *lang, const char *text, size_t step, char *out)
{
    sentences_t *s = sentences_new(lang);
    size_t n = strlen(text);
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i <= n;) {
        char piece[OUT_BYTES];
        size_t take = step && step < n - i ? step : n - i;
        snprintf(piece, sizeof piece, "%.*s", (int)take, text + i);
        if (take) sentences_add(s, piece);
        i += take;
        if (i == n) {
            sentences_close(s);
            i++;
        }
        const char *sentence = NULL;
        while ((sentence = sentences_next(s))) {
            assert_true(sentence[0] != '\0');
            len += (size_t)snprintf(out + len, OUT_BYTES - len, "%s%s", len ? "|" : "", sentence);
            assert_true(len < OUT_BYTES);
        }
    }
    sentences_destroy(&s);
    return out;
}

typedef struct {
    const char *lang, *text, *want;
} row_t;

static void assert_rows(const row_t *rows, size_t count)
{
    static char out[OUT_BYTES];
    for (size_t i = 0; i < count; i++) {
        cut_by(rows[i].lang, rows[i].text, 0, out);
        if (strcmp(out, rows[i].want) != 0) {
            fail_msg("\"%s\"\n  gave \"%s\"\n  not  \"%s\"", rows[i].text, out, rows[i].want);
        }
        cut_by(rows[i].lang, rows[i].text, 1, out);
        if (strcmp(out, rows[i].want) != 0) {
            fail_msg("by bytes: \"%s\"\n  gave \"%s\"\n  not  \"%s\"", rows[i].text, out,
                     rows[i].want);
        }
    }
}
#define ASSERT_ROWS(rows) assert_rows(rows, sizeof(rows) / sizeof((rows)[0]))

static void sentences_end_at_their_marks(void **state)
{
    (void)state;
    static const row_t rows[] = {
        {"en-US", "Hello there. How are you? Fine!", "Hello there.|How are you?|Fine!"},
        {"en-US", "One sentence without a mark", "One sentence without a mark."},
        {"en-US", "Well... I see. Wait... what is it?", "Well...|I see.|Wait... what is it?"},
        {"en-US", "He said \"Stop.\" Then he left.", "He said \"Stop.\"|Then he left."},
        {"en-US", "All right (I think). Next.", "All right (I think).|Next."},
        {"fr-FR", "Bonjour ! Comment ça va ? Très bien.", "Bonjour !|Comment ça va ?|Très bien."},
        {"fr-FR", "Il a dit : « Non. » Puis rien.", "Il a dit : « Non. »|Puis rien."},
        {"es-ES", "¡Hola! ¿Cómo está? Muy bien.", "¡Hola!|¿Cómo está?|Muy bien."},
        {"es-ES", "Lo tengo. ¿Es correcto?", "Lo tengo.|¿Es correcto?"},
        {"de-DE", "Guten Tag. Wie geht es? Gut.", "Guten Tag.|Wie geht es?|Gut."},
        {"de-DE", "Er sagte: „Nein.“ Danach nichts.", "Er sagte: „Nein.“|Danach nichts."},
        {"it-IT", "Buongiorno. È tutto chiaro?", "Buongiorno.|È tutto chiaro?"},
        {"ru-RU", "Здравствуйте. Как дела? Хорошо.", "Здравствуйте.|Как дела?|Хорошо."},
        {"ar-SA", "مرحبا. كيف حالك؟ بخير.", "مرحبا.|كيف حالك؟|بخير."},
        {"hi-IN", "नमस्ते। आप कैसे हैं? ठीक।", "नमस्ते।|आप कैसे हैं?|ठीक।"},
    };
    ASSERT_ROWS(rows);
}

static void chinese_and_japanese_marks_cut(void **state)
{
    (void)state;
    static const row_t rows[] = {
        {"zh-CN", "您好。请问您叫什么名字？谢谢！", "您好。|请问您叫什么名字？|谢谢！"},
        {"zh-CN", "好的，我明白了；请稍等。", "好的，我明白了；|请稍等。"},
        {"zh-CN", "您说“没有电”。对吗？", "您说“没有电”。|对吗？"},
        {"zh-CN", "电话是3.5元吗？是的", "电话是3.5元吗？|是的。"},
        {"zh-CN", "OK.我知道了。", "OK.|我知道了。"},
        {"ja-JP", "こんにちは。お名前は？「田中」です。", "こんにちは。|お名前は？|「田中」です。"},
    };
    ASSERT_ROWS(rows);
    sentences_t *s = sentences_new("zh-CN");
    sentences_add(s, "您好。");
    assert_string_equal(sentences_next(s), "您好。"); /* not waiting for more */
    sentences_add(s, "」请问");
    assert_null(sentences_next(s));
    sentences_close(s);
    assert_string_equal(sentences_next(s), "请问。");
    sentences_destroy(&s);
}

static void not_every_stop_ends_a_sentence(void **state)
{
    (void)state;
    static const row_t rows[] = {
        {"en-US", "It costs 3.5 euros. Good.", "It costs 3.5 euros.|Good."},
        {"en-US", "Ask Dr. Smith or Mrs. Jones. Thanks.", "Ask Dr. Smith or Mrs. Jones.|Thanks."},
        {"en-US", "Some fruit, e.g. Apples. More.", "Some fruit, e.g. Apples.|More."},
        {"en-US", "J. R. Smith called. He waits.", "J. R. Smith called.|He waits."},
        {"en-US", "The U.S. Army is here. Yes.", "The U.S. Army is here.|Yes."},
        {"en-US", "Write to john.doe@contoso.com. I wait.",
         "Write to john.doe@contoso.com.|I wait."},
        {"en-US", "See https://www.contoso.com/a?b=c.d&e=1! Or call.",
         "See https://www.contoso.com/a?b=c.d&e=1!|Or call."},
        {"en-US", "Open www.contoso.com/help?id=7 now. Good.",
         "Open www.contoso.com/help?id=7 now.|Good."},
        {"en-US", "It opens at 10.30 or 10:45. Come.", "It opens at 10.30 or 10:45.|Come."},
        {"en-US", "Open at 9 a.m. and close at 5 p.m. That is all.",
         "Open at 9 a.m. and close at 5 p.m.|That is all."},
        {"en-US", "Take No. 5. No. I do not.", "Take No. 5.|No.|I do not."},
        {"en-US", "Edit setup.cfg and main.c. Done.", "Edit setup.cfg and main.c.|Done."},
        {"en-US", "It is spelled D U P O N T. Is that right?",
         "It is spelled D U P O N T.|Is that right?"},
        {"en-US", "In 2024. Then 2025. Good.", "In 2024.|Then 2025.|Good."},
        {"fr-FR", "M. Dupont et Mme. Durand sont là. Oui.",
         "M. Dupont et Mme. Durand sont là.|Oui."},
        {"es-ES", "El Sr. García y la Sra. Ruiz, p. ej. Mañana. Sí.",
         "El Sr. García y la Sra. Ruiz, p. ej. Mañana.|Sí."},
        {"de-DE", "Am 3. März, z. B. Montag, bzw. Dienstag. Gut.",
         "Am 3. März, z. B. Montag, bzw. Dienstag.|Gut."},
        {"de-DE", "Herr Dr. med. Huber, d.h. Ihr Arzt. Ja.",
         "Herr Dr. med. Huber, d.h. Ihr Arzt.|Ja."},
    };
    ASSERT_ROWS(rows);
}

static void a_sentence_is_given_out_when_it_has_ended(void **state)
{
    (void)state;
    sentences_t *s = sentences_new("en-US");
    sentences_add(s, "Is it 3");
    assert_null(sentences_next(s));
    sentences_add(s, ".");
    assert_null(sentences_next(s));
    sentences_add(s, "5?");
    assert_string_equal(sentences_next(s), "Is it 3.5?");
    sentences_add(s, "! Or");
    assert_null(sentences_next(s));
    sentences_add(s, " four.");
    assert_null(sentences_next(s));
    sentences_add(s, " ");
    assert_null(sentences_next(s));
    sentences_add(s, "I");
    assert_string_equal(sentences_next(s), "Or four.");
    assert_null(sentences_next(s));
    sentences_close(s);
    assert_string_equal(sentences_next(s), "I.");
    assert_null(sentences_next(s));
    sentences_destroy(&s);
}

static void a_text_that_stands_still_is_given_out(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want; /* NULL: it goes on waiting */
    } rows[] = {{"I will note that.", "I will note that."},
                {"I will note that. ", "I will note that."},
                {"It costs 3.", NULL},
                {"Ask Dr.", NULL},
                {"Write to john.", "Write to john."},
                {"Write to a@contoso.", NULL},
                {"Open https://contoso.", NULL},
                {"I will note", NULL},
                {"A line\n", "A line."}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sentences_t *s = sentences_new("en-US");
        sentences_add(s, rows[i].text);
        assert_null(sentences_next(s));
        sentences_settle(s);
        const char *got = sentences_next(s);
        if (!got != !rows[i].want || (got && strcmp(got, rows[i].want) != 0)) {
            fail_msg("\"%s\" gave \"%s\"", rows[i].text, got ? got : "nothing");
        }
        sentences_destroy(&s);
    }
}

static void lines_lists_and_markdown_become_speech(void **state)
{
    (void)state;
    static const row_t rows[] = {
        {"en-US", "First line\nSecond line", "First line.|Second line."},
        {"en-US", "A line that is broken\nin the middle. Good.",
         "A line that is broken in the middle.|Good."},
        {"en-US", "You can:\n- restart it\n- call us\n\nWhat now?",
         "You can:|restart it.|call us.|What now?"},
        {"en-US", "1. Open the door.\n2. Close it\n3) Leave",
         "1. Open the door.|2. Close it.|3. Leave."},
        {"en-US", "## Next steps\n**Restart** your *laptop*, then `reboot`.",
         "Next steps.|Restart your laptop, then reboot."},
        {"en-US", "See [the guide](https://contoso.com/a.b?c=d). Yes.", "See the guide.|Yes."},
        {"en-US", "![A photo](x.png) is here[^1].", "A photo is here."},
        {"en-US", "```sh\nmake test\n```\nDone.", "make test.|Done."},
        {"en-US", "| Day | Hour |\n|---|:-:|\n| Monday | nine |\n", "Day, Hour.|Monday, nine."},
        {"en-US", "> Quoted words\n---\nAfter.", "Quoted words.|After."},
        {"en-US", "5 * 3 is 15, a_b and 2*3, ~5 ~~no~~.", "5 * 3 is 15, a_b and 2*3, ~5 no."},
        {"en-US", "A &amp; B&nbsp;&lt; C<br>D <b>bold</b> <user@x.org>",
         "A & B < C.|D bold user@x.org."},
        {"en-US", "If a < b and c > 4. Good.", "If a < b and c > 4.|Good."},
        {"en-US", "Great! 🎉 Let us go 👍🏽.", "Great!|Let us go ."},
        {"en-US", "<think>Should I? Yes.</think>Hello.", "Hello."},
        {"en-US", "- [ ] call\n- [x] write", "call.|write."},
        {"en-US", "Say \\*this\\*.", "Say *this*."},
        {"fr-FR", "• un\n• deux", "un.|deux."},
    };
    ASSERT_ROWS(rows);
}

static void long_sentences_are_parted_without_loss(void **state)
{
    (void)state;
    static char out[OUT_BYTES];
    static char text[8192];
    size_t n = 0;
    for (int i = 0; i < 120; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "word%d%s", i, i % 9 == 8 ? ", " : " ");
    }
    cut_by("en-US", text, 7, out);
    char *save = NULL;
    int parts = 0;
    int seen = 0;
    for (char *part = strtok_r(out, "|", &save); part; part = strtok_r(NULL, "|", &save)) {
        assert_true(strlen(part) <= SENTENCE_CHARACTERS + 1);
        assert_true(strlen(part) > 60 || seen >= 110);
        char *at = part;
        while ((at = strstr(at, "word"))) {
            assert_int_equal(atoi(at + 4), seen);
            at += 4;
            seen++;
        }
        parts++;
    }
    assert_int_equal(seen, 120);
    assert_true(parts >= 3);
    n = 0;
    for (int i = 0; i < 300; i++) n += (size_t)snprintf(text + n, sizeof text - n, "字");
    cut_by("zh-CN", text, 3, out);
    size_t letters = 0;
    for (const char *p = out; *p; p++) letters += strncmp(p, "字", 3) == 0;
    assert_int_equal(letters, 300);
    assert_non_null(strchr(out, '|'));
    memset(text, 'x', 1000);
    text[1000] = '\0';
    cut_by("en-US", text, 100, out);
    letters = 0;
    for (const char *p = out; *p; p++) letters += *p == 'x';
    assert_int_equal(letters, 1000);
}

/* Letters and digits only: what must be the same before and after. */
static void letters_of(const char *text, char *out)
{
    size_t n = strlen(text);
    size_t len = 0;
    size_t k = 0;
    for (size_t i = 0; i < n; i += len) {
        uint32_t c = letter_at(text + i, n - i, &len);
        if (!letter_is_alpha(c) && !letter_is_digit(c)) continue;
        memcpy(out + k, text + i, len);
        k += len;
    }
    out[k] = '\0';
}

static uint32_t draw(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525U + 1013904223U;
    return (*seed >> 8) % below;
}

static void nothing_is_lost_or_said_twice_however_it_comes(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "Hello", "Dr", "3",  "5",  "e",  "g",  "z",  "B",  ".", ".", ".",   " ",  " ", " ",  "!",
        "?",     ",",  ";",  ":",  "\n", "-",  "- ", "**", "*", "_", "`",   "(",  ")", "\"", "[",
        "]",     "您", "好", "。", "？", "、", "é",  "«",  "»", "…", "1. ", "# ", "~", "\\", "a"};
    static char text[4096];
    static char want[4096];
    static char out[OUT_BYTES];
    static char got[OUT_BYTES];
    uint32_t seed = 7;
    for (int round = 0; round < 3000; round++) {
        size_t n = 0;
        size_t count = 1 + draw(&seed, 60);
        for (size_t i = 0; i < count; i++) {
            const char *part = parts[draw(&seed, sizeof parts / sizeof parts[0])];
            n += (size_t)snprintf(text + n, sizeof text - n, "%s", part);
        }
        if (strstr(text, "```") || strstr(text, "](")) continue; /* what is dropped on purpose */
        letters_of(text, want);
        for (size_t step = 0; step < 5; step++) {
            cut_by(round % 2 ? "en-US" : "de-DE", text, step, out);
            letters_of(out, got);
            if (strcmp(got, want) != 0) fail_msg("\"%s\" by %zu gave \"%s\"", text, step, out);
        }
    }
}

static void a_style_is_taken_and_never_spoken(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
        Pl__Style style, after;
    } rows[] = {
        {"[style=sad] I am sorry.", "I am sorry.", PL__STYLE__SAD, PL__STYLE__SAD},
        {"[style=cheerful]Great!", "Great!", PL__STYLE__CHEERFUL, PL__STYLE__CHEERFUL},
        {"[ Style: Sad ] Oh.", "Oh.", PL__STYLE__SAD, PL__STYLE__SAD},
        {"style=none Fine.", "Fine.", PL__STYLE__NONE, PL__STYLE__NONE},
        {"(style=\"sad\") Oh.", "Oh.", PL__STYLE__SAD, PL__STYLE__SAD},
        {"{style=angry} Oh.", "Oh.", PL__STYLE__NONE, PL__STYLE__NONE},
        {"[cheerful] Hi.", "Hi.", PL__STYLE__CHEERFUL, PL__STYLE__CHEERFUL},
        {"Well [style=sad] no.", "Well no.", PL__STYLE__NONE, PL__STYLE__SAD},
        {"Well [style=sad].", "Well.", PL__STYLE__NONE, PL__STYLE__SAD},
        {"All is well [style=cheerful]", "All is well", PL__STYLE__NONE, PL__STYLE__CHEERFUL},
        {"action=talk style=sad content=Hello.", "Hello.", PL__STYLE__SAD, PL__STYLE__SAD},
        {"action=talk [style=sad] Hello.", "Hello.", PL__STYLE__SAD, PL__STYLE__SAD},
        {"Goodbye. [sty", "Goodbye.", PL__STYLE__NONE, PL__STYLE__NONE},
        {"Goodbye. [style=che", "Goodbye.", PL__STYLE__NONE, PL__STYLE__NONE},
        {"[style=sad]", "", PL__STYLE__SAD, PL__STYLE__SAD},
        {"A lifestyle=choice here.", "A lifestyle=choice here.", PL__STYLE__NONE, PL__STYLE__NONE},
        {"Oh [style[style=sad]=sad] no.", "Oh no.", PL__STYLE__NONE, PL__STYLE__SAD},
        {"Her style: modern.", "Her style: modern.", PL__STYLE__NONE, PL__STYLE__NONE},
        {"The sad [very] case.", "The sad [very] case.", PL__STYLE__NONE, PL__STYLE__NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[128];
        Pl__Style style = PL__STYLE__NONE;
        Pl__Style after = PL__STYLE__NONE;
        snprintf(text, sizeof text, "%s", rows[i].text);
        style_take(text, &style, &after);
        assert_string_equal(text, rows[i].want);
        if (style != rows[i].style || after != rows[i].after) fail_msg("%s", rows[i].text);
    }
    Pl__Style style = PL__STYLE__SAD;
    Pl__Style after = PL__STYLE__NONE;
    char text[] = "It goes on.";
    style_take(text, &style, &after);
    assert_int_equal(style, PL__STYLE__SAD);
    assert_int_equal(after, PL__STYLE__SAD);
}

static void markers_survive_the_cutting(void **state)
{
    (void)state;
    static const row_t rows[] = {
        {"en-US", "Hello. [style=sad] I am sorry. [style=none] Now.",
         "Hello.|[style=sad] I am sorry.|[style=none] Now."},
        {"en-US", "<style=sad>I am sorry.", "[style=sad]I am sorry."},
        {"en-US", "[style=cheerful]\nHello", "[style=cheerful]|Hello."},
    };
    ASSERT_ROWS(rows);
}

static void letters_know_their_kind(void **state)
{
    (void)state;
    size_t len = 0;
    assert_int_equal(letter_at("é", 2, &len), 0xE9);
    assert_int_equal(len, 2);
    assert_int_equal(letter_at("\xC3", 1, &len), LETTER_BAD);
    assert_int_equal(len, 1);
    assert_int_equal(letter_at("\xE0\x80\x80", 3, &len), LETTER_BAD);
    assert_int_equal(letter_at("\xED\xA0\x80", 3, &len), LETTER_BAD);
    assert_int_equal(letter_before("a您", 4, &len), 0x60A8);
    assert_int_equal(len, 3);
    assert_int_equal(letter_before("\x80\x80", 2, &len), LETTER_BAD);
    assert_true(letter_is_lower(0xE9) && !letter_is_lower(0xC9));
    assert_true(letter_is_upper(0xC9) && letter_is_upper(0x416) && letter_is_lower(0x436));
    assert_true(letter_is_alpha(0x60A8) && !letter_is_lower(0x60A8) && letter_is_wide(0x60A8));
    assert_false(letter_is_alpha(0x3002) || letter_is_alpha(0xBF) || letter_is_alpha(0x20AC));
    assert_true(letters_any("¿ 5") && letters_any("字") && !letters_any("… ¡!"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences_end_at_their_marks),
        cmocka_unit_test(chinese_and_japanese_marks_cut),
        cmocka_unit_test(not_every_stop_ends_a_sentence),
        cmocka_unit_test(a_sentence_is_given_out_when_it_has_ended),
        cmocka_unit_test(a_text_that_stands_still_is_given_out),
        cmocka_unit_test(lines_lists_and_markdown_become_speech),
        cmocka_unit_test(long_sentences_are_parted_without_loss),
        cmocka_unit_test(nothing_is_lost_or_said_twice_however_it_comes),
        cmocka_unit_test(a_style_is_taken_and_never_spoken),
        cmocka_unit_test(markers_survive_the_cutting),
        cmocka_unit_test(letters_know_their_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
