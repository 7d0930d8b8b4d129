#include "services/rag/tokenizer.h"

#include <stddef.h>

typedef int token_fn(void *arg, int flags, const char *token, int bytes, int from, int to);

typedef struct {
    token_fn *fn;
    void *arg;
} walk_t;

static int take(void *arg, const char *term, size_t bytes, size_t from, size_t to, bool again)
{
    const walk_t *self = arg;
    return self->fn(self->arg, again ? FTS5_TOKEN_COLOCATED : 0, term, (int)bytes, (int)from,
                    (int)to);
}

static int tokenize(Fts5Tokenizer *self, void *arg, int flags, const char *text, int bytes,
                    token_fn *fn)
{
    if (flags & FTS5_TOKENIZE_QUERY) return bytes > 0 ? fn(arg, 0, text, bytes, 0, bytes) : 0;
    walk_t walk = {fn, arg};
    return lexicon_index((lexicon_t *)self, text, (size_t)bytes, take, &walk);
}

static int create(void *context, const char **arguments, int count, Fts5Tokenizer **out)
{
    (void)arguments;
    (void)count;
    *out = context; /* the lexicon itself */
    return SQLITE_OK;
}

static void forget(Fts5Tokenizer *self)
{
    (void)self; /* whose it is */
}

fts5_api *tokenizer_fts5(sqlite3 *db)
{
    fts5_api *api = NULL;
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &statement, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_bind_pointer(statement, 1, &api, "fts5_api_ptr", NULL);
    if (rc == SQLITE_OK) (void)sqlite3_step(statement);
    (void)sqlite3_finalize(statement);
    return api;
}

int tokenizer_register(sqlite3 *db, lexicon_t *lexicon)
{
    fts5_api *api = tokenizer_fts5(db);
    fts5_tokenizer ours = {create, forget, tokenize};
    if (!api) return SQLITE_ERROR;
    return api->xCreateTokenizer(api, "parley", lexicon, &ours, NULL);
}
