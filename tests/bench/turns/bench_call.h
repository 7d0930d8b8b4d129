/* bench_call.h - a whole call on a simulated clock: a caller in a room with a phone, a network, and
 * Parley's own parts behind it, from the jitter buffer to the decision who has the floor.
 *
 * The parts are wired as leg_audio and channel wire them; a message between telephony and speech
 * takes effect after the tick it was sent in, as over a lane.
 *
 * Threads: none. A tick is 20 ms.
 */
#ifndef BENCH_CALL_H
#define BENCH_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "envelope.pb-c.h"
#include "services/telephony/codec.h"
#include "tools/callsim/path.h"
#include "tools/callsim/room.h"

typedef struct {
    codec_kind_t codec;
    room_opts_t room;
    path_opts_t path; /* each way */
    bool bare;        /* without echo cancellation and noise suppression */
} bench_call_opts_t;

typedef struct bench_call bench_call_t;

/* Borrowed; now_us is of the tick. */
typedef void bench_event_fn(void *arg, uint64_t now_us, const Pl__Envelope *env);
/* Each frame that goes out, after its tick. */
typedef void bench_out_fn(void *arg, uint64_t now_us, const int16_t pcm[CODEC_FRAME_SAMPLES]);

bench_call_t *bench_call_new(const bench_call_opts_t *opts, bench_event_fn *event,
                             bench_out_fn *out, void *arg);
void bench_call_destroy(bench_call_t **self_p);

uint64_t bench_call_now_us(const bench_call_t *self);
void bench_call_tick(bench_call_t *self);

/* The bot. */
void bench_call_say(bench_call_t *self, uint32_t turn, const char *text);
void bench_call_listen(bench_call_t *self, Pl__Expect expect);
bool bench_call_bot_speaks(const bench_call_t *self); /* a turn is playing */

/* The caller: begins with the next tick, over what was said before. Copied. */
void bench_call_mouth(bench_call_t *self, const int16_t *pcm, size_t samples);

#endif
