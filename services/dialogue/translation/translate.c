#include "services/dialogue/translation/translate.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/lru.h"
#include "common/metrics.h"
#include "services/dialogue/nlu/tongue.h"

enum {
    ENTRIES = 20000,
    BYTES = 8 * 1024 * 1024,
    KEPT_MS = 24 * 3600 * 1000,
    REST_MS = 60 * 1000,
    LANG_BYTES = 36,
};

typedef struct {
    translate_t *owner;
    char from[LANG_BYTES], to[LANG_BYTES];
    char *text;
    void *asked; /* NULL: waits */
} wanted_t;

struct translate {
    const translator_t *kind;
    void *service;
    uint64_t (*now_ms)(void);
    pl_lru_t *known; /* an empty text: it failed */
    wanted_t *wanted[TRANSLATE_WAITING];
    size_t count, under_way;
    pl_metric_t *made, *failed, *dropped;
};

translate_t *translate_new(const translator_t *kind, void *service, uint64_t (*now_ms)(void))
{
    static const char name[] = "parley_dialogue_translations_total";
    static const char help[] = "Texts put into another language";
    translate_t *self = calloc(1, sizeof *self);
    assert(self);
    self->kind = kind;
    self->service = service;
    self->now_ms = now_ms;
    self->known = pl_lru_new(ENTRIES, BYTES);
    self->made = pl_metric_counter(name, "outcome=\"made\"", help);
    self->failed = pl_metric_counter(name, "outcome=\"failed\"", help);
    self->dropped = pl_metric_counter(name, "outcome=\"dropped\"", help);
    return self;
}

static void free_wanted(wanted_t *wanted)
{
    free(wanted->text);
    free(wanted);
}

void translate_destroy(translate_t **self_p)
{
    translate_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (size_t i = 0; i < self->count; i++) {
        if (self->wanted[i]->asked) self->kind->cancel(&self->wanted[i]->asked);
        free_wanted(self->wanted[i]);
    }
    pl_lru_destroy(&self->known);
    self->kind->close(&self->service);
    free(self);
}

/* Neither codes nor texts hold control characters that count. */
static char *key_of(const char *from, const char *to, const char *text)
{
    size_t size = strlen(from) + strlen(to) + strlen(text) + 3;
    char *key = malloc(size);
    assert(key);
    (void)snprintf(key, size, "%s\x1f%s\x1f%s", from, to, text);
    return key;
}

static void ask_more(translate_t *self);

static void on_done(void *arg, pl_err_t err, const char *text)
{
    wanted_t *wanted = arg;
    translate_t *self = wanted->owner;
    char *key = key_of(wanted->from, wanted->to, wanted->text);
    const char *kept = err ? "" : text;
    uint64_t until_ms = self->now_ms() + (err ? REST_MS : KEPT_MS);
    pl_lru_put(self->known, key, kept, strlen(kept) + 1, until_ms);
    pl_metric_add(err ? self->failed : self->made, 1);
    free(key);
    size_t i = 0;
    while (self->wanted[i] != wanted) i++;
    memmove(&self->wanted[i], &self->wanted[i + 1], (--self->count - i) * sizeof *self->wanted);
    free_wanted(wanted);
    self->under_way--;
    ask_more(self);
}

static void ask_more(translate_t *self)
{
    for (size_t i = 0; i < self->count && self->under_way < TRANSLATE_AT_ONCE; i++) {
        wanted_t *wanted = self->wanted[i];
        if (wanted->asked) continue;
        self->under_way++;
        wanted->asked =
            self->kind->ask(self->service, wanted->from, wanted->to, wanted->text, on_done, wanted);
    }
}

static bool is_wanted(const translate_t *self, const char *from, const char *to, const char *text)
{
    for (size_t i = 0; i < self->count; i++) {
        const wanted_t *one = self->wanted[i];
        if (strcmp(one->text, text) == 0 && strcmp(one->from, from) == 0 &&
            strcmp(one->to, to) == 0) {
            return true;
        }
    }
    return false;
}

static void want(translate_t *self, const char *from, const char *to, const char *text)
{
    if (is_wanted(self, from, to, text)) return;
    if (self->count == TRANSLATE_WAITING) {
        pl_metric_add(self->dropped, 1);
        return;
    }
    wanted_t *wanted = calloc(1, sizeof *wanted);
    assert(wanted);
    wanted->owner = self;
    (void)snprintf(wanted->from, sizeof wanted->from, "%s", from);
    (void)snprintf(wanted->to, sizeof wanted->to, "%s", to);
    wanted->text = strdup(text);
    assert(wanted->text);
    self->wanted[self->count++] = wanted;
    ask_more(self);
}

const char *translate_text(translate_t *self, const char *from, const char *to, const char *text)
{
    if (!text[0] || tongue_same(from, to)) return text;
    bool fit = from[0] && to[0] && strlen(from) < LANG_BYTES && strlen(to) < LANG_BYTES;
    if (!self || !fit || strlen(text) > TRANSLATE_TEXT_BYTES) return NULL;
    size_t size = 0;
    char *key = key_of(from, to, text);
    const char *known = pl_lru_get(self->known, key, self->now_ms(), &size);
    free(key);
    if (known) return known[0] ? known : NULL;
    want(self, from, to, text);
    return NULL;
}
