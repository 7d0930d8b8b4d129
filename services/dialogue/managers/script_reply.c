/* script_reply.c - what the script makes of an utterance: wishes first, then answers, by mode. */
#include <stdio.h>
#include <string.h>

#include "common/record.h"
#include "services/dialogue/managers/script_internal.h"
#include "services/dialogue/nlu/text.h"

static const char *lang_of(const script_t *s)
{
    const char *chosen = s->record->lang_short_code;
    return chosen[0] ? chosen : s->record->initiate->lang_default;
}

bool pending_text(const script_t *s)
{
    return s->at.pending != NO_FIELD && field_at(s, s->at.pending)->type == PL__CLAIM_TYPE__TEXT;
}

void say_goodbye(script_t *s)
{
    cJSON *args = cJSON_CreateObject();
    cJSON_AddStringToObject(args, "reason", "the caller is done");
    tool(s, "end_call", args); /* first, so that the goodbye is not interrupted */
    say_prompt(s, PROMPT_GOODBYE, "", "");
}

void offer_human(script_t *s, prompt_t id)
{
    if (s->at.mode != MODE_HUMAN) s->at.back = s->at.mode;
    s->at.mode = MODE_HUMAN;
    s->at.offered_human = true;
    say_prompt(s, id, "", "");
}

/* The field stays open; what is not understood three times is left. */
static void give_up_field(script_t *s, bool refused)
{
    int field = s->at.pending;
    if (field == NO_FIELD) {
        go_on(s);
        return;
    }
    s->at.fields[field].skipped = true;
    s->at.fields[field].refused = s->at.fields[field].refused || refused;
    s->at.pending = NO_FIELD;
    say_prompt(s, PROMPT_SKIPPED, "", "");
    go_on(s);
}

static bool can_transfer(const script_t *s)
{
    return phone_valid(s->record->initiate->agent_phone_number);
}

static prompt_t hint_for(const script_t *s)
{
    if (s->at.mode != MODE_ASK || s->at.pending == NO_FIELD) return PROMPT_NOT_UNDERSTOOD;
    switch (field_at(s, s->at.pending)->type) {
    case PL__CLAIM_TYPE__DATETIME:
        return PROMPT_HINT_MOMENT;
    case PL__CLAIM_TYPE__PHONE_NUMBER:
        return PROMPT_HINT_PHONE;
    case PL__CLAIM_TYPE__EMAIL:
        return PROMPT_HINT_EMAIL;
    case PL__CLAIM_TYPE__TEXT:
    case _PL__CLAIM_TYPE_IS_INT_SIZE:
        break;
    }
    return PROMPT_NOT_UNDERSTOOD;
}

void not_understood(script_t *s)
{
    s->at.fails++;
    if (s->at.fails >= FAILS_MAX) {
        s->at.fails = 0;
        if (s->at.mode == MODE_CLOSING) {
            say_goodbye(s);
        } else if (s->at.mode == MODE_CONFIRM) {
            go_on(s); /* kept, unconfirmed; the summary says it again */
        } else if (s->at.mode == MODE_ASK && !s->at.offered_human && can_transfer(s)) {
            offer_human(s, PROMPT_HUMAN_OFFER);
        } else {
            s->at.mode = MODE_ASK;
            give_up_field(s, false);
        }
        return;
    }
    say_prompt(s, PROMPT_NOT_UNDERSTOOD, "", "");
    prompt_t hint = hint_for(s);
    if (hint != PROMPT_NOT_UNDERSTOOD) say_prompt(s, hint, "", "");
    say_current(s);
}

/* ---- wishes ---- */

static void change_speed(script_t *s, double by)
{
    double speed = pl_record_rate(s->record) + by;
    cJSON *args = cJSON_CreateObject();
    cJSON_AddNumberToObject(args, "speed", speed < 0.75 ? 0.75 : speed > 1.25 ? 1.25 : speed);
    tool(s, "speech_speed", args);
    say_prompt(s, by < 0 ? PROMPT_SLOWER : PROMPT_FASTER, "", "");
    say_current(s);
}

static void repeat(script_t *s, const char *last)
{
    if (s->at.answered && last[0]) {
        say(s, last);
    } else {
        say_current(s);
    }
}

static void ask_human(script_t *s)
{
    if (can_transfer(s)) {
        offer_human(s, PROMPT_HUMAN_CONSENT);
        return;
    }
    say_prompt(s, PROMPT_TRANSFER_FAILED, "", "");
    say_current(s);
}

