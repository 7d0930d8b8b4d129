/* chunker_fuzz.c - any bytes as a document and as a question: libFuzzer's target.
 *
 * What must hold: passages are valid UTF-8, never empty, never longer than they may be; a query's
 * expression holds words in quotes only.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "services/rag/chunker.h"
#include "services/rag/encoding.h"
#include "services/rag/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds) abort();
}

static void check_passage(void *arg, const passage_t *passage)
{
    const char *title = passage->title;
    const char *content = passage->content;
    size_t *bytes = arg;
    size_t chars = 0;
    size_t size = strlen(content);
    for (size_t i = 0; i < size; i++) chars += ((unsigned char)content[i] & 0xc0) != 0x80;
    require(size > 0 && chars <= PASSAGE_CHARS);
    require(utf8_valid(content, size));
    require(strlen(title) < PASSAGE_TITLE_BYTES && utf8_valid(title, strlen(title)));
    *bytes += size;
}

static void check_query(const char *text)
{
    static query_t query;
    (void)query_parse(&query, text, "en");
    size_t quotes = 0;
    int inside = 0;
    for (const char *c = query.expression; *c; c++) {
        if (*c == '"') {
            quotes++;
            inside = !inside;
        } else if (!inside) {
            require(*c == ' ' || *c == 'O' || *c == 'R' || *c == '*');
        }
    }
    require(quotes == 2 * query.words);
    require(utf8_valid(query.expression, strlen(query.expression)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    chunk_format_t format = data[0] & 1 ? CHUNK_MARKDOWN : CHUNK_TEXT;
    size_t bytes = 0;
    char *text = malloc(size); /* exactly as long as it is, and NUL behind it for the query */
    require(text != NULL);
    memcpy(text, data + 1, size - 1);
    if (utf8_valid(text, size - 1)) {
        chunker_run(format, "name", text, size - 1, check_passage, &bytes);
        require(bytes <= 2 * size);
    }
    text[size - 1] = '\0';
    check_query(text);
    free(text);
    return 0;
}
