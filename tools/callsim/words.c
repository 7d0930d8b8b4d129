#include "tools/callsim/words.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { MAX_WORD = 64, MAX_TEXT = 4096 };

static const struct {
    const char *word, *digits;
} numbers[] = {
    {"zero", "0"},      {"oh", "0"},       {"one", "1"},        {"two", "2"},
    {"three", "3"},     {"four", "4"},     {"five", "5"},       {"six", "6"},
    {"seven", "7"},     {"eight", "8"},    {"nine", "9"},       {"ten", "10"},
    {"eleven", "11"},   {"twelve", "12"},  {"thirteen", "13"},  {"fourteen", "14"},
    {"fifteen", "15"},  {"sixteen", "16"}, {"seventeen", "17"}, {"eighteen", "18"},
    {"nineteen", "19"}, {"twenty", "20"},  {"thirty", "30"},    {"forty", "40"},
    {"fifty", "50"},    {"sixty", "60"},   {"seventy", "70"},   {"eighty", "80"},
    {"ninety", "90"},   {"first", "1st"},  {"second", "2nd"},   {"third", "3rd"},
    {"fourth", "4th"},  {"fifth", "5th"},  {"sixth", "6th"},    {"seventh", "7th"},
    {"eighth", "8th"},  {"ninth", "9th"},  {"tenth", "10th"},
};

/* The next word of *text in lower case; an apostrophe inside it is left out. "*" is kept, for
 * cues. Returns false at the end. */
static bool next_word(const char **text, char word[MAX_WORD])
{
    size_t used = 0;
    const char *at = *text;
    for (; *at; at++) {
        unsigned char c = (unsigned char)*at;
        bool inside = isalnum(c) || c >= 0x80 || c == '*' || c == '@' || c == '+';
        if (inside && used < MAX_WORD - 1) word[used++] = (char)tolower(c);
        if (!inside && c != '\'' && used) break;
    }
    *text = at;
    word[used] = '\0';
    return used > 0;
}

static const char *as_digits(const char *word)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(word, numbers[i].word) == 0) return numbers[i].digits;
    }
    return word;
}

char *words_normal(const char *text, char *out, size_t out_bytes)
{
    char word[MAX_WORD];
    size_t used = 0;
    out[0] = '\0';
    while (next_word(&text, word)) {
        const char *plain = as_digits(word);
        if (used + strlen(plain) + 2 > out_bytes) break;
        used += (size_t)snprintf(out + used, out_bytes - used, "%s%s", used ? " " : "", plain);
    }
    return out;
}

bool words_hold(const char *text, const char *words)
{
    char plain[MAX_TEXT];
    char hay[MAX_TEXT + 2];
    char needle[MAX_TEXT + 2];
    snprintf(hay, sizeof hay, " %s ", words_normal(text ? text : "", plain, sizeof plain));
    snprintf(needle, sizeof needle, " %s ", words_normal(words, plain, sizeof plain));
    return !plain[0] || strstr(hay, needle) != NULL;
}

static bool has_word(const char *text, const char *wanted)
{
    char word[MAX_WORD];
    size_t length = strlen(wanted);
    bool prefix = length && wanted[length - 1] == '*';
    while (next_word(&text, word)) {
        if (prefix && strncmp(word, wanted, length - 1) == 0) return true;
        if (strcmp(as_digits(word), as_digits(wanted)) == 0) return true;
    }
    return false;
}

static bool has_all(const char *text, const char *wanted)
{
    char word[MAX_WORD];
    bool any = false;
    while (next_word(&wanted, word)) {
        if (!has_word(text, word)) return false;
        any = true;
    }
    return any;
}

bool words_match_cue(const char *text, const char *cue)
{
    if (strcmp(cue, "any") == 0) return true;
    if (!text) return false;
    char alternative[256];
    while (*cue) {
        size_t length = strcspn(cue, "|");
        snprintf(alternative, sizeof alternative, "%.*s", (int)length, cue);
        if (has_all(text, alternative)) return true;
        cue += length + (cue[length] == '|');
    }
    return false;
}

/* The code point at text and its bytes; what is not UTF-8 counts byte for byte. */
static uint32_t code_point(const char *text, size_t *bytes)
{
    const unsigned char *c = (const unsigned char *)text;
    *bytes = 1;
    if (c[0] < 0xc0) return c[0];
    size_t more = c[0] >= 0xf0 ? 3 : c[0] >= 0xe0 ? 2 : 1;
    uint32_t point = c[0] & (0x3fU >> more);
    for (size_t i = 1; i <= more; i++) {
        if ((c[i] & 0xc0) != 0x80) return c[0];
        point = point << 6 | (c[i] & 0x3fU);
    }
    *bytes = more + 1;
    return point;
}

/* Kana and the ideographs of Chinese, Japanese and Korean; not their punctuation. */
static bool stands_alone(uint32_t point)
{
    return (point >= 0x3041 && point <= 0x30ff) || (point >= 0x3400 && point <= 0x9fff) ||
           (point >= 0xf900 && point <= 0xfaff) || (point >= 0x20000 && point <= 0x2ffff);
}

static bool is_mark(uint32_t point)
{
    return (point < 0x80 && ispunct((int)point)) || (point >= 0x3000 && point <= 0x3040) ||
           (point >= 0xff00 && point <= 0xff0f);
}

size_t words_spoken_end(const char *text, size_t from)
{
    size_t at = from + strspn(text + from, " \t\r\n");
    size_t bytes = 0;
    if (!text[at]) return from;
    bool alone = stands_alone(code_point(text + at, &bytes));
    at += bytes;
    while (text[at] && !strchr(" \t\r\n", text[at])) {
        uint32_t point = code_point(text + at, &bytes);
        if (stands_alone(point) || (alone && !is_mark(point))) break;
        at += bytes;
    }
    return at;
}
