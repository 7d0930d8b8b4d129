/* jobs_options.h - the command line of parley jobs.
 *
 * Threads: none; values only. Strings are borrowed from argv.
 */
#ifndef PARLEY_JOBS_OPTIONS_H
#define PARLEY_JOBS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "job.pb-c.h"

typedef enum { JOBS_LIST, JOBS_SHOW, JOBS_RETRY } jobs_command_t;

enum { JOBS_KEYS_MAX = 64, JOBS_SETTINGS_MAX = 32, JOBS_STATES = 4, JOBS_LIMIT_MAX = 1000 };

typedef struct {
    jobs_command_t command;
    const char *config_file; /* NULL: the usual one */
    const char *settings[JOBS_SETTINGS_MAX];
    size_t setting_count;
    const char *kind, *call_id; /* "": any */
    Pl__JobState states[JOBS_STATES];
    size_t state_count; /* 0: any */
    uint32_t limit, offset;
    bool json;
    bool dead; /* retry: all that are dead (of the kind) */
    const char *keys[JOBS_KEYS_MAX];
    size_t key_count;
} jobs_options_t;

/* Reads what follows "jobs". False when the process should end with *status: it has said why. */
bool jobs_options_read(jobs_options_t *out, int argc, char **argv, int *status);

extern const char jobs_usage[];

#endif
