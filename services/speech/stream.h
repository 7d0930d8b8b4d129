/* stream.h - one call's listening and speaking: frames and orders in, effects out.
 *
 * Joins what the caller says (hearing.h), the turns being spoken (speaking.h) and the decision about who has the floor (interruption.h): a caller who takes it flushes the turn that
 * is audible; when it was only a sound the voice may rise again.
 *
 * Threads: none; belongs to the loop that made it. Pure: time is an argument (_us, monotonic),
 * everything it does goes through the sink.
 */
#ifndef PL_SPEECH_STREAM_H
#define PL_SPEECH_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "envelope.pb-c.h"
#include "services/speech/clip.h"
#include "services/speech/hearing.h"

typedef struct stream stream_t;

typedef struct {
    /* The recogniser: begin, feed ..., then end (a final text follows) or drop (none does). */
    void (*hear_begin)(void *arg, Pl__Expect expect, const char *lang);
    void (*hear)(void *arg, const int16_t *pcm, size_t samples);
    void (*hear_pause)(void *arg);
    void (*hear_end)(void *arg);
    void (*hear_drop)(void *arg);
    /* The synthesiser: one sentence at a time; its audio comes back by stream_audio. */
    pl_err_t (*synthesise)(void *arg, const Pl__Say *sentence);
    void (*synthesis_cancel)(void *arg);
    /* The lane. PL_BUSY: again later. */
    pl_err_t (*say_out)(void *arg, Pl__LaneSayOut *frame);
    void (*flush)(void *arg, uint32_t turn);
    void (*rise)(void *arg, uint32_t turn); /* the caller did not mean to interrupt it */
    /* The owner: body is set, routing is the receiver's. Borrowed. */
    void (*event)(void *arg, Pl__Envelope *env);
    void *arg;
} stream_sink_t;

typedef struct {
    const char *lang;
    hearing_opts_t hearing;
    uint32_t cutoff_ms; /* of voice with words: the caller takes the floor */
} stream_opts_t;

stream_t *stream_new(const stream_opts_t *opts, const stream_sink_t *sink); /* copies; never NULL */
void stream_destroy(stream_t **self_p);                                     /* calls nothing */

/* From the lane. Malformed frames are PL_INVALID and ignored. */
pl_err_t stream_heard(stream_t *self, uint64_t now_us, const Pl__LaneHeardIn *in);
pl_err_t stream_played(stream_t *self, uint64_t now_us, const Pl__LanePlayed *played);

/* From the owner. Errors as in speaking.h. */
void stream_listen(stream_t *self, const Pl__Listen *listen);
pl_err_t stream_say(stream_t *self, uint64_t now_us, const Pl__Say *say);
pl_err_t stream_say_stop(stream_t *self, uint64_t now_us, uint32_t turn);

/* From the recogniser, of the oldest utterance not yet final. An empty partial says that it keeps
 * up and has found no words. */
void stream_partial(stream_t *self, uint64_t now_us, const char *text, size_t samples);
void stream_final(stream_t *self, uint64_t now_us, const char *text, double confidence);

/* From the synthesiser. */
void stream_audio(stream_t *self, uint64_t now_us, clip_t *clip); /* held until it is sent */
/* After so many samples of that sentence the first bytes of its text are said. */
void stream_said(stream_t *self, size_t bytes, size_t samples);
void stream_synthesised(stream_t *self, uint64_t now_us); /* also when it failed */

/* The leg is gone: the owner is told what was heard of the turns under way. */
void stream_end(stream_t *self, uint64_t now_us);

void stream_tick(stream_t *self, uint64_t now_us); /* at least every 100 ms */

const char *stream_lang(const stream_t *self);

#endif
