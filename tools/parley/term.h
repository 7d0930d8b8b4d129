/* term.h - colours, only when standard output is a terminal (and NO_COLOR is not set).
 *
 * Threads: the main one.
 */
#ifndef PARLEY_TERM_H
#define PARLEY_TERM_H

typedef enum {
    TERM_PLAIN,
    TERM_BOLD,
    TERM_DIM,
    TERM_RED,
    TERM_GREEN,
    TERM_YELLOW,
    TERM_BLUE,
    TERM_STYLES
} term_style_t;

/* The escape sequence, or "". TERM_PLAIN ends a style. */
const char *term(term_style_t style);

/* Prints and flushes, so that what is shown is in step with what happens. */
void term_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same with a mark in front: a green tick, a red cross. */
void term_ok(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void term_bad(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints the file's last lines, each behind a bar. */
void term_tail(const char *file, unsigned lines);

/* Columns of the terminal; 100 when it is none. */
unsigned term_columns(void);

#endif
