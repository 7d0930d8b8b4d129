#include "services/dialogue/wordings.h"

#include <stddef.h>
#include <string.h>

static const char *const codes[] = {"en", "fr", "de", "es", "zh", NULL};
static const wording_t *const whole[] = {wordings_en, wordings_fr, wordings_de, wordings_es,
                                         wordings_zh};

static const struct {
    const char *lang;
    wording_t menu;
} menus[] = {
    {"it", {{"Per {label}, prema {index}."}}},
    {"ja", {{"{label}は{index}を押してください。"}}},
    {"ko", {{"{label}는 {index}번을 눌러 주세요."}}},
    {"nl", {{"Voor {label}, toets {index}."}}},
    {"pl", {{"{label}: proszę nacisnąć {index}."}}},
    {"pt", {{"Para {label}, marque {index}."}}},
    {"ru", {{"{label}: нажмите {index}."}}},
    {"sv", {{"För {label}, tryck {index}."}}},
    {"tr", {{"{label} için {index} tuşuna basın."}}},
};

const char *const *wordings_langs(void)
{
    return codes;
}

const wording_t *wordings_find(const char *lang, prompt_t id)
{
    for (size_t i = 0; codes[i]; i++) {
        const wording_t *found = &whole[i][id];
        if (strncmp(codes[i], lang, 2) == 0) return found->texts[0] ? found : NULL;
    }
    for (size_t i = 0; id == PROMPT_LANGUAGE_MENU && i < sizeof menus / sizeof *menus; i++) {
        if (strncmp(menus[i].lang, lang, 2) == 0) return &menus[i].menu;
    }
    return NULL;
}
