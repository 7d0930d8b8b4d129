/* reader.h - the reader thread: look-ups and lists, one after another, beside the writer.
 *
 * Threads: called on the home loop; done is called there.
 */
#ifndef PERSISTENCE_READER_H
#define PERSISTENCE_READER_H

#include "common/loop.h"
#include "services/persistence/store.h"

typedef struct reader reader_t;

typedef struct {
    /* the request: exactly one of them; owned */
    char call_id[CALL_ID_BYTES]; /* with get; empty: by number */
    Pl__StoreGet *get;
    Pl__StoreList *list;
    Pl__JobList *jobs;
    Pl__ReminderList *reminders;
    void *context; /* the caller's */

    /* the outcome; owned */
    pl_err_t err;
    Pl__CallRecord *call;
    Pl__StoreCalls *calls;
    Pl__Jobs *found;    /* of jobs */
    Pl__Reminders *due; /* of reminders */
    char detail[STORE_DETAIL_BYTES];
} read_t;

/* Copies what the envelope (StoreGet, StoreList, JobList or ReminderList) asks for. Never NULL. */
read_t *read_new(const Pl__Envelope *env);
read_t *read_new_counts(void); /* of jobs */
void read_destroy(read_t **self_p);

typedef void reader_done_fn(void *arg, read_t *read); /* read is the receiver's from now on */

reader_t *reader_new(pl_loop_t *home, const store_provider_t *provider, void *store,
                     reader_done_fn *done, void *arg);
void reader_add(reader_t *self, read_t **read_p); /* takes *read_p */
void reader_destroy(reader_t **self_p);           /* as writer_destroy */

#endif
