#include "services/dialogue/prompts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/dialogue/model/template.h"
#include "services/dialogue/wordings.h"

enum { WORDINGS_MAX = 32 };

/* What a wording may use; where a sentence has no such thing it is filled with nothing. */
#define PLACEHOLDERS "bot_name bot_company label value task index"

#define PROMPT_NAME(id, name) name,
static const char *const names[PROMPT_COUNT] = {PROMPT_MAP(PROMPT_NAME)};

struct prompts {
    char lang[16]; /* of the overrides */
    char *wordings[PROMPT_COUNT][WORDINGS_MAX];
    size_t count[PROMPT_COUNT];
    translate_t *translate;
};

pl_err_t prompts_check(const pl_config_t *cfg)
{
    pl_err_t err = PL_OK;
    for (int id = 0; id < PROMPT_COUNT; id++) { /* all of them are looked at */
        char path[96];
        snprintf(path, sizeof path, "prompts.tts.%s_tpl", names[id]);
        size_t count = pl_config_count(cfg, path);
        for (size_t i = 0; i < count; i++) {
            char item[128];
            char reason[300] = "";
            snprintf(item, sizeof item, "%s[%zu]", path, i);
            const char *text = pl_config_str(cfg, item);
            pl_err_t wrong = template_check(text, PLACEHOLDERS, reason, sizeof reason);
            if (i == WORDINGS_MAX) {
                snprintf(reason, sizeof reason, "more than %d wordings", WORDINGS_MAX);
                wrong = PL_INVALID;
            }
            if (!wrong) continue;
            fprintf(stderr, "%s: %s: %s\n", pl_config_where(cfg, item), item, reason);
            err = wrong;
        }
    }
    return err;
}

prompts_t *prompts_new(const pl_config_t *cfg)
{
    prompts_t *self = calloc(1, sizeof *self);
    assert(self);
    if (!cfg) return self;
    snprintf(self->lang, sizeof self->lang, "%s", pl_config_str(cfg, "prompts.tts_lang"));
    for (int id = 0; id < PROMPT_COUNT; id++) {
        char path[96];
        snprintf(path, sizeof path, "prompts.tts.%s_tpl", names[id]);
        size_t count = pl_config_count(cfg, path);
        for (size_t i = 0; i < count && i < WORDINGS_MAX; i++) {
            const char *text = pl_config_item(cfg, "prompts.tts.%s_tpl[%zu]", names[id], i);
            self->wordings[id][i] = strdup(text);
            assert(self->wordings[id][i]);
            self->count[id]++;
        }
    }
    return self;
}

void prompts_destroy(prompts_t **self_p)
{
    prompts_t *self = *self_p;
    if (!self) return;
    for (int id = 0; id < PROMPT_COUNT; id++) {
        for (size_t i = 0; i < self->count[id]; i++) free(self->wordings[id][i]);
    }
    free(self);
    *self_p = NULL;
}

typedef struct {
    const char *const *list;
    size_t count;
} wordings_t;

static wordings_t find_built_in(const char *lang, prompt_t id)
{
    const wording_t *entry = wordings_find(lang, id);
    wordings_t found = {entry ? entry->texts : NULL, 0};
    while (entry && found.count < WORDINGS_BUILT_IN && entry->texts[found.count]) found.count++;
    return found;
}

bool prompts_has(const prompts_t *self, const char *lang, prompt_t id)
{
    bool configured = self->count[id] && strncmp(self->lang, lang, 2) == 0;
    return configured || find_built_in(lang, id).count;
}

static wordings_t find_own(const prompts_t *self, const char *lang, prompt_t id)
{
    if (!self->count[id] || strncmp(self->lang, lang, 2) != 0) return (wordings_t){NULL, 0};
    return (wordings_t){(const char *const *)self->wordings[id], self->count[id]};
}

