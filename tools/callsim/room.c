#include "tools/callsim/room.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    HZ = NOISE_HZ,
    NOISE_SAMPLES = 20 * HZ, /* then it repeats */
    PAST = (ROOM_DELAY_MAX_MS + ROOM_REVERB_MAX_MS) * HZ / 1000 + ROOM_FRAME,
};

struct room {
    int16_t *noise; /* NULL: none */
    size_t at;
    float *response; /* NULL: no echo */
    size_t taps, delay;
    float played[PAST]; /* by the earpiece, a ring; the newest before "newest" */
    size_t newest;
};

static void make_response(room_t *self, const room_opts_t *opts)
{
    uint32_t reverb_ms =
        opts->reverb_ms < ROOM_REVERB_MAX_MS ? opts->reverb_ms : ROOM_REVERB_MAX_MS;
    uint32_t delay_ms =
        opts->echo_delay_ms < ROOM_DELAY_MAX_MS ? opts->echo_delay_ms : ROOM_DELAY_MAX_MS;
    uint32_t seed = opts->seed * 7 + 3;
    self->delay = (size_t)delay_ms * HZ / 1000;
    self->taps = (size_t)reverb_ms * HZ / 1000 + 1;
    self->response = calloc(self->taps, sizeof *self->response);
    assert(self->response);
    double sum = 0;
    for (size_t i = 0; i < self->taps; i++) {
        double fall = pow(10, -3.0 * (double)i / (double)self->taps);
        double tap = (i == 0 ? 1.0 : 0.5 * noise_random(&seed)) * fall;
        self->response[i] = (float)tap;
        sum += tap * tap;
    }
    float gain = (float)(pow(10, opts->echo_db / 20) / sqrt(sum));
    for (size_t i = 0; i < self->taps; i++) self->response[i] *= gain;
}

room_t *room_new(const room_opts_t *opts)
{
    room_t *self = calloc(1, sizeof *self);
    assert(self);
    if (opts->noise != NOISE_NONE)
        self->noise =
            noise_make(opts->noise, opts->seed + 1, NOISE_SAMPLES, ROOM_VOICE_DB - opts->snr_db);
    if (opts->echo_db < 0) make_response(self, opts);
    return self;
}

void room_destroy(room_t **self_p)
{
    room_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    free(self->noise);
    free(self->response);
    free(self);
}

/* The echo of the newest sample played. */
static float echo_at(const room_t *self)
{
    float sum = 0;
    size_t at = (self->newest + PAST - 1 - self->delay) % PAST;
    for (size_t k = 0; k < self->taps; k++) {
        sum += self->response[k] * self->played[at];
        at = at > 0 ? at - 1 : PAST - 1;
    }
    return sum;
}

void room_mic(room_t *self, const int16_t mouth[ROOM_FRAME], const int16_t ear[ROOM_FRAME],
              int16_t out[ROOM_FRAME])
{
    for (size_t i = 0; i < ROOM_FRAME; i++) {
        float s = mouth[i];
        if (self->noise) {
            s += self->noise[self->at];
            self->at = (self->at + 1) % NOISE_SAMPLES;
        }
        if (self->response) {
            self->played[self->newest] = ear[i];
            self->newest = (self->newest + 1) % PAST;
            s += echo_at(self);
        }
        out[i] = (int16_t)lrintf(s > 32767 ? 32767 : s < -32768 ? -32768 : s);
    }
}
