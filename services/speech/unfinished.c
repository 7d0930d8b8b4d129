#include "services/speech/unfinished.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { NUMBER_DIGITS = 7 }; /* the shortest telephone number */

static bool is_one_of(const char *word, size_t bytes, const char *const *list)
{
    for (; *list; list++) {
        if (strlen(*list) == bytes && memcmp(*list, word, bytes) == 0) return true;
    }
    return false;
}

/* A sentence does not end with these, in English. */
static const char *const hanging[] = {"and",  "or",   "but", "the", "my",   "a", "of",
                                      "with", "from", "to",  "dot", "plus", NULL};
static const char *const digits[] = {"zero", "oh",    "one",   "two",  "three", "four", "five",
                                     "six",  "seven", "eight", "nine", "plus",  "for",  NULL};
static const char *const tens[] = {"double", "ten",     "twenty", "thirty", "forty", "fifty",
                                   "sixty",  "seventy", "eighty", "ninety", NULL};
static const char *const triples[] = {"triple", "hundred", NULL};

uint32_t unfinished_ms(const char *text, Pl__Expect expect)
{
    const char *last = "";
    size_t last_bytes = 0, said = 0, words = 0;
    for (const char *at = text + strspn(text, " "); *at; at += strspn(at, " ")) {
        last = at;
        last_bytes = strcspn(at, " ");
        if (is_one_of(at, last_bytes, digits)) said += *at != 'p';
        if (is_one_of(at, last_bytes, tens)) said += 1;
        if (is_one_of(at, last_bytes, triples)) said += 2;
        words++;
        at += last_bytes;
    }
    bool few = expect == PL__EXPECT__DIGITS && said > 0 && said < NUMBER_DIGITS;
    bool hangs = words > 1 && is_one_of(last, last_bytes, hanging);
    return few || hangs ? UNFINISHED_MS : 0;
}
