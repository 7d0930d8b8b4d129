/* format_name.c - formats by name alone: who only lists files needs no parser. */
#include <string.h>
#include <strings.h>

#include "services/rag/format.h"

format_t format_of(const char *path)
{
    static const struct {
        const char *ending;
        format_t format;
    } endings[] = {
        {".md", FORMAT_MARKDOWN}, {".markdown", FORMAT_MARKDOWN}, {".txt", FORMAT_TEXT},
        {".html", FORMAT_HTML},   {".htm", FORMAT_HTML},          {".xhtml", FORMAT_HTML},
        {".pdf", FORMAT_PDF},     {".csv", FORMAT_CSV},           {".tsv", FORMAT_CSV},
        {".json", FORMAT_JSON},   {".jsonl", FORMAT_JSON},        {".ndjson", FORMAT_JSON},
    };
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash ? slash : path, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++) {
        if (strcasecmp(dot, endings[i].ending) == 0) return endings[i].format;
    }
    return FORMAT_NONE;
}
