#include "services/speech/voices.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PROVIDERS_MAX = 8 };

typedef struct {
    const char *lang, *voice; /* of the configuration */
    size_t provider;          /* index */
} entry_t;

struct voices {
    const tts_provider_t *const *providers;
    void *engines[PROVIDERS_MAX];
    breaker_t breakers[PROVIDERS_MAX];
    pl_metric_t *failures[PROVIDERS_MAX], *replaced[PROVIDERS_MAX];
    size_t opened;
    entry_t *entries;
    size_t count;
};

static bool find_provider(const voices_t *self, const char *name, size_t *out)
{
    for (size_t i = 0; self->providers[i]; i++) {
        if (strcmp(self->providers[i]->name, name) != 0) continue;
        *out = i;
        return true;
    }
    return false;
}

static pl_err_t wrong(size_t i, const char *key, const char *value, const char *why)
{
    (void)fprintf(stderr, "parley-speech: speech.tts.voices[%zu].%s: \"%s\" %s\n", i, key, value,
                  why);
    return PL_INVALID;
}

static pl_err_t read_entry(voices_t *self, const pl_config_t *cfg, size_t i)
{
    entry_t *e = &self->entries[i];
    const char *provider = pl_config_item(cfg, "speech.tts.voices[%zu].provider", i);
    e->lang = pl_config_item(cfg, "speech.tts.voices[%zu].lang", i);
    e->voice = pl_config_item(cfg, "speech.tts.voices[%zu].voice", i);
    if (!*e->lang) return wrong(i, "lang", e->lang, "is no language");
    if (!find_provider(self, provider, &e->provider))
        return wrong(i, "provider", provider, "is not one of: flite, espeak, openai");
    const tts_provider_t *p = self->providers[e->provider];
    if (!p->has_voice(self->engines[e->provider], e->voice))
        return wrong(i, "voice", e->voice, "is no voice of that provider");
    if (strcmp(e->lang, "*") != 0 && !p->speaks(self->engines[e->provider], e->lang))
        return wrong(i, "lang", e->lang, "is not spoken by that provider");
    return PL_OK;
}

static void count_failures(voices_t *self, size_t i)
{
    char label[64];
    (void)snprintf(label, sizeof label, "provider=\"%s\"", self->providers[i]->name);
    self->failures[i] =
        pl_metric_counter("parley_tts_failures_total", label, "Sentences a voice gave up");
    self->replaced[i] = pl_metric_counter("parley_tts_replaced_total", label,
                                          "Sentences another voice took over from it");
}

pl_err_t voices_new(voices_t **out, pl_loop_t *loop, const pl_config_t *cfg)
{
    voices_t *self = calloc(1, sizeof *self);
    assert(self);
    self->providers = tts_providers();
    pl_err_t err = PL_OK;
    while (!err && self->providers[self->opened]) {
        assert(self->opened < PROVIDERS_MAX);
        count_failures(self, self->opened);
        err = self->providers[self->opened]->open_engine(&self->engines[self->opened], loop, cfg);
        if (!err) self->opened++;
    }
    if (err) goto out;
    self->count = pl_config_count(cfg, "speech.tts.voices");
    self->entries = calloc(self->count + 1, sizeof *self->entries);
    assert(self->entries);
    for (size_t i = 0; !err && i < self->count; i++) err = read_entry(self, cfg, i);
    if (err) goto out;
    *out = self;
    return PL_OK;
out:
    voices_destroy(&self);
    return err;
}

void voices_destroy(voices_t **self_p)
{
    voices_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    while (self->opened-- > 0)
        self->providers[self->opened]->close_engine(&self->engines[self->opened]);
    free(self->entries);
    free(self);
}

/* How well an entry fits: 3 the short code itself, 2 its language, 1 any, 0 not. */
static int fit(const char *entry, const char *lang)
{
    if (strcasecmp(entry, lang) == 0) return 3;
    size_t bytes = strcspn(lang, "-");
    if (strlen(entry) == bytes && strncasecmp(entry, lang, bytes) == 0) return 2;
    return strcmp(entry, "*") == 0 ? 1 : 0;
}

typedef struct {
    voices_choice_t *list;
    size_t count;
} choices_t;

static void choose(voices_t *self, size_t provider, const char *asked, const char *voice,
                   choices_t *out)
{
    voices_choice_t choice = {.provider = self->providers[provider],
                              .engine = self->engines[provider],
                              .voice = voice,
                              .breaker = &self->breakers[provider],
                              .failures = self->failures[provider],
                              .replaced = self->replaced[provider]};
    if (*asked && choice.provider->has_voice(choice.engine, asked)) choice.voice = asked;
    for (size_t i = 0; i < out->count; i++) {
        const voices_choice_t *there = &out->list[i];
        if (there->provider == choice.provider && strcmp(there->voice, choice.voice) == 0) return;
    }
    if (out->count < VOICES_CHOICES_MAX) out->list[out->count++] = choice;
}

size_t voices_list(voices_t *self, const char *lang, const char *voice,
                   voices_choice_t out[VOICES_CHOICES_MAX])
{
    choices_t choices = {out, 0};
    for (int wanted = 3; wanted > 0; wanted--) {
        for (size_t i = 0; i < self->count; i++) {
            const entry_t *e = &self->entries[i];
            bool speaks = self->providers[e->provider]->speaks(self->engines[e->provider], lang);
            if (speaks && fit(e->lang, lang) == wanted)
                choose(self, e->provider, voice, e->voice, &choices);
        }
    }
    for (size_t i = 0; i < self->opened; i++) {
        bool named = false; /* in an entry: it was tried with its voice */
        for (size_t k = 0; k < choices.count; k++) named |= out[k].provider == self->providers[i];
        if (!named && self->providers[i]->speaks(self->engines[i], lang))
            choose(self, i, voice, "", &choices);
    }
    return choices.count;
}

pl_err_t voices_pick(voices_t *self, const char *lang, const char *voice, voices_choice_t *out)
{
    voices_choice_t list[VOICES_CHOICES_MAX];
    if (voices_list(self, lang, voice, list) == 0) return PL_NOT_FOUND;
    *out = list[0];
    return PL_OK;
}
