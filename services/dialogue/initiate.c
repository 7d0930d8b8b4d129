#include "services/dialogue/initiate.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"
#include "services/dialogue/nlu/phone.h"
#include "services/dialogue/value.h"

enum {
    CLAIM_MAX = 60,
    LANGUAGES_MAX = 32,
    NAME_MAX_BYTES = 64,
    TEXT_MAX_BYTES = 2000,
    TASK_MAX_BYTES = 8000
};

#define BUILT_IN_TASK                                                                              \
    "Help the customer with their request. Collect what the claim needs; the conversation is "     \
    "done "                                                                                        \
    "when all relevant data is in, and the fuller it is, the better."

static const Pl__ClaimField implicit[] = {
    {PROTOBUF_C_MESSAGE_INIT(&pl__claim_field__descriptor), (char *)"policyholder_name",
     PL__CLAIM_TYPE__TEXT, (char *)"Name of the caller, part of every claim"},
    {PROTOBUF_C_MESSAGE_INIT(&pl__claim_field__descriptor), (char *)"policyholder_email",
     PL__CLAIM_TYPE__EMAIL, (char *)"E-mail address of the caller, part of every claim"},
    {PROTOBUF_C_MESSAGE_INIT(&pl__claim_field__descriptor), (char *)"policyholder_phone",
     PL__CLAIM_TYPE__PHONE_NUMBER, (char *)"Phone number of the caller, part of every claim"},
};
enum { IMPLICIT = sizeof implicit / sizeof implicit[0] };

static const struct {
    const char *name;
    Pl__ClaimType type;
} default_claim[] = {
    {"incident_datetime", PL__CLAIM_TYPE__DATETIME},
    {"incident_description", PL__CLAIM_TYPE__TEXT},
    {"incident_location", PL__CLAIM_TYPE__TEXT},
    {"injuries", PL__CLAIM_TYPE__TEXT},
    {"involved_parties", PL__CLAIM_TYPE__TEXT},
    {"medical_records", PL__CLAIM_TYPE__TEXT},
    {"policy_number", PL__CLAIM_TYPE__TEXT},
    {"pre_existing_damages", PL__CLAIM_TYPE__TEXT},
    {"witnesses", PL__CLAIM_TYPE__TEXT},
};

static const struct {
    const char *code, *names[3];
} default_languages[] = {
    {"en-US", {"English", "EN", "United States"}},
    {"fr-FR", {"French", "FR", "France"}},
    {"es-ES", {"Spanish", "ES", "Spain"}},
    {"zh-CN", {"Chinese", "ZH", "China"}},
};

static char *text_copy(const char *text)
{
    char *out = strdup(text);
    assert(out);
    return out;
}

static void set_text(char **field, const char *text)
{
    char *copy = text_copy(text);
    if (*field != (char *)protobuf_c_empty_string) free(*field);
    *field = copy;
}

static void *grown(void *list, size_t count)
{
    void *out = realloc(list, (count + 1) * sizeof(void *));
    assert(out);
    return out;
}

static void add_field(Pl__Initiate *out, const char *name, Pl__ClaimType type, const char *about)
{
    Pl__ClaimField *field = malloc(sizeof *field);
    assert(field);
    pl__claim_field__init(field);
    field->name = text_copy(name);
    field->type = type;
    field->description = text_copy(about);
    out->claim = grown(out->claim, out->n_claim);
    out->claim[out->n_claim++] = field;
}

static Pl__Language *add_language(Pl__Initiate *out, const char *code, const char *voice)
{
    Pl__Language *lang = malloc(sizeof *lang);
    assert(lang);
    pl__language__init(lang);
    lang->short_code = text_copy(code);
    lang->voice = text_copy(voice);
    out->lang_available = grown(out->lang_available, out->n_lang_available);
    out->lang_available[out->n_lang_available++] = lang;
    return lang;
}

static void add_pronunciation(Pl__Language *lang, const char *name)
{
    lang->pronunciations_en = grown(lang->pronunciations_en, lang->n_pronunciations_en);
    lang->pronunciations_en[lang->n_pronunciations_en++] = text_copy(name);
}

bool initiate_is_implicit(const Pl__ClaimField *field)
{
    for (size_t i = 0; i < IMPLICIT; i++) {
        bool same = strcmp(implicit[i].name, field->name) == 0;
        if (same && strcmp(implicit[i].description, field->description) == 0) return true;
    }
    return false;
}

static Pl__ClaimType type_named(const char *name)
{
    if (strcmp(name, "datetime") == 0) return PL__CLAIM_TYPE__DATETIME;
    if (strcmp(name, "phone_number") == 0) return PL__CLAIM_TYPE__PHONE_NUMBER;
    if (strcmp(name, "email") == 0) return PL__CLAIM_TYPE__EMAIL;
    return PL__CLAIM_TYPE__TEXT;
}

