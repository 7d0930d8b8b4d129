/* http_range.h - the Range header of a request: one range of bytes.
 *
 * Source: RFC 9110 section 14. A header with several ranges, or of another unit, is passed over, as
 * the RFC allows.
 */
#ifndef GATEWAY_HTTP_RANGE_H
#define GATEWAY_HTTP_RANGE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum { HTTP_RANGE_NONE, HTTP_RANGE_PART, HTTP_RANGE_UNSATISFIABLE } http_range_t;

/* header may be NULL. first and last are filled in for a part: both inside total. */
http_range_t http_range_parse(const char *header, uint64_t total, uint64_t *first, uint64_t *last);

#endif