/* As they are written for that language or, without any, in English. */
static wordings_t find(const prompts_t *self, const char *lang, prompt_t id)
{
    wordings_t found = find_own(self, lang, id);
    if (!found.count) found = find_built_in(lang, id);
    if (!found.count) found = find_own(self, "en", id);
    if (!found.count) found = find_built_in("en", id);
    assert(found.count); /* English has them all */
    return found;
}

/* What is to be translated for that language: the configuration's words before built-in ones. */
static wordings_t find_source(const prompts_t *self, const char *lang, prompt_t id,
                              const char **source)
{
    bool own = find_own(self, lang, id).count;
    *source = self->count[id] ? self->lang : "en";
    if (!self->translate || own) return (wordings_t){NULL, 0};
    if (self->count[id]) return find_own(self, self->lang, id);
    return find_built_in(lang, id).count ? (wordings_t){NULL, 0} : find_built_in("en", id);
}

static const char *value_of(const char *name, size_t len, const char *const *values)
{
    for (; values && *values; values += 2) {
        if (strlen(values[0]) == len && memcmp(values[0], name, len) == 0) return values[1];
    }
    return "";
}

static char *fill(const char *wording, const char *const *values, char *out, size_t bytes)
{
    size_t n = 0;
    for (const char *p = wording; *p && n + 1 < bytes;) {
        const char *end = *p == '{' ? strchr(p, '}') : NULL;
        if (!end) {
            out[n++] = *p++;
            continue;
        }
        const char *value = value_of(p + 1, (size_t)(end - p - 1), values);
        size_t len = strlen(value);
        if (len > bytes - n - 1) len = bytes - n - 1;
        memcpy(out + n, value, len);
        n += len;
        p = end + 1;
    }
    out[n] = '\0';
    return out;
}

void prompts_translate(prompts_t *self, translate_t *translate)
{
    self->translate = translate;
}

char *prompts_say(const prompts_t *self, const char *lang, prompt_t id, uint32_t seed,
                  const char *const *values, char *out, size_t bytes)
{
    const char *source = "";
    wordings_t found = find_source(self, lang, id, &source);
    if (found.count) {
        (void)fill(found.list[seed % found.count], values, out, bytes);
        const char *text = translate_text(self->translate, source, lang, out);
        if (text && text != out) snprintf(out, bytes, "%s", text);
        if (text) return out;
    }
    found = find(self, lang, id);
    return fill(found.list[seed % found.count], values, out, bytes);
}

/* Are all its placeholders among the values? */
static bool can_fill(const char *wording, const char *const *values)
{
    for (const char *at = strchr(wording, '{'); at; at = strchr(at + 1, '{')) {
        const char *end = strchr(at, '}');
        if (end && !*value_of(at + 1, (size_t)(end - at - 1), values)) return false;
    }
    return true;
}

/* foreign: only what is to be translated for that language. */
static void walk(const prompts_t *self, const char *lang, const char *const *values, bool foreign,
                 prompts_each_fn *fn, void *arg)
{
    for (int id = 0; id < PROMPT_COUNT; id++) {
        const char *source = "";
        wordings_t found = find_source(self, lang, (prompt_t)id, &source);
        if (!found.count && !foreign) found = find(self, lang, (prompt_t)id);
        for (uint32_t i = 0; i < found.count; i++) {
            char text[PROMPT_BYTES];
            if (!can_fill(found.list[i], values)) continue;
            fn(arg, prompts_say(self, lang, (prompt_t)id, i, values, text, sizeof text));
        }
    }
}

void prompts_each(const prompts_t *self, const char *lang, const char *const *values,
                  prompts_each_fn *fn, void *arg)
{
    walk(self, lang, values, false, fn, arg);
}

static void ask_only(void *arg, const char *text) /* by having it said */
{
    (void)arg;
    (void)text;
}

void prompts_prepare(const prompts_t *self, const char *lang, const char *const *values)
{
    if (self->translate) walk(self, lang, values, true, ask_only, NULL);
}
