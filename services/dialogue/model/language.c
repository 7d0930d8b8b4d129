#include "services/dialogue/model/language.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

const char *language_of(const char *lang)
{
    static const char *const names[][2] = {
        {"en", "English"},   {"fr", "French"},     {"es", "Spanish"},   {"de", "German"},
        {"it", "Italian"},   {"pt", "Portuguese"}, {"nl", "Dutch"},     {"zh", "Chinese"},
        {"ja", "Japanese"},  {"ko", "Korean"},     {"ar", "Arabic"},    {"hi", "Hindi"},
        {"ru", "Russian"},   {"pl", "Polish"},     {"tr", "Turkish"},   {"sv", "Swedish"},
        {"da", "Danish"},    {"nb", "Norwegian"},  {"fi", "Finnish"},   {"cs", "Czech"},
        {"el", "Greek"},     {"he", "Hebrew"},     {"uk", "Ukrainian"}, {"ro", "Romanian"},
        {"hu", "Hungarian"}, {"vi", "Vietnamese"}, {"th", "Thai"},      {"id", "Indonesian"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strncasecmp(names[i][0], lang, 2) == 0) return names[i][1];
    }
    return lang;
}

const char *language_name(const Pl__CallRecord *record, const char *lang)
{
    for (size_t i = 0; i < record->initiate->n_lang_available; i++) {
        const Pl__Language *one = record->initiate->lang_available[i];
        if (strcmp(one->short_code, lang) == 0 && one->n_pronunciations_en) {
            return one->pronunciations_en[0];
        }
    }
    return language_of(lang);
}
