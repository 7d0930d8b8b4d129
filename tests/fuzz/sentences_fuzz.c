/* sentences_fuzz.c - any bytes as what a model writes: libFuzzer's target.
 *
 * What must hold: whatever the pieces, sentences are bounded, valid, and end; no marker of a style
 * is left in what would be spoken; and letters come out in the order they came.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "services/dialogue/model/sentences.h"
#include "services/dialogue/model/style.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds) abort();
}

static size_t take_all(sentences_t *s)
{
    size_t bytes = 0;
    const char *sentence = NULL;
    while ((sentence = sentences_next(s))) {
        char *text = strdup(sentence);
        Pl__Style style = PL__STYLE__NONE;
        Pl__Style after = PL__STYLE__NONE;
        require(text != NULL);
        require(text[0] != '\0');
        style_take(text, &style, &after);
        require(!strstr(text, "[style="));
        bytes += strlen(text);
        free(text);
    }
    return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const langs[] = {"en-US", "de-DE", "zh-CN", ""};
    if (size < 2) return 0;
    sentences_t *s = sentences_new(langs[data[0] % 4]);
    size_t step = 1 + data[1] % 32;
    size_t given = 0;
    for (size_t i = 2; i < size; i += step) {
        char piece[40] = "";
        size_t n = 0;
        for (size_t k = i; k < size && k < i + step; k++) {
            if (data[k]) piece[n++] = (char)data[k]; /* pieces are C strings */
        }
        sentences_add(s, piece);
        given += take_all(s);
    }
    sentences_settle(s);
    given += take_all(s);
    sentences_close(s);
    given += take_all(s);
    require(sentences_next(s) == NULL);
    require(given <= 4 * size + 16);
    sentences_destroy(&s);
    return 0;
}
