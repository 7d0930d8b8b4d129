/* echo_bench.c - SpeexDSP against WebRTC's audio processing: what is left of the echo, what becomes
 * of the caller's voice, and what a 20 ms frame costs.
 *
 * usage: echo_bench [HZ]          8000 or 16000, both by default
 * Generated double talk (tests/support/echo_scene.h) runs through each candidate. JSON lines:
 *   erle_db        echo return loss enhancement while only the bot speaks, from its third second on
 *   again_db       the same three seconds after the echo's path has changed
 *   distortion_db  log-spectral distance of the caller's voice in double talk, and when alone
 *   level_db       the caller's level in double talk, out against in
 *   false_pct      frames of the bot alone that voice activity takes for a voice
 *   missed_pct     the caller's frames in double talk in which it hears none
 *   us             processor time of a 20 ms frame
 */
#include <stdio.h>
#include <time.h>

#include <speex/speex_echo.h>
#include <speex/speex_preprocess.h>

#include "services/telephony/cleaner.h"
#include "services/telephony/vad.h"
#include "tests/bench/webrtc_apm.h"
#include "tests/support/echo_scene.h"

enum { FRAME_MS = 20, PART_MS = 10, SETTLED_S = 3, BANDS = 40, MAX_FRAME = 320, LAG_MS = 40 };

static const scene_opts_t scenes[] = {
    {"handset", 60, 0, -25, 20, -65, -24, false, false, 0},
    {"speakerphone", 120, 0, -10, 200, -65, -26, false, false, 0},
    {"quantised", 150, 0, -15, 80, -65, -24, false, true, 0},
    {"noisy", 180, 0, -20, 120, -40, -24, false, false, 0},
    {"overdriven", 100, 0, -10, 120, -65, -24, true, false, 0},
    {"drifting", 90, 0, -15, 80, -65, -24, false, false, 60},
    {"moving", 80, 200, -15, 80, -65, -24, false, false, 0},
};
enum { SCENES = sizeof scenes / sizeof *scenes };

/* ---- candidates ---------------------------------------------------------------------------------- */

typedef struct {
    SpeexEchoState *echo;
    SpeexPreprocessState *clean;
    webrtc_apm_t *apm;
    cleaner_t *ours;
    SpeexResamplerState *wide; /* a narrow leg's codec brings frames to 16 kHz */
    size_t samples;
} candidate_t;

typedef enum {
    NOTHING,
    SPEEX_ECHO,
    SPEEX_ALL,
    WEBRTC_ECHO,
    WEBRTC_ALL,
    WEBRTC_MOBILE,
    CLEANER,
    KINDS
} kind_t;
static const char *const kind_name[KINDS] = {
    "nothing", "speex echo", "speex all", "webrtc echo", "webrtc all", "webrtc mobile", "cleaner"};

static candidate_t open_candidate(kind_t kind, unsigned hz, int delay_ms)
{
    candidate_t c = {.samples = hz * PART_MS / 1000};
    if (kind == SPEEX_ECHO || kind == SPEEX_ALL) {
        int rate = (int)hz;
        c.echo = speex_echo_state_init((int)c.samples, (int)hz * 80 / 1000);
        speex_echo_ctl(c.echo, SPEEX_ECHO_SET_SAMPLING_RATE, &rate);
    }
    if (kind == SPEEX_ALL) {
        int on = 1, noise = -20, echo = -40, active = -5;
        c.clean = speex_preprocess_state_init((int)c.samples, (int)hz);
        speex_preprocess_ctl(c.clean, SPEEX_PREPROCESS_SET_DENOISE, &on);
        speex_preprocess_ctl(c.clean, SPEEX_PREPROCESS_SET_NOISE_SUPPRESS, &noise);
        speex_preprocess_ctl(c.clean, SPEEX_PREPROCESS_SET_ECHO_STATE, c.echo);
        speex_preprocess_ctl(c.clean, SPEEX_PREPROCESS_SET_ECHO_SUPPRESS, &echo);
        speex_preprocess_ctl(c.clean, SPEEX_PREPROCESS_SET_ECHO_SUPPRESS_ACTIVE, &active);
    }
    if (kind == CLEANER) {
        c.wide = speex_resampler_init(1, hz, 16000, 3, NULL);
        c.ours = cleaner_new(hz, &(cleaner_opts_t){.echo = true, .noise = true});
    } else if (kind >= WEBRTC_ECHO) {
        c.apm = webrtc_apm_new(hz, kind == WEBRTC_MOBILE, kind != WEBRTC_ECHO, false, delay_ms);
    }
    return c;
}

