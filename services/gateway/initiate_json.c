#include "services/gateway/initiate_json.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/gateway/json_check.h"
#include "services/gateway/phone_number.h"
#include "services/gateway/text.h"

enum { SHOWN_MAX = 40, SHOWN_BYTES = 80, PREFIX_BYTES = 64, PATH_BYTES = 192 };

static char *copy(const char *string)
{
    char *out = strdup(string);
    if (!out) abort();
    return out;
}

static void *zeroed(size_t count, size_t size)
{
    void *out = calloc(count ? count : 1, size);
    if (!out) abort();
    return out;
}

static void set(char **field, const char *value)
{
    if (*field != (char *)protobuf_c_empty_string) free(*field);
    *field = copy(value);
}

/* ---- saying what is wrong ---- */

/* The value as a problem shows it: a string in quotes and cut, else the kind it is of. */
static const char *shown(const cJSON *value, char out[SHOWN_BYTES])
{
    if (!cJSON_IsString(value)) {
        return cJSON_IsNull(value)     ? "null"
               : cJSON_IsBool(value)   ? "a boolean"
               : cJSON_IsNumber(value) ? "a number"
               : cJSON_IsArray(value)  ? "a list"
                                       : "an object";
    }
    size_t size = strlen(value->valuestring), n = 0;
    while (n < size && n < SHOWN_MAX) n += utf8_length(value->valuestring + n, size - n);
    snprintf(out, SHOWN_BYTES, "\"%.*s%s\"", (int)n, value->valuestring, n < size ? "..." : "");
    return out;
}

static void wrong(problems_t *problems, const char *path, const char *must, const cJSON *value)
{
    char got[SHOWN_BYTES];
    problems_add(problems, "%s: %s (got %s)", path, must, shown(value, got));
}

static size_t characters(const char *s)
{
    size_t n = 0;
    for (; *s; s++) n += ((unsigned char)*s & 0xC0) != 0x80;
    return n;
}

/* ---- one value at a time ---- */

/* The member, or NULL; one given twice is a problem, because which one counts is anyone's guess. */
static const cJSON *member(problems_t *problems, const cJSON *object, const char *prefix,
                           const char *name)
{
    const cJSON *found = NULL, *each = NULL;
    cJSON_ArrayForEach(each, object)
    {
        if (strcmp(each->string, name) != 0) continue;
        if (found) problems_add(problems, "%s%s: given twice", prefix, name);
        found = each;
    }
    return found;
}

typedef struct {
    size_t min, max; /* characters */
    bool lines;      /* may hold line breaks and tabs */
} string_rule_t;

/* Control characters are refused: these strings reach SIP headers, prompts and logs. */
static bool has_control(const char *s, bool lines)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (lines && (c == '\n' || c == '\r' || c == '\t')) continue;
        if (c < 0x20 || c == 0x7F) return true;
    }
    return false;
}

static const char *string_value(problems_t *problems, const char *path, const cJSON *value,
                                const string_rule_t *rule)
{
    if (!cJSON_IsString(value)) {
        wrong(problems, path, "must be a string", value);
        return NULL;
    }
    const char *s = value->valuestring;
    size_t size = characters(s), blank = strspn(s, " \t\r\n");
    if (size < rule->min || (rule->min > 0 && s[blank] == '\0')) {
        problems_add(problems, "%s: must not be empty", path);
    } else if (size > rule->max) {
        problems_add(problems, "%s: %zu characters, at most %zu are allowed", path, size,
                     rule->max);
    } else if (has_control(s, rule->lines)) {
        problems_add(problems, "%s: must not hold control characters", path);
    } else {
        return s;
    }
    return NULL;
}

static void read_string(problems_t *problems, const cJSON *object, const char *prefix,
                        const char *name, const string_rule_t *rule, char **out)
{
    const cJSON *value = member(problems, object, prefix, name);
    if (!value) return;
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s%s", prefix, name);
    const char *s = string_value(problems, path, value, rule);
    if (s) set(out, s);
}

static void read_number(problems_t *problems, const cJSON *object, const char *name, bool needed,
                        char **out)
{
    const cJSON *value = member(problems, object, "", name);
    char number[PHONE_NUMBER_BYTES], got[SHOWN_BYTES];
    if (!value) {
        if (needed) problems_add(problems, "%s: is required", name);
    } else if (!cJSON_IsString(value)) {
        wrong(problems, name, "must be a string", value);
    } else if (!phone_number_parse(value->valuestring, number)) {
        problems_add(problems, "%s: %s is not E.164, e.g. +33612345678", name, shown(value, got));
    } else {
        set(out, number);
    }
}

static void read_prosody(problems_t *problems, const cJSON *root, Pl__Initiate *out)
{
    const cJSON *value = member(problems, root, "", "prosody_rate");
    if (!value) return;
    if (!cJSON_IsNumber(value)) {
        wrong(problems, "prosody_rate", "must be a number from 0.75 to 1.25", value);
    } else if (!(value->valuedouble >= 0.75 && value->valuedouble <= 1.25)) {
        problems_add(problems, "prosody_rate: must be from 0.75 to 1.25 (got %g)",
                     value->valuedouble);
    } else {
        out->prosody_rate = value->valuedouble;
    }
}

