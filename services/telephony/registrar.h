/* registrar.h - which phones are registered: a bounded table of contacts by number.
 *
 * Pure: time is an argument (milliseconds, monotonic). A number may have several contacts; the
 * one registered last is rung. Expired contacts are dropped when the table is touched.
 * Threads: owned by the SIP thread. Source: RFC 3261 section 10.
 */
#ifndef PL_TELEPHONY_REGISTRAR_H
#define PL_TELEPHONY_REGISTRAR_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { REGISTRAR_MIN_S = 60, REGISTRAR_DEFAULT_S = 600, REGISTRAR_MAX_S = 3600 };
enum { REGISTRAR_PER_NUMBER = 10, REGISTRAR_URI_BYTES = 256 };

typedef struct registrar registrar_t;

registrar_t *registrar_new(size_t max_contacts); /* never NULL */
void registrar_destroy(registrar_t **self_p);

/* What is granted for an expiry that was asked for; 0 stays 0 (removal). */
uint32_t registrar_granted_s(uint32_t asked_s);

/* Adds or refreshes number's contact uri; expires_s 0 removes it. target is where to send to (the
 * contact, or the address the phone was seen at). A request older than what the table holds of the
 * same contact (same call_id, lower or equal cseq) is STALE. INVALID: number or URI malformed or
 * too long. BUSY: the table, or the number's share of it, is full. */
typedef struct {
    const char *number;
    const char *uri;
    const char *target;
    const char *call_id;
    uint32_t cseq;
    uint32_t expires_s;
} registrar_binding_t;
pl_err_t registrar_set(registrar_t *self, uint64_t now_ms, const registrar_binding_t *binding);
void registrar_remove_all(registrar_t *self, const char *number);

/* Where to ring number: the target registered last. NULL: nobody. Valid until the next change. */
const char *registrar_find(registrar_t *self, uint64_t now_ms, const char *number);

/* Calls fn for each live contact of number, newest first. */
typedef void registrar_each_fn(void *arg, const char *uri, uint32_t expires_s);
void registrar_each(registrar_t *self, uint64_t now_ms, const char *number, registrar_each_fn *fn,
                    void *arg);

size_t registrar_count(registrar_t *self, uint64_t now_ms); /* live contacts */

#endif
