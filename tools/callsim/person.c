#include "tools/callsim/person.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/callsim/pattern.h"

enum { HEARD_BYTES = 4096, NO_STEP = -2, MAX_LOST = 3, WORD_MS = 400 };
#define NEVER UINT64_MAX

struct person {
    const scenario_t *scenario;
    bool hears_words;
    double speed;
    char *lines[SCENARIO_MAX_STEPS];
    char *lost_line;
    uint32_t fired[SCENARIO_MAX_STEPS];
    uint32_t lost;     /* times patience ended since the bot was last understood */
    bool up, speaking; /* speaking: the person */
    uint64_t down_since_ms;
    bool bot_speaks;
    bool bot_unheard;        /* quiet, but its words are still to come */
    uint64_t bot_since_ms;   /* its voice's start */
    bool words_known;        /* while they are spoken */
    uint32_t bot_words;      /* of its turn, so far */
    bool cue_met;            /* of the interruption waited for, by these words */
    uint64_t quiet_since_ms; /* end of the latest voice of either */
    uint64_t deaf_until_ms;  /* staying silent */
    char heard[HEARD_BYTES]; /* words of the bot not reacted to */
    int planned;             /* step; NO_STEP */
    uint64_t planned_at_ms;
    uint64_t hang_up_at_ms; /* 0: not planned */
    int hang_up_step;
};

static char *expanded(const char *text, uint32_t n)
{
    char line[SCENARIO_TEXT_BYTES];
    if (!text[0] || scenario_expand(text, n, line, sizeof line)) return NULL;
    char *copy = strdup(line);
    assert(copy);
    return copy;
}

person_t *person_new(const scenario_t *scenario, uint32_t n, bool hears_words)
{
    person_t *self = calloc(1, sizeof *self);
    assert(self);
    self->scenario = scenario;
    self->hears_words = hears_words;
    self->speed = 1;
    self->planned = NO_STEP;
    for (size_t i = 0; i < scenario->step_count; i++) {
        self->lines[i] = expanded(scenario->steps[i].say, n);
    }
    self->lost_line = expanded(scenario->lost, n);
    return self;
}

void person_destroy(person_t **self_p)
{
    person_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (size_t i = 0; i < SCENARIO_MAX_STEPS; i++) free(self->lines[i]);
    free(self->lost_line);
    free(self);
}

void person_pace(person_t *self, double speed)
{
    self->speed = speed;
}

/* The person's own time. */
static uint64_t own_ms(const person_t *self, uint32_t ms)
{
    return (uint64_t)(ms / self->speed);
}

const char *person_line(const person_t *self, int step)
{
    if (step == PERSON_LOST) return self->lost_line;
    return step >= 0 && step < SCENARIO_MAX_STEPS ? self->lines[step] : NULL;
}

size_t person_waits_for(const person_t *self)
{
    size_t i = 0;
    while (i < self->scenario->step_count &&
           (self->fired[i] || self->scenario->steps[i].optional)) {
        i++;
    }
    return i;
}

/* ---- what is heard ---- */

void person_up(person_t *self, uint64_t now_ms)
{
    self->up = true;
    self->quiet_since_ms = now_ms;
}

void person_down(person_t *self, uint64_t now_ms)
{
    self->up = self->speaking = self->bot_speaks = self->bot_unheard = false;
    self->down_since_ms = now_ms;
    self->planned = NO_STEP;
    self->hang_up_at_ms = 0;
    self->deaf_until_ms = 0;
    self->heard[0] = '\0';
}

void person_bot_started(person_t *self, uint64_t now_ms)
{
    self->bot_speaks = true;
    self->bot_unheard = false;
    self->bot_since_ms = now_ms;
    self->bot_words = 0;
    self->cue_met = false;
    self->planned = NO_STEP; /* it goes on: listen to the end first */
}

void person_bot_words(person_t *self, uint64_t now_ms, const char *words, uint32_t count)
{
    (void)now_ms;
    size_t next = person_waits_for(self);
    self->words_known = true;
    self->bot_words = count;
    if (next == self->scenario->step_count) return;
    const char *cue = self->scenario->steps[next].cue;
    self->cue_met = !cue[0] || pattern_match(words, cue);
}

void person_bot_quiet(person_t *self, uint64_t now_ms)
{
    self->bot_speaks = false;
    self->bot_unheard = true;
    self->quiet_since_ms = now_ms;
}

static bool may_fire(const person_t *self, size_t i)
{
    return self->fired[i] < self->scenario->steps[i].times;
}

/* Does step i's cue match what was heard? */
static bool called_for(const person_t *self, size_t i)
{
    const step_t *step = &self->scenario->steps[i];
    if (!step->cue[0] || step->interrupts || !may_fire(self, i)) return false;
    size_t turn_of = person_waits_for(self);
    if (!self->hears_words) {
        size_t count = self->scenario->step_count;
        return i == turn_of || (turn_of == count && i == count - 1);
    }
    if (strcmp(step->cue, "any") == 0) return i <= turn_of;
    return pattern_match(self->heard, step->cue);
}

static int find_step(const person_t *self)
{
    size_t count = self->scenario->step_count;
    for (size_t i = 0; i < count; i++) {
        if (!self->fired[i] && called_for(self, i)) return (int)i;
    }
    for (size_t i = 0; i < count; i++) {
        if (called_for(self, i)) return (int)i;
    }
    return NO_STEP;
}

