#include "tools/parley/ingest_show.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

enum { LINE_BYTES = 8192, BAR_MIN = 10, BAR_MAX = 40, AMOUNT_BYTES = 32 };

static void amount(char out[AMOUNT_BYTES], uint64_t value, const char *unit)
{
    static const char *const sizes[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    if (strcmp(unit, "bytes") != 0) {
        (void)snprintf(out, AMOUNT_BYTES, "%" PRIu64, value);
        return;
    }
    double size = (double)value;
    size_t i = 0;
    while (size >= 1024 && i + 1 < sizeof sizes / sizeof *sizes) {
        size /= 1024;
        i++;
    }
    (void)snprintf(out, AMOUNT_BYTES, i ? "%.1f %s" : "%.0f %s", size, sizes[i]);
}

static void numbers(char *out, size_t room, uint64_t done, uint64_t all, const char *unit)
{
    char have[AMOUNT_BYTES];
    char want[AMOUNT_BYTES];
    amount(have, done, unit);
    amount(want, all, unit);
    bool named = strcmp(unit, "bytes") != 0;
    (void)snprintf(out, room, "%s of %s%s%s", have, want, named ? " " : "", named ? unit : "");
}

void ingest_show_bar(char *out, size_t out_bytes, unsigned columns, const char *phase,
                     uint64_t done, uint64_t all, const char *unit)
{
    char text[128];
    char bar[BAR_MAX + 1];
    numbers(text, sizeof text, done, all, unit);
    size_t taken = strlen(phase) + strlen(text) + 6;
    size_t width = columns > taken + BAR_MIN ? columns - taken : 0;
    if (width > BAR_MAX) width = BAR_MAX;
    size_t full =
        all > 0 ? (size_t)((double)(done < all ? done : all) / (double)all * (double)width) : 0;
    for (size_t i = 0; i < width; i++) bar[i] = i < full ? '#' : '.';
    bar[width] = '\0';
    (void)snprintf(out, out_bytes, width ? "%s [%s] %s" : "%s%s %s", phase, bar, text);
}

void ingest_show_clear(ingest_show_t *self)
{
    if (self->shown) (void)fputs("\r\033[K", self->out);
    self->shown = false;
    (void)fflush(self->out);
}

void ingest_show_line(ingest_show_t *self, const char *fmt, ...)
{
    char line[LINE_BYTES];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    for (char *c = line; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
    }
    ingest_show_clear(self);
    (void)fprintf(self->out, "%s\n", line);
    (void)fflush(self->out);
}

void ingest_show_progress(ingest_show_t *self, uint64_t now_ms, const char *phase, uint64_t done,
                          uint64_t all, const char *unit)
{
    bool same = strcmp(phase, self->phase) == 0;
    uint64_t pause_ms = self->columns ? SHOW_BAR_MS : SHOW_LINE_MS;
    /* Without a terminal a short phase is not worth a line. */
    if (!same && !self->columns) self->last_ms = now_ms;
    (void)snprintf(self->phase, sizeof self->phase, "%s", phase);
    if ((same || !self->columns) && now_ms - self->last_ms < pause_ms) return;
    self->last_ms = now_ms;
    char text[256];
    if (!self->columns) {
        numbers(text, sizeof text, done, all, unit);
        ingest_show_line(self, "%s: %s", phase, text);
        return;
    }
    ingest_show_bar(text, sizeof text, self->columns, phase, done, all, unit);
    (void)fprintf(self->out, "\r\033[K%s", text);
    (void)fflush(self->out);
    self->shown = true;
}
