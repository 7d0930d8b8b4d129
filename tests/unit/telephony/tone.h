/* tone.h - test signals and how well they came through. */
#ifndef PL_TEST_TONE_H
#define PL_TEST_TONE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#define TONE_PI 3.14159265358979323846

/* Fills pcm with a sine of the given frequency and level (dB of full scale), from sample number
 * start on. */
static inline void tone_fill(int16_t *pcm, size_t samples, size_t start, double hz, double dbfs)
{
    double amplitude = 32767 * sqrt(2) * pow(10, dbfs / 20);
    if (amplitude > 32767) amplitude = 32767;
    for (size_t i = 0; i < samples; i++) {
        pcm[i] = (int16_t)lrint(amplitude * sin(2 * TONE_PI * hz * (double)(start + i) / 16000));
    }
}

static inline double tone_level_db(const int16_t *pcm, size_t samples)
{
    double sum = 0;
    for (size_t i = 0; i < samples; i++) sum += (double)pcm[i] * pcm[i];
    return 10 * log10(sum / (double)samples / (32768.0 * 32768.0) + 1e-12);
}

/* Signal to noise: the sine of that frequency, of whatever phase and level, against all else. */
static inline double tone_snr_db(const int16_t *pcm, size_t samples, double hz)
{
    double s = 0;
    double c = 0;
    double all = 0;
    for (size_t i = 0; i < samples; i++) {
        double at = 2 * TONE_PI * hz * (double)i / 16000;
        s += pcm[i] * sin(at);
        c += pcm[i] * cos(at);
        all += (double)pcm[i] * pcm[i];
    }
    double signal = 2 * (s * s + c * c) / (double)samples;
    double noise = all - signal;
    return 10 * log10(signal / (noise > 1 ? noise : 1));
}

/* Deterministic random numbers (xorshift). */
static inline uint32_t tone_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* White noise of the given level. */
static inline void tone_noise(int16_t *pcm, size_t samples, double dbfs, uint32_t *state)
{
    double peak = 32767 * sqrt(3) * pow(10, dbfs / 20);
    for (size_t i = 0; i < samples; i++) {
        double unit = (double)tone_random(state) / 2147483648.0 - 1;
        pcm[i] = (int16_t)lrint(peak * unit);
    }
}

#endif
