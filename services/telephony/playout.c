#include "services/telephony/playout.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_FRAMES = 10 * 1000 / PL_FRAME_MS,
    FIRST_FRAMES = 32, /* room at first: more than the usual credit */
    REPORTS = 16,
    REPORT_TICKS = 100 / PL_FRAME_MS,
    SAMPLES_PER_MS = PL_FRAME_HZ / 1000,
    RAMP = 80, /* samples: a flushed voice falls within 5 ms instead of clicking */
};

typedef struct {
    uint32_t turn;
    uint16_t samples;
    bool firm, last;
    int16_t pcm[PL_FRAME_SAMPLES];
} frame_t;

struct playout {
    uint32_t credit_ms;

    frame_t *frames; /* a ring */
    size_t room, first, count;
    uint64_t queued_samples;

    /* What is put in. Frames of turns below open_turn are stale; below or at flushed, too. */
    bool opened;
    uint32_t open_turn, next_seq;
    bool open_ended; /* its last frame was put in */
    bool any_flushed;
    uint32_t flushed;

    /* What is played. */
    bool playing, firm;
    uint32_t turn;
    uint64_t heard_samples; /* of turn, also when it has ended */
    uint32_t since_report;
    bool ending;   /* playout_end: the turn ends when the queue is empty */
    int16_t level; /* last sample that went out */

    playout_report_t reports[REPORTS]; /* oldest first */
    size_t report_count;
    playout_stats_t stats;
};

playout_t *playout_new(uint32_t credit_ms)
{
    playout_t *self = calloc(1, sizeof *self);
    if (!self) abort();
    self->credit_ms = credit_ms;
    return self;
}

void playout_destroy(playout_t **self_p)
{
    playout_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    free(self->frames);
    free(self);
}

/* ---- reports ----------------------------------------------------------------------------------- */

static bool is_progress(const playout_report_t *r)
{
    return !r->started && !r->finished;
}

/* Room for one more: progress that newer reports repeat goes first, then the oldest. */
static void make_room(playout_t *self)
{
    if (self->report_count < REPORTS) return;
    size_t victim = 0;
    for (size_t i = 0; i < REPORTS; i++) {
        if (!is_progress(&self->reports[i])) continue;
        victim = i;
        break;
    }
    self->report_count--;
    memmove(&self->reports[victim], &self->reports[victim + 1],
            (self->report_count - victim) * sizeof self->reports[0]);
}

static void report(playout_t *self, playout_report_t r)
{
    make_room(self);
    r.credit_ms = self->credit_ms;
    self->reports[self->report_count++] = r;
    self->since_report = 0;
}

static uint32_t heard_ms(const playout_t *self)
{
    return (uint32_t)(self->heard_samples / SAMPLES_PER_MS);
}

bool playout_report(playout_t *self, playout_report_t *out)
{
    if (self->report_count == 0) return false;
    *out = self->reports[0];
    self->report_count--;
    memmove(&self->reports[0], &self->reports[1], self->report_count * sizeof self->reports[0]);
    return true;
}

void playout_report_back(playout_t *self, const playout_report_t *r)
{
    if (self->report_count == REPORTS) return; /* newer ones have taken its place */
    memmove(&self->reports[1], &self->reports[0], self->report_count * sizeof self->reports[0]);
    self->reports[0] = *r;
    self->report_count++;
}

/* ---- putting in -------------------------------------------------------------------------------- */

static frame_t *at(const playout_t *self, size_t n)
{
    assert(self->room > 0);
    return &self->frames[(self->first + n) % self->room];
}

static bool grow(playout_t *self)
{
    if (self->count < self->room) return true;
    if (self->room >= MAX_FRAMES) return false;
    size_t room = self->room ? 2 * self->room : FIRST_FRAMES;
    if (room > MAX_FRAMES) room = MAX_FRAMES;
    frame_t *frames = malloc(room * sizeof *frames);
    if (!frames) abort();
    for (size_t i = 0; i < self->count; i++) frames[i] = *at(self, i);
    free(self->frames);
    self->frames = frames;
    self->room = room;
    self->first = 0;
    return true;
}

static bool is_stale(const playout_t *self, uint32_t turn)
{
    if (self->any_flushed && turn <= self->flushed) return true;
    if (!self->opened) return false;
    return turn < self->open_turn || (turn == self->open_turn && self->open_ended);
}

pl_err_t playout_put(playout_t *self, uint32_t turn, uint32_t seq, const uint8_t *pcm, size_t bytes,
                     bool firm, bool last)
{
    if (is_stale(self, turn)) {
        self->stats.stale++;
        return PL_STALE;
    }
    bool opens = !self->opened || turn != self->open_turn;
    bool repeated = !opens && seq < self->next_seq;
    if (bytes > PL_FRAME_BYTES || bytes % sizeof(int16_t) != 0 || repeated) {
        self->stats.invalid++;
        return PL_INVALID;
    }
    if (!grow(self)) {
        self->stats.overflow++;
        return PL_BUSY;
    }
    self->opened = true;
    self->open_turn = turn;
    self->open_ended = last;
    self->next_seq = seq + 1;

    frame_t *frame = at(self, self->count);
    frame->turn = turn;
    frame->samples = (uint16_t)(bytes / sizeof(int16_t));
    frame->firm = firm;
    frame->last = last;
    for (size_t i = 0; i < frame->samples; i++) {
        frame->pcm[i] = (int16_t)(uint16_t)(pcm[2 * i] | pcm[2 * i + 1] << 8);
    }
    self->count++;
    self->queued_samples += frame->samples;
    return PL_OK;
}

