/* formats_fuzz.c - any bytes as a document of each format: libFuzzer's target. The first byte
 * chooses the format.
 *
 * What must hold: passages are valid UTF-8, never empty, never longer than they may be, and ids,
 * sources and dates fit.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "services/rag/encoding.h"
#include "services/rag/format.h"
#include "services/rag/formats/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds) abort();
}

static void require_text(const char *text, size_t room)
{
    if (!text) return;
    size_t size = strlen(text);
    require(size < room && utf8_valid(text, size));
}

static void check(void *arg, const passage_t *passage)
{
    (void)arg;
    size_t chars = 0;
    for (const char *c = passage->content; *c; c++) chars += ((unsigned char)*c & 0xc0) != 0x80;
    require(chars > 0 && chars <= PASSAGE_CHARS);
    require_text(passage->content, PASSAGE_CHARS * 4 + 1);
    require_text(passage->title, PASSAGE_TITLE_BYTES);
    require_text(passage->id, PASSAGE_ID_BYTES + 16);
    require_text(passage->source, PASSAGE_SOURCE_BYTES);
    require_text(passage->created_at, PASSAGE_DATE_BYTES);
    require(passage->dimensions <= PASSAGE_DIMENSIONS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"a.html", "a.csv", "a.json", "a.md", "a.txt"};
    enum { NAMES = sizeof names / sizeof *names };
    if (size == 0) return 0;
    document_t document = {.text = malloc(size), .bytes = size - 1};
    require(document.text != NULL);
    memcpy(document.text, data + 1, size - 1);
    document.text[size - 1] = '\0';
    unsigned which = data[0] % (NAMES + 1);
    if (which == NAMES) { /* what pdftotext says comes from the PDF */
        if (utf8_valid(document.text, document.bytes))
            (void)layout_run("name", document.text, document.bytes, check, NULL);
    } else {
        char problem[DOCUMENT_PROBLEM_BYTES];
        format_limits_t limits = {.pdf_timeout_ms = 1000};
        (void)format_run(format_of(names[which]), names[which], &document, &limits, check, NULL,
                         problem);
        require_text(problem, sizeof problem);
    }
    document_free(&document);
    return 0;
}
