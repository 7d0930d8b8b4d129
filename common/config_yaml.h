/* config_yaml.h - a YAML text as a flat list of paths and values, each with its line. Private to
 * common/config.
 *
 * Threads: none. Source: YAML 1.1 as read by libyaml.
 */
#ifndef PL_COMMON_CONFIG_YAML_H
#define PL_COMMON_CONFIG_YAML_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    char *path;  /* "conversation.initiate.claim[0].name" */
    char *value; /* a scalar's text; NULL for a list or map, which is listed before its members */
    char *where; /* "config/parley.yaml:12" or "--set" */
} config_entry_t;

typedef struct {
    config_entry_t *entries;
    size_t count, room;
} config_entries_t;

/* Errors are lines "where: path: what" in one growing text. */
typedef struct {
    char *text;
    size_t bytes;
} config_errors_t;

void config_error(config_errors_t *errors, const char *where, const char *path, const char *fmt,
                  ...) __attribute__((format(printf, 4, 5)));

/* Copies its arguments; replaces an entry of the same path. */
void config_entries_put(config_entries_t *self, const char *path, const char *value,
                        const char *where);
const config_entry_t *config_entries_find(const config_entries_t *self, const char *path);
void config_entries_free(config_entries_t *self);

/* Adds what the text says. Malformed YAML, duplicate keys and unset ${NAMES} go to errors. */
void config_yaml_read(config_entries_t *self, const char *name, const char *text, size_t bytes,
                      config_errors_t *errors);

/* value with each ${NAME} replaced by the environment; malloc'd. NULL when a name is unset, which
 * is then in missing (64 bytes). */
char *config_expand(const char *value, char missing[64]);

#endif
