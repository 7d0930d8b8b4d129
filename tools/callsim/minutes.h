/* minutes.h - what happened in a text caller's calls, in order: lines of both sides and deeds.
 *
 * Threads: none. Times are ms of the caller's clock.
 */
#ifndef CALLSIM_MINUTES_H
#define CALLSIM_MINUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

typedef enum {
    MINUTE_RINGS, /* a call begins; text: "in" or "out" */
    MINUTE_CALLER,
    MINUTE_MUMBLE,
    MINUTE_KEYS,
    MINUTE_BOT,
    MINUTE_SMS,
    MINUTE_TRANSFER,
    MINUTE_ENDED, /* text: why */
} minute_kind_t;

typedef struct {
    minute_kind_t kind;
    uint64_t at_ms;
    const char *text;  /* said; of the bot, all it wanted to say */
    const char *heard; /* of the bot: what was played; otherwise "" */
    const char *lang;  /* of a line */
    const char *to;    /* of an SMS; otherwise "" */
    int step;          /* of the caller's scenario; -1: none */
    bool interrupted;  /* of the bot */
} minute_t;

typedef struct minutes minutes_t;

minutes_t *minutes_new(void);
void minutes_destroy(minutes_t **self_p);

/* Copies all; NULL texts count as "". */
void minutes_add(minutes_t *self, const minute_t *minute);
size_t minutes_count(const minutes_t *self);
const minute_t *minutes_at(const minutes_t *self, size_t i);

/* A list, for the report. The caller owns it. */
cJSON *minutes_json(const minutes_t *self);

#endif
