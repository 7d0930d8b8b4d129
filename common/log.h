/* log.h - structured log lines on standard error: ts= level= svc= event= then the caller's pairs.
 *
 * log_info("turn.heard", "call=%s turn=%u heard_ms=%u", id, turn, ms);
 * Event names are stable and greppable. Identifiers only: no numbers dialled, no words said, no
 * secrets. Values that may hold spaces go in quotes: detail=\"%s\". Thread-safe; one write a line.
 */
#ifndef PL_COMMON_LOG_H
#define PL_COMMON_LOG_H

#include <stdbool.h>

typedef enum { PL_LOG_DEBUG, PL_LOG_INFO, PL_LOG_WARN, PL_LOG_ERROR } pl_log_level_t;

/* Call once before threads start. instance is copied; printed as svc=. */
void pl_log_init(const char *instance, pl_log_level_t least);
bool pl_log_level_parse(const char *name, pl_log_level_t *out); /* debug info warn error */

void pl_log(pl_log_level_t level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_debug(event, ...) pl_log(PL_LOG_DEBUG, (event), __VA_ARGS__)
#define log_info(event, ...) pl_log(PL_LOG_INFO, (event), __VA_ARGS__)
#define log_warn(event, ...) pl_log(PL_LOG_WARN, (event), __VA_ARGS__)
#define log_error(event, ...) pl_log(PL_LOG_ERROR, (event), __VA_ARGS__)

#endif
