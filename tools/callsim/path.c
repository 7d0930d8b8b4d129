#include "tools/callsim/path.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tools/callsim/noise.h"

enum { REORDER_US = 25000 /* behind the next one, 20 ms later */ };

typedef struct {
    uint64_t due_us, order;
    size_t size;
    uint8_t bytes[PATH_BYTES_MAX];
} packet_t;

struct path {
    path_opts_t opts;
    uint32_t state;
    bool bursting;
    packet_t *packets[PATH_PACKETS_MAX]; /* in no order */
    size_t count;
    uint64_t order;
    path_stats_t stats;
};

path_t *path_new(const path_opts_t *opts)
{
    path_t *self = calloc(1, sizeof *self);
    assert(self);
    self->opts = *opts;
    self->state = opts->seed ? opts->seed : 1;
    return self;
}

void path_destroy(path_t **self_p)
{
    path_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (size_t i = 0; i < self->count; i++) free(self->packets[i]);
    free(self);
}

static double draw(path_t *self) /* 0 to 1 */
{
    return (noise_random(&self->state) + 1) / 2;
}

static bool is_lost(path_t *self)
{
    bool lost = self->bursting || draw(self) < self->opts.loss;
    self->bursting = lost && draw(self) < self->opts.burst;
    return lost;
}

void path_put(path_t *self, uint64_t now_us, const void *bytes, size_t size)
{
    self->stats.put++;
    bool lost = is_lost(self);
    double jitter = draw(self);
    bool late = draw(self) < self->opts.reorder;
    if (lost || self->count == PATH_PACKETS_MAX || size > PATH_BYTES_MAX) {
        self->stats.lost++;
        return;
    }
    packet_t *packet = malloc(sizeof *packet);
    assert(packet);
    packet->due_us = now_us + self->opts.delay_us +
                     (uint64_t)(self->opts.jitter_us * jitter * jitter * jitter) +
                     (late ? REORDER_US : 0);
    packet->order = self->order++;
    packet->size = size;
    memcpy(packet->bytes, bytes, size);
    self->packets[self->count++] = packet;
}

/* Index of the one that arrives first; count when there is none. */
static size_t first(const path_t *self)
{
    size_t best = 0;
    for (size_t i = 1; i < self->count; i++) {
        const packet_t *a = self->packets[i];
        const packet_t *b = self->packets[best];
        if (a->due_us < b->due_us || (a->due_us == b->due_us && a->order < b->order)) best = i;
    }
    return best;
}

uint64_t path_due_us(const path_t *self)
{
    return self->count ? self->packets[first(self)]->due_us : UINT64_MAX;
}

size_t path_take(path_t *self, uint64_t now_us, void *out)
{
    if (path_due_us(self) > now_us) return 0;
    size_t i = first(self);
    packet_t *packet = self->packets[i];
    self->packets[i] = self->packets[--self->count];
    size_t size = packet->size;
    memcpy(out, packet->bytes, size);
    free(packet);
    return size;
}

void path_stats(const path_t *self, path_stats_t *out)
{
    *out = self->stats;
}
