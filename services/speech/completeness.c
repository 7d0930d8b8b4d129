#include "services/speech/completeness.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "services/speech/backchannel.h"

enum {
    WORDS_MAX = 128, /* the last ones decide */
    WORD_BYTES = 32,
    NUMBER_DIGITS = 10,      /* a telephone number as people say it at home */
    NUMBER_PLUS_DIGITS = 11, /* with its country, "plus" */
    ANSWER_WORDS = 3,        /* of yes or no and some politeness */
};

typedef struct {
    char text[WORDS_MAX][WORD_BYTES]; /* lower case, without marks at their ends */
    size_t count;
    bool closed; /* the text ends with a mark that ends a sentence */
} words_t;

/* Words are parted by spaces here, so that one string is one list. */
typedef struct {
    const char *lang;
    const char *hanging; /* no sentence ends with these */
    const char *closing; /* nothing follows these */
    const char *digits, *tens, *triples;
    const char *yes_no;
} language_t;

static const language_t languages[] = {
    {"en",
     "and or but the my a an of with from to dot plus is because at on in for that if so i'm it's",
     "please thanks goodbye bye", "zero oh o one two three four five six seven eight nine for",
     "double ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen "
     "twenty "
     "thirty forty fifty sixty seventy eighty ninety",
     "triple hundred", "yes yeah yep no nope correct right exactly sure okay ok absolutely wrong"},
    {"fr",
     "et ou mais le la les mon ma mes un une de du des avec à au point plus est parce que pour si "
     "dans "
     "sur c'est",
     "merci revoir s'il-vous-plaît", "zéro un une deux trois quatre cinq six sept huit neuf",
     "dix onze douze treize quatorze quinze seize vingt trente quarante cinquante soixante "
     "soixante-dix quatre-vingt quatre-vingts quatre-vingt-dix",
     "cent", "oui ouais non exact exactement correct voilà d'accord faux"},
    {"es", "y o pero el la los las mi un una de del con a al punto más es porque que para si en",
     "gracias adiós favor", "cero uno una dos tres cuatro cinco seis siete ocho nueve",
     "diez once doce trece catorce quince veinte treinta cuarenta cincuenta sesenta setenta "
     "ochenta "
     "noventa",
     "cien ciento", "sí si no correcto exacto claro vale"},
    {"de",
     "und oder aber der die das mein meine ein eine von mit aus zu punkt plus ist weil dass für "
     "wenn "
     "in auf am",
     "danke bitte tschüss wiederhören",
     "null eins ein zwei zwo drei vier fünf sechs sieben acht neun",
     "zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig "
     "dreißig "
     "vierzig fünfzig sechzig siebzig achtzig neunzig",
     "hundert", "ja nein genau richtig stimmt falsch nee"},
    {"zh", "和 或 但是 因为 的", "谢谢 再见", "零 一 二 三 四 五 六 七 八 九 幺", "十", "百",
     "是 是的 不是 对 不对 好 好的"},
};

static const language_t *language(const char *lang)
{
    for (size_t i = 0; i < sizeof languages / sizeof *languages; i++) {
        if (strncmp(lang, languages[i].lang, 2) == 0) return &languages[i];
    }
    return &languages[0];
}

static bool in(const char *word, const char *list)
{
    size_t bytes = strlen(word);
    for (const char *at = list; *at && bytes > 0; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        if (length == bytes && memcmp(at, word, bytes) == 0) return true;
        at += length;
    }
    return false;
}

static bool is_mark(char c)
{
    return c != '\0' && strchr(".,!?;:\"()", c);
}

static void add_word(words_t *w, const char *at, size_t bytes)
{
    w->closed = bytes > 0 && strchr(".!?", at[bytes - 1]);
    while (bytes > 0 && is_mark(at[bytes - 1])) bytes--;
    while (bytes > 0 && is_mark(*at)) {
        at++;
        bytes--;
    }
    if (bytes == 0) return;
    if (w->count == WORDS_MAX) {
        w->count--;
        memmove(w->text[0], w->text[1], sizeof w->text[0] * w->count);
    }
    if (bytes >= WORD_BYTES) bytes = WORD_BYTES - 1;
    char *word = w->text[w->count++];
    for (size_t i = 0; i < bytes; i++)
        word[i] = at[i] >= 'A' && at[i] <= 'Z' ? (char)(at[i] + 'a' - 'A') : at[i];
    word[bytes] = '\0';
}

static void split(words_t *w, const char *text)
{
    w->count = 0;
    w->closed = false;
    for (const char *at = text + strspn(text, " \n"); *at; at += strspn(at, " \n")) {
        size_t bytes = strcspn(at, " \n");
        add_word(w, at, bytes);
        at += bytes;
    }
}

