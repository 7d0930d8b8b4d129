/* pg_link.h - one connection to a PostgreSQL server: statements prepared once, sent many at a time
 * and answered together, with a deadline, and connected anew after it broke.
 *
 * Statements are queued (pg_link_send) and go out with pg_link_sync, which brings all their results
 * in the order of sending: one round trip, however many there are (libpq's pipeline mode). When one
 * fails, those behind it are not done, up to the sync.
 *
 * Source: PostgreSQL 15, "libpq - C Library", chapters 34.4 and 34.5.
 *
 * Threads: a link belongs to one thread at a time, which it blocks, up to the timeout.
 */
#ifndef PERSISTENCE_PROVIDERS_PG_LINK_H
#define PERSISTENCE_PROVIDERS_PG_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "services/persistence/write.h"

typedef struct pg_link pg_link_t;

typedef enum {
    PG_DONE,
    PG_REFUSED, /* the server refused a statement: pg_link_code */
    PG_AGAIN,   /* it came into another's way: the transaction may be tried again */
    PG_HELD,    /* another holds what it is about, for longer than is waited */
    PG_AWAY,    /* no connection, no answer in time, or a server that cannot do anything now */
} pg_outcome_t;

typedef struct {
    const char *url, *password, *schema; /* of the configuration; password "": what the url says */
    uint32_t timeout_ms;                 /* for connecting, and for the answers of one sync */
    /* Gets each new connection before anything is prepared; NULL: nobody. */
    pg_outcome_t (*before)(void *arg, PGconn *conn, char detail[STORE_DETAIL_BYTES]);
    void *arg;
} pg_link_opts_t;

/* Does not connect. statements: texts by their numbers, which the caller keeps. Never NULL. */
pg_link_t *pg_link_new(const pg_link_opts_t *opts, const char *const *statements, size_t count);
void pg_link_destroy(pg_link_t **self_p);

/* Connects where it is not, sets the search path, and prepares the statements. After a failure it
 * is not tried again for a while, which doubles each time (100 ms to 5 s). */
pg_outcome_t pg_link_up(pg_link_t *self, char detail[STORE_DETAIL_BYTES]);

/* A parameter. Text that is not UTF-8, which the server would refuse, has its bad bytes replaced. */
typedef struct {
    const char *data; /* NULL: NULL */
    size_t bytes;     /* of binary data */
    bool binary;
    char number[24]; /* what data points at, for pg_int */
    char *owned;     /* likewise; freed by pg_link_send */
} pg_value_t;
pg_value_t pg_text(const char *text); /* borrowed until it is sent; so is the next */
pg_value_t pg_blob(const void *data, size_t bytes);
pg_value_t pg_int(int64_t value);
pg_value_t pg_null(void);

bool pg_link_is_up(const pg_link_t *self);
void pg_link_send(pg_link_t *self, size_t statement, pg_value_t *values, size_t count);

/* *results: as many as were sent since the last sync, to be freed with pg_results_free; NULL when
 * it is not PG_DONE. */
typedef struct {
    PGresult **items;
    size_t count;
} pg_results_t;
pg_outcome_t pg_link_sync(pg_link_t *self, pg_results_t *results, char detail[STORE_DETAIL_BYTES]);
void pg_results_free(pg_results_t *self);
/* Out of a transaction that failed, by that statement, where the connection still is. */
void pg_link_leave(pg_link_t *self, size_t statement);

/* Columns, which come in binary: integers of 4 or 8 bytes, and bytes or text (borrowed). */
int64_t pg_column_int(const PGresult *result, int row, int column);
const uint8_t *pg_column_blob(const PGresult *result, int row, int column, size_t *bytes);

/* Runs texts alone on a connection that is not in pipeline mode, as before() gets it. *out, to be
 * cleared, is the last one's result; NULL: nobody wants it. */
pg_outcome_t pg_run(PGconn *conn, const char *sql, PGresult **out, char detail[STORE_DETAIL_BYTES]);

#endif
