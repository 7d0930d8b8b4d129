/* bench_ears.h - the embedded recogniser on a simulated clock.
 *
 * It decodes for real, at once, and its texts come when they would have: after the processor time
 * that they took, one utterance behind the other. So a busy machine does not change the result.
 *
 * Threads: none.
 */
#ifndef BENCH_EARS_H
#define BENCH_EARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "speech.pb-c.h"

typedef struct bench_ears bench_ears_t;

typedef struct {
    void (*partial)(void *arg, uint64_t now_us, const char *text, size_t samples);
    void (*final)(void *arg, uint64_t now_us, const char *text, double confidence);
    void *arg;
} bench_ears_sink_t;

/* narrow: nothing above 4 kHz is heard. Aborts when there is no model. */
bench_ears_t *bench_ears_new(bool narrow, const bench_ears_sink_t *sink);
void bench_ears_destroy(bench_ears_t **self_p);

void bench_ears_begin(bench_ears_t *self, uint64_t now_us, Pl__Expect expect);
void bench_ears_feed(bench_ears_t *self, uint64_t now_us, const int16_t *pcm, size_t samples);
void bench_ears_pause(bench_ears_t *self, uint64_t now_us);
void bench_ears_end(bench_ears_t *self, uint64_t now_us);
void bench_ears_drop(bench_ears_t *self);

/* Tells what is due by now. */
void bench_ears_tick(bench_ears_t *self, uint64_t now_us);

#endif