static void config_claim(Pl__Initiate *out, const pl_config_t *cfg)
{
    size_t count = pl_config_count(cfg, "conversation.initiate.claim");
    for (size_t i = 0; i < count && i < CLAIM_MAX; i++) {
        char about[TEXT_MAX_BYTES];
        char type[32];
        snprintf(type, sizeof type, "%s",
                 pl_config_item(cfg, "conversation.initiate.claim[%zu].type", i));
        snprintf(about, sizeof about, "%s",
                 pl_config_item(cfg, "conversation.initiate.claim[%zu].description", i));
        add_field(out, pl_config_item(cfg, "conversation.initiate.claim[%zu].name", i),
                  type_named(type), about);
    }
    if (count) return;
    for (size_t i = 0; i < sizeof default_claim / sizeof default_claim[0]; i++) {
        add_field(out, default_claim[i].name, default_claim[i].type, "");
    }
}

static void config_languages(Pl__Initiate *out, const pl_config_t *cfg)
{
    static const char list[] = "conversation.initiate.lang.availables";
    size_t count = pl_config_count(cfg, list);
    for (size_t i = 0; i < count && i < LANGUAGES_MAX; i++) {
        char path[128];
        char voice[128];
        snprintf(voice, sizeof voice, "%s", pl_config_item(cfg, "%s[%zu].voice", list, i));
        Pl__Language *lang =
            add_language(out, pl_config_item(cfg, "%s[%zu].short_code", list, i), voice);
        snprintf(path, sizeof path, "%s[%zu].pronunciations_en", list, i);
        size_t names = pl_config_count(cfg, path);
        for (size_t k = 0; k < names; k++) {
            add_pronunciation(lang, pl_config_item(cfg, "%s[%zu]", path, k));
        }
    }
    out->lang_menu = count > 1; /* the built-in ones are for who asks for them */
    if (count) return;
    for (size_t i = 0; i < sizeof default_languages / sizeof default_languages[0]; i++) {
        Pl__Language *lang = add_language(out, default_languages[i].code, "");
        for (size_t k = 0; k < 3; k++) add_pronunciation(lang, default_languages[i].names[k]);
    }
}

Pl__Initiate *initiate_from_config(const pl_config_t *cfg)
{
    Pl__Initiate *out = malloc(sizeof *out);
    assert(out);
    pl__initiate__init(out);
    set_text(&out->bot_company, pl_config_str(cfg, "conversation.initiate.bot_company"));
    set_text(&out->bot_name, pl_config_str(cfg, "conversation.initiate.bot_name"));
    set_text(&out->agent_phone_number,
             pl_config_str(cfg, "conversation.initiate.agent_phone_number"));
    const char *task = pl_config_str(cfg, "conversation.initiate.task");
    set_text(&out->task, task[0] ? task : BUILT_IN_TASK);
    set_text(&out->lang_default,
             pl_config_str(cfg, "conversation.initiate.lang.default_short_code"));
    out->prosody_rate = pl_config_double(cfg, "conversation.initiate.prosody_rate");
    config_claim(out, cfg);
    config_languages(out, cfg);
    return out;
}

/* ---- filling in ---- */

static void fill_text(char **field, const char *fallback)
{
    if (!(*field)[0]) set_text(field, fallback);
}

static void fill_languages(Pl__Initiate *out, const Pl__Initiate *defaults)
{
    bool listed = out->n_lang_available > 0;
    if (out->n_lang_available == 0) {
        for (size_t i = 0; i < defaults->n_lang_available; i++) {
            const Pl__Language *from = defaults->lang_available[i];
            Pl__Language *lang = add_language(out, from->short_code, from->voice);
            for (size_t k = 0; k < from->n_pronunciations_en; k++) {
                add_pronunciation(lang, from->pronunciations_en[k]);
            }
        }
    }
    fill_text(&out->lang_default, defaults->lang_default);
    out->lang_menu = listed ? out->n_lang_available > 1 : defaults->lang_menu;
    for (size_t i = 0; i < out->n_lang_available; i++) {
        if (strcmp(out->lang_available[i]->short_code, out->lang_default) == 0) return;
    }
    /* The default is the entry with that code, else the first. */
    if (out->n_lang_available) set_text(&out->lang_default, out->lang_available[0]->short_code);
}

