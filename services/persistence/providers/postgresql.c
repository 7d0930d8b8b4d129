/* postgresql.c - the PostgreSQL provider: opened, and closed. */
#include "services/persistence/providers/postgresql.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *copy(const char *text)
{
    char *out = strdup(text);
    assert(out);
    return out;
}

static void pg_close(void **store)
{
    pg_store_t *self = *store;
    if (!self) return;
    *store = NULL;
    pg_link_destroy(&self->writer);
    pg_link_destroy(&self->reader);
    free(self->url);
    free(self->password);
    free(self->schema);
    free(self);
}

static pl_err_t check(const pl_config_t *cfg, char detail[STORE_DETAIL_BYTES])
{
    char *why = NULL;
    PQconninfoOption *parsed =
        PQconninfoParse(pl_config_str(cfg, "persistence.postgresql.url"), &why);
    PQconninfoFree(parsed);
    if (!parsed) {
        (void)snprintf(detail, STORE_DETAIL_BYTES, "persistence.postgresql.url: %.180s",
                       why ? why : "not a connection string");
        char *end = strchr(detail, '\n');
        if (end) *end = '\0';
        PQfreemem(why);
        return PL_INVALID;
    }
    const char *schema = pl_config_str(cfg, "persistence.postgresql.schema");
    if (!*schema || strlen(schema) > 63) {
        (void)snprintf(detail, STORE_DETAIL_BYTES,
                       "persistence.postgresql.schema: not a name of 1 to 63 bytes");
        return PL_INVALID;
    }
    return PL_OK;
}

static pl_err_t pg_open(void **store, const pl_config_t *cfg, char detail[STORE_DETAIL_BYTES])
{
    pl_err_t err = check(cfg, detail);
    if (err) return err;
    pg_store_t *self = calloc(1, sizeof *self);
    assert(self);
    self->url = copy(pl_config_str(cfg, "persistence.postgresql.url"));
    self->password = copy(pl_config_str(cfg, "persistence.postgresql.password"));
    self->schema = copy(pl_config_str(cfg, "persistence.postgresql.schema"));
    pg_link_opts_t opts = {.url = self->url,
                           .password = self->password,
                           .schema = self->schema,
                           .timeout_ms =
                               (uint32_t)pl_config_int(cfg, "persistence.postgresql.timeout_ms")};
    self->reader = pg_link_new(&opts, pg_read_sql, PG_READS);
    opts.before = pg_schema_update;
    opts.arg = self;
    self->writer = pg_link_new(&opts, pg_write_sql, PG_WRITES);
    pg_outcome_t outcome = pg_link_up(self->writer, detail);
    if (!outcome) outcome = pg_link_up(self->reader, detail);
    void *opened = self;
    if (outcome)
        pg_close(&opened);
    else
        *store = opened;
    return outcome ? PL_UNAVAILABLE : PL_OK;
}

const store_provider_t store_postgresql = {
    .name = "postgresql",
    .open = pg_open,
    .write = pg_write,
    .get = pg_get,
    .list = pg_list,
    .jobs = pg_job_list,
    .reminders = pg_reminder_list,
    .close = pg_close,
};
