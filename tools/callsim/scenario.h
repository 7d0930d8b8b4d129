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
#include <stdio.h>

#include "common/config.h"
#include "common/err.h"
#include "tools/callsim/check.h"
#include "tools/callsim/expect.h"

enum {
    SCENARIO_MAX_STEPS = 64,
    SCENARIO_MAX_EXPECTS = 32,
    SCENARIO_MAX_CHECKS = 64,
    SCENARIO_TEXT_BYTES = 1024,
};

/* How the caller's phone behaves when it rings. */
typedef enum { ANSWER_YES, ANSWER_BUSY, ANSWER_DECLINE, ANSWER_NEVER } answer_t;

/* How the call has to end for the scenario to be complete. */
typedef enum { END_ANY, END_BOT, END_CALLER, END_NONE } end_t;

typedef struct {
    const char *cue;                /* see pattern.h; "" when another thing calls for it */
    uint32_t after_silence_ms;      /* fires after both were silent for so long; 0: no */
    bool interrupts;                /* fires while the bot speaks: one of the two below */
    uint32_t interrupt_after_ms;    /* ... for so long */
    uint32_t interrupt_after_words; /* ... so many words */
    uint32_t delay_ms;              /* a person's reaction: from the cue to the act */
    const char *say;                /* with placeholders; "" when another act */
    const char *dtmf;               /* "" when another act */
    uint32_t stay_silent_ms;        /* ignores the bot for so long */
    uint32_t mumble_ms;             /* a voice without words; 0: another act */
    bool hang_up;
    bool ring;                 /* ring again, once the call is over and after_silence_ms later */
    uint32_t hang_up_after_ms; /* hangs up so long into the own line; 0: no */
    uint32_t times;            /* how often it may fire, at least 1 */
    bool optional;             /* need not fire for the scenario to be complete */
} step_t;

typedef struct {
    const char *field;
    expect_kind_t kind;
    const char *value; /* with placeholders */
} expectation_t;

/* What happens to a transfer the bot asks for, and to its SMS. */
typedef enum { TRANSFER_ACCEPT, TRANSFER_REFUSE } transfer_t;
typedef enum { SMS_DELIVERED, SMS_FAILS } sms_t;

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
    bool marked;              /* see mark.h */
    uint32_t quiet_ms;        /* of the bot, before the caller takes its turn */
    uint32_t patience_ms;     /* silence after which the caller says `lost`; 0: never */
    const char *lost;
    uint32_t deadline_ms;
    end_t end;
    double speed; /* of a text caller: how many times faster than a person */
    bool rung;    /* a text caller is rung by the bot (POST /call); otherwise it rings */
    transfer_t transfer;
    sms_t sms;
    step_t steps[SCENARIO_MAX_STEPS];
    size_t step_count;
    expectation_t expects[SCENARIO_MAX_EXPECTS];
    size_t expect_count;
    check_t checks[SCENARIO_MAX_CHECKS];
    size_t check_count;
    pl_config_t *config; /* owns the strings */
} scenario_t;

/* On failure error_out says why: "file:line: path: what". */
pl_err_t scenario_parse(scenario_t **out, const char *name, const char *yaml, char *error_out,
                        size_t error_bytes);
pl_err_t scenario_load(scenario_t **out, const char *file, char *error_out, size_t error_bytes);
void scenario_destroy(scenario_t **self_p);

/* The first thing in it that only a caller by text can do; NULL: it is for sound as well. */
const char *scenario_text_only(const scenario_t *self);

/* What it wants of the system under test, a line each: "config FILE", "body FILE", "set PATH=VALUE",
 * "manager NAME", "model FILE", "knowledge FOLDER"; files as the scenario names them. And "lang". */
void scenario_print_system(const scenario_t *self, FILE *out);

/* The table, for --help. */
extern const pl_config_key_t scenario_keys[];

/* Fills in the placeholders for caller n (1, 2, ...). PL_INVALID: does not fit, or no such
 * placeholder; out then holds "". */
pl_err_t scenario_expand(const char *text, uint32_t n, char *out, size_t out_bytes);

#endif
