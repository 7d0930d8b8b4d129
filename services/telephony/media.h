/* media.h - media threads: every leg's audio between the wire and a speech lane, on a 20 ms clock.
 *
 * Each media thread has its own loop, an absolute 20 ms clock (timerfd) and many legs; it
 * runs jitter buffers, codecs, echo cancellation's seam, voice activity and playout, and holds the
 * lanes to speech. The control thread commands it through this header; what happens comes back to
 * the control loop through the sink.
 *
 * Threads: call everything here from the control thread. Sink callbacks run on the control loop.
 */
#ifndef PL_TELEPHONY_MEDIA_H
#define PL_TELEPHONY_MEDIA_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "common/lane.h"
#include "common/loop.h"
#include "services/telephony/recorder.h"
#include "services/telephony/rtp_leg.h"

typedef struct media media_t;
typedef uint64_t media_leg_t; /* handle, never reused; 0 is none */

typedef struct {
    uint32_t duration_ms;
    rtp_stats_t rtp;
    uint32_t underruns;     /* ticks inside a turn with nothing to play */
    uint32_t skipped_ticks; /* 20 ms steps that were left out because the thread was late */
    recording_stats_t recording;
    uint32_t stale; /* frames of a flushed turn or a former generation, dropped */
} media_stats_t;

typedef struct {
    void (*dtmf)(void *arg, media_leg_t leg, char digit, uint32_t duration_ms);
    void (*lost)(void *arg, media_leg_t leg);       /* no RTP for telephony.rtp.media_timeout_ms */
    void (*speechless)(void *arg, media_leg_t leg); /* telephony.limits.speechless_s; may be NULL */
    void (*lane_ready)(void *arg, uint64_t lane);
    void (*lane_broken)(void *arg, uint64_t lane,
                        const char *why); /* its legs have no stream now */
    void (*browser_audio)(void *arg, media_leg_t leg, const uint8_t pcm[PL_FRAME_BYTES]);
    void (*prompt_done)(void *arg, media_leg_t leg);   /* may be NULL */
    void (*browser_flush)(void *arg, media_leg_t leg); /* drop what the page has buffered */
    /* A recording ended because the leg is another call's now; may be NULL. */
    void (*recorded)(void *arg, media_leg_t leg, const recording_stats_t *stats);
    void (*closed)(void *arg, media_leg_t leg, const media_stats_t *stats); /* answer to close */
    void *arg;
} media_sink_t;

pl_err_t media_new(media_t **out, pl_loop_t *control, const pl_config_t *cfg,
                   const media_sink_t *sink);
/* For legs added from now on; at first what the configuration says. */
void media_vad_threshold(media_t *self, double threshold);
void media_destroy(media_t **self_p); /* closes all legs and joins the threads */
uint32_t media_threads(const media_t *self);

/* An RTP leg: its port is bound at once (see rtp_leg_new) and told in *port_out. */
pl_err_t media_leg_rtp(media_t *self, media_leg_t *out, uint16_t *port_out);
/* A browser leg: frames come through media_leg_push and leave through browser_audio. */
media_leg_t media_leg_browser(media_t *self);
uint32_t media_leg_thread(const media_t *self, media_leg_t leg); /* for LaneOpen.thread */

/* Zeros in the jitter bounds and the media time-out mean the configured ones. */
void media_leg_params(media_t *self, media_leg_t leg, const rtp_params_t *params);
void media_leg_push(media_t *self, media_leg_t leg, const uint8_t pcm[PL_FRAME_BYTES]);
void media_leg_dtmf(media_t *self, media_leg_t leg, const char *digits, uint32_t tone_ms);
void media_leg_close(media_t *self, media_leg_t *leg_p); /* ends in closed */

/* Connects a lane that speech has bound (LaneOpened); ends in lane_ready or lane_broken. lane is the
 * control thread's own number for it, never reused in this process: speech's are its own. */
void media_lane_connect(media_t *self, uint32_t thread, const char *endpoint, uint64_t lane,
                        const uint8_t token[PL_LANE_TOKEN_BYTES]);
/* Puts the leg's audio on the lane under slot and generation, after StreamOpen was answered. */
void media_leg_stream(media_t *self, media_leg_t leg, uint64_t lane, uint32_t slot,
                      uint32_t generation);

/* Records the leg from now on, as that call; a recording before it ends there, in recorded. The recorder
 * outlives media. */
void media_leg_record(media_t *self, media_leg_t leg, recorder_t *recorder, const char *call_id);

/* Plays an audio prompt from memory once, over everything else, when the owner or speech is gone;
 * samples are copied. Followed by silence. */
void media_leg_prompt(media_t *self, media_leg_t leg, const int16_t *pcm, size_t samples);
/* The same when what is being said has been played; what comes meanwhile is said after it. samples 0:
 * one that has not begun is not played any more. */
void media_leg_hold(media_t *self, media_leg_t leg, const int16_t *pcm, size_t samples);

#endif
