#include "services/rag/query.h"

#include <stdio.h>
#include <string.h>

#include "services/rag/wide.h"

/* Words that stand in any question: function words, and what people say around their question on
 * the telephone. Each list begins and ends with a blank. */
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

static const char italian[] =
    " a ai al alla alle anche avere buongiorno c che chi ci ciao come con cosa cui da dal dalla dei"
    " del della delle di dove e ed è era gli grazie ha hanno ho i il in io la le lo ma mi mia mio"
    " nel nella no non o per perché più posso può quale quali quando quanto quello questa questo"
    " salve se senza si sì sono sta su sua suo tra un una uno vorrei ";
static const char portuguese[] =
    " a à ao aos as até boa bom com como da das de dela dele do dos e é ela ele em entre era essa"
    " esse esta está este eu favor foi há isso já lhe mais mas me meu minha muito na não nas no nos"
    " o obrigada obrigado olá onde os ou para pela pelo pode podem por porque posso qual quais"
    " quando que quem quero se sem ser seu sim sobre sua são também tem tenho um uma você ";
static const char dutch[] =
    " aan al als bent bij dag dan dank dat de der deze die dit doen dus een en er graag geen had"
    " hallo heb hebben heeft het hij hoe hoeveel ik in is ja je jij kan kunnen kunt maar me met mij"
    " mijn moet naar nee niet nog nu of om ook op over te tot u uit uw van voor waar wanneer was "
    "wat"
    " we welke wel wie wil wij word wordt ze zij zijn zo ";
static const char russian[] =
    " а без бы был была были было быть в вам вас ваш во вот все вы где да для до его ее если есть"
    " же за здравствуйте и из или им их к как какая какие какой когда который кто ли меня мне могу"
    " можно мой моя мы на нам нас не него нет но ну о об он она они от по пожалуйста при с со"
    " сколько спасибо так также там то тоже только у уже хочу что чтобы это этот я ";

static const char *stop_words(const char *lang)
{
    static const struct {
        const char *code;
        const char *words;
    } lists[] = {{"en", english}, {"fr", french},     {"es", spanish}, {"de", german},
                 {"it", italian}, {"pt", portuguese}, {"nl", dutch},   {"ru", russian}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        if (strncmp(lang, lists[i].code, 2) == 0) return lists[i].words;
    }
    return " ";
}

static bool is_stop_word(const char *stop, const char *word)
{
    char framed[LEXICON_TERM_BYTES + 2];
    (void)snprintf(framed, sizeof framed, " %s ", word);
    return strstr(stop, framed) != NULL;
}

typedef struct {
    query_t *out;
    const char *stop;
    bool weak[QUERY_WORDS];
    bool strong; /* there is a word that is not weak */
} parse_t;

static size_t count_chars(const char *word)
{
    size_t chars = 0;
    for (; *word; word++) chars += ((unsigned char)*word & 0xc0) != 0x80;
    return chars;
}

static bool is_known(const query_t *self, const char *term)
{
    for (size_t i = 0; i < self->count; i++) {
        if (strcmp(self->words[i].term, term) == 0) return true;
    }
    return false;
}

static void take(void *arg, const lexicon_word_t *word)
{
    parse_t *self = arg;
    query_t *out = self->out;
    if (out->count >= QUERY_WORDS || is_stop_word(self->stop, word->word)) return;
    if (is_known(out, word->term)) return;
    query_word_t *to = &out->words[out->count];
    (void)snprintf(to->term, sizeof to->term, "%s", word->term);
    bool wide = wide_class(word->term, strlen(word->term)) != WIDE_NONE;
    to->beginning = word->beginning || (!wide && count_chars(word->term) >= QUERY_BEGINNING_CHARS);
    self->weak[out->count++] = word->weak;
    self->strong |= !word->weak;
}

static void drop_weak(parse_t *self)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->out->count; i++) {
        if (!self->weak[i]) self->out->words[kept++] = self->out->words[i];
    }
    self->out->count = kept;
}

size_t query_parse(query_t *out, lexicon_t *lexicon, const char *text, const char *lang)
{
    parse_t parse = {.out = out, .stop = stop_words(*lang ? lang : "en")};
    out->count = 0;
    lexicon_query(lexicon, text, strnlen(text, QUERY_TEXT_BYTES), *lang ? lang : "en", take,
                  &parse);
    if (parse.strong) drop_weak(&parse);
    return out->count;
}
