/* chunker_fuzz.c - any bytes as a document and as a question: libFuzzer's target.
 *
 * What must hold: passages are valid UTF-8, never empty, never longer than they may be; terms have
 * their size and place, and a query's hold no sign of FTS5's language.
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

static int check_term(void *arg, const char *term, size_t bytes, size_t from, size_t to, bool again)
{
    (void)term;
    (void)again;
    require(bytes > 0 && bytes < LEXICON_TERM_BYTES && from < to && to <= *(size_t *)arg);
    return 0;
}

static void check_query(const char *text)
{
    static lexicon_t *lexicon;
    static query_t query;
    static const char *const langs[] = {"en", "fr", "de", "ru", "zh", "ja", ""};
    if (!lexicon) lexicon = lexicon_new();
    size_t size = strlen(text);
    require(lexicon_index(lexicon, text, size, check_term, &size) == 0);
    (void)query_parse(&query, lexicon, text, langs[size % (sizeof langs / sizeof *langs)]);
    for (size_t i = 0; i < query.count; i++)
        require(query.words[i].term[0] && !strpbrk(query.words[i].term, "\"*()^:+- "));
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
