/* media_link.h - what media threads tell the control thread: events posted to its loop.
 *
 * Threads: the tell functions from any; new and close on the control thread, where the sink is
 * called. After close nothing is called any more, though events may still be under way: the link
 * lives until the last of them is spent.
 */
#ifndef PL_TELEPHONY_MEDIA_LINK_H
#define PL_TELEPHONY_MEDIA_LINK_H

#include "services/telephony/media.h"

typedef struct media_link media_link_t;

media_link_t *media_link_new(pl_loop_t *control, const media_sink_t *sink); /* never NULL */
void media_link_close(media_link_t **self_p);

void media_link_dtmf(media_link_t *self, media_leg_t leg, char digit, uint32_t duration_ms);
void media_link_lost(media_link_t *self, media_leg_t leg);
void media_link_speechless(media_link_t *self, media_leg_t leg);
void media_link_prompt_done(media_link_t *self, media_leg_t leg);
void media_link_browser_audio(media_link_t *self, media_leg_t leg,
                              const uint8_t pcm[PL_FRAME_BYTES]);
void media_link_browser_flush(media_link_t *self, media_leg_t leg);
void media_link_recorded(media_link_t *self, media_leg_t leg, const recording_stats_t *stats);
void media_link_closed(media_link_t *self, media_leg_t leg, const media_stats_t *stats);
void media_link_lane_ready(media_link_t *self, uint64_t lane);
void media_link_lane_broken(media_link_t *self, uint64_t lane, const char *why);

#endif
