/* config.h - one YAML file for all processes, checked against tables of known keys.
 *
 * A key's path joins names by dots; "[]" stands for a list: "conversation.initiate.claim[].name".
 * Every service passes the table of the keys it reads; keys that all services share (bus.*, log.*)
 * are known here. A top-level section that belongs to another service is left to that service; any
 * other unknown key, wrong type or value out of range stops the load with a line like
 *   config/parley.yaml:12: telephony.sip.prot: unknown key (did you mean telephony.sip.port?)
 * "${NAME}" in a value is replaced by the environment variable (unset: refused), so that
 * secrets stay out of the file.
 *
 * Threads: read-only after the load, so any. Strings live as long as the configuration.
 */
#ifndef PL_COMMON_CONFIG_H
#define PL_COMMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    PL_CONFIG_STRING,
    PL_CONFIG_INT,
    PL_CONFIG_DOUBLE,
    PL_CONFIG_BOOL,
} pl_config_type_t;

typedef struct {
    const char *path;
    pl_config_type_t type;
    const char
        *fallback;    /* as it would stand in the file; NULL: none ("" for a string, 0, false) */
    double min, max;  /* of INT and DOUBLE; both 0: any */
    const char *help; /* one line for --help */
} pl_config_key_t;

typedef struct pl_config pl_config_t;

/* Reads the command line and the file. Options of every service:
 *   --config FILE   (default: config/parley.yaml when it exists, else the built-in defaults)
 *   --instance N    (a number: "dialogue-N", or a whole name; default 0)
 *   --set PATH=VALUE  (wins over the file; repeatable)   --check   --help   --version
 * keys ends with a NULL path. Starts the log. Returns NULL when the process should end, with the
 * exit status in *status: it has said why on standard error (status 78, EX_CONFIG, for a wrong
 * configuration; 64 for a wrong option; 0 after --help, --version or --check). */
pl_config_t *pl_config_load(const char *service, const pl_config_key_t *keys, int argc, char **argv,
                            int *status);

/* The same from text, for tests: name stands for the file's name in errors, which are written to
 * error_out. NULL on failure. */
pl_config_t *pl_config_parse(const char *service, const pl_config_key_t *keys, const char *name,
                             const char *yaml, char *error_out, size_t error_bytes);

void pl_config_destroy(pl_config_t **self_p);

const char *pl_config_service(const pl_config_t *self);  /* "dialogue" */
const char *pl_config_instance(const pl_config_t *self); /* "dialogue-0" */

const char *pl_version(void); /* of the build: "0.1.0" or what git describes */

/* Values. The path must be in the tables (assert); list elements are asked for by number:
 * "conversation.initiate.claim[2].name". Never NULL. */
const char *pl_config_str(const pl_config_t *self, const char *path);
int64_t pl_config_int(const pl_config_t *self, const char *path);
double pl_config_double(const pl_config_t *self, const char *path);
bool pl_config_bool(const pl_config_t *self, const char *path);

/* Where the value at path stands: "config/parley.yaml:12" or "--set"; "" when it is the default. */
const char *pl_config_where(const pl_config_t *self, const char *path);

/* Length of the list at path (without "[]"); 0 when absent. */
size_t pl_config_count(const pl_config_t *self, const char *path);
/* A value inside a list, path written as a format: pl_config_item(c, "bus.endpoints.rag[%zu]", i) */
const char *pl_config_item(const pl_config_t *self, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
