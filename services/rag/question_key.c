#include "services/rag/question_key.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/rag/query.h"

static bool is_kept(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

/* Writes text's words with one blank between; returns their length. More than is searched for is
 * not looked at. */
static size_t put_text(char *out, const char *text)
{
    size_t size = 0;
    bool blank = false;
    size_t bytes = strnlen(text, QUERY_TEXT_BYTES);
    for (size_t i = 0; i < bytes; i++) {
        char c = text[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        if (!is_kept(c)) {
            blank = true;
            continue;
        }
        if (blank && size > 0) out[size++] = ' ';
        blank = false;
        out[size++] = c;
    }
    return size;
}

char *question_text_key(const char *text)
{
    char *key = malloc(strnlen(text, QUERY_TEXT_BYTES) + 1);
    assert(key);
    key[put_text(key, text)] = '\0';
    return key;
}

char *question_key(const search_t *search, uint64_t version)
{
    enum { HEAD = 160 };
    size_t room = HEAD;
    for (size_t i = 0; i < search->count; i++)
        room += strnlen(search->texts[i], QUERY_TEXT_BYTES) + 1;
    char *key = malloc(room);
    assert(key);
    int head = snprintf(key, HEAD, "v%" PRIu64 " n%" PRIu32 " s%.4f %.32s", version, search->top_n,
                        search->strictness, search->lang);
    assert(head > 0);
    size_t size = (size_t)head < HEAD ? (size_t)head : HEAD - 1;
    for (size_t i = 0; i < search->count; i++) {
        key[size++] = '\n';
        size += put_text(key + size, search->texts[i]);
    }
    key[size] = '\0';
    return key;
}
