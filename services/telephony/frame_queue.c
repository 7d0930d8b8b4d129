#include "services/telephony/frame_queue.h"

#include <string.h>

enum { BEGIN_FRAMES = 3, WATCH_TICKS = 100 };

static void drop_first(frame_queue_t *self)
{
    self->first = (self->first + 1) % FRAME_QUEUE_ROOM;
    self->count--;
}

void frame_queue_put(frame_queue_t *self, const uint8_t pcm[PL_FRAME_BYTES])
{
    self->received++;
    if (self->count == FRAME_QUEUE_ROOM) {
        drop_first(self);
        self->dropped++;
    }
    memcpy(self->frames[(self->first + self->count) % FRAME_QUEUE_ROOM], pcm, PL_FRAME_BYTES);
    self->count++;
}

/* Drops a frame that has been more than enough for two seconds. */
static void watch_depth(frame_queue_t *self)
{
    if (self->count < self->least) self->least = self->count;
    if (++self->ticks < WATCH_TICKS) return;
    if (self->least >= BEGIN_FRAMES) {
        drop_first(self);
        self->dropped++;
    }
    self->ticks = 0;
    self->least = self->count;
}

bool frame_queue_take(frame_queue_t *self, int16_t pcm[PL_FRAME_SAMPLES])
{
    if (!self->playing && self->count >= BEGIN_FRAMES) {
        self->playing = true;
        self->least = self->count;
        self->ticks = 0;
    }
    if (self->playing && self->count == 0) {
        self->playing = false;
        self->dry++;
    }
    if (!self->playing) {
        memset(pcm, 0, PL_FRAME_SAMPLES * sizeof *pcm);
        return false;
    }
    const uint8_t *bytes = self->frames[self->first];
    for (size_t i = 0; i < PL_FRAME_SAMPLES; i++) {
        pcm[i] = (int16_t)(uint16_t)(bytes[2 * i] | bytes[2 * i + 1] << 8);
    }
    drop_first(self);
    watch_depth(self);
    return true;
}
