#include "tools/callsim/noise.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "services/speech/providers/flite_voice.h"

static const double full = 32768.0;
static const double tau = 6.283185307179586;

static const char *const names[NOISE_KINDS] = {"none", "white", "street", "babble", "music"};

const char *noise_name(noise_kind_t kind)
{
    return names[kind];
}

noise_kind_t noise_find(const char *name)
{
    int i = 0;
    while (i < NOISE_KINDS && strcmp(names[i], name) != 0) i++;
    return (noise_kind_t)i;
}

double noise_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return (double)*state / 2147483648.0 - 1;
}

static int16_t clip(double s)
{
    return (int16_t)lrint(s > 32767 ? 32767 : s < -32768 ? -32768 : s);
}

double noise_level_db(const int16_t *pcm, size_t samples)
{
    double sum = 0;
    size_t loud = 0;
    for (size_t i = 0; i < samples; i++) {
        if (abs(pcm[i]) < 100) continue;
        sum += (double)pcm[i] * pcm[i];
        loud++;
    }
    return loud ? 10 * log10(sum / (double)loud / (full * full)) : -96;
}

static int16_t *to_level(const double *sound, size_t samples, double level_db)
{
    double sum = 0;
    for (size_t i = 0; i < samples; i++) sum += sound[i] * sound[i];
    double rms = sqrt(sum / (double)(samples ? samples : 1));
    double gain = rms > 0 ? full * pow(10, level_db / 20) / rms : 0;
    int16_t *out = calloc(samples + 1, sizeof *out);
    assert(out);
    for (size_t i = 0; i < samples; i++) out[i] = clip(sound[i] * gain);
    return out;
}

/* ---- kinds ---- */

static void white(double *out, size_t samples, uint32_t seed)
{
    for (size_t i = 0; i < samples; i++) out[i] = noise_random(&seed);
}

/* Pink by Kellet's filter; it swells and falls by some decibels over seconds, as traffic does. */
static void street(double *out, size_t samples, uint32_t seed)
{
    double b[3] = {0};
    double phase = noise_random(&seed) * tau;
    for (size_t i = 0; i < samples; i++) {
        double w = noise_random(&seed);
        b[0] = 0.99765 * b[0] + w * 0.0990460;
        b[1] = 0.96300 * b[1] + w * 0.2965164;
        b[2] = 0.57000 * b[2] + w * 1.0526913;
        double swell = 1 + 0.4 * sin(phase + tau * (double)i / (3.7 * NOISE_HZ));
        out[i] = swell * (b[0] + b[1] + b[2] + w * 0.1848);
    }
}

/* A note with a few harmonics that fade. */
static void note(double *out, size_t samples, size_t from, size_t length, double hz, double level)
{
    for (size_t i = 0; i < length && from + i < samples; i++) {
        double t = (double)i / NOISE_HZ;
        double fade = exp(-2.5 * t) * (i < 160 ? (double)i / 160 : 1);
        double s = 0;
        for (int k = 1; k <= 4; k++) s += sin(tau * hz * k * t) / (k * k);
        out[from + i] += level * fade * s;
    }
}

static void music(double *out, size_t samples, uint32_t seed)
{
    static const double chords[4][3] = {
        {220.0, 261.6, 329.6}, {174.6, 220.0, 261.6}, {261.6, 329.6, 392.0}, {196.0, 246.9, 293.7}};
    const size_t beat = NOISE_HZ / 2; /* 120 a minute */
    memset(out, 0, samples * sizeof *out);
    for (size_t n = 0; n * beat < samples; n++) {
        const double *chord = chords[n / 4 % 4];
        size_t at = n * beat;
        if (n % 4 == 0)
            for (int k = 0; k < 3; k++) note(out, samples, at, 4 * beat, chord[k], 0.6);
        note(out, samples, at, beat, chord[0] / 2, 0.8);
        uint32_t pick = (uint32_t)((noise_random(&seed) + 1) * 1.49);
        note(out, samples, at + beat / 2, beat / 2, 2 * chord[pick], 0.5);
        for (size_t i = 0; i < NOISE_HZ / 20 && at + i < samples; i++) /* a brush */
            out[at + i] += 0.25 * noise_random(&seed) * exp(-(double)i / 160);
    }
}

