#include "services/persistence/providers/pg_link.h"

#include <assert.h>
#include <endian.h>
#include <glib.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

enum { PAUSE_FIRST_MS = 100, PAUSE_MAX_MS = 5000, NAME_BYTES = 24, VALUES_MAX = 16 };

struct pg_link {
    pg_link_opts_t opts;
    const char *const *statements;
    size_t statement_count;
    PGconn *conn;
    size_t sent; /* statements whose results are due */
    bool broken; /* while sending: told by the next sync */
    uint64_t retry_ms;
    uint32_t pause_ms;
    char why[STORE_DETAIL_BYTES]; /* of the last failure to connect */
};

/* ---- failures ---- */

static void say(char detail[STORE_DETAIL_BYTES], const char *message)
{
    (void)snprintf(detail, STORE_DETAIL_BYTES, "postgresql: %.200s", message ? message : "");
    for (char *at = detail; *at; at++) {
        if (*at == '\n') *at = at[1] ? ' ' : '\0';
    }
}

/* By the class of SQLSTATE (PostgreSQL, appendix A). */
static pg_outcome_t kind_of(const char *code)
{
    static const char *const again[] = {"40001", "40P01", "23505"};
    static const char *const away[] = {"08", "25006", "25P03", "53", "57", "58", "F0"};
    if (!code) return PG_AWAY; /* not the server's words: the connection's */
    for (size_t i = 0; i < sizeof again / sizeof *again; i++) {
        if (strcmp(code, again[i]) == 0) return PG_AGAIN;
    }
    if (strcmp(code, "55P03") == 0) return PG_HELD;
    for (size_t i = 0; i < sizeof away / sizeof *away; i++) {
        if (strncmp(code, away[i], strlen(away[i])) == 0) return PG_AWAY;
    }
    return PG_REFUSED;
}

/* What became of a statement; why, when it failed. */
static pg_outcome_t outcome_of(const PGresult *result, char detail[STORE_DETAIL_BYTES])
{
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return PG_DONE;
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    say(detail, message ? message : PQresultErrorMessage(result));
    return kind_of(PQresultErrorField(result, PG_DIAG_SQLSTATE));
}

static pg_outcome_t lost(pg_link_t *self, const char *message, char detail[STORE_DETAIL_BYTES])
{
    say(detail, message);
    PQfinish(self->conn);
    self->conn = NULL;
    self->sent = 0;
    self->broken = false;
    return PG_AWAY;
}

/* ---- waiting ---- */

static bool wait_for(const pg_link_t *self, short events, uint64_t until_ms)
{
    uint64_t now_ms = pl_clock_ms();
    struct pollfd fd = {.fd = PQsocket(self->conn), .events = events};
    return now_ms < until_ms && poll(&fd, 1, (int)(until_ms - now_ms)) > 0;
}

/* Sends what is queued, reads what there is, so that neither side waits for the other. */
static bool answered(pg_link_t *self, uint64_t until_ms)
{
    for (;;) {
        int left = PQflush(self->conn);
        if (left < 0) return false;
        if (left == 0 && !PQisBusy(self->conn)) return true;
        if (!wait_for(self, (short)(left > 0 ? POLLIN | POLLOUT : POLLIN), until_ms)) return false;
        if (!PQconsumeInput(self->conn)) return false;
    }
}

/* ---- connecting ---- */

static bool connected(pg_link_t *self, uint64_t until_ms)
{
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
        short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (!wait_for(self, events, until_ms)) return false;
        state = PQconnectPoll(self->conn);
    }
    return state == PGRES_POLLING_OK;
}

static bool connect_to(pg_link_t *self)
{
    char timeout[24];
    (void)snprintf(timeout, sizeof timeout, "%" PRIu32, self->opts.timeout_ms);
    /* Later ones win, NULL ones count as not given: the url may say all but the last three. */
    const char *const names[] = {"application_name", "keepalives_idle",  "dbname", "password",
                                 "client_encoding",  "tcp_user_timeout", NULL};
    const char *const values[] = {
        "parley", "5", self->opts.url, *self->opts.password ? self->opts.password : NULL, "UTF8",
        timeout,  NULL};
    self->conn = PQconnectStartParams(names, values, 1);
    assert(self->conn); /* else there is no memory */
    uint64_t until_ms = pl_clock_ms() + self->opts.timeout_ms;
    return PQstatus(self->conn) != CONNECTION_BAD && connected(self, until_ms);
}

