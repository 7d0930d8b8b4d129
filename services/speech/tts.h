/* tts.h - synthesis providers: a sentence in, 16 kHz samples out as they become ready.
 *
 * Threads: one loop calls and is called back; nothing blocks but open_engine. Callbacks never run
 * inside a call. Engines have their own threads.
 */
#ifndef PL_SPEECH_TTS_H
#define PL_SPEECH_TTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/err.h"
#include "common/loop.h"
#include "speech.pb-c.h"

typedef struct {
    const char *text;  /* as it should be said: figures in words, no markup (spoken.h) */
    const char *lang;  /* short code */
    const char *voice; /* the provider's name for it; "": its default for the language */
    double rate;       /* 1.0 is normal */
    Pl__Style style;
} tts_say_t;

typedef struct {
    void (*audio)(void *arg, const int16_t *pcm, size_t samples); /* borrowed */
    /* After so many samples of the audio the first bytes of the text are said. Rising, at ends of
     * words; a provider that does not know calls it never. */
    void (*said)(void *arg, size_t bytes, size_t samples);
    void (*done)(void *arg, pl_err_t err); /* once, at the end; the job is gone then */
    void *arg;
} tts_sink_t;

typedef struct tts_provider {
    const char *name;
    pl_err_t (*open_engine)(void **engine, pl_loop_t *loop, const pl_config_t *cfg);
    void (*close_engine)(void **engine); /* jobs are cancelled before; blocks for its threads */

    bool (*speaks)(void *engine, const char *lang);
    bool (*has_voice)(void *engine, const char *voice);
    /* Copies say and sink. Silence at both ends of the audio is left out. */
    pl_err_t (*say)(void *engine, void **job, const tts_say_t *say, const tts_sink_t *sink);
    /* No callback after it returns; NULL is fine. Not from within one of the job's own. */
    void (*cancel)(void **job);
} tts_provider_t;

const tts_provider_t *tts_provider_find(const char *name); /* NULL: there is none */
const tts_provider_t *const *tts_providers(void);          /* all, NULL-terminated */

extern const tts_provider_t tts_flite, tts_espeak, tts_openai;

#endif
