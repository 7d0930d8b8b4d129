/* voicing.h - one sentence by the voices that can speak it, the next where one fails.
 *
 * A voice that fails or gives no sound in time is replaced for the sentence; one that fails in the
 * middle is followed by another that says the rest. Hedging asks a second voice beside the first
 * when that is past its own 95th percentile; who sounds first is heard.
 *
 * Threads: the loop's. Callbacks never run inside a call.
 */
#ifndef PL_SPEECH_VOICING_H
#define PL_SPEECH_VOICING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/loop.h"
#include "services/speech/voices.h"

typedef struct voicing voicing_t;

typedef struct {
    void (*audio)(void *arg, const int16_t *pcm, size_t samples);
    void (*said)(void *arg, size_t bytes, size_t samples);
    /* Once, at the end; it is gone then. pure: all of it is of the first voice. */
    void (*done)(void *arg, pl_err_t err, bool pure);
    void *arg;
} voicing_sink_t;

typedef struct {
    uint32_t first_audio_ms;
    bool hedge;
} voicing_opts_t;

/* choices: who may say it, the best first, at least one. Copies all but what the choices point to.
 * say->voice counts for nothing: each choice has its own. Never NULL. */
voicing_t *voicing_new(pl_loop_t *loop, const voices_choice_t *choices, size_t count,
                       const voicing_opts_t *opts, const tts_say_t *say,
                       const voicing_sink_t *sink);
void voicing_cancel(voicing_t **self_p); /* no callback after it returns; NULL is fine */

#endif
