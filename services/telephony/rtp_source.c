#include "services/telephony/rtp_source.h"

enum { MAX_DROPOUT = 3000, MAX_MISORDER = 100, WINDOW = 64, NO_SEQ = 0x10000 };

void rtp_source_init(rtp_source_t *self, uint32_t ssrc, uint32_t rtp_hz)
{
    *self = (rtp_source_t){.ssrc = ssrc, .rtp_hz = rtp_hz, .restart_seq = NO_SEQ};
}

static void start(rtp_source_t *self, uint16_t seq)
{
    /* One cycle up, so that packets from before the first have room below. */
    self->highest = 0x10000u + seq;
    self->base = self->highest;
    self->window = 1;
    self->started = true;
    self->restart_seq = NO_SEQ;
    self->received = 1;
    self->expected_before = 0;
    self->received_before = 0;
    self->have_transit = false;
}

rtp_seq_t rtp_source_packet(rtp_source_t *self, uint16_t seq)
{
    if (!self->started) {
        start(self, seq);
        return RTP_SEQ_OK;
    }
    int16_t ahead = (int16_t)(uint16_t)(seq - (uint16_t)(self->highest & 0xffff));
    if (ahead > MAX_DROPOUT || ahead < -MAX_MISORDER) {
        if (self->restart_seq == seq) {
            start(self, seq);
            return RTP_SEQ_RESTARTED;
        }
        self->restart_seq = (uint16_t)(seq + 1);
        return RTP_SEQ_JUMP;
    }
    self->restart_seq = NO_SEQ;
    if (ahead > 0) {
        self->highest += (uint64_t)ahead;
        self->window = ahead < WINDOW ? self->window << ahead | 1 : 1;
    } else if (-ahead < WINDOW) {
        uint64_t bit = UINT64_C(1) << -ahead;
        if (self->window & bit) {
            self->duplicates++;
            return RTP_SEQ_DUPLICATE;
        }
        self->window |= bit;
    }
    self->received++;
    return RTP_SEQ_OK;
}

void rtp_source_timing(rtp_source_t *self, uint64_t arrived_us, uint32_t timestamp)
{
    uint32_t arrival = (uint32_t)(arrived_us * self->rtp_hz / 1000000);
    uint32_t transit = arrival - timestamp;
    if (self->have_transit) {
        int32_t d = (int32_t)(transit - self->transit);
        double size = d < 0 ? -(double)d : (double)d;
        /* A step of more than a second is a new time line, not jitter. */
        if (size < self->rtp_hz) self->jitter += (size - self->jitter) / 16;
    }
    self->transit = transit;
    self->have_transit = true;
}

static uint32_t expected(const rtp_source_t *self)
{
    return self->started ? (uint32_t)(self->highest - self->base + 1) : 0;
}

uint32_t rtp_source_lost(const rtp_source_t *self)
{
    uint32_t e = expected(self);
    return e > self->received ? e - self->received : 0;
}

uint32_t rtp_source_jitter_us(const rtp_source_t *self)
{
    return self->rtp_hz ? (uint32_t)(self->jitter * 1e6 / self->rtp_hz) : 0;
}

uint8_t rtp_source_fraction_lost(rtp_source_t *self)
{
    uint32_t e = expected(self) - self->expected_before;
    uint32_t r = self->received - self->received_before;
    self->expected_before += e;
    self->received_before += r;
    if (e == 0 || r >= e) return 0;
    return (uint8_t)(((uint64_t)(e - r) << 8) / e > 255 ? 255 : ((uint64_t)(e - r) << 8) / e);
}
