/* clock.h - the two clocks: monotonic for spans, wall for records. Thread-safe.
 *
 * Pure modules (call machine, playout, script) never call these: time is an argument there.
 */
#ifndef PL_COMMON_CLOCK_H
#define PL_COMMON_CLOCK_H

#include <stddef.h>
#include <stdint.h>

uint64_t pl_clock_us(void);     /* monotonic, since some past moment */
uint64_t pl_clock_ms(void);     /* the same, in ms */
int64_t pl_clock_wall_ms(void); /* since the Unix epoch, UTC */

/* Writes "2026-03-03T08:05:09.123Z" (24 characters and NUL) and returns out. */
#define PL_CLOCK_ISO_BYTES 32
char *pl_clock_iso(int64_t wall_ms, char out[PL_CLOCK_ISO_BYTES]);

#endif
