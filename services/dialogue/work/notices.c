#include "services/dialogue/work/notices.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"
#include "services/dialogue/label.h"
#include "services/dialogue/model/template.h"
#include "services/dialogue/nlu/civil.h"
#include "services/dialogue/value.h"

typedef struct {
    const char *lang; /* first two letters of the short code; English first */
    const char *texts[NOTICE_COUNT];
} wording_t;

static const wording_t built_in[] = {
    {"en",
     {[NOTICE_REPORT] = "Thank you for your call. We have noted: {facts}. We are looking into it. "
                        "Kind regards, {bot_name} from {bot_company}.",
      [NOTICE_REPORT_EMPTY] = "Thank you for your call. We are looking into it. Kind regards, "
                              "{bot_name} from {bot_company}.",
      [NOTICE_REMINDER] = "A reminder from {bot_company}, due {due}: {title}. {description} Kind "
                          "regards, {bot_name}."}},
    {"fr",
     {[NOTICE_REPORT] = "Merci pour votre appel. Nous avons not\u00e9 : {facts}. Nous nous en "
                        "occupons. Cordialement, {bot_name} de {bot_company}.",
      [NOTICE_REPORT_EMPTY] = "Merci pour votre appel. Nous nous en occupons. Cordialement, "
                              "{bot_name} de {bot_company}.",
      [NOTICE_REMINDER] = "Rappel de {bot_company}, pour le {due} : {title}. {description} "
                          "Cordialement, {bot_name}."}},
    {"de",
     {[NOTICE_REPORT] =
          "Vielen Dank f\u00fcr Ihren Anruf. Wir haben notiert: {facts}. Wir k\u00fcmmern "
          "uns darum. Mit freundlichen Gr\u00fc\u00dfen, {bot_name} von {bot_company}.",
      [NOTICE_REPORT_EMPTY] = "Vielen Dank f\u00fcr Ihren Anruf. Wir k\u00fcmmern uns darum. Mit "
                              "freundlichen Gr\u00fc\u00dfen, {bot_name} von {bot_company}.",
      [NOTICE_REMINDER] = "Erinnerung von {bot_company} f\u00fcr {due}: {title}. {description} Mit "
                          "freundlichen Gr\u00fc\u00dfen, {bot_name}."}},
    {"es",
     {[NOTICE_REPORT] = "Gracias por su llamada. Hemos anotado: {facts}. Nos ocupamos de ello. "
                        "Saludos cordiales, {bot_name} de {bot_company}.",
      [NOTICE_REPORT_EMPTY] = "Gracias por su llamada. Nos ocupamos de ello. Saludos cordiales, "
                              "{bot_name} de {bot_company}.",
      [NOTICE_REMINDER] = "Recordatorio de {bot_company} para el {due}: {title}. {description} "
                          "Saludos cordiales, {bot_name}."}},
    {"zh",
     {[NOTICE_REPORT] =
          "\u611f\u8c22\u60a8\u7684\u6765\u7535\u3002\u6211\u4eec\u5df2\u8bb0\u5f55\uff1a"
          "{facts}\u3002\u6211\u4eec\u6b63\u5728\u5904\u7406\u3002"
          "{bot_company} {bot_name}",
      [NOTICE_REPORT_EMPTY] =
          "\u611f\u8c22\u60a8\u7684\u6765\u7535\u3002\u6211\u4eec\u6b63\u5728\u5904"
          "\u7406\u3002{bot_company} {bot_name}",
      [NOTICE_REMINDER] = "{bot_company}\u63d0\u9192\u60a8\uff08{due}\uff09\uff1a{title}\u3002"
                          "{description} {bot_name}"}},
};
enum { LANGS = sizeof built_in / sizeof *built_in };

struct notices {
    char *own[NOTICE_COUNT]; /* of the configuration, NULL: none */
    char own_lang[3];
};

#define NOTICE_NAME(id, name, placeholders, help) [NOTICE_##id] = {name, placeholders},
static const struct {
    const char *name, *placeholders;
} entries[NOTICE_COUNT] = {NOTICE_MAP(NOTICE_NAME)};

