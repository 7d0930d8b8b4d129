/* ingest_options.h - the command line of parley ingest.
 *
 * Threads: none; values only. Strings are borrowed from argv.
 */
#ifndef PARLEY_INGEST_OPTIONS_H
#define PARLEY_INGEST_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum { INGEST_PATHS_MAX = 64, INGEST_SETTINGS_MAX = 32 };

typedef struct {
    const char *config_file; /* NULL: the usual one */
    const char *settings[INGEST_SETTINGS_MAX];
    size_t setting_count;
    const char *name; /* of the collection; NULL: the path's last part */
    bool replace;     /* also a collection that came from elsewhere */
    bool remove;      /* paths are collections' names */
    bool leave;       /* do not wait for vectors */
    const char *paths[INGEST_PATHS_MAX];
    size_t path_count;
} ingest_options_t;

/* Reads what follows "ingest". False when the process should end with *status: it has said why. */
bool ingest_options_read(ingest_options_t *out, int argc, char **argv, int *status);

#endif