static void close_candidate(candidate_t *c)
{
    if (c->clean) speex_preprocess_state_destroy(c->clean);
    if (c->echo) speex_echo_state_destroy(c->echo);
    if (c->apm) webrtc_apm_destroy(c->apm);
    cleaner_destroy(&c->ours);
    if (c->wide) speex_resampler_destroy(c->wide);
}

/* Returns the level up to which what is left may be echo. */
static float run_frame(candidate_t *c, const int16_t *played, int16_t *mic)
{
    if (c->ours) {
        int16_t pcm[MAX_FRAME];
        spx_uint32_t in = (spx_uint32_t)(2 * c->samples), out = MAX_FRAME;
        speex_resampler_process_int(c->wide, 0, mic, &in, pcm, &out);
        float echo_db = cleaner_heard(c->ours, pcm, false);
        cleaner_played(c->ours, played);
        for (size_t i = 0; i < in; i++) mic[i] = pcm[i * MAX_FRAME / in];
        return echo_db;
    }
    if (c->apm) webrtc_apm_frame(c->apm, played, mic);
    for (size_t at = 0; c->echo && at < 2 * c->samples; at += c->samples) {
        int16_t out[MAX_FRAME];
        speex_echo_cancellation(c->echo, mic + at, played + at, out);
        memcpy(mic + at, out, c->samples * sizeof *mic);
        if (c->clean) speex_preprocess_run(c->clean, mic + at);
    }
    return -96;
}

/* ---- measures ------------------------------------------------------------------------------------ */

static void band_powers(const int16_t *pcm, size_t samples, unsigned hz, double out[BANDS])
{
    static double cosine[2][BANDS][MAX_FRAME], sine[2][BANDS][MAX_FRAME];
    static bool made[2];
    int wide = hz == 16000;
    if (!made[wide]) {
        for (int b = 0; b < BANDS; b++) {
            double f = 200.0 + (wide ? 6800.0 : 3200.0) * b / BANDS;
            for (size_t i = 0; i < samples; i++) {
                double window = 0.5 - 0.5 * cos(2 * M_PI * (double)i / (double)samples);
                cosine[wide][b][i] = window * cos(2 * M_PI * f * (double)i / hz);
                sine[wide][b][i] = window * sin(2 * M_PI * f * (double)i / hz);
            }
        }
        made[wide] = true;
    }
    for (int b = 0; b < BANDS; b++) {
        double c = 0, s = 0;
        for (size_t i = 0; i < samples; i++) {
            c += cosine[wide][b][i] * pcm[i];
            s += sine[wide][b][i] * pcm[i];
        }
        out[b] = (c * c + s * s) / (double)(samples * samples) + 4; /* what 40 dB below voice is */
    }
}

static double distortion_db(const int16_t *near, const int16_t *out, size_t samples, unsigned hz,
                            double *level_db)
{
    size_t frame = hz * FRAME_MS / 1000;
    double sum = 0, level = 0;
    size_t count = 0;
    for (size_t at = 0; at + frame <= samples; at += frame) {
        double loud = scene_level_db(near + at, frame);
        if (loud < -40) continue;
        double a[BANDS], b[BANDS], square = 0;
        band_powers(near + at, frame, hz, a);
        band_powers(out + at, frame, hz, b);
        for (int i = 0; i < BANDS; i++) {
            double d = 10 * log10(b[i] / a[i]);
            square += d * d;
        }
        sum += sqrt(square / BANDS);
        level += scene_level_db(out + at, frame) - loud;
        count++;
    }
    *level_db = level / (double)count;
    return sum / (double)count;
}

/* How much later the caller's voice comes out than it went in. */
static size_t lag_of(const int16_t *near, const int16_t *out, size_t samples, unsigned hz)
{
    size_t best = 0;
    double most = 0;
    for (size_t lag = 0; lag < hz * LAG_MS / 1000; lag++) {
        double sum = 0;
        for (size_t i = 0; i + lag < samples; i++) sum += (double)near[i] * out[i + lag];
        if (sum > most) {
            most = sum;
            best = lag;
        }
    }
    return best;
}

