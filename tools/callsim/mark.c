#include "tools/callsim/mark.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    STEP = MARK_HZ * MARK_STEP_MS / 1000,
    WINDOW = 4 * STEP, /* 80 ms: a filter 50 Hz wide */
    ON_MS = 280,
    PERIOD_MS = 320,
    SPACING_HZ = 110,
    PROBES = 2 * MARK_TONES + 1, /* the tones, and what is between them */
    LEAST_RUN = 3,               /* windows in a row; noise alone makes two now and then */
    LANES = (PROBES + 7) / 8 * 8,
};

static const double first_hz[MARK_BANDS] = {[MARK_CALLER] = 4000, [MARK_BOT] = 5500};
/* -46 dB of full scale: recognisers do not mind; nobody recognises bots. */
static const double tone_amplitude[MARK_BANDS] = {[MARK_CALLER] = 160, [MARK_BOT] = 250};
static const double over_noise = 16; /* in power, over what is between the tones */
static const double alike = 4;       /* in power: the two of a mark */
static const float least_amplitude = 30;

static double tone_hz(mark_band_t band, size_t tone)
{
    return first_hz[band] + (double)(tone * SPACING_HZ);
}

/* The two tones of a mark: (0,1), (0,2), ... (10,11). */
static bool tones_of(uint32_t n, size_t *low, size_t *high)
{
    uint32_t left = n - 1;
    for (size_t i = 0; n > 0 && i + 1 < MARK_TONES; i++) {
        uint32_t here = (uint32_t)(MARK_TONES - 1 - i);
        if (left < here) {
            *low = i;
            *high = i + 1 + left;
            return true;
        }
        left -= here;
    }
    return false;
}

void mark_add(int16_t *pcm, size_t samples, mark_band_t band, uint32_t n, uint64_t at)
{
    size_t low = 0;
    size_t high = 0;
    if (!tones_of(n, &low, &high)) return;
    double step[2] = {2 * M_PI * tone_hz(band, low) / MARK_HZ,
                      2 * M_PI * tone_hz(band, high) / MARK_HZ};
    for (size_t i = 0; i < samples; i++) {
        uint64_t now = at + i;
        if (now / (MARK_HZ / 1000) % PERIOD_MS >= ON_MS) continue;
        double both = sin(step[0] * (double)now) + sin(step[1] * (double)now);
        double sum = pcm[i] + tone_amplitude[band] * both;
        pcm[i] = (int16_t)fmax(INT16_MIN, fmin(INT16_MAX, rint(sum)));
    }
}

/* What the filters of a band's probes go by. */
static void tune(mark_band_t band, float turn[LANES])
{
    for (int p = 0; p < PROBES; p++) {
        double hz = first_hz[band] + (p - 1) * SPACING_HZ / 2.0;
        turn[p] = (float)(2 * cos(2 * M_PI * hz / MARK_HZ));
    }
}

/* Amplitude squared of windowed samples at each of a band's probes. All filters go side by side, so that the
 * compiler takes several of them in one step. */
static void probe(const float *window, const float turn[LANES], float power[PROBES])
{
    float last[LANES] = {0};
    float before[LANES] = {0};
    for (size_t i = 0; i < WINDOW; i++) {
        for (int p = 0; p < LANES; p++) {
            float now = window[i] + turn[p] * last[p] - before[p];
            before[p] = last[p];
            last[p] = now;
        }
    }
    const float whole = 16.0F / ((float)WINDOW * WINDOW); /* Hann halves the amplitude */
    for (int p = 0; p < PROBES; p++) {
        float magnitude = last[p] * last[p] + before[p] * before[p] - turn[p] * last[p] * before[p];
        power[p] = magnitude * whole;
    }
}

/* The power of each tone of a band in a window, 0 where it does not stand out. */
static void tones_in(const float *window, const float turn[LANES], double out[MARK_TONES])
{
    float power[PROBES];
    probe(window, turn, power);
    double between = 0;
    for (size_t i = 0; i < PROBES; i += 2) between += power[i] / (MARK_TONES + 1);
    for (size_t tone = 0; tone < MARK_TONES; tone++) {
        double here = power[2 * tone + 1];
        double beside = fmaxf(power[2 * tone], power[2 * tone + 2]);
        bool loud = here > least_amplitude * least_amplitude;
        bool clear = here > over_noise * between && here > over_noise / 2 * beside;
        out[tone] = loud && clear ? here : 0;
    }
}

/* Both are there, and about as loud: what is left of a voice is not. */
static bool is_pair(double one, double other)
{
    return one > 0 && other > 0 && one < alike * other && other < alike * one;
}

/* Counts the marks of one more window. run: windows in a row that each was in. */
static void count(const double tones[MARK_TONES], uint32_t run[MARK_MAX + 1],
                  uint32_t ms[MARK_MAX + 1])
{
    uint32_t n = 0;
    for (size_t low = 0; low < MARK_TONES; low++) { /* in the order of tones_of */
        for (size_t high = low + 1; high < MARK_TONES; high++) {
            n++;
            /* Two marks at once are four tones: each pair of them may be one. */
            run[n] = is_pair(tones[low], tones[high]) ? run[n] + 1 : 0;
            if (run[n] == LEAST_RUN) ms[n] += LEAST_RUN * MARK_STEP_MS;
            if (run[n] > LEAST_RUN) ms[n] += MARK_STEP_MS;
        }
    }
}

void mark_find(const int16_t *pcm, size_t samples, size_t stride, marks_t *out)
{
    memset(out, 0, sizeof *out);
    uint32_t run[MARK_BANDS][MARK_MAX + 1] = {0};
    float turn[MARK_BANDS][LANES] = {0};
    for (mark_band_t band = 0; band < MARK_BANDS; band++) tune(band, turn[band]);
    float hann[WINDOW];
    for (size_t i = 0; i < WINDOW; i++) {
        hann[i] = (float)(0.5 - 0.5 * cos(2 * M_PI * ((double)i + 0.5) / WINDOW));
    }
    for (size_t at = 0; at + WINDOW <= samples; at += STEP) {
        float window[WINDOW];
        float peak = 0;
        for (size_t i = 0; i < WINDOW; i++) {
            window[i] = hann[i] * pcm[(at + i) * stride];
            peak = fmaxf(peak, fabsf(window[i]));
        }
        if (peak < least_amplitude) { /* silence, most of a call */
            memset(run, 0, sizeof run);
            continue;
        }
        for (mark_band_t band = 0; band < MARK_BANDS; band++) {
            double tones[MARK_TONES];
            tones_in(window, turn[band], tones);
            count(tones, run[band], out->ms[band]);
        }
    }
}

cJSON *mark_json(const marks_t *marks)
{
    static const char *const names[MARK_BANDS] = {"caller", "bot"};
    cJSON *out = cJSON_CreateObject();
    for (mark_band_t band = 0; band < MARK_BANDS; band++) {
        cJSON *found = cJSON_AddObjectToObject(out, names[band]);
        for (uint32_t n = 1; n <= MARK_MAX; n++) {
            char name[16];
            (void)snprintf(name, sizeof name, "%u", n);
            if (marks->ms[band][n]) cJSON_AddNumberToObject(found, name, marks->ms[band][n]);
        }
    }
    return out;
}
