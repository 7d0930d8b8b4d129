#include "services/speech/heard.h"

#include <ctype.h>
#include <stdbool.h>
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

/* Letters, figures and what holds them together. Others, Chinese ones too, may be parted anywhere
 * between two characters. */
static bool holds(char c)
{
    return isalnum((unsigned char)c) || (c != '\0' && strchr("@._+-'/:", c));
}

static bool within_word(const char *text, size_t at)
{
    if (((unsigned char)text[at] & 0xc0) == 0x80) return true; /* within a character */
    if (!holds(text[at - 1]) || !holds(text[at])) return false;
    return isalnum((unsigned char)text[at]) || isalnum((unsigned char)text[at + 1]);
}

size_t heard_whole_words(const char *text, size_t bytes)
{
    size_t all = strlen(text);
    if (bytes >= all) return all;
    while (bytes > 0 && within_word(text, bytes)) bytes--;
    while (bytes > 0 && isspace((unsigned char)text[bytes - 1])) bytes--;
    return bytes;
}
