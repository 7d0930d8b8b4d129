/* echo_scene.h - for tests: a bot's voice, a caller's voice and the echo between them, generated.
 *
 * The bot (Flite's slt) and the caller (rms) speak by a timetable; what the bot says comes back
 * through a room: delay, an exponentially decaying response of random taps, a level, a loudspeaker
 * that overdrives, a codec's quantisation, a clock that drifts. All of it is seeded.
 * Needs Flite's voices slt and rms and speexdsp's resampler. Units: dB of full scale where a name
 * ends in _db, samples at hz.
 */
#ifndef TESTS_ECHO_SCENE_H
#define TESTS_ECHO_SCENE_H

#include <assert.h>
#include <flite/flite.h>
#include <math.h>
#include <speex/speex_resampler.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

cst_voice *register_cmu_us_slt(const char *);
cst_voice *register_cmu_us_rms(const char *);

/* Seconds of the timetable: who speaks when. Each part begins with a second of silence. */
enum {
    SCENE_FAR_S = 10,    /* only the bot, from 0 */
    SCENE_DOUBLE_S = 12, /* the caller interrupts again and again */
    SCENE_EVERY_S = 3,   /* so often, */
    SCENE_BURST_S = 1,   /* for so long */
    SCENE_NEAR_S = 5,    /* only the caller */
    SCENE_AGAIN_S = 10,  /* only the bot, after the path has changed */
    SCENE_S = SCENE_FAR_S + SCENE_DOUBLE_S + SCENE_NEAR_S + SCENE_AGAIN_S
};

typedef struct {
    const char *name;
    unsigned delay_ms;       /* from playing to hearing */
    unsigned delay_again_ms; /* after the change; 0: the same path */
    double echo_db;          /* level of the echo relative to what is played: -20 */
    unsigned reverb_ms;      /* the response falls by 60 dB in it */
    double noise_db;         /* at the caller's microphone; -100: none */
    double near_db;          /* the caller's level while speaking */
    bool overdriven;         /* the loudspeaker clips */
    bool coarse;             /* eight bit companded both ways, as G.711 is */
    double drift_ppm;        /* the caller's clock runs faster by it */
} scene_opts_t;

typedef struct {
    unsigned hz;
    size_t samples;
    int16_t *played; /* the bot */
    int16_t *near;   /* the caller alone, as a microphone would hear without echo and noise */
    int16_t *echo;   /* alone */
    int16_t *mic;    /* all of it: what arrives */
} scene_t;

static inline double scene_random(uint32_t *state) /* -1 to 1 */
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return (double)*state / 2147483648.0 - 1;
}

static inline int16_t scene_clip(double s)
{
    return (int16_t)lrint(s > 32767 ? 32767 : s < -32768 ? -32768 : s);
}

/* A voice reading at 16 kHz, brought to that rate and level (while it speaks). */
static inline int16_t *scene_voice(cst_voice *voice, const char *text, unsigned hz, double level_db,
                                   size_t *samples_out)
{
    cst_wave *wave = flite_text_to_wave(text, voice);
    assert(wave && cst_wave_sample_rate(wave) == 16000);
    spx_uint32_t in = (spx_uint32_t)cst_wave_num_samples(wave);
    spx_uint32_t out = in;
    int16_t *pcm = calloc(in + 1, sizeof *pcm);
    assert(pcm);
    if (hz == 16000) {
        memcpy(pcm, cst_wave_samples(wave), in * sizeof *pcm);
    } else {
        SpeexResamplerState *r = speex_resampler_init(1, 16000, hz, 6, NULL);
        speex_resampler_process_int(r, 0, cst_wave_samples(wave), &in, pcm, &out);
        speex_resampler_destroy(r);
    }
    delete_wave(wave);
    double sum = 0;
    size_t loud = 0;
    for (size_t i = 0; i < out; i++) {
        if (abs(pcm[i]) < 200) continue;
        sum += (double)pcm[i] * pcm[i];
        loud++;
    }
    double gain = 32768 * pow(10, level_db / 20) / sqrt(sum / (double)(loud ? loud : 1));
    for (size_t i = 0; i < out; i++) pcm[i] = scene_clip(pcm[i] * gain);
    *samples_out = out;
    return pcm;
}

/* Repeats the voice from second to second, a second of silence first. */
static inline void scene_say(const scene_t *s, int16_t *into, const int16_t *voice, size_t samples,
                             unsigned from_s, unsigned to_s)
{
    size_t at = 0;
    for (size_t i = (size_t)(from_s + 1) * s->hz; i < (size_t)to_s * s->hz; i++) {
        into[i] = voice[at];
        at = (at + 1) % samples;
    }
}

/* Mu-law's steps without its clipping: 8 bit companded. */
static inline double scene_coarse(double s)
{
    double x = fabs(s) / 32768;
    double y = log(1 + 255 * (x > 1 ? 1 : x)) / log(256);
    y = floor(y * 127 + 0.5) / 127;
    double out = (pow(256, y) - 1) / 255 * 32768;
    return s < 0 ? -out : out;
}