/* ---- the claim's schema ---- */

static const struct {
    const char *name;
    Pl__ClaimType type;
} claim_types[] = {
    {"text", PL__CLAIM_TYPE__TEXT},
    {"datetime", PL__CLAIM_TYPE__DATETIME},
    {"phone_number", PL__CLAIM_TYPE__PHONE_NUMBER},
    {"email", PL__CLAIM_TYPE__EMAIL},
};

static void read_type(problems_t *problems, const cJSON *object, const char *prefix,
                      Pl__ClaimField *out)
{
    const cJSON *value = member(problems, object, prefix, "type");
    if (!value) {
        problems_add(problems, "%stype: is required", prefix);
        return;
    }
    for (size_t i = 0; i < sizeof claim_types / sizeof *claim_types; i++) {
        if (cJSON_IsString(value) && strcmp(value->valuestring, claim_types[i].name) == 0) {
            out->type = claim_types[i].type;
            return;
        }
    }
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%stype", prefix);
    wrong(problems, path, "must be one of text, datetime, phone_number, email", value);
}

static Pl__ClaimField *read_field(problems_t *problems, const cJSON *object, size_t index)
{
    static const string_rule_t name_rule = {1, INITIATE_FIELD_NAME_MAX, false};
    static const string_rule_t text_rule = {0, INITIATE_DESCRIPTION_MAX, true};
    char prefix[PREFIX_BYTES];
    Pl__ClaimField *field = zeroed(1, sizeof *field);
    pl__claim_field__init(field);
    snprintf(prefix, sizeof prefix, "claim[%zu]", index);
    if (!cJSON_IsObject(object)) {
        wrong(problems, prefix, "must be an object with name and type", object);
        return field;
    }
    snprintf(prefix, sizeof prefix, "claim[%zu].", index);
    if (!cJSON_GetObjectItemCaseSensitive(object, "name")) {
        problems_add(problems, "%sname: is required", prefix);
    }
    read_string(problems, object, prefix, "name", &name_rule, &field->name);
    read_type(problems, object, prefix, field);
    if (!cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(object, "description"))) {
        read_string(problems, object, prefix, "description", &text_rule, &field->description);
    }
    return field;
}

static void check_duplicate(problems_t *problems, const Pl__Initiate *initiate, size_t index)
{
    const char *name = initiate->claim[index]->name;
    for (size_t i = 0; i < index && name[0]; i++) {
        if (strcmp(initiate->claim[i]->name, name) == 0) {
            problems_add(problems, "claim[%zu].name: \"%s\" is already the name of claim[%zu]",
                         index, name, i);
            return;
        }
    }
}

static void read_claim(problems_t *problems, const cJSON *root, Pl__Initiate *out)
{
    const cJSON *list = member(problems, root, "", "claim"), *each = NULL;
    if (!list) return;
    if (!cJSON_IsArray(list)) {
        wrong(problems, "claim", "must be a list of fields", list);
        return;
    }
    size_t count = (size_t)cJSON_GetArraySize(list);
    if (count > INITIATE_FIELDS_MAX) {
        problems_add(problems, "claim: %zu fields, at most %d are allowed", count,
                     INITIATE_FIELDS_MAX);
        return;
    }
    out->claim = zeroed(count, sizeof(Pl__ClaimField *));
    cJSON_ArrayForEach(each, list)
    {
        out->claim[out->n_claim] = read_field(problems, each, out->n_claim);
        check_duplicate(problems, out, out->n_claim);
        out->n_claim++;
    }
}

/* ---- languages ---- */

/* BCP 47 in the shape used here: en, en-US, zh-Hans-CN. */
static bool short_code_valid(const char *s)
{
    size_t part = 0, total = 0;
    bool first = true;
    for (;; s++, total++) {
        bool alpha = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');
        bool digit = *s >= '0' && *s <= '9';
        if (alpha || (digit && !first)) {
            part++;
            continue;
        }
        if (part < 2 || part > (first ? 3U : 8U) || total > 35) return false;
        if (*s != '-') return *s == '\0';
        first = false;
        part = 0;
    }
}

static void read_code(problems_t *problems, const cJSON *object, const char *prefix,
                      const char *name, bool needed, char **out)
{
    const cJSON *value = member(problems, object, prefix, name);
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s%s", prefix, name);
    if (!value) {
        if (needed) problems_add(problems, "%s: is required", path);
    } else if (!cJSON_IsString(value) || !short_code_valid(value->valuestring)) {
        wrong(problems, path, "must be a language's short code, e.g. \"en-US\"", value);
    } else {
        set(out, value->valuestring);
    }
}