/* True when the utterance was a wish and is dealt with. */
static bool wish(script_t *s, const words_t *w, const char *last)
{
    switch (intent_of(w, lang_of(s))) {
    case INTENT_GOODBYE:
        if (s->at.mode == MODE_CLOSING) confirm_all(s);
        say_goodbye(s);
        return true;
    case INTENT_HUMAN:
        if (s->at.mode == MODE_HUMAN) return false;
        ask_human(s);
        return true;
    case INTENT_REPEAT:
        repeat(s, last);
        return true;
    case INTENT_SLOWER:
        change_speed(s, -0.15);
        return true;
    case INTENT_FASTER:
        change_speed(s, 0.15);
        return true;
    case INTENT_WAIT:
        say_prompt(s, PROMPT_WAIT, "", "");
        return true;
    case INTENT_SKIP:
        if (s->at.mode != MODE_ASK) return false;
        give_up_field(s, true);
        return true;
    case INTENT_DONE:
        if (s->at.mode == MODE_CLOSING) {
            confirm_all(s);
            say_goodbye(s);
            return true;
        }
        if (s->at.mode != MODE_ASK) return false;
        give_up_field(s, true);
        return true;
    case INTENT_NONE:
        break;
    }
    return false;
}

static bool about_us(const words_t *w)
{
    static const char *const phrases[] = {"who is this",
                                          "who are you",
                                          "who is calling",
                                          "whos this",
                                          "are you a robot",
                                          "are you human",
                                          "are you a human",
                                          "are you a machine",
                                          "whos calling",
                                          "am i speaking to",
                                          "what is this about",
                                          "what is your name",
                                          NULL};
    return w->count <= 10 && words_has_any(w, phrases);
}

/* A question goes to the knowledge base; the thought ends when the answer is there. */
static bool question(script_t *s, const char *text, const words_t *w)
{
    if (about_us(w)) {
        say_prompt(s, PROMPT_HELLO, "", "");
        say_current(s);
        return true;
    }
    if (!intent_question(w)) return false;
    value_copy(s->question, sizeof s->question, text);
    cJSON *args = cJSON_CreateObject();
    cJSON *queries = cJSON_AddArrayToObject(args, "queries");
    cJSON_AddItemToArray(queries, cJSON_CreateString(s->question));
    tool(s, "search_document", args);
    return true;
}

/* Nothing but a greeting, an agreement or a sound: no answer, and nothing to complain of. */
static bool says_nothing(const script_t *s, const words_t *w)
{
    size_t used = 0;
    bool agrees = intent_polarity(w, lang_of(s), &used) == POLARITY_YES;
    if (agrees && used == w->count) return true;
    for (size_t i = 0; i < w->count; i++) {
        if (!words_in(w, i,
                      "hello hi hey good morning afternoon evening yes yeah okay ok mhm uh um "
                      "hmm huh sure right well so oh ah alright thank you thanks please and "
                      "the a")) {
            return false;
        }
    }
    return true;
}

/* Nothing is left of an utterance but words that hold sentences together. */
static bool small_words_only(const words_t *w)
{
    for (size_t i = 0; i < w->count; i++) {
        if (!words_in(
                w, i,
                "you your this that it its is are was be a an the of and with what so i me my "
                "off up to do not")) {
            return false;
        }
    }
    return true;
}

static void answer(script_t *s, const char *text, words_t *w)
{
    char value[VALUE_BYTES];
    size_t from = 0;
    size_t to = 0;
    int field = s->at.pending;
    bool swore = text_drop_profanity(w) > 0;
    if (field == NO_FIELD) {
        go_on(s);
        return;
    }
    if (swore && (w->count < 3 || small_words_only(w))) {
        say_prompt(s, PROMPT_POLITE, "", "");
        say_current(s);
        return;
    }
    if (says_nothing(s, w)) {
        if (s->at.fails == 0) {
            s->at.fails++;
            say_current(s);
        } else {
            not_understood(s);
        }
        return;
    }
    if (pending_text(s)) (void)take_volunteered(s, w, field);
    switch (read_value(s, field, text, w, true, value, &from, &to)) {
    case READ_VALUE:
        if (!pending_text(s)) {
            words_cut(w, from, to);
            (void)take_volunteered(s, w, field);
        }
        take_value(s, field, value);
        break;
    case READ_PARTIAL: {
        char digits[VALUE_BYTES];
        phone_say(s->at.digits, digits, sizeof digits);
        say_prompt(s, PROMPT_HINT_MORE_DIGITS, "", digits);
        break;
    }
    case READ_COUNTRY:
        say_prompt(s, PROMPT_HINT_COUNTRY, "", "");
        break;
    case READ_NOTHING:
        s->at.digits[0] = '\0';
        if (take_volunteered(s, w, field)) {
            say_current(s);
        } else {
            not_understood(s);
        }
        break;
    }
}

