/* judge.h - a scenario's checks against what was spoken and what the API tells of the calls.
 *
 * Beside the checks a scenario names, every call is held to what is always true: each tool call has
 * a name of its own and exactly one result, nothing of the form that styles and actions are written
 * in is spoken, the claim holds known fields only, and a call that is over is not in progress.
 *
 * Threads: none, pure.
 */
#ifndef CALLSIM_JUDGE_H
#define CALLSIM_JUDGE_H

#include "tools/callsim/minutes.h"
#include "tools/callsim/scenario.h"

/* What is looked at. */
typedef struct {
    const scenario_t *scenario;
    uint32_t n;          /* the caller's number in a load */
    const char *manager; /* who talked, for checks of one manager; "": unknown, none of those */
    const minutes_t *minutes; /* of this caller */
    const char *listens;      /* language listened in at the end */
    const cJSON *calls;       /* GET /call?phone_number=...: the newest first; NULL: not asked */
} case_t;

/* Called with each check, its outcome, and what was found instead when it does not hold. */
typedef void verdict_fn(void *arg, const char *check, bool holds, const char *detail);

/* Judges what needs no record (of_record false), or what needs one. Returns how many do not hold. */
size_t judge(const case_t *of, bool of_record, verdict_fn *verdict, void *arg);

#endif
