#include "services/gateway/http_range.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A decimal number; too large a one is the largest. */
static bool number(const char **at, uint64_t *out)
{
    if (!isdigit((unsigned char)**at)) return false;
    uint64_t value = 0;
    for (; isdigit((unsigned char)**at); (*at)++) {
        uint64_t digit = (uint64_t)(**at - '0');
        value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
    }
    *out = value;
    return true;
}

http_range_t http_range_parse(const char *header, uint64_t total, uint64_t *first, uint64_t *last)
{
    static const char unit[] = "bytes=";
    if (!header || strncasecmp(header, unit, sizeof unit - 1) != 0) return HTTP_RANGE_NONE;
    const char *at = header + sizeof unit - 1;
    uint64_t from = 0, to = UINT64_MAX;
    bool has_from = number(&at, &from);
    if (*at++ != '-') return HTTP_RANGE_NONE;
    bool has_to = number(&at, &to);
    if (*at != '\0' || (!has_from && !has_to)) return HTTP_RANGE_NONE;
    if (!has_from) { /* the last so many */
        if (to == 0 || total == 0) return HTTP_RANGE_UNSATISFIABLE;
        *first = to < total ? total - to : 0;
        *last = total - 1;
        return HTTP_RANGE_PART;
    }
    if (has_to && to < from) return HTTP_RANGE_NONE;
    if (from >= total) return HTTP_RANGE_UNSATISFIABLE;
    *first = from;
    *last = has_to && to < total ? to : total - 1;
    return HTTP_RANGE_PART;
}
