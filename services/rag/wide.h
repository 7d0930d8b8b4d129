/* wide.h - characters of the scripts that are searched by pairs: Chinese, Japanese, Korean, and
 * others that write no blanks between words.
 *
 * Pure; no threads. Source: the Unicode Character Database's blocks.
 */
#ifndef RAG_WIDE_H
#define RAG_WIDE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum {
    WIDE_NONE,
    WIDE_HAN,
    WIDE_HIRAGANA,
    WIDE_KATAKANA,
    WIDE_HANGUL,
    WIDE_OTHER, /* Thai, Lao, Khmer, Burmese */
} wide_t;

/* Of the character text begins with. */
wide_t wide_class(const char *text, size_t bytes);

/* Its length: 1 to 4, never beyond bytes; bytes must not be 0. */
size_t wide_length(const char *text, size_t bytes);

/* Does it stand for a function word of that language, and so part what stands around it? Of Chinese,
 * when lang is Chinese or not told. */
bool wide_is_function(const char *text, size_t bytes, const char *lang);

#endif
