/* dtmf_info.h - a key told by SIP INFO: application/dtmf-relay and application/dtmf.
 *
 * No RFC describes either. The former is Cisco's, "Signal=5" and "Duration=160" on lines of their own;
 * of the latter the body is the key alone. Both also number * and # as 10 and 11.
 *
 * Threads: none; pure.
 */
#ifndef PL_TELEPHONY_DTMF_INFO_H
#define PL_TELEPHONY_DTMF_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    char digit;
    uint32_t duration_ms; /* 0: not told; at most 60000 */
} dtmf_info_t;

/* body need not end in 0. False: it names no key. */
bool dtmf_info_parse(const char *body, size_t bytes, dtmf_info_t *out);

#endif