/* ---- modes ---- */

static void in_confirm(script_t *s, const char *text, words_t *w)
{
    char value[VALUE_BYTES];
    size_t used = 0;
    size_t from = 0;
    size_t to = 0;
    int field = s->at.pending;
    polarity_t polarity = intent_polarity(w, lang_of(s), &used);
    words_t rest = *w;
    words_cut(&rest, 0, used);
    if (polarity == POLARITY_YES) {
        set_value(s, field, field_value(s, field), true);
        s->at.last_set = field;
        (void)take_volunteered(s, &rest, field);
        go_on(s);
        return;
    }
    if (read_value(s, field, text, &rest, true, value, &from, &to) == READ_VALUE) {
        take_value(s, field, value);
        return;
    }
    if (polarity == POLARITY_NO) {
        set_value(s, field, "", false); /* withdrawn */
        s->at.mode = MODE_ASK;
        s->at.fails++;
        if (s->at.fails >= FAILS_MAX) {
            give_up_field(s, false);
            return;
        }
        say_prompt(s, PROMPT_SORRY_AGAIN, "", "");
        say_question(s, field);
        return;
    }
    if (changes(s, text, w)) return;
    s->at.fails++;
    if (s->at.fails >= FAILS_MAX) {
        go_on(s); /* kept, unconfirmed; the summary says it again */
        return;
    }
    say_prompt(s, PROMPT_YES_OR_NO, "", "");
    say_current(s);
}

static void in_human(script_t *s, const char *text, words_t *w)
{
    size_t used = 0;
    polarity_t polarity = intent_polarity(w, lang_of(s), &used);
    bool asks_again = intent_of(w, lang_of(s)) == INTENT_HUMAN;
    if (polarity == POLARITY_YES || (asks_again && polarity != POLARITY_NO)) {
        tool(s, "talk_to_human", cJSON_CreateObject()); /* first: it is not interrupted */
        say_prompt(s, PROMPT_HUMAN_TRANSFER, "", "");
        return;
    }
    s->at.mode = s->at.back;
    if (polarity == POLARITY_NO) {
        say_prompt(s, PROMPT_GO_ON, "", "");
        say_current(s);
        return;
    }
    if (s->at.mode == MODE_ASK) {
        answer(s, text, w);
    } else {
        say_current(s);
    }
}

static void in_closing(script_t *s, const char *text, words_t *w)
{
    size_t used = 0;
    if (changes(s, text, w)) return;
    polarity_t polarity = intent_polarity(w, lang_of(s), &used);
    words_t rest = *w;
    words_cut(&rest, 0, used);
    static const char *const fine[] = {"right", "correct", "fine", "good", "perfect", "okay", NULL};
    if (polarity == POLARITY_NO && (rest.count == 0 || says_nothing(s, &rest))) {
        confirm_all(s);
        say_goodbye(s);
        return;
    }
    if (polarity == POLARITY_YES && rest.count == 0) {
        if (words_has_any(w, fine)) {
            confirm_all(s);
            say_prompt(s, PROMPT_ANYTHING_ELSE, "", "");
        } else {
            s->at.mode = MODE_CHANGE;
            say_current(s);
        }
        return;
    }
    if (words_find(w, 0, "thank") != WORDS_NONE && w->count <= 4) {
        confirm_all(s);
        say_goodbye(s);
        return;
    }
    if (restates(s, text, &rest, polarity == POLARITY_NO)) return;
    (void)take_volunteered(s, w, NO_FIELD);
    say_prompt(s, PROMPT_NOTED, "", "");
    say_prompt(s, PROMPT_ANYTHING_ELSE, "", "");
}

static void in_change(script_t *s, const char *text, words_t *w)
{
    size_t used = 0;
    int field = field_named(s, w);
    if (field != NO_FIELD) {
        change_field(s, field, text, w);
        return;
    }
    polarity_t polarity = intent_polarity(w, lang_of(s), &used);
    s->at.mode = MODE_CLOSING;
    if (polarity == POLARITY_NO) {
        say_prompt(s, PROMPT_GO_ON, "", "");
    } else {
        say_prompt(s, PROMPT_NOTED, "", "");
    }
    go_on(s);
}

