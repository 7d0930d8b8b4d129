/* scenario.h - what a simulated caller is like and does, from a small YAML file.
 *
 * Read through common/config, so that a wrong key or value is told with file, line and key. In
 * texts and numbers placeholders stand for the caller's number in a load of many: {n} is 1, 2, ...;
 * {n4} the same with at least 4 digits ("0007"); {s4} its digits as words ("zero zero zero seven").
 *
 * Threads: read-only after the load.
 */
#ifndef CALLSIM_SCENARIO_H
#define CALLSIM_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/err.h"
#include "tools/callsim/expect.h"

enum { SCENARIO_MAX_STEPS = 64, SCENARIO_MAX_EXPECTS = 32, SCENARIO_TEXT_BYTES = 1024 };

/* How the caller's phone behaves when it rings. */
typedef enum { ANSWER_YES, ANSWER_BUSY, ANSWER_DECLINE, ANSWER_NEVER } answer_t;

/* How the call has to end for the scenario to be complete. */
typedef enum { END_ANY, END_BOT, END_CALLER, END_NONE } end_t;

typedef struct {
    const char *cue;             /* see words_match_cue; "" when after_silence_ms is set */
    uint32_t after_silence_ms;   /* fires after both were silent for so long; 0: no */
    uint32_t interrupt_after_ms; /* fires when the bot has spoken for so long; 0: no */
    uint32_t delay_ms;           /* a person's reaction: from the cue to the act */
    const char *say;             /* with placeholders; "" when another act */
    const char *dtmf;            /* "" when another act */
    uint32_t stay_silent_ms;     /* ignores the bot for so long */
    bool hang_up;
    uint32_t hang_up_after_ms; /* hangs up so long into the own line; 0: no */
    uint32_t times;            /* how often it may fire, at least 1 */
    bool optional;             /* need not fire for the scenario to be complete */
} step_t;

typedef struct {
    const char *field;
    expect_kind_t kind;
    const char *value; /* with placeholders */
} expectation_t;

typedef struct {
    const char *name;
    const char *number; /* with placeholders */
    const char *password;
    const char *voice;
    const char *codecs; /* comma separated, the best first */
    double rate;
    answer_t answer;
    uint32_t answer_after_ms;
    uint32_t cancel_after_ms; /* of a call the caller makes: gives up ringing; 0: never */
    bool recognise;           /* hears words; otherwise cues are taken in order */
    uint32_t quiet_ms;        /* of the bot, before the caller takes its turn */
    uint32_t patience_ms;     /* silence after which the caller says `lost`; 0: never */
    const char *lost;
    uint32_t deadline_ms;
    end_t end;
    step_t steps[SCENARIO_MAX_STEPS];
    size_t step_count;
    expectation_t expects[SCENARIO_MAX_EXPECTS];
    size_t expect_count;
    pl_config_t *config; /* owns the strings */
} scenario_t;

/* On failure error_out says why: "file:line: path: what". */
pl_err_t scenario_parse(scenario_t **out, const char *name, const char *yaml, char *error_out,
                        size_t error_bytes);
pl_err_t scenario_load(scenario_t **out, const char *file, char *error_out, size_t error_bytes);
void scenario_destroy(scenario_t **self_p);

/* The table, for --help. */
extern const pl_config_key_t scenario_keys[];

/* Fills in the placeholders for caller n (1, 2, ...). PL_INVALID: does not fit, or no such
 * placeholder; out then holds "". */
pl_err_t scenario_expand(const char *text, uint32_t n, char *out, size_t out_bytes);

#endif
