/* room.h - what a caller's microphone hears: their mouth, what is around them, and the bot's voice
 * that comes back from the loudspeaker.
 *
 * Threads: none; pure once made. A call is a frame of 20 ms at 16 kHz.
 */
#ifndef CALLSIM_ROOM_H
#define CALLSIM_ROOM_H

#include <stdint.h>

#include "tools/callsim/noise.h"

enum { ROOM_FRAME = 320, ROOM_DELAY_MAX_MS = 1000, ROOM_REVERB_MAX_MS = 400 };

/* The voices' level while they speak, which signal to noise counts from. */
#define ROOM_VOICE_DB (-20.0)

typedef struct {
    uint32_t seed;
    noise_kind_t noise;
    double snr_db;          /* of the voice to the noise */
    double echo_db;         /* of what comes back to what was played; 0: nothing does */
    uint32_t echo_delay_ms; /* from the earpiece to the microphone, the phone's own included */
    uint32_t reverb_ms;     /* the response has fallen by 60 dB after it */
} room_opts_t;

typedef struct room room_t;
room_t *room_new(const room_opts_t *opts); /* never NULL */
void room_destroy(room_t **self_p);

/* mouth: what the caller says in this frame; ear: what the earpiece plays in it. */
void room_mic(room_t *self, const int16_t mouth[ROOM_FRAME], const int16_t ear[ROOM_FRAME],
              int16_t out[ROOM_FRAME]);

#endif