static inline void scene_reverberate(scene_t *s, const scene_opts_t *opts, size_t from, size_t to,
                                     unsigned delay_ms, uint32_t seed)
{
    size_t taps = (size_t)opts->reverb_ms * s->hz / 1000 + 1;
    double *response = calloc(taps, sizeof *response);
    assert(response);
    double sum = 0;
    for (size_t i = 0; i < taps; i++) {
        double fall = pow(10, -3.0 * (double)i / (double)taps);
        response[i] = (i == 0 ? 1.0 : 0.5 * scene_random(&seed)) * fall;
        sum += response[i] * response[i];
    }
    double gain = pow(10, opts->echo_db / 20) / sqrt(sum);
    for (size_t i = 0; i < taps; i++) response[i] *= gain;
    /* What the loudspeaker says, from so long before that the response has passed. */
    size_t span = to - from + taps;
    float *said = calloc(span, sizeof *said);
    float *echo = calloc(to - from, sizeof *echo);
    assert(said && echo);
    double delay = (double)delay_ms * s->hz / 1000;
    for (size_t i = 0; i < span; i++) {
        double at = ((double)from + (double)i - (double)taps) * (1 + opts->drift_ppm / 1e6) - delay;
        if (at < 0 || at + 2 > (double)s->samples) continue;
        size_t n = (size_t)at;
        double part = at - (double)n;
        double x = s->played[n] * (1 - part) + s->played[n + 1] * part;
        said[i] = (float)(opts->overdriven ? 12000 * tanh(x / 12000) : x);
    }
    for (size_t k = 0; k < taps; k++) {
        float r = (float)response[k];
        const float *x = said + taps - k;
        for (size_t i = 0; i < to - from; i++) echo[i] += r * x[i];
    }
    for (size_t i = from; i < to; i++) s->echo[i] = scene_clip((double)echo[i - from]);
    free(said);
    free(echo);
    free(response);
}

static inline scene_t scene_new(const scene_opts_t *opts, unsigned hz, uint32_t seed)
{
    static cst_voice *bot, *caller;
    if (!bot) {
        flite_init();
        bot = register_cmu_us_slt(NULL);
        caller = register_cmu_us_rms(NULL);
    }
    scene_t s = {.hz = hz, .samples = (size_t)SCENE_S * hz};
    s.played = calloc(s.samples, sizeof(int16_t));
    s.near = calloc(s.samples, sizeof(int16_t));
    s.echo = calloc(s.samples, sizeof(int16_t));
    s.mic = calloc(s.samples, sizeof(int16_t));
    assert(s.played && s.near && s.echo && s.mic);
    size_t n = 0;
    int16_t *voice =
        scene_voice(bot,
                    "Thank you for calling. I can help you with your digital workplace today. "
                    "Would you please tell me in which building you are, and since when?",
                    hz, -20, &n);
    scene_say(&s, s.played, voice, n, 0, SCENE_FAR_S + SCENE_DOUBLE_S);
    scene_say(&s, s.played, voice, n, SCENE_S - SCENE_AGAIN_S, SCENE_S);
    free(voice);
    voice = scene_voice(caller,
                        "My laptop does not start since Monday. The address is forty two Long "
                        "Street, and my number is five five five, one two three four.",
                        hz, opts->near_db, &n);
    scene_say(&s, s.near, voice, n, SCENE_FAR_S, SCENE_FAR_S + SCENE_DOUBLE_S + SCENE_NEAR_S);
    free(voice);
    for (size_t i = (size_t)SCENE_FAR_S * hz; i < (size_t)(SCENE_FAR_S + SCENE_DOUBLE_S) * hz;
         i++) {
        double second = fmod((double)i / hz - SCENE_FAR_S, SCENE_EVERY_S);
        if (second < 1 || second > 1 + SCENE_BURST_S) s.near[i] = 0;
    }

    size_t change = (size_t)(SCENE_S - SCENE_AGAIN_S) * hz;
    unsigned again_ms = opts->delay_again_ms ? opts->delay_again_ms : opts->delay_ms;
    scene_reverberate(&s, opts, 0, change, opts->delay_ms, seed);
    scene_reverberate(&s, opts, change, s.samples, again_ms,
                      opts->delay_again_ms ? seed + 7 : seed);
    double noise = 32768 * sqrt(3) * pow(10, opts->noise_db / 20);
    for (size_t i = 0; i < s.samples; i++) {
        double mic = s.near[i] + s.echo[i] + noise * scene_random(&seed);
        s.mic[i] = scene_clip(opts->coarse ? scene_coarse(mic) : mic);
    }
    return s;
}

static inline void scene_free(scene_t *s)
{
    free(s->played);
    free(s->near);
    free(s->echo);
    free(s->mic);
    *s = (scene_t){0};
}

static inline double scene_level_db(const int16_t *pcm, size_t samples)
{
    double sum = 0;
    for (size_t i = 0; i < samples; i++) sum += (double)pcm[i] * pcm[i];
    return 10 * log10(sum / (double)samples / (32768.0 * 32768.0) + 1e-12);
}

#endif
