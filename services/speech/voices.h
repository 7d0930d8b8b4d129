/* voices.h - who speaks a language: the synthesis engines and the configured choice among them.
 *
 * Threads: the loop's.
 */
#ifndef PL_SPEECH_VOICES_H
#define PL_SPEECH_VOICES_H

#include "common/config.h"
#include "common/err.h"
#include "common/loop.h"
#include "common/metrics.h"
#include "services/speech/breaker.h"
#include "services/speech/tts.h"

typedef struct voices voices_t;

typedef struct {
    const tts_provider_t *provider;
    void *engine;
    const char *voice;  /* "": the provider's default */
    breaker_t *breaker; /* of the provider */
    pl_metric_t *failures, *replaced;
} voices_choice_t;

enum { VOICES_CHOICES_MAX = 6 };

/* Opens all engines. PL_INVALID: speech.tts.voices[] names what there is not; said why. */
pl_err_t voices_new(voices_t **out, pl_loop_t *loop, const pl_config_t *cfg);
void voices_destroy(voices_t **self_p);

/* Who can speak the language, the best first: the configuration's entries for it, the closest first
 * and then in their order, then any provider that speaks it. voice is what was asked for, "" for
 * any; another provider's voice is passed over. Returns how many; out borrows from voices and from
 * voice. */
size_t voices_list(voices_t *self, const char *lang, const char *voice,
                   voices_choice_t out[VOICES_CHOICES_MAX]);
/* The first of them. PL_NOT_FOUND: nobody. */
pl_err_t voices_pick(voices_t *self, const char *lang, const char *voice, voices_choice_t *out);

#endif
