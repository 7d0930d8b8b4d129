#include "services/dialogue/model/abbreviation.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "services/dialogue/model/letters.h"

/* Lists are separated by single spaces. Titles and the like are followed by a name or a thing. */
typedef struct {
    const char *lang; /* its first two letters; "" for all */
    const char *words;
} list_t;

static const list_t lists[] = {
    {"", "dr prof mr mrs ms mme mlle sr sra srta hr fr ing dipl st ste vs cf ca approx incl resp "
         "bzw evtl ggf inkl zzgl usw vgl sog geb str tel nr art abs bd pág núm av avda apt blvd rd "
         "ave rev hon gen col capt lt sgt maj cmdr messrs dept univ assn bros jr esq"},
    {"en", "e.g i.e eg ie u.s u.k no nos fig figs vol pp op est min max temp ext inc ltd co corp "
           "jan feb mar apr jun jul aug sep sept oct nov dec"},
    {"fr", "m mm pr env p.ex ex c.-à-d c.à.d n° boul chap éd réf tél janv févr juil sept oct nov "
           "déc"},
    {"es", "d dña dr dra ud uds vd vds p.ej ej ee.uu aprox núm pag tfno admón dpto izq dcha cía"},
    {"de", "z.b d.h u.a u.u s.o o.ä i.d.r m.e z.t std min mio mrd jh okt dez jan feb apr aug sept "
           "nov med phil rer nat allg bes einschl entspr gem lt max mind"},
    {"it", "sig sigg dott avv ecc es pag tel geom arch prof ing"},
    {"pt", "sr sra dr dra ex av tel pág núm aprox"},
    {"nl", "dhr mevr bijv m.b.v o.a d.w.z nr tel blz ca"},
};

static bool listed(const char *list, const char *word, size_t n)
{
    for (const char *at = list; *at;) {
        size_t len = strcspn(at, " ");
        if (len == n && strncasecmp(at, word, n) == 0) return true;
        at += len;
        at += *at == ' ';
    }
    return false;
}

/* "e.g", "z.B", "U.S.A": single letters with stops between. */
static bool dotted(const char *word, size_t n)
{
    bool stop = false;
    size_t len = 0;
    for (size_t i = 0; i < n; i += len) {
        uint32_t c = letter_at(word + i, n - i, &len);
        if (!letter_is_alpha(c)) return false;
        if (i + len == n) return stop;
        if (word[i + len] != '.') return false;
        stop = true;
        len++;
    }
    return false;
}

bool abbreviation(const char *word, size_t n, const char *lang)
{
    /* Half of the day often ends a sentence. */
    if (listed("a.m p.m etc", word, n)) return false;
    if (dotted(word, n)) return true;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        bool speaks = !lists[i].lang[0] || strncasecmp(lists[i].lang, lang, 2) == 0;
        if (speaks && listed(lists[i].words, word, n)) {
            /* "No." and "Co." are words too: only with a number behind, which is asked elsewhere. */
            return !listed("no nos", word, n);
        }
    }
    return false;
}

bool abbreviation_of_number(const char *word, size_t n)
{
    return listed("no nos nr n° núm num p pp pag pág art abs fig vol ch chap sec tel tél ext apt "
                  "ver v",
                  word, n);
}

bool abbreviation_ordinals(const char *lang)
{
    static const char languages[] = "de da nb nn no fi cs sk sl hr sr hu et lv is tr";
    for (const char *at = languages; *at; at += 3) {
        if (strncasecmp(at, lang, 2) == 0) return true;
        if (strlen(at) < 3) break;
    }
    return false;
}
