#include "tools/callsim/pattern.h"

#include <locale.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "tools/callsim/words.h"

void pattern_init(void)
{
    (void)setlocale(LC_CTYPE, "C.UTF-8");
}

/* The expression between the slashes; false: it is no such pattern. */
static bool expression(const char *pattern, char out[PATTERN_BYTES])
{
    size_t length = strlen(pattern);
    if (length < 3 || pattern[0] != '/' || pattern[length - 1] != '/') return false;
    if (length - 1 > PATTERN_BYTES) return false;
    memcpy(out, pattern + 1, length - 2);
    out[length - 2] = '\0';
    return true;
}

bool pattern_valid(const char *pattern, char *why, size_t why_bytes)
{
    char expr[PATTERN_BYTES];
    if (pattern[0] != '/') return true;
    if (!expression(pattern, expr)) {
        snprintf(why, why_bytes, "an expression ends with / and is shorter than %d bytes",
                 PATTERN_BYTES);
        return false;
    }
    regex_t regex;
    int rc = regcomp(&regex, expr, REG_EXTENDED | REG_ICASE | REG_NOSUB);
    if (rc != 0) {
        (void)regerror(rc, &regex, why, why_bytes);
        return false;
    }
    regfree(&regex);
    return true;
}

bool pattern_match(const char *text, const char *pattern)
{
    char expr[PATTERN_BYTES];
    if (!expression(pattern, expr)) return words_match_cue(text, pattern);
    regex_t regex;
    if (!text || regcomp(&regex, expr, REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0) return false;
    bool found = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}
