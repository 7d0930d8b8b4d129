#include "services/rag/formats/pdf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/rag/formats/layout.h"
#include "services/rag/formats/sandbox.h"

enum { MEMORY_BYTES = 1024 * 1024 * 1024 };

static const char *reason_of(sandbox_end_t end, const char *said)
{
    switch (end) {
    case SANDBOX_ABSENT:
        return "pdftotext is not installed (Debian's poppler-utils)";
    case SANDBOX_TIMEOUT:
        return "takes too long to read (rag.pdf_timeout_ms)";
    case SANDBOX_TOO_MUCH:
        return "holds too much text";
    case SANDBOX_STOPPED:
        return "not read to its end: the process stops";
    case SANDBOX_DONE:
    case SANDBOX_FAILED:
        break;
    }
    return strstr(said, "password") ? "needs a password" : "not a PDF that can be read";
}

bool pdf_run(const char *name, const char *bytes, size_t size, const pdf_limits_t *limits,
             passage_fn *fn, void *arg, char problem[PDF_PROBLEM_BYTES])
{
    const char *argv[] = {limits->program ? limits->program : "/usr/bin/pdftotext",
                          "-bbox-layout",
                          "-enc",
                          "UTF-8",
                          "-eol",
                          "unix",
                          "-",
                          "-",
                          NULL};
    sandbox_limits_t bounds = {
        .timeout_ms = limits->timeout_ms,
        .output_bytes = PDF_OUTPUT_BYTES,
        .memory_bytes = limits->memory_bytes ? limits->memory_bytes : MEMORY_BYTES,
        .stop = limits->stop,
    };
    sandbox_result_t result;
    sandbox_end_t end = sandbox_run(argv, bytes, size, &bounds, &result);
    const char *reason = NULL;
    if (end != SANDBOX_DONE || !result.output)
        reason = reason_of(end, result.said);
    else if (!layout_run(name, result.output, result.bytes, fn, arg))
        reason = "no text in it (scanned pages?)";
    if (reason) (void)snprintf(problem, PDF_PROBLEM_BYTES, "%s", reason);
    free(result.output);
    return !reason;
}
