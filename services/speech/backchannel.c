#include "services/speech/backchannel.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 256 }; /* longer texts are no backchannel */

typedef struct {
    const char *lang;
    const char *const *sounds;    /* never an answer */
    const char *const *agreement; /* an answer where yes or no is expected */
    const char *const *scraps;    /* an answer where figures or letters are */
    const char *const *urgent;    /* said to take the floor */
} list_t;

static const char *const en_sounds[] = {"mhm", "mm",     "mmm", "mmhmm", "mmhm", "hm",
                                        "hmm", "uh huh", "uh",  "um",    "er",   "erm",
                                        "ah",  "aha",    "oh",  "huh",   "ahem", NULL};
/* What a recogniser makes of a cough or a breath, and nobody says alone. Where figures are expected
 * some of them are one. */
static const char *const en_scraps[] = {"a",  "an", "the", "of",  "or",   "for",   "and",    "to",
                                        "in", "on", "her", "are", "were", "we're", "you're", "ooh",
                                        "it", "is", "as",  "at",  "i",    "he",    NULL};
static const char *const en_agreement[] = {
    "ok",      "okay", "k",   "right",     "all right", "alright", "yeah",    "yep",
    "yes",     "sure", "yup", "i see",     "got it",    "good",    "great",   "fine",
    "exactly", "cool", "oh",  "of course", "very good", "perfect", "go on",   "true",
    "correct", "well", "so",  "i know",    "thank you", "thanks",  "uh yeah", NULL};
static const char *const fr_sounds[] = {"mhm", "mm", "hm",  "hmm", "hum", "euh",  "heu",
                                        "ah",  "oh", "aha", "bah", "ben", "hein", NULL};
static const char *const fr_agreement[] = {
    "ok",        "okay",     "oui",   "ouais",      "ouaip",    "d'accord", "d accord",     "bien",
    "très bien", "bon",      "voilà", "je vois",    "entendu",  "c'est ça", "c'est bon",    "exact",
    "parfait",   "bien sûr", "si",    "exactement", "d’accord", "merci",    "je comprends", NULL};
static const char *const es_sounds[] = {"mhm", "mm", "hm", "hmm", "eh",  "em", "ah",
                                        "oh",  "ay", "uh", "ajá", "aja", NULL};
static const char *const es_agreement[] = {
    "ok",       "okay",   "sí",       "si",       "vale",     "claro",
    "ya",       "bueno",  "bien",     "muy bien", "entiendo", "de acuerdo",
    "correcto", "exacto", "perfecto", "gracias",  "ya veo",   NULL};
static const char *const de_sounds[] = {"mhm", "mm", "hm",  "hmm", "äh",  "ähm", "öh",
                                        "ah",  "oh", "aha", "na",  "tja", NULL};
static const char *const de_agreement[] = {
    "ok",    "okay",       "ja",        "jap",          "genau",    "gut",
    "klar",  "alles klar", "verstehe",  "stimmt",       "richtig",  "ach so",
    "achso", "schön",      "perfekt",   "ich verstehe", "sehr gut", "na klar",
    "danke", "jawohl",     "natürlich", "in ordnung",   NULL};
static const char *const zh_sounds[] = {"嗯", "唔", "哦", "噢", "喔", "啊", "呃", "额", NULL};
static const char *const zh_agreement[] = {"好的", "好",   "对",   "對",   "是的",   "是",
                                           "行",   "可以", "了解", "明白", "知道了", "没错",
                                           "沒錯", "谢谢", "ok",   "okay", NULL};

/* None that a recogniser likes to make of a breath. */
static const char *const en_urgent[] = {"no",     "nope",   "stop",      "wait",  "hold",
                                        "pardon", "sorry",  "excuse me", "hang",  "shut",
                                        "quiet",  "repeat", "human",     "agent", NULL};
static const char *const fr_urgent[] = {"non",     "stop",       "attendez", "attends",
                                        "arrêtez", "arrête",     "pardon",   "excusez",
                                        "répétez", "conseiller", NULL};
static const char *const es_urgent[] = {"no",       "pare",       "para",    "alto",
                                        "espere",   "perdón",     "perdone", "repita",
                                        "disculpe", "un momento", NULL};
static const char *const de_urgent[] = {"nein",   "nee",    "stopp",          "stop",   "halt",
                                        "warten", "moment", "entschuldigung", "falsch", NULL};
static const char *const zh_urgent[] = {"不", "停", "等", "错", "慢点", "再说", NULL};
static const char *const no_words[] = {NULL};

