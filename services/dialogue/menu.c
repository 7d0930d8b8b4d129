#include "services/dialogue/menu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/dialogue/nlu/tongue.h"

bool menu_wanted(const Pl__CallRecord *record)
{
    return record->initiate->lang_menu && record->initiate->n_lang_available > 1 &&
           !record->lang_short_code[0];
}

const char *menu_sentence(const prompts_t *prompts, const Pl__Initiate *initiate, size_t index,
                          char *out, size_t bytes)
{
    char key[16];
    const Pl__Language *lang = initiate->lang_available[index];
    const char *english = lang->n_pronunciations_en ? lang->pronunciations_en[0] : lang->short_code;
    const char *name = tongue_own_name(lang->short_code);
    bool own = name && prompts_has(prompts, lang->short_code, PROMPT_LANGUAGE_MENU);
    const char *spoken = own ? lang->short_code : initiate->lang_default;
    snprintf(key, sizeof key, "%zu", index + 1);
    const char *values[] = {"index", key, "label", own ? name : english, NULL};
    prompts_say(prompts, spoken, PROMPT_LANGUAGE_MENU, (uint32_t)index, values, out, bytes);
    return spoken;
}

int menu_key_alone(const Pl__Initiate *initiate, const char *digits)
{
    long value = strtol(digits, NULL, 10);
    bool good = value >= 1 && value <= (long)initiate->n_lang_available;
    return good ? (int)value - 1 : MENU_WRONG;
}

int menu_key(const Pl__Initiate *initiate, const char *digits)
{
    int index = menu_key_alone(initiate, digits);
    bool more = index >= 0 && (long)(index + 1) * 10 <= (long)initiate->n_lang_available;
    return more ? MENU_OPEN : index;
}
