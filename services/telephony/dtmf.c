#include "services/telephony/dtmf.h"

#include <string.h>

enum {
    TICK_MS = 20,
    PAUSE_MS = 50,
    LOST_END_US = 150000, /* senders refresh an event every 20 to 50 ms */
    RECENT_US = 2000000,  /* an older time stamp after this is a sender that began anew */
    ENDS = 3,             /* RFC 4733 2.5.1.4: the last packet is sent three times */
    VOLUME = 10,
    MIN_TONE_MS = 40,
};

static dtmf_key_t let_go(dtmf_in_t *self)
{
    self->active = false;
    return (dtmf_key_t){rtp_event_digit(self->event), self->ticks + self->duration};
}

/* A key held longer than 16 bits of ticks goes on in a new segment that starts where the old one
 * ended (RFC 4733 2.5.1.3). */
static bool continues(const dtmf_in_t *self, const rtp_packet_t *packet, const rtp_event_t *event)
{
    return self->active && event->event == self->event && !packet->marker &&
           self->duration > RTP_EVENT_MAX_TICKS / 2 &&
           packet->timestamp == self->timestamp + self->duration;
}

dtmf_key_t dtmf_in_packet(dtmf_in_t *self, uint64_t now_us, const rtp_packet_t *packet)
{
    dtmf_key_t former = {0, 0};
    rtp_event_t event;
    if (!rtp_event_parse(packet->payload, packet->payload_bytes, &event)) return former;
    if (rtp_event_digit(event.event) == 0) return former;

    bool same = self->seen && packet->timestamp == self->timestamp;
    if (same && !self->active) return former; /* its end again */
    bool recent = self->seen && now_us < self->arrived_us + RECENT_US;
    if (recent && (int32_t)(packet->timestamp - self->timestamp) < 0) return former; /* late */

    if (!same && continues(self, packet, &event)) {
        self->ticks += self->duration;
        self->duration = 0;
        self->timestamp = packet->timestamp;
    } else if (!same) {
        if (self->active) former = let_go(self);
        *self = (dtmf_in_t){
            .active = true, .seen = true, .event = event.event, .timestamp = packet->timestamp};
    }
    self->arrived_us = now_us;
    if (event.duration > self->duration) self->duration = event.duration;
    if (!event.end) return former;
    /* Both at once cannot be told; the packet of a wholly lost key's end comes again. */
    if (former.digit != 0) return former;
    return let_go(self);
}

dtmf_key_t dtmf_in_tick(dtmf_in_t *self, uint64_t now_us)
{
    if (!self->active || now_us < self->arrived_us + LOST_END_US) return (dtmf_key_t){0, 0};
    return let_go(self);
}

pl_err_t dtmf_out_queue(dtmf_out_t *self, const char *digits, uint32_t tone_ms)
{
    size_t n = strlen(digits);
    if (n == 0 || tone_ms == 0) return PL_INVALID;
    if (n > DTMF_QUEUE - self->count) return PL_BUSY;
    uint8_t events[DTMF_QUEUE];
    for (size_t i = 0; i < n; i++) {
        if (!rtp_event_of_digit(digits[i], &events[i])) return PL_INVALID;
    }
    for (size_t i = 0; i < n; i++) {
        self->events[self->count] = events[i];
        self->tone_ms[self->count] = tone_ms < MIN_TONE_MS ? MIN_TONE_MS : tone_ms;
        self->count++;
    }
    return PL_OK;
}

static void next_key(dtmf_out_t *self)
{
    self->count--;
    memmove(self->events, self->events + 1, self->count * sizeof self->events[0]);
    memmove(self->tone_ms, self->tone_ms + 1, self->count * sizeof self->tone_ms[0]);
    self->sending = false;
    self->pause_ms = PAUSE_MS;
}

bool dtmf_out_tick(dtmf_out_t *self, uint32_t timestamp, uint32_t hz, dtmf_packet_t *out)
{
    if (!self->sending) {
        if (self->pause_ms > 0) {
            self->pause_ms -= self->pause_ms < TICK_MS ? self->pause_ms : TICK_MS;
            return false;
        }
        if (self->count == 0) return false;
        self->sending = true;
        self->sent_ms = 0;
        self->ends_sent = 0;
        self->timestamp = timestamp;
    }
    bool first = self->sent_ms == 0;
    uint32_t longest_ms = (uint32_t)((uint64_t)RTP_EVENT_MAX_TICKS * 1000 / hz);
    uint32_t tone_ms = self->tone_ms[0] < longest_ms ? self->tone_ms[0] : longest_ms;
    if (self->sent_ms < tone_ms) self->sent_ms += TICK_MS;
    if (self->sent_ms > tone_ms) self->sent_ms = tone_ms;
    bool end = self->sent_ms >= tone_ms;

    *out = (dtmf_packet_t){
        .event = {.event = self->events[0],
                  .end = end,
                  .volume = VOLUME,
                  .duration = (uint16_t)((uint64_t)self->sent_ms * hz / 1000)},
        .timestamp = self->timestamp,
        .marker = first,
    };
    if (end && ++self->ends_sent == ENDS) next_key(self);
    return true;
}
