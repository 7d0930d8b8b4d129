#include "services/speech/speaking.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/lane.h"
#include "services/speech/turn.h"

struct speaking {
    speaking_sink_t sink;
    turn_t *turns[SPEAKING_TURNS_MAX]; /* in order; the first is being played */
    size_t count;
    turn_t *synthesising; /* one of turns, or NULL */
    uint32_t newest;      /* highest turn asked for */
    uint32_t stopped;     /* this turn and before are flushed */
    uint32_t credit_ms;
};

static void pump(speaking_t *self);

speaking_t *speaking_new(const speaking_sink_t *sink)
{
    speaking_t *self = calloc(1, sizeof *self);
    assert(self);
    self->sink = *sink;
    self->credit_ms = SPEAKING_CREDIT_MS;
    return self;
}

void speaking_destroy(speaking_t **self_p)
{
    speaking_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (size_t i = 0; i < self->count; i++) turn_destroy(&self->turns[i]);
    free(self);
}

/* ---- turns ---- */

static turn_t *turn_find(const speaking_t *self, uint32_t number)
{
    for (size_t i = 0; i < self->count; i++) {
        if (turn_number(self->turns[i]) == number) return self->turns[i];
    }
    return NULL;
}

static void cancel_synthesis(speaking_t *self, const turn_t *turn)
{
    if (!turn || self->synthesising != turn) return;
    self->synthesising = NULL;
    self->sink.cancel(self->sink.arg);
}

/* Takes the turn out of the queue and tells that it is over. */
static void turn_over(speaking_t *self, turn_t *turn, bool interrupted)
{
    cancel_synthesis(self, turn);
    for (size_t i = 0; i < self->count; i++) {
        if (self->turns[i] != turn) continue;
        self->count--;
        memmove(&self->turns[i], &self->turns[i + 1], (self->count - i) * sizeof(turn_t *));
        break;
    }
    Pl__TurnSpoken spoken = PL__TURN_SPOKEN__INIT;
    spoken.turn = turn_number(turn);
    spoken.interrupted = interrupted;
    spoken.heard_ms = turn_heard_ms(turn);
    spoken.spoken_ms = turn_audio_ms(turn);
    bool estimated = false;
    spoken.heard_text = turn_heard_text(turn, &estimated);
    spoken.heard_estimated = estimated;
    self->sink.spoken(self->sink.arg, &spoken);
    free(spoken.heard_text);
    turn_destroy(&turn);
}

pl_err_t speaking_say(speaking_t *self, uint64_t now_us, const Pl__Say *say)
{
    if (say->turn == 0 || strlen(say->text) > SPEAKING_TEXT_MAX) return PL_INVALID;
    if (say->turn <= self->stopped || say->turn < self->newest) return PL_STALE;
    turn_t *turn = turn_find(self, say->turn);
    if (!turn) {
        if (say->turn == self->newest) return PL_STALE; /* over already */
        if (self->count == SPEAKING_TURNS_MAX) return PL_BUSY;
        if (self->count > 0) turn_close(self->turns[self->count - 1]);
        turn = turn_new(say->turn, now_us);
        self->turns[self->count++] = turn;
        self->newest = say->turn;
    }
    pl_err_t err = turn_add(turn, say);
    if (!err) pump(self);
    return err;
}

/* ---- synthesis ---- */

/* Asks for the next sentence that can be said; true when one had to be left out. */
static bool synthesise_next(speaking_t *self)
{
    uint32_t waiting_ms = 0;
    for (size_t i = 0; i < self->count && !self->synthesising; i++) {
        turn_t *turn = self->turns[i];
        waiting_ms += turn_unsent_ms(turn);
        if (turn_flushed_us(turn)) continue;
        if (waiting_ms > SPEAKING_AHEAD_MS) return false;
        const Pl__Say *say = turn_synthesise(turn);
        if (!say) continue;
        self->synthesising = turn;
        pl_err_t err = self->sink.synthesise(self->sink.arg, say);
        if (!err) return false;
        self->synthesising = NULL;
        turn_synthesised(turn);
        return true;
    }
    return false;
}

void speaking_audio(speaking_t *self, clip_t *clip)
{
    if (!self->synthesising) return;
    turn_audio(self->synthesising, clip);
    pump(self);
}