static pg_outcome_t settle(PGconn *conn, PGresult *result, PGresult **out,
                           char detail[STORE_DETAIL_BYTES])
{
    pg_outcome_t outcome = outcome_of(result, detail);
    if (!result) say(detail, PQerrorMessage(conn));
    if (out && !outcome)
        *out = result;
    else
        PQclear(result);
    return outcome;
}

pg_outcome_t pg_run(PGconn *conn, const char *sql, PGresult **out, char detail[STORE_DETAIL_BYTES])
{
    return settle(conn, PQexec(conn, sql), out, detail);
}

/* Whoever stops in mid-transaction must not hold up the others for longer than they wait; what is
 * acknowledged is on the disk, whatever the server's default. */
static pg_outcome_t settle_in(pg_link_t *self, char detail[STORE_DETAIL_BYTES])
{
    char sql[512];
    uint32_t ms = self->opts.timeout_ms;
    char *schema = PQescapeIdentifier(self->conn, self->opts.schema, strlen(self->opts.schema));
    (void)snprintf(
        sql, sizeof sql,
        "SET search_path = %.200s; SET statement_timeout = %" PRIu32 "; SET lock_timeout = %" PRIu32
        "; SET idle_in_transaction_session_timeout = %" PRIu32 "; SET synchronous_commit = on",
        schema ? schema : "", ms, ms / 2, ms / 4);
    PQfreemem(schema);
    return pg_run(self->conn, sql, NULL, detail);
}

static pg_outcome_t prepare(pg_link_t *self, char detail[STORE_DETAIL_BYTES])
{
    pg_outcome_t outcome = settle_in(self, detail);
    for (size_t i = 0; i < self->statement_count && !outcome; i++) {
        char name[NAME_BYTES];
        (void)snprintf(name, sizeof name, "s%zu", i);
        PGresult *made = PQprepare(self->conn, name, self->statements[i], 0, NULL);
        outcome = settle(self->conn, made, NULL, detail);
    }
    return outcome;
}

static void put_off(pg_link_t *self, const char *detail)
{
    self->pause_ms = self->pause_ms ? self->pause_ms * 2 : PAUSE_FIRST_MS;
    if (self->pause_ms > PAUSE_MAX_MS) self->pause_ms = PAUSE_MAX_MS;
    self->retry_ms = pl_clock_ms() + self->pause_ms;
    memcpy(self->why, detail, sizeof self->why);
}

pg_outcome_t pg_link_up(pg_link_t *self, char detail[STORE_DETAIL_BYTES])
{
    if (self->conn && PQstatus(self->conn) == CONNECTION_OK) return PG_DONE;
    if (self->conn) (void)lost(self, PQerrorMessage(self->conn), detail);
    if (pl_clock_ms() < self->retry_ms) {
        memcpy(detail, self->why, STORE_DETAIL_BYTES);
        return PG_AWAY;
    }
    pg_outcome_t outcome = PG_AWAY;
    if (!connect_to(self)) {
        const char *why = PQerrorMessage(self->conn);
        say(detail, *why ? why : "no answer in time (persistence.postgresql.timeout_ms)");
    } else {
        const pg_link_opts_t *opts = &self->opts;
        outcome = opts->before ? opts->before(opts->arg, self->conn, detail) : PG_DONE;
        if (!outcome) outcome = prepare(self, detail);
    }
    if (outcome) {
        PQfinish(self->conn);
        self->conn = NULL;
        put_off(self, detail);
        return outcome;
    }
    self->pause_ms = 0;
    self->retry_ms = 0;
    (void)PQsetnonblocking(self->conn, 1);
    (void)PQenterPipelineMode(self->conn);
    return PG_DONE;
}

/* ---- values ---- */

pg_value_t pg_text(const char *text)
{
    pg_value_t value = {.data = text};
    if (!g_utf8_validate(text, -1, NULL)) value.data = value.owned = g_utf8_make_valid(text, -1);
    return value;
}

pg_value_t pg_blob(const void *data, size_t bytes)
{
    return (pg_value_t){.data = data ? data : "", .bytes = bytes, .binary = true};
}

pg_value_t pg_int(int64_t value)
{
    pg_value_t out = {0};
    (void)snprintf(out.number, sizeof out.number, "%" PRId64, value);
    return out;
}

pg_value_t pg_null(void)
{
    return (pg_value_t){.binary = true};
}

/* ---- asking ---- */

bool pg_link_is_up(const pg_link_t *self)
{
    return self->conn != NULL;
}

