#include "services/rag/query.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "services/rag/encoding.h"

/* Words that stand in any question: function words, and what people say around their question on
 * the telephone. Each list begins and ends with a blank, and holds no diacritics' variants. */
static const char english[] =
    " a about actually after again all also am an and any anything are as ask at be because been"
    " before being but by bye call called calling can cannot could d did didn do does doesn doing"
    " don done exactly few for from get getting give go goes going good got had has have having"
    " he hello help her here hey hi him his how i if in into is isn it its just kind know let"
    " like ll looking m make many may maybe me might more much must my myself need needed needs"
    " no not now of off oh ok okay on one only or often other our out over please question quite re"
    " really right s said say see she should since so some somebody someone something sort such "
    "sure t"
    " take tell than thank thanks that the their them then there these they thing things think"
    " this those to today too try trying uh um until up us ve very want wanted wants was we well"
    " were what whats when where whether which while who why will with wonder wondering would yes"
    " yet you your yours ";
static const char french[] =
    " a ai alors as au aucun aussi autre aux avec avez avoir avons bien bonjour c ça ce cela ces"
    " cet cette comme comment d dans de des dire dites dois donc du elle en est et être eu fait"
    " faire faut il ils j je l la le les leur lui m ma mais me merci mes moi mon n ne non nos"
    " notre nous on ont ou où oui par pas peux plus pour pourquoi pouvez puis qu quand que quel"
    " quelle quelles quels qui quoi s sa sais savoir se ses si son sont suis sur t ta te tes toi"
    " ton tout tu un une veux voudrais votre vos vous y ";
static const char spanish[] =
    " a al algo buenas buenos como con cómo cuál cuándo cuánto de del desde dígame dónde e el"
    " ella ellos en era es esa ese eso esta está este esto estoy favor fue gracias ha hay he hola"
    " la las le les lo los me mi mis más muy necesito no nos nosotros o para pero por porque"
    " puede puedo pues que quiero quién qué saber se ser si sin sobre son soy su sus sí también te"
    " tengo tiene tu un una unos usted y ya yo ";
static const char german[] =
    " aber alle als am an auch auf aus bei bin bis bitte da danke das dass de dem den der des die"
    " dies diese doch du ein eine einem einen einer er es etwas für gibt guten habe haben hallo"
    " hat ich ihr im in ist ja kann kein können man mein meine mich mir mit möchte nach nein nicht"
    " noch nur ob oder ohne sagen schon sein sich sie sind so tag über um und uns vom von vor wann"
    " war was weil wenn wer werden wie wir wird wissen wo zu zum zur ";

static const char *stop_words(const char *lang)
{
    static const struct {
        const char *code;
        const char *words;
    } lists[] = {{"fr", french}, {"es", spanish}, {"de", german}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        if (lang && strncmp(lang, lists[i].code, 2) == 0) return lists[i].words;
    }
    return english;
}

static bool is_stop_word(const char *stop, const char *word)
{
    char framed[QUERY_WORD_BYTES + 2];
    (void)snprintf(framed, sizeof framed, " %s ", word);
    return strstr(stop, framed) != NULL;
}

/* Letters and digits of ASCII, and whatever is beyond: the index's tokenizer knows these better. */
static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80;
}

static bool is_known(const query_t *self, const char *word)
{
    for (size_t i = 0; i < self->words; i++) {
        if (strcmp(self->word[i], word) == 0) return true;
    }
    return false;
}

static size_t count_chars(const char *word)
{
    size_t chars = 0;
    for (; *word; word++) chars += ((unsigned char)*word & 0xc0) != 0x80;
    return chars;
}

static void add_word(query_t *self, const char *text, size_t bytes, const char *stop)
{
    char word[QUERY_WORD_BYTES];
    if (bytes >= sizeof word || self->words >= QUERY_WORDS) return;
    for (size_t i = 0; i < bytes; i++)
        word[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] - 'A' + 'a' : text[i]);
    word[bytes] = '\0';
    if (!utf8_valid(word, bytes) || is_stop_word(stop, word) || is_known(self, word)) return;
    memcpy(self->word[self->words++], word, bytes + 1);
}

static void make_expression(query_t *self)
{
    size_t size = 0;
    self->expression[0] = '\0';
    for (size_t i = 0; i < self->words; i++) {
        int written = snprintf(self->expression + size, sizeof self->expression - size,
                               "%s\"%s\"%s", i > 0 ? " OR " : "", self->word[i],
                               count_chars(self->word[i]) >= QUERY_PREFIX_CHARS ? " *" : "");
        size += (size_t)written;
    }
}

size_t query_parse(query_t *out, const char *text, const char *lang)
{
    const char *stop = stop_words(lang);
    size_t bytes = strnlen(text, QUERY_TEXT_BYTES);
    out->words = 0;
    for (size_t at = 0; at < bytes;) {
        size_t end = at;
        while (end < bytes && is_word(text[end])) end++;
        if (end > at) add_word(out, text + at, end - at, stop);
        at = end > at ? end : at + 1;
    }
    make_expression(out);
    return out->words;
}
