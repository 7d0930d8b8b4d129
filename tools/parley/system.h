/* system.h - the processes that make up Parley: which there are, how they are started, and where
 * they are reached.
 *
 * Threads: the loop's.
 */
#ifndef PARLEY_SYSTEM_H
#define PARLEY_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config.h"
#include "tools/parley/supervisor.h"

enum { SYSTEM_SERVICES = 6, SYSTEM_MAX_SETTINGS = 64 };

extern const char *const system_services[SYSTEM_SERVICES]; /* in the order they are started */

typedef struct {
    const char *bin_dir;                       /* folder of the services' programs */
    const char *log_dir;                       /* NULL: all write to our standard error */
    const char *only;                          /* "speech,rag"; NULL: all */
    const char *config_file;                   /* NULL: the services' default */
    const char *settings[SYSTEM_MAX_SETTINGS]; /* PATH=VALUE of --set */
    size_t setting_count;
} system_opts_t;

/* Is the service named in only ("a,b"; NULL: every one is)? */
bool system_wanted(const char *only, const char *service);
/* Names in only that are no service: the first one, copied to out. */
bool system_unknown(const char *only, char *out, size_t out_bytes);

/* Adds every wanted process to the supervisor. */
void system_add(supervisor_t *supervisor, const system_opts_t *opts, const pl_config_t *config);

/* "http://127.0.0.1:8080" of an address to listen on (0.0.0.0 is reached by loopback). */
char *system_url(const char *listen, char *out, size_t out_bytes);
/* "192.0.2.7:5060": where other machines reach an address to listen on. */
char *system_outside(const char *listen, char *out, size_t out_bytes);
/* Does somebody accept connections at this address to listen on already? */
bool system_answers(const char *listen);

#endif
