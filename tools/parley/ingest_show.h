/* ingest_show.h - what parley ingest shows: a bar while it works, when there is a terminal; a line
 * now and then when there is none; and what came of it.
 *
 * Threads: the main one. Time is the caller's.
 */
#ifndef PARLEY_INGEST_SHOW_H
#define PARLEY_INGEST_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { SHOW_LINE_MS = 5000, SHOW_BAR_MS = 50 }; /* not more often */

typedef struct {
    FILE *out;
    unsigned columns; /* 0: no terminal */
    bool shown;       /* a bar stands there */
    uint64_t last_ms;
    char phase[64]; /* shown last */
} ingest_show_t;

/* phase: "sending"; done of all, in unit ("files", or "bytes" for amounts of them). */
void ingest_show_progress(ingest_show_t *self, uint64_t now_ms, const char *phase, uint64_t done,
                          uint64_t all, const char *unit);
void ingest_show_clear(ingest_show_t *self); /* before a line of its own */

/* One line, whatever text holds: what a terminal would act on becomes '?'. */
void ingest_show_line(ingest_show_t *self, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The bar's text, for columns; out has room for it. */
void ingest_show_bar(char *out, size_t out_bytes, unsigned columns, const char *phase,
                     uint64_t done, uint64_t all, const char *unit);

#endif
