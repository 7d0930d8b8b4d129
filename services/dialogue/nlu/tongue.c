#include "services/dialogue/nlu/tongue.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "services/dialogue/nlu/words.h"

enum { NAMES = 4, CODE_BYTES = 36 };

/* Own names first; how people who speak it, or a recogniser without accents, write it. */
static const struct {
    const char *code;
    const char *names[NAMES];
} own[] = {
    {"ar", {"العربية", "عربي"}},
    {"bg", {"български"}},
    {"ca", {"català", "catala"}},
    {"cs", {"čeština", "cesky", "česky"}},
    {"da", {"dansk"}},
    {"de", {"Deutsch"}},
    {"el", {"ελληνικά"}},
    {"en", {"English"}},
    {"es", {"español", "espanol", "castellano"}},
    {"et", {"eesti"}},
    {"fi", {"suomi", "suomea", "suomeksi"}},
    {"fr", {"français", "francais"}},
    {"he", {"עברית"}},
    {"hi", {"हिन्दी", "हिंदी"}},
    {"hr", {"hrvatski"}},
    {"hu", {"magyar", "magyarul"}},
    {"id", {"Bahasa Indonesia"}},
    {"it", {"italiano"}},
    {"ja", {"日本語"}},
    {"ko", {"한국어"}},
    {"lt", {"lietuvių", "lietuviškai"}},
    {"lv", {"latviešu", "latviski"}},
    {"nb", {"norsk"}},
    {"nl", {"Nederlands"}},
    {"no", {"norsk"}},
    {"pl", {"polski", "polsku"}},
    {"pt", {"português", "portugues"}},
    {"ro", {"română", "romana", "românește"}},
    {"ru", {"русский", "русском", "русски"}},
    {"sk", {"slovenčina", "slovensky"}},
    {"sl", {"slovenščina", "slovensko"}},
    {"sv", {"svenska"}},
    {"th", {"ไทย", "ภาษาไทย"}},
    {"tr", {"Türkçe", "turkce"}},
    {"uk", {"українська", "українською"}},
    {"vi", {"tiếng việt"}},
    {"zh", {"中文", "普通话", "汉语", "国语"}},
};

bool tongue_same(const char *a, const char *b)
{
    size_t n = strcspn(a, "-_");
    return n > 0 && n == strcspn(b, "-_") && strncasecmp(a, b, n) == 0;
}

static const char *const *own_names(const char *code)
{
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (tongue_same(own[i].code, code)) return own[i].names;
    }
    return NULL;
}

const char *tongue_own_name(const char *code)
{
    const char *const *names = own_names(code);
    return names ? names[0] : NULL;
}

/* How many bytes of the text the name takes; 0: it does not stand there. */
static size_t named(const words_t *w, const char *text, const char *name)
{
    words_t parts;
    char phrase[128];
    size_t n = strlen(name);
    if (n == 0 || n >= sizeof phrase) return 0;
    /* Scripts without spaces, and those whose capitals we do not fold: as they are written. */
    if ((unsigned char)name[0] >= 0x80 && strstr(text, name)) return n;
    words_split(&parts, name);
    (void)words_join(&parts, 0, parts.count, phrase, sizeof phrase);
    if (n <= 2) return w->count == 1 && words_is(w, 0, phrase) ? n : 0;
    return phrase[0] && words_find(w, 0, phrase) != WORDS_NONE ? n : 0;
}

static size_t named_language(const words_t *w, const char *text, const Pl__Language *lang)
{
    size_t best = 0;
    const char *const *names = own_names(lang->short_code);
    for (size_t i = 0; names && i < NAMES && names[i]; i++) {
        size_t n = named(w, text, names[i]);
        if (n > best) best = n;
    }
    for (size_t i = 0; i < lang->n_pronunciations_en; i++) {
        size_t n = named(w, text, lang->pronunciations_en[i]);
        if (n > best) best = n;
    }
    return best;
}

int tongue_named(const Pl__Initiate *initiate, const char *text)
{
    words_t w;
    int best = TONGUE_NONE;
    size_t longest = 0;
    words_split(&w, text);
    for (size_t i = 0; i < initiate->n_lang_available; i++) {
        size_t n = named_language(&w, text, initiate->lang_available[i]);
        if (n <= longest) continue;
        longest = n;
        best = (int)i;
    }
    return best;
}

int tongue_meant(const Pl__Initiate *initiate, const char *text)
{
    char code[CODE_BYTES];
    snprintf(code, sizeof code, "%s", text);
    for (char *p = code; *p; p++) {
        if (*p == '_') *p = '-';
    }
    for (size_t i = 0; i < initiate->n_lang_available; i++) {
        if (strcasecmp(initiate->lang_available[i]->short_code, code) == 0) return (int)i;
    }
    int found = TONGUE_NONE;
    for (size_t i = 0; i < initiate->n_lang_available && !strchr(code, '-'); i++) {
        if (!tongue_same(initiate->lang_available[i]->short_code, code)) continue;
        if (found != TONGUE_NONE) return TONGUE_NONE; /* en-US or en-GB? */
        found = (int)i;
    }
    return found != TONGUE_NONE ? found : tongue_named(initiate, text);
}

bool tongue_asked(const char *text)
{
    static const char *const phrases[] = {
        "speak",          "talk",    "switch to",   "change to",
        "language",       "prefer",  "continue in", "parlez",
        "parler",         "parle",   "langue",      "continuer",
        "habla",          "hablar",  "hablas",      "idioma",
        "sprechen",       "sprich",  "sprache",     "parla",
        "parlare",        "lingua",  "fala",        "falar",
        "spreek",         "spreekt", "taal",        "mówić",
        "por favor",      "bitte",   "per favore",  "s il vous plaît",
        "sil vous plaît", "please",  NULL};
    words_t w;
    words_split(&w, text);
    return w.count <= 12 &&
           (words_has_any(&w, phrases) || strstr(text, "说") || strstr(text, "讲"));
}
