#include "services/telephony/echo_delay.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEARCH_HZ = 2000,
    FRAME = SEARCH_HZ / 50,
    LAGS = SEARCH_HZ * 600 / 1000,
    HISTORY = LAGS + FRAME,
    ROOM = 4 * HISTORY, /* what was played moves to the front once in a while, not every frame */
    UNROLL = 8,
    JUDGE_FRAMES = 10,                  /* searched frames between two looks at the result */
    AGREE = 3,                          /* looks in a row that must tell the same */
    AGREE_LAGS = SEARCH_HZ * 14 / 1000, /* a voice's period apart the match is nearly as good */
    ENOUGH_FRAMES = 25,                 /* searched before the first judgement */
    AUDIBLE_FRAMES = 30, /* 600 ms: so long after the last sound played an echo may come */
};
static const float forget = 0.98f; /* a searched frame: half in 34 of them */
static const float audible = 60;   /* mean square of the differences that is more than silence */
static const float stands_out =
    4.7f; /* peak against the root mean square of all lags; chance stays below 4.3 */

struct echo_delay {
    unsigned decimation;
    float played[ROOM]; /* at the search rate; the newest ends at `end` */
    size_t end;
    float last_heard, last_played;
    float match[LAGS]; /* by what lies further and further ahead: match[0] is the longest lag */
    unsigned since_sound, until_judged;
    int candidate, agreed; /* lag, looks */
    int lag;               /* -1: unknown */
};

echo_delay_t *echo_delay_new(unsigned hz)
{
    assert(hz == 8000 || hz == 16000);
    echo_delay_t *self = calloc(1, sizeof *self);
    if (!self) abort();
    self->decimation = hz / SEARCH_HZ;
    echo_delay_reset(self);
    return self;
}

void echo_delay_destroy(echo_delay_t **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

void echo_delay_reset(echo_delay_t *self)
{
    *self = (echo_delay_t){.decimation = self->decimation,
                           .end = HISTORY,
                           .since_sound = AUDIBLE_FRAMES,
                           .until_judged = ENOUGH_FRAMES,
                           .candidate = -1,
                           .lag = -1};
}

/* Averages down to the search rate and takes differences, so that a voice's low end does not
 * outweigh the rest. Returns the mean square. */
static float reduce(const int16_t *pcm, unsigned decimation, float *last, float out[FRAME])
{
    float sum = 0;
    for (size_t i = 0; i < FRAME; i++) {
        int mean = 0;
        for (size_t k = 0; k < decimation; k++) mean += pcm[i * decimation + k];
        float now = (float)mean / (float)decimation;
        out[i] = now - 0.9f * *last;
        *last = now;
        sum += out[i] * out[i];
    }
    return sum / FRAME;
}

/* match[k] += sum of heard[n] * played[n + k] */
static void correlate(float *restrict match, const float *restrict heard,
                      const float *restrict played)
{
    for (size_t n = 0; n < FRAME; n += UNROLL) {
        const float *h = heard + n;
        const float *p = played + n;
        for (size_t k = 0; k < LAGS; k++) {
            match[k] += h[0] * p[k] + h[1] * p[k + 1] + h[2] * p[k + 2] + h[3] * p[k + 3] +
                        h[4] * p[k + 4] + h[5] * p[k + 5] + h[6] * p[k + 6] + h[7] * p[k + 7];
        }
    }
}

static void judge(echo_delay_t *self)
{
    float square = 0;
    float most = 0;
    int best = 0;
    for (int k = 0; k < LAGS; k++) {
        float m = fabsf(self->match[k]);
        square += m * m;
        if (m <= most) continue;
        most = m;
        best = LAGS - k;
    }
    if (most < stands_out * sqrtf(square / LAGS)) {
        self->agreed = 0;
        return;
    }
    if (self->agreed > 0 && abs(best - self->candidate) > AGREE_LAGS) self->agreed = 0;
    if (self->agreed == 0 || best < self->candidate) self->candidate = best;
    if (++self->agreed < AGREE) return;
    self->lag = self->candidate;
    self->agreed = 0;
}

void echo_delay_heard(echo_delay_t *self, const int16_t *pcm)
{
    float frame[FRAME];
    if (!pcm) {
        self->last_heard = 0;
        return;
    }
    float loud = reduce(pcm, self->decimation, &self->last_heard, frame);
    if (self->since_sound >= AUDIBLE_FRAMES || loud < 1) return;
    float level = 1 / sqrtf(loud);
    for (size_t i = 0; i < FRAME; i++) frame[i] *= level;
    for (size_t k = 0; k < LAGS; k++) self->match[k] *= forget;
    correlate(self->match, frame, self->played + self->end - LAGS);
    if (--self->until_judged > 0) return;
    self->until_judged = JUDGE_FRAMES;
    judge(self);
}

void echo_delay_played(echo_delay_t *self, const int16_t *pcm)
{
    if (self->end + 2 * (size_t)FRAME > ROOM) { /* a search reads a frame beyond the end */
        memmove(self->played, self->played + self->end - HISTORY, HISTORY * sizeof(float));
        self->end = HISTORY;
    }
    float *frame = self->played + self->end;
    float loud = 0;
    if (pcm) {
        loud = reduce(pcm, self->decimation, &self->last_played, frame);
    } else {
        memset(frame, 0, FRAME * sizeof *frame);
        self->last_played = 0;
    }
    self->end += FRAME;
    memset(self->played + self->end, 0, FRAME * sizeof *frame);
    if (loud > audible)
        self->since_sound = 0;
    else if (self->since_sound < AUDIBLE_FRAMES)
        self->since_sound++;
}

int echo_delay_ms(const echo_delay_t *self)
{
    return self->lag < 0 ? -1 : self->lag * 1000 / SEARCH_HZ;
}