/* Three voices that read, each from another place of its text on. */
static void babble(double *out, size_t samples, uint32_t seed)
{
    static const char *const readers[] = {"awb", "kal16", "rms"};
    static const char *const texts[] = {
        "The weather in the north will be cloudy with some rain later in the day, and on the coast "
        "a strong wind is expected until the evening. Tomorrow it will be a little warmer.",
        "So I told him that the train had left already, and he said that there would be another "
        "one in half an hour, which of course there was not, because it was a Sunday.",
        "Take two onions, cut them into small pieces, and let them get soft in a little butter. "
        "Then add the tomatoes, some salt and pepper, and wait for twenty minutes."};
    memset(out, 0, samples * sizeof *out);
    for (size_t v = 0; v < 3; v++) {
        int16_t *pcm = NULL;
        size_t count = 0;
        if (flite_voice_say(readers[v], 1.1, texts[v], &pcm, &count) != PL_OK || count == 0)
            continue;
        size_t from = (size_t)((noise_random(&seed) + 1) / 2 * (double)count) % count;
        for (size_t i = 0; i < samples; i++) out[i] += pcm[(from + i) % count];
        free(pcm);
    }
}

int16_t *noise_make(noise_kind_t kind, uint32_t seed, size_t samples, double level_db)
{
    double *sound = calloc(samples + 1, sizeof *sound);
    assert(sound);
    seed = seed ? seed : 1;
    switch (kind) {
    case NOISE_WHITE:
        white(sound, samples, seed);
        break;
    case NOISE_STREET:
        street(sound, samples, seed);
        break;
    case NOISE_BABBLE:
        babble(sound, samples, seed);
        break;
    case NOISE_MUSIC:
        music(sound, samples, seed);
        break;
    case NOISE_NONE:
    case NOISE_KINDS:
        break;
    }
    int16_t *out = to_level(sound, samples, level_db);
    free(sound);
    return out;
}

/* A burst of breath with the resonance of a throat, a short voiced tail. */
int16_t *noise_cough(uint32_t seed, uint32_t ms, double level_db, size_t *samples_out)
{
    size_t samples = (size_t)ms * NOISE_HZ / 1000;
    double *sound = calloc(samples + 1, sizeof *sound);
    assert(sound);
    seed = seed ? seed : 1;
    double hz = 550 + 120 * noise_random(&seed); /* of the resonance */
    double pitch = 120 + 25 * noise_random(&seed);
    double a = 2 * 0.965 * cos(tau * hz / NOISE_HZ);
    double y1 = 0;
    double y2 = 0;
    for (size_t i = 0; i < samples; i++) {
        double at = (double)i / (double)samples;
        double burst = at < 0.06 ? at / 0.06 : exp(-3.2 * (at - 0.06));
        double y = noise_random(&seed) + a * y1 - 0.965 * 0.965 * y2;
        y2 = y1;
        y1 = y;
        double tail = at > 0.35 ? 4 * sin(tau * pitch * (double)i / NOISE_HZ) * (1 - at) : 0;
        sound[i] = (y + tail) * burst;
    }
    const size_t part = NOISE_HZ / 50;
    double most = 0;
    for (size_t at = 0; at + part <= samples; at += part) {
        double sum = 0;
        for (size_t i = 0; i < part; i++) sum += sound[at + i] * sound[at + i];
        double rms = sqrt(sum / (double)part);
        if (rms > most) most = rms;
    }
    int16_t *out = calloc(samples + 1, sizeof *out);
    assert(out);
    double gain = most > 0 ? full * pow(10, level_db / 20) / most : 0;
    for (size_t i = 0; i < samples; i++) out[i] = clip(sound[i] * gain);
    free(sound);
    *samples_out = samples;
    return out;
}
