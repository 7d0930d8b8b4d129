/* pattern.h - what a text is looked for: key words, or a regular expression.
 *
 * "/expr/" is a POSIX extended regular expression, searched for in the text as it is written,
 * whatever the letter case. Anything else is a cue as words.h has it ("laptop|hardware device",
 * "any"): a language written without blanks wants an expression.
 *
 * Threads: none, but for the process's locale, which must be UTF-8 for letters beyond ASCII
 * (pattern_init).
 */
#ifndef CALLSIM_PATTERN_H
#define CALLSIM_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

enum { PATTERN_BYTES = 1024 };

/* Once, before any other: a UTF-8 locale for letters and their case. */
void pattern_init(void);

/* False: not an expression that can be read; why says why. */
bool pattern_valid(const char *pattern, char *why, size_t why_bytes);

/* text may be NULL: then only "any" matches. */
bool pattern_match(const char *text, const char *pattern);

#endif
