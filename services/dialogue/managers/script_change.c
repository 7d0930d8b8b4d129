/* script_change.c - taking values, and changing those taken before. */
#include <string.h>

#include "services/dialogue/managers/script_internal.h"

/* Stores the value; what only the ear can check is read back and confirmed. */
void take_value(script_t *s, int field, const char *value)
{
    char spoken[VALUE_BYTES];
    bool text = field_at(s, field)->type == PL__CLAIM_TYPE__TEXT;
    set_value(s, field, value, false);
    s->at.fails = 0;
    s->at.pending = field;
    s->at.digits[0] = '\0';
    if (!text) {
        s->at.mode = MODE_CONFIRM;
        say_current(s);
        return;
    }
    s->at.last_set = field;
    speakable(s, field_at(s, field), value, spoken, sizeof spoken);
    say_prompt(s, PROMPT_GOT, "", spoken);
    go_on(s);
}

static void correct_last(script_t *s, const char *text, const words_t *w)
{
    char value[VALUE_BYTES];
    char spoken[VALUE_BYTES];
    size_t from = 0;
    size_t to = 0;
    int field = s->at.last_set;
    if (read_value(s, field, text, w, true, value, &from, &to) != READ_VALUE) {
        not_understood(s);
        return;
    }
    set_value(s, field, value, false);
    speakable(s, field_at(s, field), value, spoken, sizeof spoken);
    say_prompt(s, PROMPT_CORRECTED, "", spoken);
    say_current(s);
}

/* "no, building five" right after "building four, got it." */
bool corrects_last(script_t *s, const char *text, const words_t *w)
{
    size_t used = intent_correction(w);
    if (!used || used >= w->count || s->at.last_set == NO_FIELD) return false;
    char value[VALUE_BYTES];
    size_t from = 0;
    size_t to = 0;
    words_t rest = *w;
    words_cut(&rest, 0, used);
    bool typed = s->at.pending != NO_FIELD && !pending_text(s);
    if (typed &&
        read_value(s, s->at.pending, text, &rest, true, value, &from, &to) != READ_NOTHING) {
        return false;
    }
    for (int i = 0; i < (int)field_count(s); i++) { /* it may be about what is still missing */
        bool missing = !field_value(s, i)[0];
        if (missing && find_value(s, i, &rest, value, &from, &to)) return false;
    }
    correct_last(s, text, &rest);
    return true;
}

static bool value_after_turn(script_t *s, int field, const char *text, const words_t *w,
                             char *value)
{
    static const char *const turns[] = {"to", "it is", "its", "should be", "is"};
    size_t from = 0;
    size_t to = 0;
    for (size_t k = 0; k < sizeof turns / sizeof turns[0]; k++) {
        size_t at = words_find(w, 0, turns[k]);
        if (at == WORDS_NONE) continue;
        words_t rest = *w;
        words_cut(&rest, 0, at + words_match(w, at, turns[k]));
        if (words_in(&rest, 0, "wrong not incorrect") || rest.count == 0) continue;
        if (read_value(s, field, text, &rest, true, value, &from, &to) == READ_VALUE) return true;
    }
    return false;
}

/* The value in "change the building location to building five" or "no, building five", when it is
 * there; else the field is asked for again. */
void change_field(script_t *s, int field, const char *text, const words_t *w)
{
    char value[VALUE_BYTES];
    size_t from = 0;
    size_t to = 0;
    if (value_after_turn(s, field, text, w, value) || find_value(s, field, w, value, &from, &to)) {
        take_value(s, field, value);
        return;
    }
    s->at.pending = field;
    s->at.mode = MODE_ASK;
    s->at.fields[field].refused = s->at.fields[field].skipped = false;
    say_question(s, field);
}

/* While an answer is awaited, "I had to change the battery" is one: only what names a field that
 * has a value is a wish to change it. */
bool changes(script_t *s, const char *text, const words_t *w)
{
    if (!intent_change(w)) return false;
    int field = field_named(s, w);
    bool known = field != NO_FIELD && field_value(s, field)[0];
    if (s->at.mode == MODE_ASK && !known) return false;
    if (field != NO_FIELD) {
        change_field(s, field, text, w);
    } else {
        s->at.mode = MODE_CHANGE;
        say_current(s);
    }
    return true;
}

/* "no, building five", "the first seen date was on monday": a field said anew. */
bool restates(script_t *s, const char *text, const words_t *w, bool denied)
{
    char value[VALUE_BYTES];
    size_t from = 0;
    size_t to = 0;
    int named = field_named(s, w);
    if (named != NO_FIELD && (denied || find_value(s, named, w, value, &from, &to))) {
        change_field(s, named, text, w);
        return true;
    }
    for (int i = 0; i < (int)field_count(s) && denied; i++) {
        if (!field_value(s, i)[0] || !find_value(s, i, w, value, &from, &to)) continue;
        take_value(s, i, value);
        return true;
    }
    return false;
}
