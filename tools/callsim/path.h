/* path.h - a network path that delays, loses and reorders datagrams, by a seed.
 *
 * Threads: none; pure: time is an argument (_us, of one clock).
 */
#ifndef CALLSIM_PATH_H
#define CALLSIM_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PATH_BYTES_MAX = 1500, PATH_PACKETS_MAX = 512 };

typedef struct {
    uint32_t seed;
    double loss;        /* share of datagrams, 0 to 1 */
    double burst;       /* of those lost, the share that takes the next one along */
    double reorder;     /* share that comes after the one behind it */
    uint32_t delay_us;  /* of all */
    uint32_t jitter_us; /* more of it, mostly little, at most that */
} path_opts_t;

typedef struct path path_t;
path_t *path_new(const path_opts_t *opts); /* never NULL */
void path_destroy(path_t **self_p);

void path_put(path_t *self, uint64_t now_us, const void *bytes, size_t size);
/* The next one that has arrived by now; its size, 0: none has. out holds PATH_BYTES_MAX. */
size_t path_take(path_t *self, uint64_t now_us, void *out);
uint64_t path_due_us(const path_t *self); /* when the next arrives; UINT64_MAX: nothing is on it */

typedef struct {
    uint32_t put, lost;
} path_stats_t;
void path_stats(const path_t *self, path_stats_t *out);

#endif
