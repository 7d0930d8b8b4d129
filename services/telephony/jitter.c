#include "services/telephony/jitter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOTS = 64,
    BUCKET_US = 5000,
    BUCKETS = 60,
    BASE_SPAN_US = 4000000,      /* the base line is the fastest packet of the last 4 to 8 s */
    STRAY_EARLY_US = 250000,     /* no network gets faster by so much at once */
    STRAY_LATE_US = 500000,      /* beyond the longest delay */
    AGREE_US = 100000,           /* two strays that tell the same time line */
    LATE_RUN = 5,                /* so many late ones in a row: the network got slower for good */
    IDLE_AFTER_US = 1000000,     /* without packets: the next one starts anew */
    INITIAL_WEIGHT_PACKETS = 20, /* until then lateness is averaged evenly */
};
#define FORGET 0.99f  /* a packet's weight halves in 70 packets */
#define IN_TIME 0.97f /* share of packets that shall be in time */

typedef struct {
    int64_t timestamp; /* extended */
    uint32_t ticks;
    uint32_t bytes;
} slot_t;

struct jitter {
    const codec_info_t *codec;
    int64_t min_us, max_us;

    slot_t slots[SLOTS];
    uint8_t *payloads; /* slot n's begins at n * slot_bytes */
    size_t slot_bytes;
    uint8_t order[SLOTS]; /* slots in use by rising time stamp, then the free ones */
    size_t used;

    bool started;    /* there is a time line */
    bool positioned; /* play is set */
    int64_t play;    /* extended time stamp handed out next */
    int64_t newest;  /* highest extended time stamp seen */
    uint64_t arrived_us;

    /* base line: least transit (arrival minus time stamp) of two spans */
    int64_t base_now, base_before;
    uint64_t base_turn_us;

    bool stray;
    int64_t stray_transit;
    unsigned late_run;

    float lateness[BUCKETS]; /* sums to 1 */
    unsigned measured;
    int64_t target_us;
};

static int64_t us_of(const jitter_t *self, int64_t ticks)
{
    return ticks * 1000000 / (int64_t)self->codec->rtp_hz;
}

static int64_t ticks_of(const jitter_t *self, int64_t us)
{
    return us * (int64_t)self->codec->rtp_hz / 1000000;
}

jitter_t *jitter_new(const codec_info_t *codec, uint32_t min_ms, uint32_t max_ms)
{
    assert(min_ms <= max_ms);
    jitter_t *self = calloc(1, sizeof *self);
    if (!self) abort();
    self->codec = codec;
    self->min_us = (int64_t)min_ms * 1000;
    self->max_us = (int64_t)max_ms * 1000;
    self->slot_bytes = CODEC_MAX_PAYLOAD_BYTES;
    if (codec->payload_bytes > 0) {
        self->slot_bytes = codec->payload_bytes * CODEC_MAX_SAMPLES / CODEC_FRAME_SAMPLES;
    }
    self->payloads = malloc(SLOTS * self->slot_bytes);
    if (!self->payloads) abort();
    self->target_us = self->min_us;
    self->lateness[0] = 1;
    jitter_reset(self);
    return self;
}

void jitter_destroy(jitter_t **self_p)
{
    jitter_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    free(self->payloads);
    free(self);
}

void jitter_reset(jitter_t *self)
{
    for (size_t i = 0; i < SLOTS; i++) self->order[i] = (uint8_t)i;
    self->used = 0;
    self->started = false;
    self->positioned = false;
    self->stray = false;
    self->late_run = 0;
}

static int64_t base_us(const jitter_t *self)
{
    return self->base_now < self->base_before ? self->base_now : self->base_before;
}

/* A time line begins with this packet. What was learned of the lateness stays. */
static void begin(jitter_t *self, uint64_t now_us, int64_t timestamp)
{
    jitter_reset(self);
    self->started = true;
    self->newest = timestamp;
    self->arrived_us = now_us;
    self->base_now = (int64_t)now_us - us_of(self, timestamp);
    self->base_before = self->base_now;
    self->base_turn_us = now_us + BASE_SPAN_US;
}

static void learn_base(jitter_t *self, uint64_t now_us, int64_t transit)
{
    if (now_us >= self->base_turn_us) {
        self->base_before = self->base_now;
        self->base_now = transit;
        self->base_turn_us = now_us + BASE_SPAN_US;
    } else if (transit < self->base_now) {
        self->base_now = transit;
    }
}

static void learn_lateness(jitter_t *self, int64_t late_us)
{
    size_t bucket = late_us <= 0 ? 0 : (size_t)(late_us / BUCKET_US);
    if (bucket >= BUCKETS) bucket = BUCKETS - 1;
    float forget = FORGET;
    if (self->measured < INITIAL_WEIGHT_PACKETS) {
        self->measured++;
        forget = 1 - 1 / (float)(self->measured + 1);
    }
    for (size_t i = 0; i < BUCKETS; i++) self->lateness[i] *= forget;
    self->lateness[bucket] += 1 - forget;

    float sum = 0;
    size_t enough = 0;
    while (enough < BUCKETS - 1 && (sum += self->lateness[enough]) < IN_TIME) enough++;
    int64_t target = (int64_t)(enough + 1) * BUCKET_US;
    if (target < self->min_us) target = self->min_us;
    if (target > self->max_us) target = self->max_us;
    self->target_us = target;
}

/* True when the packet is far off the time line and nothing confirms it yet. A confirmed one has
 * begun a new line. */
