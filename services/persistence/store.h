/* store.h - the store provider interface: where calls and jobs are kept.
 *
 * A provider blocks; the service gives it two threads. write runs on the writer thread alone, the
 * others on the reader thread alone, and both threads may be inside at once. open and close run
 * on the service's loop while neither thread works. What a write means is decided by write.h.
 *
 * Providers: sqlite (embedded, the default), postgresql (a server, which several instances may share).
 */
#ifndef PERSISTENCE_STORE_H
#define PERSISTENCE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/err.h"
#include "services/persistence/write.h"

typedef struct {
    uint64_t bytes;     /* on disk, all files; 0: unknown */
    uint64_t commit_us; /* time the last batch took to become durable */
} store_stats_t;

typedef struct {
    const char *name; /* what the configuration says: persistence.provider */

    /* PL_INVALID: the configuration is wrong; PL_UNAVAILABLE: it cannot be opened. detail names
     * the setting or the file. */
    pl_err_t (*open)(void **store, const pl_config_t *cfg, char detail[STORE_DETAIL_BYTES]);

    /* Does count writes in order, durable when it returns, and sets each one's outcome: one that
     * cannot be done fails alone. */
    void (*write)(void *store, write_t *const *writes, size_t count, store_stats_t *stats);

    /* A call by id, else (call_id empty) the newest of the number created at not_before_ms or
     * later. PL_NOT_FOUND; PL_UNAVAILABLE with detail. *out is to be freed with pl_record_free. */
    pl_err_t (*get)(void *store, const char *call_id, const Pl__StoreGet *query,
                    Pl__CallRecord **out, char detail[STORE_DETAIL_BYTES]);

    /* Newest first, at most query->limit (set by the caller) and STORE_LIST_BYTES_MAX, so that
     * the bus can carry the answer; at least one if there is any. *out is to be freed with pl__store_calls__free_unpacked. */
    pl_err_t (*list)(void *store, const Pl__StoreList *query, Pl__StoreCalls **out,
                     char detail[STORE_DETAIL_BYTES]);

    /* Jobs, newest change first, at most query->limit (set by the caller) and
     * STORE_LIST_BYTES_MAX; with query->count the counts alone. *out is to be freed with
     * pl__jobs__free_unpacked. */
    pl_err_t (*jobs)(void *store, const Pl__JobList *query, Pl__Jobs **out,
                     char detail[STORE_DETAIL_BYTES]);

    /* Reminders of all calls, the earliest due first, within the same bounds. *out is to be freed
     * with pl__reminders__free_unpacked. */
    pl_err_t (*reminders)(void *store, const Pl__ReminderList *query, Pl__Reminders **out,
                          char detail[STORE_DETAIL_BYTES]);

    void (*close)(void **store); /* NULL is fine, twice is fine */
} store_provider_t;

enum { STORE_LIST_BYTES_MAX = 3 * 1024 * 1024 };

const store_provider_t *store_provider_find(const char *name); /* NULL: no such provider */
const char *store_provider_names(void);                        /* for messages */

extern const store_provider_t store_sqlite, store_postgresql;

#endif
