/* tokens.c - llm_tokens: how many tokens a text may be, without the model's tokenizer. */
#include <ctype.h>
#include <stdbool.h>

#include "services/dialogue/llm/llm.h"

enum {
    LETTERS_A_TOKEN = 4,
    ASCII_MOST = 0x7f,
    TWO_BYTES = 0xc2,
    THREE_BYTES = 0xe0,
    FOUR_BYTES = 0xf0
};

/* Counted in halves. Letters go four to a token and a word is at least one, as do digits three to a
 * token in the tokenizers of OpenAI but one by one in others; marks are one each; a letter with an
 * accent is one; a Chinese or Japanese character one and a half; an emoji three. */
uint32_t llm_tokens(const char *text)
{
    uint64_t halves = 0;
    unsigned letters = 0;
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (isalpha(*c) && *c <= ASCII_MOST) {
            if (letters++ % LETTERS_A_TOKEN == 0) halves += 2;
            continue;
        }
        letters = 0;
        if (*c >= FOUR_BYTES) {
            halves += 6;
        } else if (*c >= THREE_BYTES) {
            halves += 3;
        } else if (*c >= TWO_BYTES || (*c <= ASCII_MOST && *c != ' ')) {
            halves += 2;
        } /* a blank belongs to the word after it; the rest of a character to its first byte */
    }
    uint64_t tokens = (halves + 1) / 2;
    return tokens < UINT32_MAX ? (uint32_t)tokens : UINT32_MAX;
}
