/* mark.h - an inaudible signature under a voice, to find out whose voice is in a recording.
 *
 * A mark is two faint tones of twelve in a band above most of speech; 66 pairs are 66 speakers. Callers
 * and bots have bands of their own. The tones come and go, so that noise suppression does not take
 * them for a hum.
 *
 * Threads: none; pure.
 * Source: as in DTMF (ITU-T Q.23): two tones at once, told apart by Goertzel filters.
 */
#ifndef CALLSIM_MARK_H
#define CALLSIM_MARK_H

#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

enum { MARK_HZ = 16000, MARK_TONES = 12, MARK_MAX = MARK_TONES * (MARK_TONES - 1) / 2 };

typedef enum { MARK_CALLER, MARK_BOT, MARK_BANDS } mark_band_t;

/* Adds mark n (1 to MARK_MAX; others: none) to a voice at 16 kHz. at: the number of its samples that
 * came before. */
void mark_add(int16_t *pcm, size_t samples, mark_band_t band, uint32_t n, uint64_t at);

/* How long each mark is there, ms in steps of MARK_STEP_MS; what lasts MARK_LEAST_MS is found. */
enum { MARK_STEP_MS = 20, MARK_LEAST_MS = 200 };
typedef struct {
    uint32_t ms[MARK_BANDS][MARK_MAX + 1]; /* [band][n] */
} marks_t;

/* stride: 2 for one channel of a stereo recording. */
void mark_find(const int16_t *pcm, size_t samples, size_t stride, marks_t *out);

/* {"caller": {"7": 1240}, "bot": {}} */
cJSON *mark_json(const marks_t *marks);

#endif
