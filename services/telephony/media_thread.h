/* media_thread.h - one media thread: its loop, its 20 ms clock, its legs and lanes.
 *
 * Threads: new and destroy on the control thread; all else on the media thread itself, reached by
 * posts to its loop.
 */
#ifndef PL_TELEPHONY_MEDIA_THREAD_H
#define PL_TELEPHONY_MEDIA_THREAD_H

#include "services/telephony/leg_audio.h"

typedef struct media_thread media_thread_t;

typedef struct {
    media_link_t *link;
    uint32_t credit_ms;
    cleaner_opts_t clean_sip, clean_browser;
    uint32_t speechless_ticks;
    int comfort_db;
    const char *curve_key_file; /* lives as long as the thread */
} media_thread_opts_t;

media_thread_t *media_thread_new(uint32_t number, const media_thread_opts_t *opts); /* never NULL */
void media_thread_destroy(media_thread_t **self_p); /* ends its legs and lanes, joins */
pl_loop_t *media_thread_loop(media_thread_t *self);

void media_thread_add(media_thread_t *self, media_leg_t id, double vad_threshold,
                      rtp_leg_t **rtp_p);
void media_thread_remove(media_thread_t *self, media_leg_t id);
leg_audio_t *media_thread_leg(media_thread_t *self, media_leg_t id); /* NULL: has ended */

void media_thread_connect(media_thread_t *self, uint64_t lane, const char *endpoint,
                          const uint8_t token[PL_LANE_TOKEN_BYTES]);
/* A lane that is broken meanwhile is no error: that was told. */
void media_thread_stream(media_thread_t *self, media_leg_t id, uint64_t lane, uint32_t slot,
                         uint32_t generation);

#endif
