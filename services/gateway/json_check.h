/* json_check.h - is this text JSON, within bounds? If not: where and why.
 *
 * Run before a parser that builds a tree: it bounds depth and number of values before anything is
 * allocated, and says line and column for people, which the tree parser does not.
 * Also refused: U+0000 in a string (C strings end there) and what is not UTF-8.
 *
 * Threads: none; pure. Source: RFC 8259.
 */
#ifndef GATEWAY_JSON_CHECK_H
#define GATEWAY_JSON_CHECK_H

#include <stddef.h>

#include "common/err.h"

enum { JSON_DEPTH_MAX = 32, JSON_VALUES_MAX = 10000 };

typedef struct {
    size_t line, column; /* from 1; the column counts bytes */
    const char *what;    /* "expected ',' or '}'" */
} json_fault_t;

/* PL_INVALID fills *fault. */
pl_err_t json_check(const char *text, size_t size, json_fault_t *fault);

#endif
