#include "common/retry.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400, DOUBLINGS_MOST = 16 };

/* A number from 0 up, at most most, and nothing after it but blanks. */
static bool read_number(const char *text, double most, double *out)
{
    if (!text || *text < '0' || *text > '9') return false;
    const char *rest = text + strspn(text, "0123456789.");
    if (rest[strspn(rest, " ")]) return false;
    double value = strtod(text, NULL);
    *out = value < most ? value : most;
    return true;
}

int64_t pl_retry_after_ms(const char *milliseconds, const char *seconds_or_date, int64_t now_ms)
{
    double number;
    if (read_number(milliseconds, 1000.0 * DAY_S, &number)) return (int64_t)number;
    if (read_number(seconds_or_date, DAY_S, &number)) return (int64_t)(1000 * number);
    time_t date = seconds_or_date ? curl_getdate(seconds_or_date, NULL) : -1;
    if (date < 0) return -1;
    int64_t left_ms = 1000 * (int64_t)date - now_ms;
    if (left_ms < 0) return 0;
    return left_ms < 1000LL * DAY_S ? left_ms : 1000LL * DAY_S;
}

uint32_t pl_retry_pause_ms(unsigned tried, uint32_t base_ms, uint32_t most_ms, uint64_t random)
{
    unsigned doublings = tried > DOUBLINGS_MOST ? DOUBLINGS_MOST : tried ? tried - 1 : 0;
    uint64_t whole_ms = (uint64_t)base_ms << doublings;
    if (whole_ms > most_ms) whole_ms = most_ms;
    return (uint32_t)(whole_ms / 2 + random % (whole_ms / 2 + 1));
}
