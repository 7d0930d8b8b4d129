#include "services/dialogue/model/same.h"

#include <string.h>

#include "services/dialogue/model/letters.h"

/* Small letters where there are any: enough of Unicode's folding for one text said twice. */
static uint32_t fold(uint32_t c)
{
    if (!letter_is_upper(c)) return c;
    if (c < 0x80 || (c >= 0xC0 && c <= 0xDE) || (c >= 0x391 && c <= 0x3AB) ||
        (c >= 0x410 && c <= 0x42F))
        return c + 0x20;
    if (c >= 0x400 && c < 0x410) return c + 0x50;
    return c + 1;
}

/* The next letter or digit of the text, folded; 0 at its end. */
static uint32_t next_letter(const char **text)
{
    size_t len = 0;
    while (**text) {
        uint32_t c = letter_at(*text, strnlen(*text, 4), &len);
        *text += len;
        if (letter_is_alpha(c) || letter_is_digit(c)) return fold(c);
    }
    return 0;
}

bool same_words(const char *a, const char *b)
{
    for (;;) {
        uint32_t x = next_letter(&a);
        if (x != next_letter(&b)) return false;
        if (x == 0) return true;
    }
}

bool same_beginning(const char *a, const char *b)
{
    for (;;) {
        uint32_t y = next_letter(&b);
        if (y == 0) return true;
        if (next_letter(&a) != y) return false;
    }
}

size_t same_count(const char *text)
{
    size_t count = 0;
    while (next_letter(&text)) count++;
    return count;
}
