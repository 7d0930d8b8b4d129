/* finder.h - a query from its arrival to its answer: what is kept of earlier ones, the vectors of its
 * texts, the search thread.
 *
 * The same query twice is searched for once, also while it is under way: whoever asks for what is
 * being prefetched waits for no more than what is left of it. An answer waits for the texts' vectors
 * as long as its asker can, then words alone find it; a vector that comes too late is kept for the
 * next time. Answers are kept for a day under all they depend on; those made of words alone because a
 * vector was missing are not.
 *
 * Threads: all on the home loop, but for the search itself.
 */
#ifndef RAG_FINDER_H
#define RAG_FINDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/err.h"
#include "common/loop.h"
#include "rag.pb-c.h"
#include "services/rag/embed/server.h"
#include "services/rag/index.h"

typedef struct finder finder_t;

/* result: borrowed; NULL unless PL_OK, then detail says why. */
typedef void finder_done_fn(void *arg, pl_err_t err, const Pl__SearchResult *result,
                            const char *detail);

/* server may be NULL: words alone. reader is the search thread's until destroy. PL_INVALID: a
 * setting is wrong, said on standard error. */
pl_err_t finder_new(finder_t **out, pl_loop_t *home, const pl_config_t *cfg, index_reader_t *reader,
                    embed_server_t *server);
/* Waits for the search under way. Who waits is told PL_UNAVAILABLE; searches may come back when the
 * home loop goes on or is destroyed. */
void finder_destroy(finder_t **self_p);

/* What is known of the index now: answers of other versions are not given any more. dimensions: of
 * its vectors; 0: it has none. */
void finder_index(finder_t *self, uint64_t version, size_t dimensions);

/* time_left_ms: of the asker. Calls done once, maybe within this call. PL_BUSY: too many wait. */
void finder_ask(finder_t *self, const Pl__SearchQuery *query, uint32_t time_left_ms,
                finder_done_fn *done, void *arg);
/* Makes the answer ready. A newer one of the same call takes the place of its older one. */
void finder_prefetch(finder_t *self, const Pl__SearchQuery *query, const char *call_id);

uint32_t finder_waiting(const finder_t *self); /* who asked and has no answer yet */

#endif