static bool off_the_line(jitter_t *self, uint64_t now_us, int64_t timestamp, bool *resynced)
{
    int64_t transit = (int64_t)now_us - us_of(self, timestamp);
    int64_t late = transit - base_us(self);
    if (late >= -STRAY_EARLY_US && late <= self->max_us + STRAY_LATE_US) {
        self->stray = false;
        return false;
    }
    int64_t apart = transit - self->stray_transit;
    if (self->stray && apart < AGREE_US && apart > -AGREE_US) {
        begin(self, now_us, timestamp);
        *resynced = true;
        return false;
    }
    self->stray = true;
    self->stray_transit = transit;
    return true;
}

static void drop_first(jitter_t *self)
{
    uint8_t slot = self->order[0];
    self->used--;
    memmove(self->order, self->order + 1, self->used);
    self->order[self->used] = slot;
}

static jitter_put_t insert(jitter_t *self, int64_t timestamp, uint32_t ticks,
                           const uint8_t *payload, size_t bytes)
{
    if (self->used == SLOTS) drop_first(self);
    size_t at = self->used;
    while (at > 0 && self->slots[self->order[at - 1]].timestamp >= timestamp) at--;
    if (at < self->used && self->slots[self->order[at]].timestamp == timestamp) {
        return JITTER_DUPLICATE;
    }
    uint8_t slot = self->order[self->used];
    memmove(self->order + at + 1, self->order + at, self->used - at);
    self->order[at] = slot;
    self->used++;
    self->slots[slot] = (slot_t){timestamp, ticks, (uint32_t)bytes};
    memcpy(self->payloads + slot * self->slot_bytes, payload, bytes);
    return JITTER_KEPT;
}

jitter_put_t jitter_put(jitter_t *self, uint64_t now_us, uint32_t timestamp, const uint8_t *payload,
                        size_t bytes)
{
    uint32_t ticks = codec_ticks(self->codec, payload, bytes);
    if (ticks == 0) return JITTER_MALFORMED;
    assert(bytes <= self->slot_bytes);

    bool resynced = false;
    if (self->started && now_us > self->arrived_us + IDLE_AFTER_US) self->started = false;
    if (!self->started) begin(self, now_us, INT64_C(0x100000000) + timestamp);
    int64_t extended = self->newest + (int32_t)(timestamp - (uint32_t)self->newest);
    if (off_the_line(self, now_us, extended, &resynced)) return JITTER_STRAY;

    int64_t transit = (int64_t)now_us - us_of(self, extended);
    learn_base(self, now_us, transit);
    learn_lateness(self, transit - base_us(self));
    self->arrived_us = now_us;
    if (extended > self->newest) self->newest = extended;

    if (self->positioned && extended + ticks <= self->play) {
        if (++self->late_run < LATE_RUN) return JITTER_LATE;
        begin(self, now_us, extended);
        resynced = true;
    }
    self->late_run = 0;
    jitter_put_t put = insert(self, extended, ticks, payload, bytes);
    return put == JITTER_KEPT && resynced ? JITTER_RESYNCED : put;
}

jitter_out_t jitter_get(jitter_t *self, uint64_t now_us)
{
    if (self->started && self->used == 0 && now_us > self->arrived_us + IDLE_AFTER_US) {
        self->started = false;
    }
    if (!self->started) return (jitter_out_t){.kind = JITTER_IDLE};
    if (!self->positioned) {
        self->play = ticks_of(self, (int64_t)now_us - base_us(self) - self->target_us);
        self->positioned = true;
    }
    while (self->used > 0) {
        uint8_t slot = self->order[0];
        const slot_t *s = &self->slots[slot];
        if (s->timestamp > self->play) {
            int64_t ticks = s->timestamp - self->play;
            return (jitter_out_t){.kind = JITTER_GAP, .ticks = (uint32_t)ticks};
        }
        drop_first(self); /* the payload stays where it is until another one takes the slot */
        int64_t end = s->timestamp + s->ticks;
        if (end <= self->play) continue;
        uint32_t past = (uint32_t)(self->play - s->timestamp);
        uint32_t ticks = (uint32_t)(end - self->play);
        self->play = end;
        jitter_out_t out = {.kind = JITTER_PACKET,
                            .payload = self->payloads + slot * self->slot_bytes,
                            .bytes = s->bytes,
                            .ticks = ticks,
                            .past = past};
        if (self->codec->payload_bytes == 0) return out;
        size_t cut = (size_t)past * s->bytes / s->ticks;
        out.payload += cut;
        out.bytes -= cut;
        out.past = 0;
        return out;
    }
    return (jitter_out_t){.kind = JITTER_EMPTY};
}

bool jitter_peek(const jitter_t *self, const uint8_t **payload, size_t *bytes)
{
    if (self->used == 0) return false;
    uint8_t slot = self->order[0];
    *payload = self->payloads + slot * self->slot_bytes;
    *bytes = self->slots[slot].bytes;
    return true;
}

void jitter_skip(jitter_t *self, uint32_t ticks)
{
    self->play += ticks;
}

int64_t jitter_excess_us(const jitter_t *self, uint64_t now_us)
{
    if (!self->started || !self->positioned) return 0;
    return (int64_t)now_us - us_of(self, self->play) - base_us(self) - self->target_us;
}

uint32_t jitter_target_us(const jitter_t *self)
{
    return (uint32_t)self->target_us;
}

size_t jitter_packets(const jitter_t *self)
{
    return self->used;
}
