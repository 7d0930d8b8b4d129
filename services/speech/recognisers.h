/* recognisers.h - the recognition engines of this process, in the order they are asked.
 *
 * Threads: the loop's.
 */
#ifndef PL_SPEECH_RECOGNISERS_H
#define PL_SPEECH_RECOGNISERS_H

#include "common/config.h"
#include "common/loop.h"
#include "common/metrics.h"
#include "services/speech/breaker.h"
#include "services/speech/stt.h"

enum { RECOGNISERS_MAX = 4 };

typedef struct recognisers recognisers_t;

typedef struct {
    recognisers_t *owner;
    const stt_provider_t *provider;
    void *engine;
    bool gone; /* it has failed for good */
    breaker_t breaker;
    pl_metric_t *failures, *replaced;
} recogniser_t;

/* Opens speech.stt.provider and speech.stt.fallbacks[]. failed: not one of them can recognise any
 * more. PL_INVALID: the configuration names what there is not, or one twice; said why. */
pl_err_t recognisers_new(recognisers_t **out, pl_loop_t *loop, const pl_config_t *cfg,
                         stt_failed_fn *failed, void *arg);
/* These instead, NULL-terminated, in that order. */
pl_err_t recognisers_new_of(recognisers_t **out, pl_loop_t *loop, const pl_config_t *cfg,
                            const stt_provider_t *const *providers, stt_failed_fn *failed,
                            void *arg);
void recognisers_destroy(recognisers_t **self_p); /* streams are closed before */

pl_loop_t *recognisers_loop(const recognisers_t *self);
size_t recognisers_count(const recognisers_t *self);
recogniser_t *recognisers_at(recognisers_t *self, size_t i);
/* The first, from there on round, that may be asked now; if none may, the first that is not gone. */
size_t recognisers_next(const recognisers_t *self, size_t from, uint64_t now_ms);

uint32_t recognisers_deadline_ms(const recognisers_t *self); /* for a final text */
bool recognisers_hedge(const recognisers_t *self);

#endif
