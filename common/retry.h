/* retry.h - how long to wait before asking a server again: what it says, else a pause that
 * doubles and is jittered, so that callers who failed together do not come back together.
 *
 * Threads: none; pure. Source: RFC 9110 section 10.2.3; retry-after-ms as Azure OpenAI sends it.
 */
#ifndef PL_COMMON_RETRY_H
#define PL_COMMON_RETRY_H

#include <stdint.h>

/* Of the headers' values, which may be NULL; -1 when neither says anything sensible. A date is taken
 * from now_ms, wall time since the Unix epoch. At most a day. */
int64_t pl_retry_after_ms(const char *milliseconds, const char *seconds_or_date, int64_t now_ms);

/* The pause before try number tried + 1 (tried from 1): between half and the whole of
 * base_ms * 2^(tried - 1), at most most_ms. random: any number. */
uint32_t pl_retry_pause_ms(unsigned tried, uint32_t base_ms, uint32_t most_ms, uint64_t random);

#endif
