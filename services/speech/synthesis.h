/* synthesis.h - one sentence to audio: the voice for it, what was said before out of the cache.
 *
 * Threads: the loop's. Callbacks never run inside a call.
 */
#ifndef PL_SPEECH_SYNTHESIS_H
#define PL_SPEECH_SYNTHESIS_H

#include <stddef.h>

#include "common/config.h"
#include "common/err.h"
#include "common/loop.h"
#include "services/speech/clip.h"
#include "services/speech/tts.h"

enum { SYNTHESIS_WARM_MAX = 4096 /* phrases waiting to be warmed; more are left out */ };

typedef struct synthesis synthesis_t;
typedef struct synthesis_job synthesis_job_t;

/* As tts_sink_t, its audio in clips, which are borrowed for the call. */
typedef struct {
    void (*audio)(void *arg, clip_t *clip);
    void (*said)(void *arg, size_t bytes, size_t samples);
    void (*done)(void *arg, pl_err_t err);
    void *arg;
} synthesis_sink_t;

/* Opens the voices. PL_INVALID: the configuration names what there is not; said why. */
pl_err_t synthesis_new(synthesis_t **out, pl_loop_t *loop, const pl_config_t *cfg);
/* Its jobs are cancelled before. Blocks for the engines' threads. */
void synthesis_destroy(synthesis_t **self_p);

/* Copies say and sink. say->voice is what was asked for, "" for any. PL_NOT_FOUND: nobody speaks
 * the language. */
pl_err_t synthesis_say(synthesis_t *self, synthesis_job_t **job, const tts_say_t *say,
                       const synthesis_sink_t *sink);
void synthesis_cancel(synthesis_job_t **job); /* no callback after it returns; NULL is fine */

/* Synthesises it, when nothing of its kind is under way, so that it is there when it is said. */
void synthesis_warm(synthesis_t *self, const tts_say_t *say);

#endif
