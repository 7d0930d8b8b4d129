/* script_say.c - how the script speaks: prompts, questions, values read back, answers. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "services/dialogue/managers/script_internal.h"
#include "services/dialogue/nlu/email.h"
#include "services/dialogue/nlu/when.h"

enum { ANSWER_MAX = 320, SO_FAR_MAX = 5 };

static const char *lang_of(const script_t *s)
{
    const char *chosen = s->record->lang_short_code;
    return chosen[0] ? chosen : s->record->initiate->lang_default;
}

void say(script_t *s, const char *text)
{
    size_t n = strlen(s->said);
    snprintf(s->said + n, sizeof s->said - n, "%s%s", n ? " " : "", text);
    s->sink.sentence(s->sink.arg, s->thought, text, PL__STYLE__NONE);
}

static void capital(char *text)
{
    text[0] = (char)toupper((unsigned char)text[0]);
}

void say_prompt(script_t *s, prompt_t id, const char *label, const char *value)
{
    char text[SAY_BYTES];
    const Pl__Initiate *initiate = s->record->initiate;
    const char *values[] = {"bot_name",    initiate->bot_name,
                            "bot_company", initiate->bot_company,
                            "label",       label,
                            "value",       value,
                            "task",        value,
                            NULL};
    prompts_say(s->opts.prompts, lang_of(s), id, s->seed, values, text, sizeof text);
    capital(text);
    say(s, text);
}

/* "the incident datetime" is asked for as the date and time of "the incident". */
static void drop_moment_words(char *label)
{
    static const char *const tails[] = {" date and time", " date time", " datetime",
                                        " date",          " time",      " timestamp"};
    size_t n = strlen(label);
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        size_t len = strlen(tails[i]);
        if (n > len + 3 && strcmp(label + n - len, tails[i]) == 0) {
            label[n - len] = '\0';
            return;
        }
    }
}

static bool asks_clause(const char *label)
{
    words_t w;
    words_split(&w, label);
    return words_in(&w, 0, "what when where who why how which whether if");
}

void say_question(script_t *s, int index)
{
    const Pl__ClaimField *field = field_at(s, index);
    char label[LABEL_BYTES];
    char bare[LABEL_BYTES];
    const char *own = label_question(field);
    bool english = strncmp(lang_of(s), "en", 2) == 0;
    label_full(field, label);
    label_bare(field, bare);
    if (!english) snprintf(label, sizeof label, "%s", bare);
    if (own && english) {
        say(s, own);
        return;
    }
    if (asks_clause(label)) {
        say_prompt(s, PROMPT_ASK_TEXT, label, "");
        return;
    }
    switch (field->type) {
    case PL__CLAIM_TYPE__DATETIME:
        if (label_is_event(bare)) {
            say_prompt(s, PROMPT_ASK_EVENT, bare, "");
        } else {
            drop_moment_words(label);
            say_prompt(s, PROMPT_ASK_MOMENT, label, "");
        }
        break;
    case PL__CLAIM_TYPE__PHONE_NUMBER:
        say_prompt(s, PROMPT_ASK_PHONE, label, "");
        break;
    case PL__CLAIM_TYPE__EMAIL:
        say_prompt(s, PROMPT_ASK_EMAIL, label, "");
        break;
    case PL__CLAIM_TYPE__TEXT:
    case _PL__CLAIM_TYPE_IS_INT_SIZE:
        say_prompt(s, PROMPT_ASK_TEXT, label, "");
        break;
    }
}

void say_current(script_t *s)
{
    char value[VALUE_BYTES];
    switch (s->at.mode) {
    case MODE_ASK:
        if (s->at.pending != NO_FIELD) say_question(s, s->at.pending);
        break;
    case MODE_CONFIRM:
        speakable(s, field_at(s, s->at.pending), field_value(s, s->at.pending), value,
                  sizeof value);
        say_prompt(s, PROMPT_CONFIRM, "", value);
        break;
    case MODE_HUMAN:
        say_prompt(s, PROMPT_HUMAN_CONSENT, "", "");
        break;
    case MODE_CLOSING:
        say_prompt(s, s->at.summed_up ? PROMPT_ANYTHING_ELSE : PROMPT_RECAP_ASK, "", "");
        break;
    case MODE_NEW_CLAIM:
        say_prompt(s, PROMPT_NEW_CLAIM_CONSENT, "", "");
        break;
    case MODE_CHANGE:
        say_prompt(s, PROMPT_WHAT_CHANGE, "", "");
        break;
    }
}

void expect_answer(script_t *s)
{
    Pl__Expect expect = PL__EXPECT__ANYTHING;
    bool yes_no =
        s->at.mode == MODE_CONFIRM || s->at.mode == MODE_HUMAN || s->at.mode == MODE_NEW_CLAIM;
    if (yes_no) {
        expect = PL__EXPECT__YES_NO;
    } else if (s->at.mode == MODE_ASK && s->at.pending != NO_FIELD) {
        switch (field_at(s, s->at.pending)->type) {
        case PL__CLAIM_TYPE__DATETIME:
            expect = PL__EXPECT__DATE_TIME;
            break;
        case PL__CLAIM_TYPE__PHONE_NUMBER:
            expect = PL__EXPECT__DIGITS;
            break;
        case PL__CLAIM_TYPE__EMAIL:
            expect = PL__EXPECT__SPELLING;
            break;
        case PL__CLAIM_TYPE__TEXT:
        case _PL__CLAIM_TYPE_IS_INT_SIZE:
            break;
        }
    }
    s->sink.expect(s->sink.arg, s->thought, expect);
}

