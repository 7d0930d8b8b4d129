/* options.h - parley's command line.
 *
 * Threads: read-only once read.
 */
#ifndef PARLEY_OPTIONS_H
#define PARLEY_OPTIONS_H

#include <stdbool.h>

#include "common/config.h"
#include "tools/parley/system.h"

typedef struct {
    system_opts_t system;
    char bin_dir[512];
    const char *body;     /* demo: the JSON of POST /call */
    const char *scenario; /* demo: the customer */
    bool keep;            /* demo: leave its folder */
    bool stay;            /* demo: keep the system up after the call */
} options_t;

/* Reads what follows the command's name. Returns false when the process should end with *status. */
bool options_read(options_t *out, int argc, char **argv, int *status);

/* The configuration as parley itself reads it (its own section, what all share); NULL: *status. */
pl_config_t *options_config(const options_t *self, int *status);

extern const char options_usage[];

#endif
