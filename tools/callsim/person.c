#include "tools/callsim/person.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/callsim/words.h"

enum { HEARD_BYTES = 4096, NO_STEP = -2, MAX_LOST = 3 };

struct person {
    const scenario_t *scenario;
    bool hears_words;
    char *lines[SCENARIO_MAX_STEPS];
    char *lost_line;
    uint32_t fired[SCENARIO_MAX_STEPS];
    uint32_t lost;     /* times patience ended since the bot was last understood */
    bool up, speaking; /* speaking: the person */
    bool bot_speaks;
    bool bot_unheard;        /* quiet, but its words are still to come */
    uint64_t bot_since_ms;   /* its voice's start */
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

void person_bot_started(person_t *self, uint64_t now_ms)
{
    self->bot_speaks = true;
    self->bot_unheard = false;
    self->bot_since_ms = now_ms;
    self->planned = NO_STEP; /* it goes on: listen to the end first */
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
    if (!step->cue[0] || !may_fire(self, i)) return false;
    size_t turn_of = person_waits_for(self);
    if (!self->hears_words) {
        size_t count = self->scenario->step_count;
        return i == turn_of || (turn_of == count && i == count - 1);
    }
    if (strcmp(step->cue, "any") == 0) return i <= turn_of;
    return words_match_cue(self->heard, step->cue);
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
        self->planned_at_ms = now_ms + self->scenario->steps[self->planned].delay_ms;
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
    *out = (act_t){.kind = ACT_HANG_UP, .step = i};
    if (step->dtmf[0]) {
        *out = (act_t){.kind = ACT_DTMF, .step = i, .text = step->dtmf};
    } else if (self->lines[i]) {
        *out = (act_t){.kind = ACT_SAY, .step = i, .text = self->lines[i]};
        self->speaking = true;
        self->hang_up_step = i;
        if (step->hang_up_after_ms) self->hang_up_at_ms = now_ms + step->hang_up_after_ms;
    }
    return true;
}

/* Is it time for a step that waits for no end of the bot's turn? */
static bool due(const person_t *self, const step_t *step, uint64_t now_ms)
{
    bool quiet = !self->bot_speaks && !self->bot_unheard && self->planned == NO_STEP;
    if (step->interrupt_after_ms) {
        return self->bot_speaks && now_ms >= self->bot_since_ms + step->interrupt_after_ms;
    }
    return step->after_silence_ms && quiet &&
           now_ms >= self->quiet_since_ms + step->after_silence_ms;
}

static bool lose_patience(person_t *self, uint64_t now_ms, act_t *out)
{
    uint32_t patience_ms = self->scenario->patience_ms;
    bool waits = person_waits_for(self) < self->scenario->step_count;
    bool quiet = !self->bot_speaks && !self->bot_unheard && self->planned == NO_STEP;
    if (!patience_ms || !self->lost_line || !waits || !quiet || self->lost >= MAX_LOST) {
        return false;
    }
    if (now_ms < self->quiet_since_ms + patience_ms || now_ms < self->deaf_until_ms) return false;
    self->lost++;
    self->speaking = true;
    *out = (act_t){.kind = ACT_SAY, .step = PERSON_LOST, .text = self->lost_line};
    return true;
}

bool person_next(person_t *self, uint64_t now_ms, act_t *out)
{
    if (!self->up) return false;
    if (self->hang_up_at_ms && now_ms >= self->hang_up_at_ms) {
        self->hang_up_at_ms = 0;
        *out = (act_t){.kind = ACT_HANG_UP, .step = self->hang_up_step};
        return true;
    }
    if (self->speaking) return false;
    if (self->planned != NO_STEP && now_ms >= self->planned_at_ms) {
        return fire(self, self->planned, now_ms, out);
    }
    size_t next = person_waits_for(self);
    if (next < self->scenario->step_count && now_ms >= self->deaf_until_ms &&
        due(self, &self->scenario->steps[next], now_ms)) {
        return fire(self, (int)next, now_ms, out);
    }
    return lose_patience(self, now_ms, out);
}
