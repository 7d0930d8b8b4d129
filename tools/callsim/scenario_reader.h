/* scenario_reader.h - a scenario being read from its configuration. Private to scenario*.c.
 *
 * Threads: none.
 */
#ifndef CALLSIM_SCENARIO_READER_H
#define CALLSIM_SCENARIO_READER_H

#include "tools/callsim/scenario.h"

typedef struct {
    const pl_config_t *config;
    const char *file;
    char *error; /* the first one */
    size_t error_bytes;
    bool failed;
} scenario_reader_t;

/* "s.yaml:7: steps[1].say: what"; a setting that is not there has the file's name alone. */
void scenario_complain(scenario_reader_t *reader, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* "steps[3]" (name NULL) or "steps[3].say". Returns out. */
char *scenario_path(char out[64], const char *list, size_t i, const char *name);

/* Complains about a pattern that cannot be read. */
void scenario_check_pattern(scenario_reader_t *reader, const char *path, const char *pattern);

void scenario_read_checks(scenario_reader_t *reader, scenario_t *self);

#endif
