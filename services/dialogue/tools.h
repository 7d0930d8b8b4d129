/* tools.h - what a dialogue manager can do besides speaking: the table of tools and their arguments.
 *
 * Arguments are JSON text and come from a model or the script: both are checked here against the
 * table before anything happens. What a tool does is the call machine's (call_tool.c).
 *
 * Threads: none; values only.
 */
#ifndef DIALOGUE_TOOLS_H
#define DIALOGUE_TOOLS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "call.pb-c.h"
#include "common/err.h"

typedef enum {
    TOOL_UPDATED_CLAIM,
    TOOL_END_CALL,
    TOOL_TALK_TO_HUMAN,
    TOOL_SEARCH_DOCUMENT,
    TOOL_REMINDER,
    TOOL_SPEECH_SPEED,
    TOOL_SPEECH_LANG,
    TOOL_SEND_SMS,
    TOOL_NEW_CLAIM,
    TOOL_NOTIFY_EMERGENCIES,
    TOOL_KINDS,
} tool_kind_t;

typedef enum {
    ARG_STRING,
    ARG_NUMBER,
    ARG_STRINGS,
    ARG_UPDATES, /* of the claim: [{field, value, confirmed?}] */
    ARG_CHOICE,  /* one of choices */
    ARG_LANG,    /* short code of a language of the call */
} arg_kind_t;

enum {
    TOOL_ARGS_MAX = 6,
    TOOL_CHOICES_MAX = 8,
    TOOL_JSON_MAX = 16384,
    TOOL_STRING_MAX = 2048,
    TOOL_LIST_MAX = 32,
};

typedef struct {
    const char *name;
    arg_kind_t kind;
    bool required;
    const char *help;                      /* for a model */
    const char *choices[TOOL_CHOICES_MAX]; /* of ARG_CHOICE; ends with NULL */
} tool_arg_t;

typedef struct {
    tool_kind_t kind;
    const char *name;
    const char *help; /* for a model */
    tool_arg_t args[TOOL_ARGS_MAX];
} tool_t;

/* Said to the caller while the tool does its work, or after it for the two speech tools. A model
 * must give it; the script says its sentences itself. */
#define TOOL_RESPONSE "customer_response"

/* NULL when there is no such tool. */
const tool_t *tool_find(const char *name);
const tool_t *tools_all(size_t *count);
/* Tool calls in a call's history: ids drawn from beyond this number are new in it. */
uint32_t tools_called(const Pl__CallRecord *record);
/* What to tell a manager that asked for a tool that is none: the names of those that are. */
void tool_names(char *out, size_t bytes, const char *wrong);

/* Parses and checks. On PL_OK *out is the caller's (cJSON_Delete); unknown arguments are left in
 * and mean nothing. On PL_INVALID reason says what is wrong, for the manager. */
pl_err_t tool_arguments(const tool_t *tool, const char *json, cJSON **out, char *reason,
                        size_t reason_bytes);

/* Text fit to be an argument: valid UTF-8 without control characters, bounded. */
bool tool_good_string(const cJSON *item);

/* A string argument, "" when absent. */
const char *tool_string(const cJSON *args, const char *name);

#endif
