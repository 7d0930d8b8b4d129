#include "services/rag/rank.h"

#include <math.h>
#include <stddef.h>

enum { COLUMN_TITLE, COLUMN_CONTENT, COLUMNS };

/* What stays the same for all rows of a query. */
typedef struct {
    int words;
    double total;            /* of the weights */
    double average[COLUMNS]; /* length in tokens */
    double weight[];         /* by word, then scratch: hits by word */
} rank_t;

static int count_row(const Fts5ExtensionApi *api, Fts5Context *fts, void *arg)
{
    (void)api;
    (void)fts;
    ++*(sqlite3_int64 *)arg;
    return SQLITE_OK;
}

static double weigh(double rows, double with)
{
    return log(1 + (rows - with + 0.5) / (with + 0.5));
}

static int measure(const Fts5ExtensionApi *api, Fts5Context *fts, rank_t *rank)
{
    sqlite3_int64 rows = 0;
    int rc = api->xRowCount(fts, &rows);
    for (int column = 0; rc == SQLITE_OK && column < COLUMNS; column++) {
        sqlite3_int64 tokens = 0;
        rc = api->xColumnTotalSize(fts, column, &tokens);
        rank->average[column] = rows > 0 && tokens > 0 ? (double)tokens / (double)rows : 1;
    }
    for (int i = 0; rc == SQLITE_OK && i < rank->words; i++) {
        sqlite3_int64 with = 0;
        rc = api->xQueryPhrase(fts, i, &with, count_row);
        double weight = weigh((double)rows, with > 0 ? (double)with : 1);
        rank->weight[i] = weight;
        rank->total += with > 0 ? weight : RANK_UNKNOWN * weight;
    }
    return rc;
}

static int rank_of(const Fts5ExtensionApi *api, Fts5Context *fts, rank_t **out)
{
    *out = api->xGetAuxdata(fts, 0);
    if (*out) return SQLITE_OK;
    int words = api->xPhraseCount(fts);
    rank_t *rank = sqlite3_malloc64(sizeof *rank + 2 * sizeof(double) * (size_t)words);
    if (!rank) return SQLITE_NOMEM;
    *rank = (rank_t){.words = words};
    int rc = measure(api, fts, rank);
    if (rc != SQLITE_OK) {
        sqlite3_free(rank);
        return rc;
    }
    *out = rank;
    return api->xSetAuxdata(fts, rank, sqlite3_free); /* which frees it when it fails */
}

static int count_hits(const Fts5ExtensionApi *api, Fts5Context *fts, const rank_t *rank,
                      double *hits)
{
    double value[COLUMNS] = {0}; /* of one hit, by column */
    int rc = SQLITE_OK;
    for (int column = 0; rc == SQLITE_OK && column < COLUMNS; column++) {
        int tokens = 0;
        rc = api->xColumnSize(fts, column, &tokens);
        double length = 1 - RANK_LENGTH + RANK_LENGTH * tokens / rank->average[column];
        value[column] = (column == COLUMN_TITLE ? RANK_TITLE : 1) / length;
    }
    int count = 0;
    if (rc == SQLITE_OK) rc = api->xInstCount(fts, &count);
    for (int i = 0; rc == SQLITE_OK && i < count; i++) {
        int word = 0;
        int column = 0;
        int offset = 0;
        rc = api->xInst(fts, i, &word, &column, &offset);
        if (rc == SQLITE_OK && column < COLUMNS) hits[word] += value[column];
    }
    return rc;
}

static void score(const Fts5ExtensionApi *api, Fts5Context *fts, sqlite3_context *context, int args,
                  sqlite3_value **values)
{
    (void)args;
    (void)values;
    rank_t *rank = NULL;
    int rc = rank_of(api, fts, &rank);
    if (rc == SQLITE_OK) {
        double *hits = rank->weight + rank->words;
        for (int i = 0; i < rank->words; i++) hits[i] = 0;
        rc = count_hits(api, fts, rank, hits);
        double sum = 0;
        for (int i = 0; i < rank->words; i++)
            sum += rank->weight[i] * hits[i] / (hits[i] + RANK_SATURATION);
        if (rc == SQLITE_OK)
            sqlite3_result_double(context, rank->total > 0 ? RANK_MAX * sum / rank->total : 0);
    }
    if (rc != SQLITE_OK) sqlite3_result_error_code(context, rc);
}

int rank_register(sqlite3 *db)
{
    fts5_api *api = NULL;
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &statement, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_bind_pointer(statement, 1, &api, "fts5_api_ptr", NULL);
    if (rc == SQLITE_OK) (void)sqlite3_step(statement);
    (void)sqlite3_finalize(statement);
    if (rc == SQLITE_OK && !api) rc = SQLITE_ERROR; /* an SQLite without FTS5 */
    if (rc == SQLITE_OK) rc = api->xCreateFunction(api, "parley_score", NULL, score, NULL);
    return rc;
}
