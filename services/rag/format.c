#include "services/rag/format.h"

#include <stdio.h>
#include <string.h>

#include "services/rag/chunker.h"
#include "services/rag/encoding.h"
#include "services/rag/formats/csv.h"
#include "services/rag/formats/html.h"
#include "services/rag/formats/json.h"
#include "services/rag/formats/pdf.h"
#include "services/rag/packer.h"

_Static_assert((int)DOCUMENT_PROBLEM_BYTES >= (int)JSON_PROBLEM_BYTES &&
                   (int)DOCUMENT_PROBLEM_BYTES >= (int)PDF_PROBLEM_BYTES,
               "problems are handed through");

/* "printers/paper-jam.md" is called "paper jam" where it has no heading. */
static void name_of(const char *path, char out[PASSAGE_TITLE_BYTES])
{
    const char *slash = strrchr(path, '/');
    const char *file = slash ? slash + 1 : path;
    (void)packer_cut(out, PASSAGE_TITLE_BYTES, file, strlen(file));
    char *dot = strrchr(out, '.');
    if (dot && dot != out) *dot = '\0';
    for (char *c = out; *c; c++) {
        if (*c == '-' || *c == '_' || (unsigned char)*c < 0x20) *c = ' ';
    }
}

typedef struct {
    passage_fn *fn;
    void *arg;
    size_t given;
} counter_t;

static void count(void *arg, const passage_t *passage)
{
    counter_t *self = arg;
    self->given++;
    self->fn(self->arg, passage);
}

static bool run_pdf(const char *name, const document_t *document, const format_limits_t *limits,
                    counter_t *to, char *problem)
{
    if (document->bytes < 4 ||
        !memmem(document->text, document->bytes < 1024 ? document->bytes : 1024, "%PDF", 4)) {
        (void)snprintf(problem, DOCUMENT_PROBLEM_BYTES, "not a PDF");
        return false;
    }
    pdf_limits_t pdf = {.timeout_ms = limits->pdf_timeout_ms, .stop = limits->stop};
    return pdf_run(name, document->text, document->bytes, &pdf, count, to, problem);
}

static const char *run_text(format_t format, const char *name, document_t *document, bool utf8,
                            counter_t *to, char *problem)
{
    switch (format) {
    case FORMAT_MARKDOWN:
    case FORMAT_TEXT:
        chunker_run(format == FORMAT_TEXT ? CHUNK_TEXT : CHUNK_MARKDOWN, name, document->text,
                    document->bytes, count, to);
        return NULL;
    case FORMAT_HTML:
        return html_run(name, document->text, document->bytes, utf8, count, to);
    case FORMAT_CSV:
        return csv_run(name, document->text, document->bytes, count, to);
    case FORMAT_JSON:
        return json_run(name, document->text, document->bytes, count, to, problem) ? NULL : problem;
    case FORMAT_PDF:
    case FORMAT_NONE:
        break;
    }
    return "of a format that is not known";
}

bool format_run(format_t format, const char *path, document_t *document,
                const format_limits_t *limits, passage_fn *fn, void *arg,
                char problem[DOCUMENT_PROBLEM_BYTES])
{
    counter_t counter = {fn, arg, 0};
    char name[PASSAGE_TITLE_BYTES];
    name_of(path, name);
    problem[0] = '\0';
    if (format == FORMAT_PDF) return run_pdf(name, document, limits, &counter, problem);
    const char *reason = NULL;
    encoding_t encoding = encoding_settle(&document->text, &document->bytes);
    if (encoding == ENCODING_NONE) {
        reason = "binary, not text";
    } else if (encoding == ENCODING_ASK && format == FORMAT_CSV) { /* what spreadsheets write */
        encoding_from_1252(&document->text, &document->bytes);
    } else if (encoding == ENCODING_ASK && format != FORMAT_HTML) {
        reason = "not UTF-8";
    }
    if (!reason)
        reason = run_text(format, name, document, encoding == ENCODING_UTF8, &counter, problem);
    if (reason && reason != problem) (void)snprintf(problem, DOCUMENT_PROBLEM_BYTES, "%s", reason);
    return !reason;
}
