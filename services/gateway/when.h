/* when.h - moments as people read them on a page, in the time zone of whom they are about.
 *
 * Threads: any; pure.
 */
#ifndef GATEWAY_WHEN_H
#define GATEWAY_WHEN_H

#include <stdint.h>

#include "services/gateway/text.h"

/* <time datetime="2026-03-03T08:05:00.000Z" title="...">Tue 03 Mar 2026, 09:05 (CET)</time>
 * zone as in common/zone.h; "": UTC. */
void when_date(text_t *out, int64_t wall_ms, const char *zone);
/* The same with 09:05:07 only. */
void when_clock(text_t *out, int64_t wall_ms, const char *zone);
/* "2 min 05 s" */
void when_span(text_t *out, int64_t span_ms);
/* A claim's or reminder's ISO 8601 text: "2026-03-04T15:00:00" is shown as "Wed 04 Mar 2026, 15:00";
 * what is not such a text is shown as it is. Escaped. */
void when_iso(text_t *out, const char *iso);

#endif
