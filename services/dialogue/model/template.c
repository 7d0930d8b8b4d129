#include "services/dialogue/model/template.h"

#include <stdio.h>
#include <string.h>

static size_t name_length(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyz_");
}

/* The next placeholder from text on; NULL when there is none. *n is the length of its name. */
static const char *next_placeholder(const char *text, size_t *n)
{
    for (const char *at = strchr(text, '{'); at; at = strchr(at + 1, '{')) {
        *n = name_length(at + 1);
        if (*n && at[1 + *n] == '}') return at;
    }
    return NULL;
}

static int listed(const char *names, const char *name, size_t n)
{
    for (const char *at = names; *at;) {
        size_t len = strcspn(at, " ");
        if (len == n && memcmp(at, name, n) == 0) return 1;
        at += len;
        at += *at == ' ';
    }
    return 0;
}

pl_err_t template_check(const char *text, const char *names, char *reason, size_t reason_bytes)
{
    size_t n = 0;
    for (const char *at = next_placeholder(text, &n); at; at = next_placeholder(at + 1, &n)) {
        if (listed(names, at + 1, n)) continue;
        snprintf(reason, reason_bytes, "unknown placeholder {%.*s}; there are: %s",
                 n > 60 ? 60 : (int)n, at + 1, names[0] ? names : "none");
        return PL_INVALID;
    }
    return PL_OK;
}

void template_fill(draft_t *out, const char *text, const char *const *values)
{
    size_t n = 0;
    const char *at = NULL;
    while ((at = next_placeholder(text, &n))) {
        draft_add_n(out, text, (size_t)(at - text));
        for (const char *const *v = values; *v; v += 2) {
            if (strlen(v[0]) == n && memcmp(v[0], at + 1, n) == 0) draft_add(out, v[1]);
        }
        text = at + n + 2;
    }
    draft_add(out, text);
}