static const list_t lists[] = {
    {"en", en_sounds, en_agreement, en_scraps, en_urgent},
    {"fr", fr_sounds, fr_agreement, no_words, fr_urgent},
    {"es", es_sounds, es_agreement, no_words, es_urgent},
    {"de", de_sounds, de_agreement, no_words, de_urgent},
    {"zh", zh_sounds, zh_agreement, no_words, zh_urgent},
};

static const list_t *list_of(const char *lang)
{
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        if (strncmp(lang, lists[i].lang, 2) == 0 && (lang[2] == '\0' || lang[2] == '-'))
            return &lists[i];
    }
    return &lists[0];
}

size_t words_count(const char *text)
{
    size_t count = 0;
    for (const char *at = text + strspn(text, " "); *at; at += strspn(at, " ")) {
        at += strcspn(at, " ");
        count++;
    }
    return count;
}

static const char *after_words(const char *text, size_t skip)
{
    const char *at = text + strspn(text, " ");
    while (*at && skip-- > 0) {
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    return at;
}

/* Marks of Chinese text, three bytes each. */
static bool is_wide_mark(const char *at)
{
    static const char *const marks[] = {"，", "。", "！", "？", "、", "…", "～", NULL};
    for (const char *const *m = marks; *m; m++) {
        if (strncmp(at, *m, strlen(*m)) == 0) return true;
    }
    return false;
}

/* Lower case, marks gone: "Mm-hmm, OK." becomes "mm hmm ok". False: too long. */
static bool plain(const char *text, char out[TEXT_BYTES])
{
    size_t n = 0;
    for (const char *at = text; *at; at++) {
        char c = *at;
        if (n + 1 >= TEXT_BYTES) return false;
        if (is_wide_mark(at)) {
            at += 2;
            continue;
        }
        if (c == '-') c = ' ';
        if (strchr(".,!?;:\"", c)) continue;
        out[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
    }
    out[n] = '\0';
    return true;
}

static bool is_letter_byte(char c)
{
    return c != '\0' && c != ' ';
}

/* Bytes of the longest phrase of the list at that place; 0: none. Chinese has no spaces. */
static size_t phrase(const char *at, const char *const *list, bool spaces)
{
    size_t best = 0;
    for (; *list; list++) {
        size_t bytes = strlen(*list);
        if (bytes <= best || strncmp(at, *list, bytes) != 0) continue;
        if (spaces && is_letter_byte(at[bytes])) continue;
        best = bytes;
    }
    return best;
}

typedef struct {
    const char *const *sounds, *const *agreement, *const *scraps;
    bool spaces;
} look_for_t;

/* Bytes of the longest of them at that place. */
static size_t aside(const char *at, const look_for_t *what)
{
    size_t sound = phrase(at, what->sounds, what->spaces);
    size_t agreed = phrase(at, what->agreement, what->spaces);
    size_t scrap = phrase(at, what->scraps, what->spaces);
    size_t best = sound > agreed ? sound : agreed;
    return best > scrap ? best : scrap;
}

/* Does one of them stand anywhere in the words? */
static bool stands(const char *words, const char *const *list, bool spaces)
{
    for (const char *at = words; *at; at++) {
        bool begins = !spaces || at == words || at[-1] == ' ';
        if (begins && phrase(at, list, spaces)) return true;
    }
    return false;
}

words_kind_t words_kind(const char *text, size_t skip, const char *lang, Pl__Expect expect)
{
    const list_t *list = list_of(lang);
    bool words_wanted = expect == PL__EXPECT__ANYTHING || expect == PL__EXPECT__YES_NO;
    look_for_t what = {list->sounds, expect == PL__EXPECT__YES_NO ? no_words : list->agreement,
                       words_wanted ? list->scraps : no_words, strcmp(list->lang, "zh") != 0};
    char words[TEXT_BYTES];
    const char *rest = after_words(text, skip);
    if (!*rest) return WORDS_NONE;
    if (!plain(rest, words)) return WORDS_REAL;
    bool answers = expect == PL__EXPECT__YES_NO && stands(words, list->agreement, what.spaces);
    if (answers || stands(words, list->urgent, what.spaces)) return WORDS_URGENT;
    size_t count = 0;
    for (const char *at = words + strspn(words, " "); *at; at += strspn(at, " ")) {
        size_t bytes = aside(at, &what);
        if (bytes == 0 || ++count > BACKCHANNEL_WORDS_MAX) return WORDS_REAL;
        at += bytes;
    }
    return count > 0 ? WORDS_BACKCHANNEL : WORDS_NONE;
}
