#include "tools/parley/term.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MAX_TAIL = 100, LINE_BYTES = 2048 };

static bool coloured(void)
{
    static int known = -1;
    if (known < 0) {
        const char *no_color = getenv("NO_COLOR"); /* NOLINT(concurrency-mt-unsafe): one thread */
        known = isatty(STDOUT_FILENO) && !(no_color && *no_color);
    }
    return known == 1;
}

const char *term(term_style_t style)
{
    static const char *const codes[TERM_STYLES] = {"\033[0m",  "\033[1m",  "\033[2m", "\033[31m",
                                                   "\033[32m", "\033[33m", "\033[36m"};
    return coloured() ? codes[style] : "";
}

static void say(const char *mark, term_style_t style, const char *fmt, va_list args)
    __attribute__((format(printf, 3, 0)));

static void say(const char *mark, term_style_t style, const char *fmt, va_list args)
{
    if (mark) printf("%s%s%s ", term(style), mark, term(TERM_PLAIN));
    vprintf(fmt, args);
    (void)fputc('\n', stdout);
    (void)fflush(stdout);
}

void term_say(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(NULL, TERM_PLAIN, fmt, args);
    va_end(args);
}

void term_ok(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say("\u2713", TERM_GREEN, fmt, args);
    va_end(args);
}

void term_bad(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say("\u2717", TERM_RED, fmt, args);
    va_end(args);
}

void term_tail(const char *file, unsigned lines)
{
    static char kept[MAX_TAIL][LINE_BYTES];
    FILE *in = fopen(file, "re");
    if (!in) return;
    if (lines > MAX_TAIL) lines = MAX_TAIL;
    unsigned count = 0;
    while (fgets(kept[count % lines], LINE_BYTES, in)) count++;
    (void)fclose(in);
    unsigned shown = count < lines ? count : lines;
    for (unsigned i = count - shown; i < count; i++) {
        kept[i % lines][strcspn(kept[i % lines], "\n")] = '\0';
        printf("  %s\u2502%s %s\n", term(TERM_DIM), term(TERM_PLAIN), kept[i % lines]);
    }
    (void)fflush(stdout);
}

unsigned term_columns(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 100;
    return size.ws_col >= 40 ? size.ws_col : 40;
}