/* ---- playing ----------------------------------------------------------------------------------- */

static void drop_first(playout_t *self)
{
    self->queued_samples -= at(self, 0)->samples;
    self->first = (self->first + 1) % self->room;
    self->count--;
}

static void finish(playout_t *self, bool flushed)
{
    self->playing = false;
    report(self, (playout_report_t){.turn = self->turn,
                                    .heard_ms = heard_ms(self),
                                    .finished = true,
                                    .flushed = flushed});
}

static void begin(playout_t *self, uint32_t turn)
{
    self->playing = true;
    self->turn = turn;
    self->heard_samples = 0;
}

/* Makes the turn of the first frame the one that plays; one that had no last frame ends here. */
static void follow_turn(playout_t *self, uint32_t turn)
{
    if (self->playing && self->turn == turn) return;
    if (self->playing) finish(self, false);
    begin(self, turn);
    report(self, (playout_report_t){.turn = turn, .started = true});
}

/* Frames without samples, as the last may be, take no time. */
static void take_empty(playout_t *self)
{
    while (self->count > 0 && at(self, 0)->samples == 0) {
        follow_turn(self, at(self, 0)->turn);
        bool last = at(self, 0)->last;
        drop_first(self);
        if (last) finish(self, false);
    }
}

static void play_first(playout_t *self, int16_t *pcm)
{
    const frame_t *frame = at(self, 0);
    follow_turn(self, frame->turn);
    bool last = frame->last;
    self->firm = frame->firm;
    size_t samples = frame->samples;
    memcpy(pcm, frame->pcm, samples * sizeof *pcm);
    memset(pcm + samples, 0, (PL_FRAME_SAMPLES - samples) * sizeof *pcm);
    drop_first(self);
    self->heard_samples += samples;
    self->since_report++;
    if (last) finish(self, false);
    take_empty(self);
    if (self->playing && self->since_report >= REPORT_TICKS) {
        report(self, (playout_report_t){.turn = self->turn, .heard_ms = heard_ms(self)});
    }
}

static void play_nothing(playout_t *self, int16_t *pcm)
{
    memset(pcm, 0, PL_FRAME_SAMPLES * sizeof *pcm);
    for (int i = 0; i < RAMP; i++) pcm[i] = (int16_t)(self->level * (RAMP - i) / RAMP);
    if (!self->playing) return;
    if (self->ending)
        finish(self, false);
    else
        self->stats.underruns++;
}

bool playout_tick(playout_t *self, int16_t pcm[PL_FRAME_SAMPLES])
{
    take_empty(self);
    bool some = self->count > 0;
    bool ramp = self->level != 0;
    if (some)
        play_first(self, pcm);
    else
        play_nothing(self, pcm);
    self->level = pcm[PL_FRAME_SAMPLES - 1];
    return some || ramp;
}

bool playout_playing(const playout_t *self)
{
    return self->playing;
}

uint32_t playout_turn(const playout_t *self)
{
    return self->turn;
}

bool playout_firm(const playout_t *self)
{
    return self->playing && self->firm;
}

static void report_flushed(playout_t *self, uint32_t turn, uint32_t heard)
{
    report(self,
           (playout_report_t){.turn = turn, .heard_ms = heard, .finished = true, .flushed = true});
}

void playout_flush(playout_t *self, uint32_t turn)
{
    if (!self->any_flushed || turn > self->flushed) self->flushed = turn;
    self->any_flushed = true;
    uint32_t told = self->turn;
    bool answered = false;
    if (self->playing && self->turn <= turn) {
        finish(self, true);
        answered = self->turn == turn;
    }
    while (self->count > 0 && at(self, 0)->turn <= turn) {
        uint32_t dropped = at(self, 0)->turn;
        drop_first(self);
        if (dropped != told && dropped != turn) report_flushed(self, dropped, 0);
        told = dropped;
    }
    if (!answered) report_flushed(self, turn, self->turn == turn ? heard_ms(self) : 0);
}

void playout_flush_all(playout_t *self)
{
    if (self->opened) playout_flush(self, self->open_turn);
}

void playout_end(playout_t *self)
{
    self->ending = true;
}

void playout_reset(playout_t *self)
{
    self->first = 0;
    self->count = 0;
    self->queued_samples = 0;
    self->opened = false;
    self->any_flushed = false;
    self->playing = false;
    self->ending = false;
    self->turn = 0;
    self->heard_samples = 0;
    self->report_count = 0;
    report(self, (playout_report_t){.turn = 0});
}

void playout_stats(const playout_t *self, playout_stats_t *out)
{
    *out = self->stats;
    out->queued_ms = (uint32_t)(self->queued_samples / SAMPLES_PER_MS);
}
