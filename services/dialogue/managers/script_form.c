/* script_form.c - the claim as a form: which field is next, what an answer says of it. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"
#include "services/dialogue/initiate.h"
#include "services/dialogue/managers/script_internal.h"
#include "services/dialogue/nlu/email.h"
#include "services/dialogue/nlu/text.h"
#include "services/dialogue/nlu/when.h"

size_t field_count(const script_t *s)
{
    size_t n = s->record->initiate->n_claim;
    return n < FIELDS_MAX ? n : FIELDS_MAX;
}

const Pl__ClaimField *field_at(const script_t *s, int field)
{
    return s->record->initiate->claim[field];
}

const char *field_value(const script_t *s, int field)
{
    const Pl__ClaimValue *value = pl_record_claim(s->record, field_at(s, field)->name);
    return value ? value->value : "";
}

bool field_asked(const script_t *s, int field)
{
    return s->opts.ask_policyholder || !initiate_is_implicit(field_at(s, field));
}

static int first_missing(const script_t *s)
{
    for (int i = 0; i < (int)field_count(s); i++) {
        const field_state_t *state = &s->at.fields[i];
        bool open = !field_value(s, i)[0] && !state->skipped && !state->refused;
        if (open && field_asked(s, i)) return i;
    }
    return NO_FIELD;
}

int next_field(script_t *s)
{
    int field = first_missing(s);
    if (field != NO_FIELD || s->at.second_round) return field;
    /* What was skipped because it was not understood gets one more chance. */
    s->at.second_round = true;
    for (int i = 0; i < (int)field_count(s); i++) s->at.fields[i].skipped = false;
    return first_missing(s);
}

int field_named(const script_t *s, const words_t *w)
{
    int best = NO_FIELD;
    unsigned best_count = 0;
    for (int i = 0; i < (int)field_count(s); i++) {
        char label[LABEL_BYTES];
        words_t names;
        unsigned count = 0;
        words_split(&names, label_bare(field_at(s, i), label));
        for (size_t k = 0; k < names.count; k++) {
            bool telling = strlen(names.at[k].text) > 3;
            if (telling && words_find(w, 0, names.at[k].text) != WORDS_NONE) count++;
        }
        Pl__ClaimType type = field_at(s, i)->type;
        bool moment = type == PL__CLAIM_TYPE__DATETIME;
        if (moment &&
            (words_find(w, 0, "date") != WORDS_NONE || words_find(w, 0, "time") != WORDS_NONE)) {
            count++;
        }
        if (count > best_count) {
            best = i;
            best_count = count;
        }
    }
    return best;
}

static void add_update(cJSON *updates, const char *name, const char *value, bool confirmed)
{
    cJSON *update = cJSON_CreateObject();
    cJSON_AddStringToObject(update, "field", name);
    cJSON_AddStringToObject(update, "value", value);
    if (confirmed) cJSON_AddBoolToObject(update, "confirmed", 1);
    cJSON_AddItemToArray(updates, update);
}

void set_value(script_t *s, int field, const char *value, bool confirmed)
{
    cJSON *args = cJSON_CreateObject();
    add_update(cJSON_AddArrayToObject(args, "updates"), field_at(s, field)->name, value, confirmed);
    tool(s, "updated_claim", args);
}

void confirm_all(script_t *s)
{
    cJSON *args = cJSON_CreateObject();
    cJSON *updates = cJSON_AddArrayToObject(args, "updates");
    int count = 0;
    for (int i = 0; i < (int)field_count(s) && count < 32; i++) {
        const Pl__ClaimValue *value = pl_record_claim(s->record, field_at(s, i)->name);
        if (!value || !value->value[0] || value->confirmed) continue;
        add_update(updates, field_at(s, i)->name, value->value, true);
        count++;
    }
    if (count) {
        tool(s, "updated_claim", args);
    } else {
        cJSON_Delete(args);
    }
}

/* ---- reading values ---- */

static read_t read_phone(script_t *s, const words_t *w, bool expected, char *value, size_t *from,
                         size_t *to)
{
    const Pl__Initiate *initiate = s->record->initiate;
    char country[4];
    phone_country(initiate->phone_number, country);
    if (!country[0]) phone_country(initiate->agent_phone_number, country);
    if (expected && intent_same_number(w) && phone_valid(initiate->phone_number)) {
        snprintf(value, VALUE_BYTES, "%s", initiate->phone_number);
        *from = 0;
        *to = w->count;
        return READ_VALUE;
    }
    phone_t phone;
    phone_found_t found = phone_find(w, country, &phone);
    *from = phone.from;
    *to = phone.to;
    bool goes_on = expected && s->at.digits[0] && found != PHONE_NONE && phone.number[0] != '+';
    if (goes_on && found == PHONE_PARTIAL) {
        char joined[2 * PHONE_BYTES];
        snprintf(joined, sizeof joined, "%s%s", s->at.digits, phone.number);
        found = phone_complete(joined, country, phone.number);
    }
    if (found == PHONE_FOUND) {
        snprintf(value, VALUE_BYTES, "%s", phone.number);
        return READ_VALUE;
    }
    if (!expected || found == PHONE_NONE) return READ_NOTHING;
    if (found == PHONE_NATIONAL) return READ_COUNTRY;
    snprintf(s->at.digits, sizeof s->at.digits, "%s", phone.number);
    return READ_PARTIAL;
}