static void voices_heard(const scene_t *s, const int16_t *out, const float *echo_db,
                         double *false_pct, double *missed_pct)
{
    size_t frame = s->hz * FRAME_MS / 1000;
    vad_t vad;
    vad_init(&vad, 0.5);
    SpeexResamplerState *wide = speex_resampler_init(1, s->hz, 16000, 3, NULL);
    double alone = 0, wrong = 0, spoken = 0, missed = 0;
    for (size_t f = 0; (f + 1) * frame <= s->samples; f++) {
        int16_t pcm[MAX_FRAME];
        spx_uint32_t in = (spx_uint32_t)frame, n = MAX_FRAME;
        speex_resampler_process_int(wide, 0, out + f * frame, &in, pcm, &n);
        bool voice = vad_frame(&vad, pcm).voice && scene_level_db(pcm, MAX_FRAME) > echo_db[f];
        size_t second = f * FRAME_MS / 1000;
        bool far = (second >= SETTLED_S && second < SCENE_FAR_S) ||
                   second >= SCENE_S - SCENE_AGAIN_S + SETTLED_S;
        bool both = second >= SCENE_FAR_S && second < SCENE_FAR_S + SCENE_DOUBLE_S;
        if (far) {
            alone++;
            wrong += voice;
        } else if (both && scene_level_db(s->near + f * frame, frame) > -32) {
            spoken++;
            missed += !voice;
        }
    }
    speex_resampler_destroy(wide);
    *false_pct = 100 * wrong / alone;
    *missed_pct = 100 * missed / spoken;
}

static double gain_db(const scene_t *s, const int16_t *out, unsigned from_s, unsigned to_s)
{
    size_t at = (size_t)from_s * s->hz, n = (size_t)(to_s - from_s) * s->hz;
    return scene_level_db(s->mic + at, n) - scene_level_db(out + at, n);
}

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void measure(const scene_opts_t *opts, const scene_t *s, kind_t kind)
{
    size_t frame = s->hz * FRAME_MS / 1000;
    /* Both are told the delay: what finds it is measured elsewhere. */
    size_t bulk = (size_t)(opts->delay_ms - 20) * s->hz / 1000;
    candidate_t c = open_candidate(kind, s->hz, (int)opts->delay_ms);
    int16_t *out = malloc(s->samples * sizeof *out);
    int16_t *played = calloc(s->samples + bulk, sizeof *played);
    assert(out && played);
    memcpy(out, s->mic, s->samples * sizeof *out);
    memcpy(played + bulk, s->played, s->samples * sizeof *played);
    bool told = kind == SPEEX_ECHO || kind == SPEEX_ALL;
    float *echo_db = malloc((s->samples / frame) * sizeof *echo_db);
    assert(echo_db);
    double before = cpu_us();
    for (size_t at = 0; at + frame <= s->samples; at += frame) {
        echo_db[at / frame] = run_frame(&c, told ? played + at : s->played + at, out + at);
    }
    double us = (cpu_us() - before) / (double)(s->samples / frame);
    close_candidate(&c);
    free(played);

    size_t doubled = (size_t)SCENE_FAR_S * s->hz, n = (size_t)SCENE_DOUBLE_S * s->hz;
    size_t alone = doubled + n, m = (size_t)SCENE_NEAR_S * s->hz;
    size_t lag = lag_of(s->near + alone, out + alone, m, s->hz);
    double level, unused, missed, wrong;
    double both = distortion_db(s->near + doubled, out + doubled + lag, n, s->hz, &level);
    double solo = distortion_db(s->near + alone, out + alone + lag, m, s->hz, &unused);
    voices_heard(s, out, echo_db, &wrong, &missed);
    printf(
        "{\"bench\": \"echo\", \"hz\": %u, \"scene\": \"%s\", \"by\": \"%s\", \"erle_db\": %.1f, "
        "\"again_db\": %.1f, \"distortion_db\": [%.1f, %.1f], \"level_db\": %.1f, \"false_pct\": "
        "%.1f, \"missed_pct\": %.1f, \"delay_ms\": %.1f, \"us\": %.0f}\n",
        s->hz, opts->name, kind_name[kind], gain_db(s, out, SETTLED_S, SCENE_FAR_S),
        gain_db(s, out, SCENE_S - SCENE_AGAIN_S + SETTLED_S, SCENE_S), both, solo, level, wrong,
        missed, (double)lag * 1000 / s->hz, us);
    free(echo_db);
    free(out);
}

int main(int argc, char **argv)
{
    unsigned only = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    for (unsigned hz = 8000; hz <= 16000; hz += 8000) {
        if (only && only != hz) continue;
        for (size_t i = 0; i < SCENES; i++) {
            scene_t s = scene_new(&scenes[i], hz, 12345);
            for (kind_t kind = 0; kind < KINDS; kind++) measure(&scenes[i], &s, kind);
            scene_free(&s);
            fflush(stdout);
        }
    }
    return EXIT_SUCCESS;
}
