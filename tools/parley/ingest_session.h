/* ingest_session.h - one collection on its way into one rag instance, step by step.
 *
 * Threads: the main one; waits for each answer.
 */
#ifndef PARLEY_INGEST_SESSION_H
#define PARLEY_INGEST_SESSION_H

#include "tools/parley/client.h"
#include "tools/parley/ingest_files.h"
#include "tools/parley/ingest_show.h"

typedef struct {
    client_t *client;
    ingest_show_t *show;
    const char *to;    /* the instance */
    const char *label; /* what lines begin with: the collection's name, and the instance's */
    char id[33];
    size_t sent, unchanged, refused;
    bool removed;
    bool failed; /* something of it cannot be found later; said */
} ingest_session_t;

/* Draws an id. */
void ingest_session_begin(ingest_session_t *self, client_t *client, ingest_show_t *show,
                          const char *to, const char *label);

/* Each: false when it cannot go on; it has said why. */
bool ingest_session_send(ingest_session_t *self, const ingest_files_t *files, bool replace);
bool ingest_session_remove(ingest_session_t *self, const char *name);
/* Waits until the index is of it, and shows what came of it; then, unless leave, until the passages
 * have their vectors or the server is down. */
bool ingest_session_follow(ingest_session_t *self, bool leave);

#endif