static pl_err_t read_one(notices_t *self, const pl_config_t *cfg, size_t id)
{
    char reason[400];
    char path[96];
    (void)snprintf(path, sizeof path, "prompts.sms.%s", entries[id].name);
    const char *text = pl_config_str(cfg, path);
    if (!*text) return PL_OK;
    pl_err_t err = template_check(text, entries[id].placeholders, reason, sizeof reason);
    if (err) {
        (void)fprintf(stderr, "%s: %s: %s\n", pl_config_where(cfg, path), path, reason);
        return err;
    }
    self->own[id] = strdup(text);
    assert(self->own[id]);
    return PL_OK;
}

pl_err_t notices_new(notices_t **out, const pl_config_t *cfg)
{
    notices_t *self = calloc(1, sizeof *self);
    assert(self);
    pl_err_t err = PL_OK;
    for (size_t id = 0; cfg && !err && id < NOTICE_COUNT; id++) err = read_one(self, cfg, id);
    if (cfg) {
        (void)snprintf(self->own_lang, sizeof self->own_lang, "%.2s",
                       pl_config_str(cfg, "prompts.tts_lang"));
    }
    if (err)
        notices_destroy(&self);
    else
        *out = self;
    return err;
}

void notices_destroy(notices_t **self_p)
{
    notices_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (size_t id = 0; id < NOTICE_COUNT; id++) free(self->own[id]);
    free(self);
}

static const char *text_of(const notices_t *self, notice_t id, const char *lang)
{
    if (self->own[id] && strncmp(lang, self->own_lang, 2) == 0) return self->own[id];
    for (size_t i = 0; i < LANGS; i++) {
        if (strncmp(lang, built_in[i].lang, 2) == 0) return built_in[i].texts[id];
    }
    return built_in[0].texts[id];
}

void notices_fill(const notices_t *self, notice_t id, const char *lang, const char *const *values,
                  draft_t *out)
{
    draft_t whole = {0};
    char text[NOTICE_BYTES_MAX + 1];
    template_fill(&whole, text_of(self, id, lang), values);
    draft_add(out, value_copy(text, sizeof text, draft_text(&whole)));
    draft_free(&whole);
}

/* ---- facts ---- */

const char *notices_lang(const Pl__CallRecord *record)
{
    if (record->lang_short_code[0]) return record->lang_short_code;
    return record->initiate->lang_default;
}

/* "2026-11-21 09:00": understood everywhere. */
static void write_value(const Pl__ClaimField *field, const char *value, char *out, size_t bytes)
{
    civil_t at;
    bool timed = false;
    if (field->type != PL__CLAIM_TYPE__DATETIME || !civil_parse(value, &at, &timed)) {
        (void)value_copy(out, bytes, value);
        return;
    }
    int n = snprintf(out, bytes, "%04d-%02d-%02d", at.year, at.month, at.day);
    if (timed) (void)snprintf(out + n, bytes - (size_t)n, " %02d:%02d", at.hour, at.minute);
}

char *notices_facts(const Pl__CallRecord *record, const char *lang, char out[NOTICE_FACTS_BYTES])
{
    size_t used = 0;
    bool english = strncmp(lang, "en", 2) == 0;
    out[0] = '\0';
    for (size_t i = 0; i < record->initiate->n_claim; i++) {
        const Pl__ClaimField *field = record->initiate->claim[i];
        const Pl__ClaimValue *value = pl_record_claim(record, field->name);
        if (!value || !value->value[0]) continue;
        char label[LABEL_BYTES];
        char text[VALUE_BYTES];
        char item[LABEL_BYTES + VALUE_BYTES + 4];
        write_value(field, value->value, text, sizeof text);
        /* What fields are called is English. */
        int size = snprintf(item, sizeof item, "%s%s%s%s", used ? "; " : "",
                            english ? label_bare(field, label) : "", english ? ": " : "", text);
        if (size < 0 || used + (size_t)size >= NOTICE_FACTS_BYTES) continue;
        memcpy(out + used, item, (size_t)size + 1);
        used += (size_t)size;
    }
    return out;
}
