#include "services/speech/heard.h"

#include <ctype.h>
#include <string.h>

enum { LETTER_MS = 62 }; /* about 150 words a minute */

/* Letters and digits take time; so do marks that make a pause, a little more. */
static uint32_t weight(unsigned char c)
{
    if (isspace(c)) return 0;
    if ((c & 0xc0) == 0x80) return 0; /* the rest of a UTF-8 character */
    return 1;
}

static uint32_t weight_of(const char *text, size_t bytes)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < bytes; i++) sum += weight((unsigned char)text[i]);
    return sum;
}

uint32_t heard_guess_ms(const char *text)
{
    return weight_of(text, strlen(text)) * LETTER_MS;
}

size_t heard_bytes(const char *text, uint32_t heard_ms, uint32_t total_ms)
{
    size_t all = strlen(text);
    if (heard_ms >= total_ms) return all;
    uint64_t played = (uint64_t)weight_of(text, all) * heard_ms;
    uint64_t said = 0;
    size_t end = 0, at = 0;
    while (at < all) {
        size_t word = at + strspn(text + at, " \t\r\n");
        size_t stop = word + strcspn(text + word, " \t\r\n");
        said += weight_of(text + word, stop - word);
        if (stop == word || said * total_ms > played) break;
        end = at = stop;
    }
    return end;
}
