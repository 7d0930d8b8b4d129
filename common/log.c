#include "common/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"

enum { LINE_BYTES = 2048 };

static char svc[64] = "parley";
static pl_log_level_t threshold = PL_LOG_INFO;
static const char *const level_names[] = {[PL_LOG_DEBUG] = "debug",
                                          [PL_LOG_INFO] = "info",
                                          [PL_LOG_WARN] = "warn",
                                          [PL_LOG_ERROR] = "error"};

void pl_log_init(const char *instance, pl_log_level_t least)
{
    snprintf(svc, sizeof svc, "%s", instance);
    threshold = least;
}

bool pl_log_level_parse(const char *name, pl_log_level_t *out)
{
    for (int i = PL_LOG_DEBUG; i <= PL_LOG_ERROR; i++) {
        if (strcmp(level_names[i], name) == 0) {
            *out = (pl_log_level_t)i;
            return true;
        }
    }
    return false;
}

void pl_log(pl_log_level_t level, const char *event, const char *fmt, ...)
{
    if (level < threshold) return;
    char line[LINE_BYTES];
    char iso[PL_CLOCK_ISO_BYTES];
    int used = snprintf(line, sizeof line, "ts=%s level=%s svc=%s event=%s ",
                        pl_clock_iso(pl_clock_wall_ms(), iso), level_names[level], svc, event);
    va_list args;
    va_start(args, fmt);
    int more = vsnprintf(line + used, sizeof line - (size_t)used, fmt, args);
    va_end(args);
    size_t length = (size_t)used + (more > 0 ? (size_t)more : 0);
    if (length > sizeof line - 2) length = sizeof line - 2; /* a cut line is still one line */
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)line[i] < ' ')
            line[i] = ' '; /* what came from outside cannot forge lines */
    }
    line[length] = '\n';
    ssize_t written = write(STDERR_FILENO, line, length + 1);
    (void)written; /* nowhere to say it */
}
