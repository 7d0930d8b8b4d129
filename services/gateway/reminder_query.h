/* reminder_query.h - what a client asks of reminders: a query's words, and a body.
 *
 * Threads: none; pure.
 */
#ifndef GATEWAY_REMINDER_QUERY_H
#define GATEWAY_REMINDER_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "services/gateway/problems.h"
#include "store.pb-c.h"

enum { REMINDER_STATES = 3, REMINDER_TITLE_MAX = 2048 };

/* "open", "upcoming", "ended" or "all" (count 0). */
bool reminder_states(const char *text, Pl__ReminderState out[REMINDER_STATES], size_t *count);

/* "now", or RFC 3339: "2026-11-21T09:00:00Z", "2026-11-21T09:00:00+01:00" (whose plus may have become
 * a space). */
bool reminder_due_before(const char *text, int64_t now_ms, int64_t *out_ms);

/* {"call_id": UUID, "title": text}. PL_INVALID: problems tell why. To be freed. */
pl_err_t reminder_end_from_json(const char *body, size_t size, char **call_id, char **title,
                                problems_t *problems);

#endif