static void read_pronunciations(problems_t *problems, const cJSON *object, const char *prefix,
                                Pl__Language *out)
{
    static const string_rule_t rule = {1, INITIATE_NAME_MAX, false};
    const cJSON *list = member(problems, object, prefix, "pronunciations_en"), *each = NULL;
    if (!list) return;
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%spronunciations_en", prefix);
    if (!cJSON_IsArray(list)) {
        wrong(problems, path, "must be a list of strings", list);
        return;
    }
    size_t count = (size_t)cJSON_GetArraySize(list);
    if (count > INITIATE_PRONUNCIATIONS_MAX) {
        problems_add(problems, "%s: %zu entries, at most %d are allowed", path, count,
                     INITIATE_PRONUNCIATIONS_MAX);
        return;
    }
    out->pronunciations_en = zeroed(count, sizeof(char *));
    cJSON_ArrayForEach(each, list)
    {
        snprintf(path, sizeof path, "%spronunciations_en[%zu]", prefix, out->n_pronunciations_en);
        const char *s = string_value(problems, path, each, &rule);
        out->pronunciations_en[out->n_pronunciations_en++] = copy(s ? s : "");
    }
}

static Pl__Language *read_language(problems_t *problems, const cJSON *object, size_t index)
{
    static const string_rule_t voice_rule = {0, INITIATE_NAME_MAX, false};
    char prefix[PREFIX_BYTES];
    Pl__Language *language = zeroed(1, sizeof *language);
    pl__language__init(language);
    snprintf(prefix, sizeof prefix, "lang.availables[%zu]", index);
    if (!cJSON_IsObject(object)) {
        wrong(problems, prefix, "must be an object with short_code", object);
        return language;
    }
    snprintf(prefix, sizeof prefix, "lang.availables[%zu].", index);
    read_code(problems, object, prefix, "short_code", true, &language->short_code);
    read_string(problems, object, prefix, "voice", &voice_rule, &language->voice);
    read_pronunciations(problems, object, prefix, language);
    return language;
}

static void read_lang(problems_t *problems, const cJSON *root, Pl__Initiate *out)
{
    const cJSON *lang = member(problems, root, "", "lang"), *each = NULL;
    if (!lang) return;
    if (!cJSON_IsObject(lang)) {
        wrong(problems, "lang", "must be an object with default_short_code and availables", lang);
        return;
    }
    read_code(problems, lang, "lang.", "default_short_code", false, &out->lang_default);
    const cJSON *list = member(problems, lang, "lang.", "availables");
    if (!list) return;
    if (!cJSON_IsArray(list)) {
        wrong(problems, "lang.availables", "must be a list of languages", list);
        return;
    }
    size_t count = (size_t)cJSON_GetArraySize(list);
    if (count > INITIATE_LANGUAGES_MAX) {
        problems_add(problems, "lang.availables: %zu languages, at most %d are allowed", count,
                     INITIATE_LANGUAGES_MAX);
        return;
    }
    out->lang_available = zeroed(count, sizeof(Pl__Language *));
    cJSON_ArrayForEach(each, list)
    {
        out->lang_available[out->n_lang_available] =
            read_language(problems, each, out->n_lang_available);
        out->n_lang_available++;
    }
}

/* ---- the whole ---- */

static void read_initiate(problems_t *problems, const cJSON *root, Pl__Initiate *out)
{
    static const string_rule_t name_rule = {1, INITIATE_NAME_MAX, false};
    static const string_rule_t task_rule = {1, INITIATE_TASK_MAX, true};
    read_number(problems, root, "phone_number", true, &out->phone_number);
    read_number(problems, root, "agent_phone_number", false, &out->agent_phone_number);
    read_string(problems, root, "", "bot_company", &name_rule, &out->bot_company);
    read_string(problems, root, "", "bot_name", &name_rule, &out->bot_name);
    read_string(problems, root, "", "task", &task_rule, &out->task);
    read_prosody(problems, root, out);
    read_claim(problems, root, out);
    read_lang(problems, root, out);
}

pl_err_t initiate_from_json(const char *body, size_t size, Pl__Initiate **out, problems_t *problems)
{
    json_fault_t fault;
    if (size == 0) {
        problems_add(problems, "body: is empty; a JSON object is needed");
        return PL_INVALID;
    }
    if (json_check(body, size, &fault) != PL_OK) {
        problems_add(problems, "body: not JSON: line %zu, column %zu: %s", fault.line, fault.column,
                     fault.what);
        return PL_INVALID;
    }
    cJSON *root = cJSON_ParseWithLength(body, size);
    if (!root) {
        problems_add(problems, "body: not JSON");
        return PL_INVALID;
    }
    Pl__Initiate *initiate = zeroed(1, sizeof *initiate);
    pl__initiate__init(initiate);
    if (cJSON_IsObject(root)) {
        read_initiate(problems, root, initiate);
    } else {
        wrong(problems, "body", "must be an object", root);
    }
    cJSON_Delete(root);
    if (problems->count > 0) {
        pl__initiate__free_unpacked(initiate, NULL);
        return PL_INVALID;
    }
    *out = initiate;
    return PL_OK;
}
