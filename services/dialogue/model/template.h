/* template.h - texts with {placeholders}.
 *
 * A placeholder is a name of small letters and underscores in braces; any other brace is text, so that
 * JSON may stand in a template. What is filled in is never looked at again.
 *
 * Threads: none; values only.
 */
#ifndef DIALOGUE_MODEL_TEMPLATE_H
#define DIALOGUE_MODEL_TEMPLATE_H

#include <stddef.h>

#include "common/err.h"
#include "services/dialogue/model/draft.h"

/* names: the placeholders it may use, separated by single spaces. On PL_INVALID reason says which is
 * unknown, and what is known. */
pl_err_t template_check(const char *text, const char *names, char *reason, size_t reason_bytes);

/* Appends the filled text. values: name, value, name, value..., NULL; what is missing is empty. */
void template_fill(draft_t *out, const char *text, const char *const *values);

#endif
