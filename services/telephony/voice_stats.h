/* voice_stats.h - how a call sounded, told by its counters: clipping, loss, a mean opinion score.
 *
 * The score is an estimate to compare calls by. Source: the E-model of ITU-T G.107 with its default
 * values (R = 93.2 without impairments; R to MOS by annex B), delay by the approximation of Cole and
 * Rosenbluth ("Voice over IP performance monitoring", 2001), loss by G.107 with the packet-loss
 * robustness that G.113 appendix I gives for G.711 with concealment. Wideband codecs are judged on
 * the same narrow-band scale, which is cautious for them.
 *
 * Threads: none; pure.
 */
#ifndef PL_TELEPHONY_VOICE_STATS_H
#define PL_TELEPHONY_VOICE_STATS_H

#include "call.pb-c.h"
#include "services/telephony/media.h"

/* 1 to 4.5. loss_percent after the jitter buffer, one-way delay from mouth to ear. */
double voice_stats_mos(double loss_percent, double delay_ms);

/* What goes into the call's record. */
Pl__LegStats voice_stats_of(const media_stats_t *media);

#endif