char *speakable(const script_t *s, const Pl__ClaimField *field, const char *value, char *out,
                size_t bytes)
{
    civil_t at;
    bool timed = false;
    bool english = strncmp(lang_of(s), "en", 2) == 0;
    if (!english) {
        snprintf(out, bytes, "%s", value);
    } else if (field->type == PL__CLAIM_TYPE__DATETIME && civil_parse(value, &at, &timed)) {
        when_say(&at, timed, &s->now, out, bytes);
    } else if (field->type == PL__CLAIM_TYPE__PHONE_NUMBER) {
        phone_say(value, out, bytes);
    } else if (field->type == PL__CLAIM_TYPE__EMAIL) {
        email_say(value, out, bytes);
    } else {
        snprintf(out, bytes, "%.300s", value);
    }
    return out;
}

void say_recap(script_t *s)
{
    bool any = false;
    for (int i = 0; i < (int)field_count(s); i++) {
        if (!field_value(s, i)[0]) continue;
        char label[LABEL_BYTES];
        char value[VALUE_BYTES];
        if (!any) say_prompt(s, PROMPT_RECAP, "", "");
        any = true;
        speakable(s, field_at(s, i), field_value(s, i), value, sizeof value);
        say_prompt(s, PROMPT_RECAP_ITEM, label_bare(field_at(s, i), label), value);
    }
    if (!any) say_prompt(s, PROMPT_NOTHING_RECAP, "", "");
    say_prompt(s, any ? PROMPT_RECAP_ASK : PROMPT_ANYTHING_ELSE, "", "");
}

void say_so_far(script_t *s)
{
    char list[SAY_BYTES];
    size_t n = 0;
    unsigned count = 0;
    for (int i = 0; i < (int)field_count(s) && count < SO_FAR_MAX && n < sizeof list; i++) {
        if (!field_value(s, i)[0]) continue;
        char label[LABEL_BYTES];
        char value[VALUE_BYTES];
        speakable(s, field_at(s, i), field_value(s, i), value, sizeof value);
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s: %s", count ? ", " : "",
                              label_bare(field_at(s, i), label), value);
        count++;
    }
    if (count) say_prompt(s, PROMPT_SO_FAR, "", list);
}

/* ---- answers from the knowledge base ---- */

/* Markdown that is not spoken at p: a heading's line, a list's sign, a link's address, emphasis.
 * Returns its length, 0 when p is to be said. */
static size_t silent(const char *p, bool line_start)
{
    if (line_start && *p == '#') return strcspn(p, "\n");
    if (line_start && strchr("-*+>", *p) && p[1] == ' ') return 1;
    if (p[0] == ']' && p[1] == '(') {
        size_t n = strcspn(p, ")\n");
        return p[n] == ')' ? n + 1 : 1;
    }
    return strchr("*`_[]|", *p) ? 1 : 0;
}

static void plain(const char *content, char *out, size_t bytes)
{
    size_t n = 0;
    bool line_start = true;
    for (const char *p = content; *p && n + 2 < bytes;) {
        size_t skip = silent(p, line_start);
        if (skip) {
            p += skip;
            continue;
        }
        bool space = isspace((unsigned char)*p) != 0;
        line_start = *p == '\n' || (line_start && space);
        bool doubled = space && (n == 0 || out[n - 1] == ' ');
        if (!doubled) out[n++] = space ? ' ' : *p;
        p++;
    }
    out[n] = '\0';
}

static size_t sentence_length(const char *text)
{
    for (size_t i = 0; text[i]; i++) {
        bool stop = strchr(".!?", text[i]) != NULL;
        if (stop && (text[i + 1] == ' ' || !text[i + 1])) return i + 1;
    }
    return strlen(text);
}

/* How many telling words of the question stand in the sentence. */
static unsigned overlap(const words_t *question, const char *sentence, size_t len)
{
    char text[1024];
    words_t w;
    unsigned count = 0;
    snprintf(text, sizeof text, "%.*s", (int)(len < sizeof text ? len : sizeof text - 1), sentence);
    words_split(&w, text);
    for (size_t i = 0; i < question->count; i++) {
        if (strlen(question->at[i].text) < 4) continue;
        for (size_t k = 0; k < w.count; k++) {
            /* The stem will do: "reset" finds "resetting". */
            size_t stem = strlen(question->at[i].text);
            if (stem > 5) stem = 5;
            if (strncmp(w.at[k].text, question->at[i].text, stem) == 0) {
                count++;
                break;
            }
        }
    }
    return count;
}

bool pick_answer(const char *content, const char *question, char *out, size_t bytes)
{
    char text[4096] = "";
    words_t asked;
    plain(content, text, sizeof text);
    words_split(&asked, question);
    const char *best = NULL;
    unsigned best_count = 0;
    for (const char *p = text; *p;) {
        size_t len = sentence_length(p);
        unsigned count = overlap(&asked, p, len);
        if (!best || count > best_count) {
            best = p;
            best_count = count;
        }
        p += len;
        while (*p == ' ') p++;
    }
    if (!best) return false;
    size_t len = sentence_length(best);
    const char *next = best + len;
    while (*next == ' ') next++;
    size_t more = sentence_length(next);
    size_t total = (size_t)(next - best) + more;
    if (*next && total <= ANSWER_MAX) len = total;
    if (len > ANSWER_MAX) {
        len = ANSWER_MAX;
        while (len > 0 && best[len] != ' ') len--;
    }
    snprintf(out, bytes, "%.*s", (int)len, best);
    return len > 0;
}