static void fill(Pl__Initiate *out, const Pl__Initiate *defaults)
{
    fill_text(&out->agent_phone_number, defaults->agent_phone_number);
    fill_text(&out->bot_company, defaults->bot_company);
    fill_text(&out->bot_name, defaults->bot_name);
    fill_text(&out->task, defaults->task);
    if (out->prosody_rate == 0) out->prosody_rate = defaults->prosody_rate;
    if (out->n_claim == 0) {
        for (size_t i = 0; i < defaults->n_claim; i++) {
            const Pl__ClaimField *from = defaults->claim[i];
            add_field(out, from->name, from->type, from->description);
        }
    }
    for (size_t i = 0; i < IMPLICIT; i++) {
        bool listed = false;
        for (size_t k = 0; k < out->n_claim; k++) {
            if (strcmp(out->claim[k]->name, implicit[i].name) != 0) continue;
            listed = true;
            out->claim[k]->type = implicit[i].type; /* these three have one type everywhere */
        }
        if (!listed) add_field(out, implicit[i].name, implicit[i].type, implicit[i].description);
    }
    fill_languages(out, defaults);
}

/* ---- checking ---- */

typedef struct {
    char *text;
    size_t bytes;
} reason_t;

static pl_err_t wrong(const reason_t *reason, const char *field, const char *why)
{
    snprintf(reason->text, reason->bytes, "%.100s: %s", field, why);
    return PL_INVALID;
}

static pl_err_t check_text(const reason_t *reason, const char *field, const char *text, size_t max)
{
    if (strlen(text) > max) return wrong(reason, field, "too long");
    return value_is_plain(text) ? PL_OK : wrong(reason, field, "not plain UTF-8 text");
}

static bool good_name(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > NAME_MAX_BYTES) return false;
    for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
        if (*p < 0x20 || *p == 0x7F) return false;
    }
    return value_is_plain(name);
}

static pl_err_t check_claim(const Pl__Initiate *out, const reason_t *reason)
{
    char field[160];
    if (out->n_claim > CLAIM_MAX) return wrong(reason, "claim", "more than 60 fields");
    for (size_t i = 0; i < out->n_claim; i++) {
        const Pl__ClaimField *f = out->claim[i];
        snprintf(field, sizeof field, "claim[%zu].name", i);
        if (!good_name(f->name)) return wrong(reason, field, "must be 1 to 64 bytes of plain text");
        for (size_t k = 0; k < i; k++) {
            if (strcmp(out->claim[k]->name, f->name) == 0) {
                return wrong(reason, field, "the same name twice");
            }
        }
        snprintf(field, sizeof field, "claim[%zu].type", i);
        if ((unsigned)f->type > PL__CLAIM_TYPE__EMAIL) {
            return wrong(reason, field, "must be text, datetime, phone_number or email");
        }
        snprintf(field, sizeof field, "claim[%zu].description", i);
        pl_err_t err = check_text(reason, field, f->description, TEXT_MAX_BYTES);
        if (err) return err;
    }
    return PL_OK;
}

static pl_err_t check(const Pl__Initiate *out, bool anonymous, const reason_t *reason)
{
    bool hidden = anonymous && strcmp(out->phone_number, "anonymous") == 0;
    const char *e164 = "must be a phone number in E.164, like +33612345678";
    if (!hidden && !phone_valid(out->phone_number)) return wrong(reason, "phone_number", e164);
    if (out->agent_phone_number[0] && !phone_valid(out->agent_phone_number)) {
        return wrong(reason, "agent_phone_number", e164);
    }
    /* Tests written so that "not a number" is refused too. */
    if (!(out->prosody_rate >= 0.75 && out->prosody_rate <= 1.25)) {
        return wrong(reason, "prosody_rate", "must be from 0.75 to 1.25");
    }
    if (out->n_lang_available > LANGUAGES_MAX) return wrong(reason, "lang.availables", "too many");
    if (!out->lang_default[0]) return wrong(reason, "lang.default_short_code", "must not be empty");
    pl_err_t err = check_text(reason, "bot_company", out->bot_company, TEXT_MAX_BYTES);
    if (!err) err = check_text(reason, "bot_name", out->bot_name, TEXT_MAX_BYTES);
    if (!err) err = check_text(reason, "task", out->task, TASK_MAX_BYTES);
    if (!err) err = check_claim(out, reason);
    return err;
}

pl_err_t initiate_complete(const Pl__Initiate *asked, const Pl__Initiate *defaults, bool anonymous,
                           Pl__Initiate **out, char *reason, size_t reason_bytes)
{
    Pl__Initiate *copy = (Pl__Initiate *)pl_message_copy(&asked->base);
    reason_t why = {reason, reason_bytes};
    fill(copy, defaults);
    pl_err_t err = check(copy, anonymous, &why);
    if (err) {
        pl__initiate__free_unpacked(copy, NULL);
        return err;
    }
    *out = copy;
    return PL_OK;
}