void person_bot_said(person_t *self, uint64_t now_ms, const char *words)
{
    size_t used = strlen(self->heard);
    snprintf(self->heard + used, sizeof self->heard - used, " %s", words ? words : "");
    self->bot_unheard = false;
    if (now_ms < self->deaf_until_ms) {
        self->heard[0] = '\0';
        return;
    }
    if (self->bot_speaks || self->speaking) return;
    self->planned = find_step(self);
    if (self->planned != NO_STEP) {
        self->planned_at_ms = now_ms + own_ms(self, self->scenario->steps[self->planned].delay_ms);
    }
}

void person_said(person_t *self, uint64_t now_ms)
{
    self->speaking = false;
    self->quiet_since_ms = now_ms;
}

/* ---- what is done ---- */

static bool fire(person_t *self, int i, uint64_t now_ms, act_t *out)
{
    const step_t *step = &self->scenario->steps[i];
    self->fired[i]++;
    self->lost = 0;
    self->planned = NO_STEP;
    self->heard[0] = '\0';
    if (step->stay_silent_ms) {
        self->deaf_until_ms = now_ms + step->stay_silent_ms;
        return false;
    }
    *out = (act_t){.kind = step->ring ? ACT_RING : ACT_HANG_UP, .step = i};
    if (step->dtmf[0]) {
        *out = (act_t){.kind = ACT_DTMF, .step = i, .text = step->dtmf};
    } else if (step->mumble_ms) {
        *out = (act_t){.kind = ACT_MUMBLE, .step = i, .mumble_ms = step->mumble_ms};
        self->speaking = true;
    } else if (self->lines[i]) {
        *out = (act_t){.kind = ACT_SAY, .step = i, .text = self->lines[i]};
        self->speaking = true;
        self->hang_up_step = i;
        if (step->hang_up_after_ms) {
            self->hang_up_at_ms = now_ms + own_ms(self, step->hang_up_after_ms);
        }
    }
    return true;
}

static bool all_quiet(const person_t *self)
{
    return !self->bot_speaks && !self->bot_unheard && self->planned == NO_STEP;
}

/* When the bot has spoken long enough to be interrupted by the step. */
static uint64_t interrupt_at_ms(const person_t *self, const step_t *step)
{
    if (!self->bot_speaks || (self->words_known && step->cue[0] && !self->cue_met)) return NEVER;
    if (!step->interrupt_after_words) {
        return self->bot_since_ms + own_ms(self, step->interrupt_after_ms);
    }
    if (!self->words_known) {
        return self->bot_since_ms + own_ms(self, step->interrupt_after_words * WORD_MS);
    }
    return self->bot_words >= step->interrupt_after_words ? self->bot_since_ms : NEVER;
}

/* When it is time for a step that waits for no end of the bot's turn. */
static uint64_t step_at_ms(const person_t *self, const step_t *step)
{
    if (step->interrupts) return interrupt_at_ms(self, step);
    if (step->ring || !step->after_silence_ms || !all_quiet(self)) return NEVER;
    return self->quiet_since_ms + step->after_silence_ms;
}

/* The step waited for, when it is its turn at all. */
static const step_t *next_step(const person_t *self)
{
    size_t next = person_waits_for(self);
    return next < self->scenario->step_count ? &self->scenario->steps[next] : NULL;
}

static uint64_t ring_at_ms(const person_t *self)
{
    const step_t *step = next_step(self);
    if (!step || !step->ring || !self->down_since_ms) return NEVER;
    return self->down_since_ms + step->after_silence_ms;
}

static uint64_t patience_at_ms(const person_t *self)
{
    uint32_t patience_ms = self->scenario->patience_ms;
    if (!patience_ms || !self->lost_line || !next_step(self) || !all_quiet(self) ||
        self->lost >= MAX_LOST) {
        return NEVER;
    }
    uint64_t at_ms = self->quiet_since_ms + patience_ms;
    return at_ms > self->deaf_until_ms ? at_ms : self->deaf_until_ms;
}

static bool lose_patience(person_t *self, uint64_t now_ms, act_t *out)
{
    if (now_ms < patience_at_ms(self)) return false;
    self->lost++;
    self->speaking = true;
    *out = (act_t){.kind = ACT_SAY, .step = PERSON_LOST, .text = self->lost_line};
    return true;
}

/* When the step waited for fires by itself. */
static uint64_t next_at_ms(const person_t *self)
{
    const step_t *step = next_step(self);
    if (!step) return NEVER;
    uint64_t at_ms = step_at_ms(self, step);
    return at_ms > self->deaf_until_ms ? at_ms : self->deaf_until_ms;
}

bool person_next(person_t *self, uint64_t now_ms, act_t *out)
{
    if (!self->up) {
        return now_ms >= ring_at_ms(self) && fire(self, (int)person_waits_for(self), now_ms, out);
    }
    if (self->hang_up_at_ms && now_ms >= self->hang_up_at_ms) {
        self->hang_up_at_ms = 0;
        *out = (act_t){.kind = ACT_HANG_UP, .step = self->hang_up_step};
        return true;
    }
    if (self->speaking) return false;
    if (self->planned != NO_STEP && now_ms >= self->planned_at_ms) {
        return fire(self, self->planned, now_ms, out);
    }
    if (now_ms >= next_at_ms(self)) return fire(self, (int)person_waits_for(self), now_ms, out);
    return lose_patience(self, now_ms, out);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t person_due_ms(const person_t *self)
{
    if (!self->up) return ring_at_ms(self);
    uint64_t due_ms = self->hang_up_at_ms ? self->hang_up_at_ms : NEVER;
    if (self->speaking) return due_ms;
    if (self->planned != NO_STEP) due_ms = earlier(due_ms, self->planned_at_ms);
    return earlier(due_ms, earlier(next_at_ms(self), patience_at_ms(self)));
}
