/* person.h - what the simulated caller does next: the scenario's steps against what the bot says.
 *
 * A step fires on its cue. When words are heard, the first step that has not fired yet and whose
 * cue matches is taken, then one that may fire again (a person asked twice answers twice); "any",
 * silence and interruption wait for the steps before them. Without words, steps are taken in order,
 * and the last one again when the bot still speaks and it may fire more than once.
 * An answer waits for the step's reaction time and is held back when the bot goes on speaking.
 * An interruption with a cue waits for the bot's turn whose words so far match it; where words are
 * known only afterwards (by sound), any turn will do, and a word counts as 400 ms.
 *
 * Threads: none, pure: time is an argument, in milliseconds of one clock.
 */
#ifndef CALLSIM_PERSON_H
#define CALLSIM_PERSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/callsim/scenario.h"

typedef struct person person_t;

typedef enum { ACT_SAY, ACT_MUMBLE, ACT_DTMF, ACT_HANG_UP, ACT_RING } act_kind_t;
enum { PERSON_LOST = -1 }; /* the step of the line said when patience ends */

typedef struct {
    act_kind_t kind;
    int step;
    const char *text;   /* line or keys; valid as long as the person */
    uint32_t mumble_ms; /* of a voice without words */
} act_t;

/* scenario is borrowed for the person's life; n fills its placeholders. hears_words: recognition
 * is on. */
person_t *person_new(const scenario_t *scenario, uint32_t n, bool hears_words);
void person_destroy(person_t **self_p);

/* Its own times (reaction, interruption, hanging up in mid-line) pass so many times faster. What it
 * waits of others for (silence, patience) does not. */
void person_pace(person_t *self, double speed);

/* All lines the person may say, for synthesis ahead; step as in act_t. NULL: none. */
const char *person_line(const person_t *self, int step);

void person_up(person_t *self, uint64_t now_ms);          /* the call is answered */
void person_down(person_t *self, uint64_t now_ms);        /* it is over; it may ring again */
void person_bot_started(person_t *self, uint64_t now_ms); /* its voice */
/* Where words are known while they are spoken: those of the bot's turn so far, and how many. */
void person_bot_words(person_t *self, uint64_t now_ms, const char *words, uint32_t count);
void person_bot_quiet(person_t *self, uint64_t now_ms); /* long enough to be over */
/* What it said; NULL when words are not heard. After person_bot_quiet. */
void person_bot_said(person_t *self, uint64_t now_ms, const char *words);
void person_said(person_t *self, uint64_t now_ms); /* the own line or mumbling is over */

/* What to do now, if anything; call again until false. */
bool person_next(person_t *self, uint64_t now_ms, act_t *out);
/* When person_next may have something to do, if nothing is heard until then; UINT64_MAX: never. */
uint64_t person_due_ms(const person_t *self);

/* The first step that must fire and has not; step_count when all have. */
size_t person_waits_for(const person_t *self);

#endif