/* "No, it was tuesday" leaves the time as it was said, "no, at three" the day. */
static void keep_the_rest(const script_t *s, when_t *when)
{
    civil_t old;
    bool timed = false;
    if (s->at.mode != MODE_CONFIRM || s->at.pending == NO_FIELD) return;
    if (!civil_parse(field_value(s, s->at.pending), &old, &timed)) return;
    if (when->has_day && !when->has_time && timed) {
        when->has_time = true;
        when->at.hour = old.hour;
        when->at.minute = old.minute;
        when->at.second = old.second;
    } else if (!when->has_day && when->has_time) {
        when->at.year = old.year;
        when->at.month = old.month;
        when->at.day = old.day;
    }
}

static read_t read_moment(const script_t *s, const Pl__ClaimField *field, const words_t *w,
                          bool expected, char *value, size_t *from, size_t *to)
{
    when_t when;
    when_opts_t opts = {.now = s->now, .future = label_is_future(field), .expected = expected};
    if (!when_find(w, &opts, &when)) return READ_NOTHING;
    if (expected) keep_the_rest(s, &when);
    char iso[CIVIL_ISO_BYTES];
    snprintf(value, VALUE_BYTES, "%s", civil_iso(&when.at, when.has_time, iso));
    *from = when.from;
    *to = when.to;
    return READ_VALUE;
}

read_t read_value(script_t *s, int index, const char *text, const words_t *w, bool expected,
                  char value[VALUE_BYTES], size_t *from, size_t *to)
{
    const Pl__ClaimField *field = field_at(s, index);
    char label[LABEL_BYTES];
    email_t email;
    *from = 0;
    *to = w->count;
    value[0] = '\0';
    switch (field->type) {
    case PL__CLAIM_TYPE__DATETIME:
        return read_moment(s, field, w, expected, value, from, to);
    case PL__CLAIM_TYPE__PHONE_NUMBER:
        return read_phone(s, w, expected, value, from, to);
    case PL__CLAIM_TYPE__EMAIL:
        if (!email_find(w, &email)) return READ_NOTHING;
        snprintf(value, VALUE_BYTES, "%s", email.address);
        *from = email.from;
        *to = email.to;
        return READ_VALUE;
    case PL__CLAIM_TYPE__TEXT:
    case _PL__CLAIM_TYPE_IS_INT_SIZE:
        break;
    }
    label_bare(field, label);
    text_clean(text, w, text_kind_of(label), label, value, VALUE_BYTES);
    return value[0] ? READ_VALUE : READ_NOTHING;
}

bool find_value(script_t *s, int index, const words_t *w, char *value, size_t *from, size_t *to)
{
    const Pl__ClaimField *field = field_at(s, index);
    char label[LABEL_BYTES];
    if (field->type != PL__CLAIM_TYPE__TEXT) {
        return read_value(s, index, "", w, false, value, from, to) == READ_VALUE;
    }
    label_bare(field, label);
    bool place = text_kind_of(label) == TEXT_LOCATION && text_find_location(w, from, to);
    if (!place) return false;
    char said[VALUE_BYTES];
    words_t part;
    words_join(w, *from, *to, said, sizeof said);
    words_split(&part, said);
    text_clean(said, &part, TEXT_LOCATION, label, value, VALUE_BYTES);
    return value[0] != '\0';
}

unsigned take_volunteered(script_t *s, words_t *w, int except)
{
    unsigned taken = 0;
    for (int i = 0; i < (int)field_count(s); i++) {
        char value[VALUE_BYTES];
        char spoken[VALUE_BYTES];
        size_t from = 0;
        size_t to = 0;
        if (i == except || field_value(s, i)[0] || w->count == 0) continue;
        if (!find_value(s, i, w, value, &from, &to)) continue;
        set_value(s, i, value, false);
        speakable(s, field_at(s, i), value, spoken, sizeof spoken);
        size_t n = strlen(spoken);
        snprintf(spoken + n, sizeof spoken - n, ".");
        spoken[0] = (char)toupper((unsigned char)spoken[0]);
        say(s, spoken);
        words_cut(w, from, to);
        taken++;
    }
    return taken;
}
