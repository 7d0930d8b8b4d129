#include "services/dialogue/warm.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "services/dialogue/menu.h"

typedef struct {
    Pl__PhrasesWarm *out;
    const char *lang, *voice;
    double rate;
} list_t;

static char *copy(const char *text)
{
    char *out = strdup(text);
    assert(out);
    return out;
}

static void add(void *arg, const char *text)
{
    list_t *list = arg;
    Pl__PhrasesWarm *out = list->out;
    Pl__Phrase *phrase = malloc(sizeof *phrase);
    out->phrases = realloc(out->phrases, (out->n_phrases + 1) * sizeof(Pl__Phrase *));
    assert(phrase && out->phrases);
    pl__phrase__init(phrase);
    phrase->text = copy(text);
    phrase->lang = copy(list->lang);
    phrase->voice = copy(list->voice);
    phrase->rate = list->rate;
    out->phrases[out->n_phrases++] = phrase;
}

static const char *voice_of(const Pl__Initiate *defaults, const char *code)
{
    for (size_t i = 0; i < defaults->n_lang_available; i++) {
        const Pl__Language *lang = defaults->lang_available[i];
        if (strcmp(lang->short_code, code) == 0) return lang->voice;
    }
    return "";
}

Pl__PhrasesWarm *warm_phrases(const prompts_t *prompts, const Pl__Initiate *defaults)
{
    Pl__PhrasesWarm *out = malloc(sizeof *out);
    assert(out);
    pl__phrases_warm__init(out);
    const char *values[] = {"bot_name", defaults->bot_name, "bot_company", defaults->bot_company,
                            NULL};
    list_t list = {out, defaults->lang_default, "", defaults->prosody_rate};
    if (defaults->n_lang_available == 0) prompts_each(prompts, list.lang, values, add, &list);
    for (size_t i = 0; i < defaults->n_lang_available; i++) {
        list.lang = defaults->lang_available[i]->short_code;
        list.voice = defaults->lang_available[i]->voice;
        prompts_each(prompts, list.lang, values, add, &list);
    }
    for (size_t i = 0; defaults->lang_menu && i < defaults->n_lang_available; i++) {
        char text[PROMPT_BYTES];
        list.lang = menu_sentence(prompts, defaults, i, text, sizeof text);
        list.voice = voice_of(defaults, list.lang);
        add(&list, text);
    }
    return out;
}