static void by_mode(script_t *s, const char *text, words_t *w)
{
    switch (s->at.mode) {
    case MODE_ASK:
        if (changes(s, text, w) || corrects_last(s, text, w)) return;
        answer(s, text, w);
        break;
    case MODE_CONFIRM:
        in_confirm(s, text, w);
        break;
    case MODE_HUMAN:
        in_human(s, text, w);
        break;
    case MODE_CLOSING:
        in_closing(s, text, w);
        break;
    case MODE_CHANGE:
        in_change(s, text, w);
        break;
    case MODE_NEW_CLAIM: {
        size_t used = 0;
        in_new_claim(s, intent_polarity(w, lang_of(s), &used));
        break;
    }
    }
}

/* An answer that also holds "not sure" or "wait" is an answer still. */
static bool holds_value(script_t *s, const char *text, const words_t *w)
{
    char value[VALUE_BYTES];
    char digits[PHONE_BYTES];
    size_t from = 0;
    size_t to = 0;
    if (s->at.mode != MODE_ASK || s->at.pending == NO_FIELD || pending_text(s)) return false;
    memcpy(digits, s->at.digits, sizeof digits);
    bool found = read_value(s, s->at.pending, text, w, true, value, &from, &to) == READ_VALUE;
    memcpy(s->at.digits, digits, sizeof digits);
    return found;
}

/* Did the caller simply go on with what they were saying when we began to answer? */
static bool continues(const script_t *s, const words_t *w)
{
    size_t used = 0;
    return s->heard[0] && intent_of(w, lang_of(s)) == INTENT_NONE && !intent_question(w) &&
           intent_polarity(w, lang_of(s), &used) == POLARITY_NONE && !intent_correction(w);
}

void reply(script_t *s, const char *text, bool unheard)
{
    char joined[2 * VALUE_BYTES];
    char last[SAY_BYTES];
    words_t w;
    memcpy(last, s->said, sizeof last);
    s->said[0] = '\0';
    words_split(&w, text);
    if (w.count == 0) {
        not_understood(s);
        return;
    }
    value_copy(joined, VALUE_BYTES, text);
    if (unheard && continues(s, &w)) {
        char more[VALUE_BYTES];
        snprintf(joined, sizeof joined, "%s %s", s->heard, value_copy(more, sizeof more, text));
        words_split(&w, joined);
        s->at = s->before; /* our answer to the first half was never heard */
    }
    s->before = s->at;
    value_copy(s->heard, sizeof s->heard, joined);
    if (changes_language(s, joined, &w)) return;
    if (!holds_value(s, joined, &w) && wish(s, &w, last)) return;
    if (wants_new_claim(s, &w)) return;
    if (question(s, joined, &w)) return;
    by_mode(s, joined, &w);
}

/* ---- in mid-conversation ---- */

/* The field that the newest question to the caller is about, when it is open; NO_FIELD. */
static int asked_by_others(const script_t *s)
{
    const char *text = "";
    for (size_t i = 0; i < s->record->n_messages; i++) {
        const Pl__Message *message = s->record->messages[i];
        bool said = message->persona == PL__PERSONA__ASSISTANT && message->content[0];
        if (said && message->action == PL__ACTION__TALK) text = message->content;
    }
    size_t n = strlen(text);
    if (n == 0 || text[n - 1] != '?') return NO_FIELD;
    size_t from = n - 1;
    while (from > 0 && !strchr(".?!", text[from - 1])) from--;
    words_t question;
    words_split(&question, text + from);
    int field = field_named(s, &question);
    return field != NO_FIELD && !field_value(s, field)[0] ? field : NO_FIELD;
}

void pick_up(script_t *s, const char *text)
{
    words_t w;
    int asked = asked_by_others(s);
    s->at = (script_state_t){.pending = NO_FIELD, .last_set = NO_FIELD};
    s->said[0] = '\0';
    value_copy(s->heard, sizeof s->heard, text);
    words_split(&w, text);
    s->at.pending = asked != NO_FIELD ? asked : next_field(s);
    s->at.mode = s->at.pending == NO_FIELD ? MODE_CLOSING : MODE_ASK;
    s->before = s->at;
    if (wish(s, &w, "") || question(s, text, &w)) return;
    if (asked != NO_FIELD) {
        answer(s, text, &w);
    } else {
        (void)take_volunteered(s, &w, NO_FIELD);
        go_on(s);
    }
}