void speaking_said(speaking_t *self, size_t bytes, size_t samples)
{
    if (self->synthesising) turn_said(self->synthesising, bytes, samples);
}

void speaking_synthesised(speaking_t *self)
{
    turn_t *turn = self->synthesising;
    if (!turn) return;
    self->synthesising = NULL;
    turn_synthesised(turn); /* on failure without it: the turn goes on */
    pump(self);
}

/* ---- frames ---- */

static uint32_t outstanding_ms(const speaking_t *self)
{
    uint32_t ms = 0;
    for (size_t i = 0; i < self->count; i++) ms += turn_outstanding_ms(self->turns[i]);
    return ms;
}

/* Sends frames of one turn; true when all of it is sent. */
static bool send_turn(speaking_t *self, turn_t *turn)
{
    while (!turn_sent(turn)) {
        bool room = outstanding_ms(self) + PL_FRAME_MS <= self->credit_ms;
        Pl__LaneSayOut frame = PL__LANE_SAY_OUT__INIT;
        if (!turn_frame(turn, &frame)) return false;
        if (frame.pcm.len > 0 && !room) return false;
        if (self->sink.frame(self->sink.arg, &frame) != PL_OK) return false;
        turn_frame_sent(turn);
    }
    return true;
}

static void send_turns(speaking_t *self)
{
    /* A turn without any audio never reaches the lane, and so is over here. */
    for (size_t i = 0; i < self->count;) {
        if (turn_empty(self->turns[i]))
            turn_over(self, self->turns[i], false);
        else
            i++;
    }
    for (size_t i = 0; i < self->count; i++) {
        if (turn_flushed_us(self->turns[i])) continue;
        if (!send_turn(self, self->turns[i])) break;
    }
}

static void pump(speaking_t *self)
{
    do {
        send_turns(self);
    } while (synthesise_next(self));
}

/* ---- what was heard ---- */

pl_err_t speaking_played(speaking_t *self, uint64_t now_us, const Pl__LanePlayed *played)
{
    self->credit_ms = played->credit_ms;
    turn_t *turn = turn_find(self, played->turn);
    if (!turn) {
        pump(self);
        return PL_STALE;
    }
    bool was_audible = turn_started(turn);
    turn_played(turn, played->heard_ms, played->started || played->heard_ms > 0);
    if (!was_audible && turn_started(turn))
        self->sink.started(self->sink.arg, played->turn,
                           (uint32_t)((now_us - turn_asked_us(turn)) / 1000));
    if (played->finished || played->flushed)
        turn_over(self, turn, turn_flushed_us(turn) || !turn_sent(turn));
    pump(self);
    return PL_OK;
}

pl_err_t speaking_stop(speaking_t *self, uint64_t now_us, uint32_t turn)
{
    if (turn <= self->stopped) return PL_STALE;
    bool found = false, on_lane = false;
    self->stopped = turn;
    for (size_t i = 0; i < self->count;) {
        turn_t *t = self->turns[i];
        if (turn_number(t) > turn || turn_flushed_us(t)) {
            i++;
            continue;
        }
        found = true;
        cancel_synthesis(self, t);
        if (turn_outstanding_ms(t) == 0 && !turn_started(t)) {
            turn_over(self, t, true);
            continue;
        }
        turn_flush(t, now_us);
        on_lane = true;
        i++;
    }
    if (on_lane) self->sink.flush(self->sink.arg, turn);
    pump(self);
    return found ? PL_OK : PL_STALE;
}

void speaking_end(speaking_t *self)
{
    while (self->count > 0) turn_over(self, self->turns[0], true);
}

void speaking_tick(speaking_t *self, uint64_t now_us)
{
    for (size_t i = 0; i < self->count;) {
        uint64_t flushed_us = turn_flushed_us(self->turns[i]);
        if (flushed_us && now_us - flushed_us >= SPEAKING_FLUSH_MS * 1000ULL)
            turn_over(self, self->turns[i], true);
        else
            i++;
    }
    pump(self);
}

uint32_t speaking_audible(const speaking_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        const turn_t *turn = self->turns[i];
        if (turn_started(turn) && !turn_flushed_us(turn)) return turn_number(turn);
    }
    return 0;
}

bool speaking_interruptible(const speaking_t *self)
{
    const turn_t *turn = turn_find(self, speaking_audible(self));
    return turn && turn_interruptible(turn);
}
