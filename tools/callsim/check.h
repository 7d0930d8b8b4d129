/* check.h - one thing a scenario wants to be true of a call once it is over.
 *
 * Threads: none, read-only.
 */
#ifndef CALLSIM_CHECK_H
#define CALLSIM_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"

typedef enum {
    CHECK_SAID,       /* what: pattern of a turn as it was heard */
    CHECK_NEVER_SAID, /* what: pattern that nothing handed to speech matches */
    CHECK_TURNS,      /* times: turns of the bot that were heard */
    CHECK_LISTENS,    /* what: language that was listened in at the end */
    CHECK_SMS,        /* what: pattern of a message sent by SMS */
    CHECK_TRANSFER,   /* what: number the caller was to be transferred to */
    CHECK_TOOL,       /* what: tool, recorded in the history */
    CHECK_MESSAGE,    /* what: pattern of a message of the history */
    CHECK_RECORD,     /* what: path into the call's JSON */
    CHECK_REMINDER,   /* what: pattern of a reminder's title */
    CHECK_CALLS,      /* times: records of the caller's number */
    CHECK_KINDS
} check_kind_t;

/* How often; most UINT32_MAX: any. */
typedef struct {
    uint32_t least, most;
} check_range_t;

typedef struct {
    check_kind_t kind;
    const char *what;
    check_range_t times;
    uint32_t call;           /* whose record: 1 is the number's oldest; 0: its newest */
    const char *manager;     /* only where this one talks; "": always */
    const char *lang;        /* SAID: spoken in; "": any */
    const char *arguments;   /* TOOL: pattern; "" */
    const char *result;      /* TOOL: pattern; "" */
    const char *persona;     /* MESSAGE: "human", "assistant"; "" */
    const char *action;      /* MESSAGE: "talk", "call", "hangup", "sms"; "" */
    bool interrupted;        /* MESSAGE: only cut ones */
    const char *is;          /* RECORD: pattern; "": anything but null */
    bool absent;             /* RECORD: not there, null, "" or empty */
    const char *due, *owner; /* REMINDER: patterns; "" */
} check_t;

extern const char *const check_names[CHECK_KINDS]; /* the keys: "said", "tool", ... */

/* Does the check look at the record (true), or at what was spoken (false)? */
bool check_of_record(const check_t *check);

/* "2", "2-4", "2-" or "0"; "" is at least once. False: none of these. */
bool check_range_parse(const char *text, check_range_t *out);
bool check_range_holds(const check_range_t *range, size_t count);

/* "said /bonjour/", for people. Returns out. */
char *check_label(const check_t *check, char *out, size_t out_bytes);

#endif
