#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "services/rag/index.h"
#include "services/rag/index_file.h"
#include "services/rag/index_writer.h"

static char *text_copy(sqlite3_stmt *row, int column)
{
    const unsigned char *text = sqlite3_column_text(row, column);
    char *copy = strdup(text ? (const char *)text : "");
    assert(copy);
    return copy;
}

static void take_row(index_summary_t *self, sqlite3_stmt *row)
{
    bool bad = sqlite3_column_int(row, 1) != 0;
    self->documents += !bad;
    self->bad += bad;
    self->passages += (uint32_t)sqlite3_column_int64(row, 3);
    const unsigned char *problem = sqlite3_column_text(row, 2);
    if (!problem || !*problem) return;
    if (self->problems++ >= INDEX_PROBLEMS_MAX) return;
    self->list = realloc(self->list, (self->listed + 1) * sizeof *self->list);
    assert(self->list);
    self->list[self->listed++] = (index_problem_t){text_copy(row, 0), text_copy(row, 2), bad};
}

pl_err_t index_summarize(index_writer_t *writer, const char *path, index_summary_t *out,
                         char detail[INDEX_DETAIL_BYTES])
{
    /* '0' is the character behind '/' */
    static const char sql[] = "SELECT path, bad, problem, passages FROM documents WHERE path = ?1"
                              " OR (path > ?1 || '/' AND path < ?1 || '0') ORDER BY path";
    const index_file_t *file = index_writer_file(writer);
    sqlite3_stmt *rows = NULL;
    *out = (index_summary_t){0};
    int rc = sqlite3_prepare_v2(file->db, sql, -1, &rows, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_bind_text(rows, 1, path, -1, SQLITE_STATIC);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(rows);
        if (rc == SQLITE_ROW) take_row(out, rows);
    }
    (void)sqlite3_finalize(rows);
    if (rc == SQLITE_DONE) return PL_OK;
    index_summary_free(out);
    return index_file_say(file, detail);
}

void index_summary_free(index_summary_t *self)
{
    for (size_t i = 0; i < self->listed; i++) {
        free(self->list[i].path);
        free(self->list[i].problem);
    }
    free(self->list);
    *self = (index_summary_t){0};
}
