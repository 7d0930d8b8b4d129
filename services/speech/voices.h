/* voices.h - who speaks a language: the synthesis engines and the configured choice among them.
 *
 * Threads: the loop's.
 */
#ifndef PL_SPEECH_VOICES_H
#define PL_SPEECH_VOICES_H

#include "common/config.h"
#include "common/err.h"
#include "common/loop.h"
#include "services/speech/tts.h"

typedef struct voices voices_t;

typedef struct {
    const tts_provider_t *provider;
    void *engine;
    const char *voice; /* "": the provider's default */
} voices_choice_t;

/* Opens all engines. PL_INVALID: speech.tts.voices[] names what there is not; said why. */
pl_err_t voices_new(voices_t **out, pl_loop_t *loop, const pl_config_t *cfg);
void voices_destroy(voices_t **self_p);

/* voice is what was asked for, "" for any; another provider's voice is passed over. The entry of
 * the configuration for the language decides, else the first provider that speaks it. PL_NOT_FOUND:
 * nobody does. out borrows from voices and from voice. */
pl_err_t voices_pick(const voices_t *self, const char *lang, const char *voice,
                     voices_choice_t *out);

#endif
