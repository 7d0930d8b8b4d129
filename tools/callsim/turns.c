#include "tools/callsim/turns.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A person's own pauses do not end a turn; this much does. */
enum { CALLER_QUIET_MS = 500, MAX_TURNS = 4096 };

struct turns {
    ear_t caller, bot;
    turn_t *turns;
    size_t count, room;
    int caller_open, bot_open; /* indexes into turns; TURNS_NONE */
    int next_step;
    char *next_text;
};

turns_t *turns_new(uint32_t quiet_ms)
{
    turns_t *self = calloc(1, sizeof *self);
    assert(self);
    ear_init(&self->caller, CALLER_QUIET_MS);
    ear_init(&self->bot, quiet_ms);
    self->caller_open = self->bot_open = self->next_step = TURNS_NONE;
    return self;
}

void turns_destroy(turns_t **self_p)
{
    turns_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (size_t i = 0; i < self->count; i++) free(self->turns[i].text);
    free(self->turns);
    free(self->next_text);
    free(self);
}

static turn_t *add(turns_t *self, bool caller, uint32_t start_ms)
{
    if (self->count == self->room) {
        self->room = self->room ? self->room * 2 : 16;
        self->turns = realloc(self->turns, self->room * sizeof *self->turns);
        assert(self->turns);
    }
    turn_t *turn = &self->turns[self->count++];
    *turn = (turn_t){.caller = caller,
                     .open = true,
                     .start_ms = start_ms,
                     .end_ms = start_ms,
                     .step = TURNS_NONE,
                     .latency_ms = TURNS_NONE,
                     .stop_ms = TURNS_NONE};
    return turn;
}

static void caller_started(turns_t *self)
{
    turn_t *turn = add(self, true, self->caller.start_ms);
    self->caller_open = (int)self->count - 1;
    turn->text = self->next_text;
    turn->step = self->next_step;
    self->next_text = NULL;
    self->next_step = TURNS_NONE;
    if (self->bot_open == TURNS_NONE) return;
    turn_t *bot = &self->turns[self->bot_open];
    /* The bot's ear waits long before it calls a turn over; its voice may have ended before. */
    if (self->bot.last_ms < turn->start_ms) return;
    turn->interrupts = true;
    bot->interrupted = true;
}

/* The caller's latest turn when it ended before at_ms and the bot said nothing in between. */
static const turn_t *waiting_caller(const turns_t *self, uint32_t at_ms)
{
    const turn_t *last = self->count ? &self->turns[self->count - 1] : NULL;
    if (!last || !last->caller) return NULL;
    uint32_t end_ms = last->open ? self->caller.last_ms : last->end_ms;
    return end_ms <= at_ms ? last : NULL;
}

static void bot_started(turns_t *self)
{
    uint32_t start_ms = self->bot.start_ms;
    const turn_t *waiting = waiting_caller(self, start_ms);
    int32_t latency_ms = TURNS_NONE;
    if (waiting) {
        uint32_t end_ms = waiting->open ? self->caller.last_ms : waiting->end_ms;
        latency_ms = (int32_t)(start_ms - end_ms);
    }
    turn_t *turn = add(self, false, start_ms);
    turn->latency_ms = latency_ms;
    self->bot_open = (int)self->count - 1;
}

static void close_turn(turns_t *self, int *open, const ear_t *ear)
{
    if (*open == TURNS_NONE) return;
    turn_t *turn = &self->turns[*open];
    turn->end_ms = ear->last_ms;
    turn->open = false;
    *open = TURNS_NONE;
    if (turn->caller || !turn->interrupted) return;
    for (size_t i = 0; i < self->count; i++) {
        turn_t *caller = &self->turns[i];
        if (caller->interrupts && caller->stop_ms == TURNS_NONE &&
            caller->start_ms >= turn->start_ms) {
            caller->stop_ms = (int32_t)(turn->end_ms - caller->start_ms);
        }
    }
}

turns_event_t turns_frame(turns_t *self, const int16_t caller[TURNS_FRAME_SAMPLES],
                          const int16_t bot[TURNS_FRAME_SAMPLES])
{
    turns_event_t event = {0};
    for (size_t at = 0; at < TURNS_FRAME_SAMPLES; at += EAR_BLOCK_SAMPLES) {
        ear_event_t heard = ear_hear(&self->caller, caller + at);
        if (heard == EAR_STARTED && self->count < MAX_TURNS) caller_started(self);
        if (heard == EAR_ENDED) close_turn(self, &self->caller_open, &self->caller);
        heard = ear_hear(&self->bot, bot + at);
        if (heard == EAR_STARTED && self->count < MAX_TURNS) bot_started(self);
        if (heard == EAR_ENDED) close_turn(self, &self->bot_open, &self->bot);
        event.bot_started |= heard == EAR_STARTED;
        event.bot_ended |= heard == EAR_ENDED;
    }
    return event;
}

void turns_finish(turns_t *self)
{
    close_turn(self, &self->caller_open, &self->caller);
    close_turn(self, &self->bot_open, &self->bot);
}

void turns_heard(turns_t *self, const char *text)
{
    for (size_t i = self->count; i > 0; i--) {
        turn_t *turn = &self->turns[i - 1];
        if (turn->caller) continue;
        if (turn->open) continue; /* these words are of the one before */
        if (!turn->text) {
            turn->text = strdup(text);
            assert(turn->text);
        }
        return;
    }
}

void turns_say(turns_t *self, int step, const char *text)
{
    free(self->next_text);
    self->next_text = strdup(text);
    assert(self->next_text);
    self->next_step = step;
}

bool turns_bot_speaks(const turns_t *self)
{
    return self->bot.voice;
}

uint32_t turns_now_ms(const turns_t *self)
{
    return self->bot.now_ms;
}

size_t turns_count(const turns_t *self)
{
    return self->count;
}

const turn_t *turns_at(const turns_t *self, size_t i)
{
    assert(i < self->count);
    return &self->turns[i];
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t rank(const uint32_t *sorted, size_t count, unsigned percent)
{
    size_t at = (count * percent + 99) / 100;
    return sorted[at ? at - 1 : 0];
}

latency_t latency_of(uint32_t *values, size_t count)
{
    if (count == 0) return (latency_t){0};
    qsort(values, count, sizeof *values, by_value);
    return (latency_t){.count = (uint32_t)count,
                       .least = values[0],
                       .p50 = rank(values, count, 50),
                       .p95 = rank(values, count, 95),
                       .p99 = rank(values, count, 99),
                       .most = values[count - 1]};
}

latency_t turns_latency(const turns_t *self)
{
    uint32_t *values = calloc(self->count + 1, sizeof *values);
    assert(values);
    size_t count = 0;
    for (size_t i = 0; i < self->count; i++) {
        if (self->turns[i].latency_ms != TURNS_NONE) {
            values[count++] = (uint32_t)self->turns[i].latency_ms;
        }
    }
    latency_t latency = latency_of(values, count);
    free(values);
    return latency;
}
