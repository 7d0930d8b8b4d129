#include "services/telephony/voice_stats.h"

#include <math.h>

static const double best_r = 93.2;
static const double robustness = 25.1;   /* Bpl of G.711 with concealment, random loss */
static const double patience_ms = 177.3; /* beyond it a conversation suffers */
static const double packet_ms = 20;      /* to fill a packet */
static const double far_buffer_ms = 40;  /* of the other end's, which nobody tells us */

double voice_stats_mos(double loss_percent, double delay_ms)
{
    double late_ms = delay_ms > patience_ms ? delay_ms - patience_ms : 0;
    double by_delay = 0.024 * delay_ms + 0.11 * late_ms;
    double by_loss = 95 * loss_percent / (loss_percent + robustness);
    double r = best_r - by_delay - by_loss;
    if (r <= 0) return 1;
    if (r >= 100) return 4.5;
    double mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;
    return mos < 1 ? 1 : mos;
}

static double percent(uint64_t part, uint64_t whole)
{
    if (whole == 0) return 0;
    return part >= whole ? 100 : 100.0 * (double)part / (double)whole;
}

static uint32_t hundredths(double mos)
{
    return (uint32_t)lround(mos * 100);
}

static int32_t centibel(float db)
{
    return (int32_t)lroundf(db * 10);
}

Pl__LegStats voice_stats_of(const media_stats_t *media)
{
    const rtp_stats_t *rtp = &media->rtp;
    Pl__LegStats out = PL__LEG_STATS__INIT;
    out.duration_ms = media->duration_ms;
    out.rtp_received = rtp->received;
    out.rtp_lost = rtp->lost;
    out.rtp_late = rtp->late;
    out.concealed_frames = rtp->concealed_frames;
    out.underruns = media->underruns;
    out.jitter_us = rtp->jitter_us;
    out.rtp_sent = rtp->sent;
    out.remote_lost = rtp->remote_lost;
    out.round_trip_us = rtp->round_trip_us;
    out.buffer_ms = rtp->buffer_ms;
    out.clipped_frames = rtp->clipped_frames;
    out.skipped_ticks = media->skipped_ticks;
    out.echo_heard = rtp->echo.heard_echo;
    out.echo_delay_ms = rtp->echo.delay_ms;
    out.echo_return_loss_cb = centibel(rtp->echo.return_db);
    out.echo_enhancement_cb = centibel(rtp->echo.enhance_db);
    double way_ms = (double)rtp->round_trip_us / 2000 + packet_ms;
    if (rtp->received > 0) {
        double lost = percent((uint64_t)rtp->lost + rtp->late, (uint64_t)rtp->received + rtp->lost);
        out.mos_heard = hundredths(voice_stats_mos(lost, way_ms + rtp->buffer_ms));
    }
    if (rtp->sent > 0) {
        double lost = percent((uint64_t)rtp->remote_lost + media->underruns, rtp->sent);
        out.mos_said = hundredths(voice_stats_mos(lost, way_ms + far_buffer_ms));
    }
    return out;
}