void pg_link_send(pg_link_t *self, size_t statement, pg_value_t *values, size_t count)
{
    assert(statement < self->statement_count && count <= VALUES_MAX);
    const char *data[VALUES_MAX];
    int bytes[VALUES_MAX];
    int formats[VALUES_MAX];
    char name[NAME_BYTES];
    for (size_t i = 0; i < count; i++) {
        data[i] = *values[i].number ? values[i].number : values[i].data;
        bytes[i] = (int)values[i].bytes;
        formats[i] = values[i].binary ? 1 : 0;
    }
    (void)snprintf(name, sizeof name, "s%zu", statement);
    if (!self->conn || !PQsendQueryPrepared(self->conn, name, (int)count, data, bytes, formats, 1))
        self->broken = true;
    self->sent++;
    for (size_t i = 0; i < count; i++) g_free(values[i].owned);
}

void pg_results_free(pg_results_t *self)
{
    for (size_t i = 0; i < self->count; i++) PQclear(self->items[i]);
    free(self->items);
    *self = (pg_results_t){0};
}

/* The next result, NULL at the end of a statement's; false: the connection is lost. */
static bool next_result(pg_link_t *self, uint64_t until_ms, PGresult **out)
{
    if (!answered(self, until_ms)) return false;
    *out = PQgetResult(self->conn);
    return PQstatus(self->conn) == CONNECTION_OK;
}

/* Takes results up to the sync's own. The first failure is told; what is behind it was not done. */
static pg_outcome_t collect(pg_link_t *self, pg_results_t *results, char detail[STORE_DETAIL_BYTES])
{
    uint64_t until_ms = pl_clock_ms() + self->opts.timeout_ms;
    pg_outcome_t outcome = PG_DONE;
    for (;;) {
        PGresult *result = NULL;
        if (!next_result(self, until_ms, &result)) {
            bool late = pl_clock_ms() >= until_ms;
            const char *why = PQerrorMessage(self->conn);
            PQclear(result);
            return lost(self, late ? "no answer in time (persistence.postgresql.timeout_ms)" : why,
                        detail);
        }
        if (!result) continue; /* the end of one statement's results */
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            return outcome;
        }
        if (!outcome) outcome = outcome_of(result, detail);
        if (!outcome && results->count < self->sent)
            results->items[results->count++] = result;
        else
            PQclear(result);
    }
}

pg_outcome_t pg_link_sync(pg_link_t *self, pg_results_t *results, char detail[STORE_DETAIL_BYTES])
{
    *results = (pg_results_t){0};
    if (self->broken || !self->conn || !PQpipelineSync(self->conn)) {
        const char *why = self->conn ? PQerrorMessage(self->conn) : "no connection";
        return lost(self, why, detail);
    }
    results->items = calloc(self->sent + 1, sizeof(PGresult *));
    assert(results->items);
    pg_outcome_t outcome = collect(self, results, detail);
    self->sent = 0;
    if (outcome) pg_results_free(results);
    return outcome;
}

void pg_link_leave(pg_link_t *self, size_t statement)
{
    char ignored[STORE_DETAIL_BYTES];
    pg_results_t results;
    if (!self->conn) return;
    pg_link_send(self, statement, NULL, 0);
    (void)pg_link_sync(self, &results, ignored);
    pg_results_free(&results);
}

/* ---- columns ---- */

int64_t pg_column_int(const PGresult *result, int row, int column)
{
    const void *data = PQgetvalue(result, row, column);
    switch (PQgetlength(result, row, column)) {
    case 8: {
        uint64_t wide;
        memcpy(&wide, data, sizeof wide);
        return (int64_t)be64toh(wide);
    }
    case 4: {
        uint32_t narrow;
        memcpy(&narrow, data, sizeof narrow);
        return (int32_t)be32toh(narrow);
    }
    default:
        return 0;
    }
}

const uint8_t *pg_column_blob(const PGresult *result, int row, int column, size_t *bytes)
{
    *bytes = (size_t)PQgetlength(result, row, column);
    return (const uint8_t *)PQgetvalue(result, row, column);
}

/* ---- life ---- */

pg_link_t *pg_link_new(const pg_link_opts_t *opts, const char *const *statements, size_t count)
{
    pg_link_t *self = calloc(1, sizeof *self);
    assert(self);
    self->opts = *opts;
    self->statements = statements;
    self->statement_count = count;
    return self;
}

void pg_link_destroy(pg_link_t **self_p)
{
    pg_link_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    PQfinish(self->conn);
    free(self);
}
