/* plc.h - packet-loss concealment: repeats the last pitch period, fading to silence.
 *
 * Threads: none; pure. Samples are of 16 kHz.
 * Source: the method of ITU-T G.711 Appendix I, at 16 kHz, without its added delay.
 */
#ifndef PL_TELEPHONY_PLC_H
#define PL_TELEPHONY_PLC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PLC_HISTORY = 640, PLC_PERIOD_MIN = 40, PLC_PERIOD_MAX = 240 };

typedef struct {
    int16_t history[PLC_HISTORY]; /* newest last */
    int16_t cycle[PLC_PERIOD_MAX];
    size_t period, offset;
    size_t missing; /* samples concealed in a row */
} plc_t;

void plc_init(plc_t *self);
/* Takes real samples; the first ones after a loss are blended with what concealed it. */
void plc_real(plc_t *self, int16_t *pcm, size_t samples);
/* Makes up samples. False: they are silence, there was nothing left to repeat. */
bool plc_conceal(plc_t *self, int16_t *pcm, size_t samples);
/* Pitch period of the newest samples, or the best match of a signal that has none. */
size_t plc_period(const plc_t *self);

#endif
