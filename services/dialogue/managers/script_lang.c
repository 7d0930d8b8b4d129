/* script_lang.c - a caller who wants another language: the script has sentences in some. */
#include <string.h>

#include "services/dialogue/managers/script_internal.h"
#include "services/dialogue/nlu/tongue.h"

bool changes_language(script_t *s, const char *text, const words_t *w)
{
    const Pl__Initiate *initiate = s->record->initiate;
    int index = tongue_named(initiate, text);
    /* A name alone may be an answer, where one is awaited. */
    bool meant = tongue_asked(text) || (w->count <= 2 && s->at.mode != MODE_ASK);
    if (index == TONGUE_NONE || !meant) return false;
    const char *lang = initiate->lang_available[index]->short_code;
    const char *present =
        s->record->lang_short_code[0] ? s->record->lang_short_code : initiate->lang_default;
    if (strcmp(lang, present) == 0) return false;
    if (!prompts_has(s->opts.prompts, lang, PROMPT_ASK_TEXT)) {
        say_prompt(s, PROMPT_NO_LANGUAGE, "", "");
        say_current(s);
        return true;
    }
    cJSON *args = cJSON_CreateObject();
    cJSON_AddStringToObject(args, "lang", lang);
    tool(s, "speech_lang", args);
    say_prompt(s, PROMPT_LANGUAGE_SET, "", "");
    say_current(s);
    return true;
}
