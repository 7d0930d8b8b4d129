/* leg_audio.h - one leg's audio on its media thread: wire, voice activity, playout, lane.
 *
 * Every 20 ms: what was heard is cleaned and goes up the lane with the voice decision, what is to be
 * said goes to the wire. An RTP leg has an rtp_leg below it, a browser leg a queue of frames.
 *
 * Threads: belongs to its media thread.
 */
#ifndef PL_TELEPHONY_LEG_AUDIO_H
#define PL_TELEPHONY_LEG_AUDIO_H

#include "services/telephony/media.h"
#include "services/telephony/speech_lane.h"
#include "services/telephony/media_link.h"

typedef struct leg_audio leg_audio_t;

typedef struct {
    pl_loop_t *loop;
    media_link_t *link; /* outlives the leg */
    uint32_t credit_ms;
    double vad_threshold;
    cleaner_opts_t clean_sip, clean_browser;
    uint32_t speechless_ticks; /* nobody speaks for so long: told; 0: never */
    int comfort_db;            /* see comfort.h */
} leg_audio_opts_t;

/* Takes *rtp_p, which may be NULL: then it is a browser leg. Never NULL. */
leg_audio_t *leg_audio_new(media_leg_t id, const leg_audio_opts_t *opts, rtp_leg_t **rtp_p);
void leg_audio_destroy(leg_audio_t **self_p); /* takes it off its lane; tells closed */
media_leg_t leg_audio_id(const leg_audio_t *self);

/* skipped: ticks that were left out before this one. */
void leg_audio_tick(leg_audio_t *self, uint64_t now_us, uint32_t skipped);

void leg_audio_params(leg_audio_t *self, const rtp_params_t *params);
void leg_audio_push(leg_audio_t *self, const uint8_t pcm[PL_FRAME_BYTES]);
void leg_audio_dtmf(leg_audio_t *self, const char *digits, uint32_t tone_ms);
/* From now on, as that call; a recording before it ends and is told. */
void leg_audio_record(leg_audio_t *self, recorder_t *recorder, const char *call_id);
/* Takes *pcm_p, from malloc. */
void leg_audio_prompt(leg_audio_t *self, int16_t **pcm_p, size_t samples);
/* See media_leg_hold. */
void leg_audio_hold(leg_audio_t *self, int16_t **pcm_p, size_t samples);

/* ---- its stream ---- */

void leg_audio_on_lane(leg_audio_t *self, speech_lane_t *lane, uint32_t slot, uint32_t generation);
void leg_audio_off_lane(leg_audio_t *self); /* what is queued is still played */
void leg_audio_lane_frame(leg_audio_t *self, const Pl__LaneFrame *frame);
uint32_t leg_audio_slot(const leg_audio_t *self);
leg_audio_t **leg_audio_next_on_lane(leg_audio_t *self); /* the lane's chain */
leg_audio_t **leg_audio_next_on_thread(leg_audio_t *self);

#endif
