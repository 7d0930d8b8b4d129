/* stt.h - recognition providers: samples in, partial and final texts out.
 *
 * One engine a process, one stream a call, one utterance at a time within it. The first feed after
 * listen begins an utterance; end_of_speech asks for its final text, drop forgets it. Texts come in
 * the order of the utterances, each one's final after its partials.
 *
 * Threads: one loop calls and is called back; nothing blocks. Callbacks never run
 * inside a call. Engines have their own threads.
 */
#ifndef PL_SPEECH_STT_H
#define PL_SPEECH_STT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/err.h"
#include "common/loop.h"
#include "speech.pb-c.h"

typedef struct {
    /* Replaces the former; borrowed. "": nothing found so far, and it keeps up. samples: of the
     * utterance's audio that these are surely the words of; 0: only a guess. */
    void (*partial)(void *arg, const char *text, size_t samples);
    void (*final)(void *arg, const char *text, double confidence);
    /* Instead of the final text, at any time: there will be none of this utterance. Close the
     * stream. */
    void (*failed)(void *arg, pl_err_t err);
    void *arg;
} stt_sink_t;

/* What a recogniser has learned of one caller's sound. The call's own, one for each engine: no caller
 * is heard through another's. Zero to begin. */
typedef struct {
    size_t count;
    float values[64];
} stt_memory_t;

/* The engine cannot recognise after all, for good; it has logged why. */
typedef void stt_failed_fn(void *arg);

typedef struct stt_provider {
    const char *name; /* what config says: speech.stt.provider=sphinx */
    /* Quick: models may still be read after it, and utterances wait for them. What can be told at
     * once it tells on standard error; what turns out later it tells by failed. */
    pl_err_t (*open_engine)(void **engine, pl_loop_t *loop, const pl_config_t *cfg,
                            stt_failed_fn *failed, void *arg);
    void (*close_engine)(void **engine); /* streams are closed before; blocks for its threads */

    pl_err_t (*open)(void *engine, void **stream, const stt_sink_t *sink);
    /* For the next utterance. A language the engine does not know is heard as best it can. narrow:
     * nothing of it lies above 4 kHz. */
    void (*listen)(void *stream, Pl__Expect expect, const char *lang, bool narrow);
    /* Reads it before and writes it after each utterance; borrowed until close. May be NULL: it
     * learns nothing. */
    void (*remember)(void *stream, stt_memory_t *memory);
    pl_err_t (*feed)(void *stream, const int16_t *pcm, size_t samples); /* borrows pcm */
    /* The caller is silent: a partial is wanted, the sooner the better. Comes before every
     * end_of_speech; what is fed between the two is silence. */
    void (*pause)(void *stream);
    void (*end_of_speech)(void *stream); /* endpointing decided: finish the utterance */
    void (*drop)(void *stream);          /* forget the utterance; no text of it follows */
    void (*close)(void **stream);        /* idempotent; no callback after it returns */
} stt_provider_t;

const stt_provider_t *stt_provider_find(const char *name); /* NULL: there is none */

extern const stt_provider_t stt_sphinx, stt_openai;

#endif
