#include "services/persistence/config.h"

#include <stddef.h>

const pl_config_key_t persistence_config_keys[] = {
    {"persistence.provider", PL_CONFIG_STRING, "sqlite", 0, 0,
     "where calls are kept: sqlite, postgresql"},
    {"persistence.queue_max", PL_CONFIG_INT, "4096", 1, 1000000,
     "requests waiting at once; more are refused as BUSY"},
    {"persistence.batch_max", PL_CONFIG_INT, "256", 1, 10000, "writes made durable by one commit"},
    {"persistence.jobs.done_keep_hours", PL_CONFIG_INT, "168", 1, 87600,
     "how long a job that is done is remembered, so that the same is not done again"},
    {"persistence.jobs.dead_keep_hours", PL_CONFIG_INT, "2160", 1, 87600,
     "how long a job that was given up can be looked at and retried"},
    {"persistence.postgresql.url", PL_CONFIG_STRING, "postgresql:///parley", 0, 0,
     "the server and its database, as libpq reads it: "
     "postgresql://user@host/parley?sslmode=verify-full"},
    {"persistence.postgresql.password", PL_CONFIG_STRING, "", 0, 0,
     "of that user; write ${NAME} here. Empty: what the url or ~/.pgpass says"},
    {"persistence.postgresql.schema", PL_CONFIG_STRING, "parley", 0, 0,
     "the schema that the tables are in; made when absent"},
    {"persistence.postgresql.timeout_ms", PL_CONFIG_INT, "5000", 100, 600000,
     "for connecting, and for each answer"},
    {"persistence.sqlite.file", PL_CONFIG_STRING, "data/parley.db", 0, 0,
     "the database; its folder is created"},
    {"persistence.sqlite.synchronous", PL_CONFIG_STRING, "full", 0, 0,
     "full: an acknowledged write survives a power cut; normal: only a crash of the process"},
    {"persistence.sqlite.check_ms", PL_CONFIG_INT, "1000", 0, 600000,
     "time spent at start looking for damage in the file; 0: none"},
    {NULL, PL_CONFIG_STRING, NULL, 0, 0, NULL},
};
