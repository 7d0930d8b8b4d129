/* writer.h - the writer thread: takes all waiting writes, makes them durable by one commit, and
 * only then reports them done (group commit).
 *
 * Under load a commit's fixed cost, waiting for the disk, is shared by all that came in while the
 * one before was under way; a lone write waits for nobody.
 *
 * Threads: called on the home loop; done is called there.
 */
#ifndef PERSISTENCE_WRITER_H
#define PERSISTENCE_WRITER_H

#include <stddef.h>

#include "common/loop.h"
#include "services/persistence/store.h"

typedef struct writer writer_t;

/* writes and what they point at are the receiver's from now on, stats is borrowed. */
typedef void writer_done_fn(void *arg, write_t **writes, size_t count, const store_stats_t *stats);

writer_t *writer_new(pl_loop_t *home, const store_provider_t *provider, void *store,
                     size_t batch_max, writer_done_fn *done, void *arg);
void writer_add(writer_t *self, write_t **write_p); /* takes *write_p */

/* Commits what was added and ends the thread. The last calls of done come when the home loop goes
 * on, or is destroyed: only then may arg go away. */
void writer_destroy(writer_t **self_p);

#endif
