/* voice_pool.h - synthesis by a blocking library, on a few threads: what tts_flite and tts_espeak
 * share.
 *
 * Long sentences are cut at clauses so that the first sound does not wait for the last word; the
 * audio is trimmed of silence at both ends and brought to 16 kHz before it comes home.
 *
 * Threads: all on the home loop, but the say function, which runs on the pool's.
 */
#ifndef PL_SPEECH_VOICE_POOL_H
#define PL_SPEECH_VOICE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/speech/tts.h"

typedef struct voice_pool voice_pool_t;

typedef struct {
    /* Gives out samples at the library's rate; false: nobody wants more of it. */
    bool (*emit)(void *arg, const int16_t *pcm, size_t samples);
    /* Where words end: the first bytes of the text are said after so many samples, as emitted. */
    void (*said)(void *arg, size_t bytes, size_t samples);
    void *arg;
} voice_out_t;
typedef pl_err_t voice_say_fn(const tts_say_t *say, const voice_out_t *out);

/* name: of its threads, at most 12 characters. Never NULL. */
voice_pool_t *voice_pool_new(pl_loop_t *home, const char *name, size_t threads, uint32_t hz,
                             voice_say_fn *say);
void voice_pool_destroy(voice_pool_t **self_p); /* jobs are cancelled before; joins its threads */

/* As tts_provider_t.say and .cancel. */
pl_err_t voice_pool_say(voice_pool_t *self, void **job, const tts_say_t *say,
                        const tts_sink_t *sink);
void voice_pool_cancel(void **job);

#endif