/* ---- telephone numbers ---- */

static unsigned figures(const char *word)
{
    unsigned count = 0;
    for (; *word; word++) count += isdigit((unsigned char)*word) != 0;
    return count;
}

static completeness_t number(const words_t *w, const language_t *l)
{
    unsigned said = 0;
    bool plus = false;
    for (size_t i = 0; i < w->count; i++) {
        const char *word = w->text[i];
        said += figures(word);
        if (in(word, l->digits) || in(word, l->tens)) said += 1;
        if (in(word, l->triples)) said += 2;
        plus |= in(word, "plus más") || *word == '+';
    }
    if (said == 0) return COMPLETE_OPEN;
    unsigned whole = plus ? NUMBER_PLUS_DIGITS : NUMBER_DIGITS;
    return said >= whole ? COMPLETE_ANSWER : COMPLETE_NOT;
}

/* ---- addresses and spelled words ---- */

static bool is_letter(const char *word)
{
    return word[0] != '\0' && word[1] == '\0' && isalpha((unsigned char)word[0]);
}

static completeness_t spelling(const words_t *w)
{
    bool at = false;
    bool domain = false; /* a word after a dot after the at */
    size_t letters = 0;
    for (size_t i = 0; i < w->count; i++) {
        const char *word = w->text[i];
        letters += is_letter(word);
        at |= in(word, "at arobase arroba") || strchr(word, '@');
        bool after_dot = i > 0 && in(w->text[i - 1], "dot point punto punkt");
        const char *sign = strchr(word, '@');
        domain |= at && ((after_dot && !is_letter(word)) || (sign && strchr(sign, '.')));
    }
    if (domain) return COMPLETE_ANSWER;
    bool dots = false;
    for (size_t i = 0; i < w->count; i++) dots |= in(w->text[i], "dot point punto punkt");
    if (at || dots) return COMPLETE_NOT;
    return letters >= 2 && is_letter(w->text[w->count - 1]) ? COMPLETE_NOT : COMPLETE_OPEN;
}

/* ---- the rest ---- */

static completeness_t yes_or_no(const words_t *w, const language_t *l)
{
    if (w->count > ANSWER_WORDS || !in(w->text[0], l->yes_no)) return COMPLETE_OPEN;
    for (size_t i = 1; i < w->count; i++) {
        if (!in(w->text[i], l->yes_no) && !in(w->text[i], l->closing) &&
            !in(w->text[i], "that is that's it thank you"))
            return COMPLETE_OPEN;
    }
    const char *last = w->text[w->count - 1];
    return in(last, "that is it thank") ? COMPLETE_OPEN : COMPLETE_ANSWER;
}

static bool hangs(const words_t *w, const language_t *l)
{
    return w->count > 1 && !w->closed && in(w->text[w->count - 1], l->hanging);
}

static bool ends_like_a_sentence(const words_t *w, const language_t *l)
{
    const char *last = w->text[w->count - 1];
    if (w->closed) return true;
    if (in(last, l->closing)) return true;
    return w->count > 1 && in(last, "you all it") && in(w->text[w->count - 2], "thank that's");
}

static bool is_mark_of_chinese(const char *text)
{
    size_t bytes = strlen(text);
    return bytes >= 3 &&
           (strcmp(text + bytes - 3, "。") == 0 || strcmp(text + bytes - 3, "？") == 0);
}

completeness_t completeness(const char *text, const char *lang, Pl__Expect expect)
{
    const language_t *l = language(lang);
    words_t w;
    split(&w, text);
    if (w.count == 0) return COMPLETE_NOTHING;
    completeness_t by_kind = COMPLETE_OPEN;
    switch (expect) {
    case PL__EXPECT__DIGITS:
        by_kind = number(&w, l);
        break;
    case PL__EXPECT__SPELLING:
        by_kind = spelling(&w);
        break;
    case PL__EXPECT__YES_NO:
        by_kind = yes_or_no(&w, l);
        break;
    case PL__EXPECT__ANYTHING:
    case PL__EXPECT__DATE_TIME:
    case _PL__EXPECT_IS_INT_SIZE:
        break;
    }
    if (by_kind != COMPLETE_OPEN) return by_kind;
    if (hangs(&w, l)) return COMPLETE_NOT;
    bool closed = ends_like_a_sentence(&w, l) || is_mark_of_chinese(text);
    return closed ? COMPLETE_SENTENCE : COMPLETE_OPEN;
}
