#include "services/speech/clause.h"

#include <stdbool.h>
#include <string.h>

/* A mark that people pause at, when a space follows: not the dot or comma in a number. */
static bool is_mark(const char *text, size_t i)
{
    return strchr(",;:.!?", text[i]) && (text[i + 1] == ' ' || text[i + 1] == '\n');
}

size_t clause_bytes(const char *text)
{
    size_t all = strlen(text);
    if (all <= CLAUSE_WHOLE_BYTES) return all;
    size_t space = 0;
    for (size_t i = CLAUSE_LEAST_BYTES; i < all - 1; i++) {
        if (is_mark(text, i) && all - i > CLAUSE_LEAST_BYTES) return i + 1;
        if (text[i] == ' ') space = i;
        if (i < CLAUSE_MOST_BYTES) continue;
        if (space > 0) return space;
        /* No space at all: between two characters, wherever they begin. */
        if (((unsigned char)text[i] & 0xc0) != 0x80) return i;
    }
    return all;
}
