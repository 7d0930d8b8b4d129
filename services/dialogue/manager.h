/* manager.h - a dialogue manager: decides what is said: the script, or a language model.
 *
 * One object a call. A thought is one turn's work: think() begins it; while it runs the manager
 * hands over sentences and tool calls and then ends it with done, at once or later. Tools run in
 * the call's machine; their results come back by tool_result, in the order asked or not. cancel()
 * ends the thought without done: what the manager says for it afterwards is dropped.
 *
 * Threads: all on the call's loop. Nothing blocks. A manager may call the sink from within think
 * and tool_result; it is not called again from within the sink.
 */
#ifndef DIALOGUE_MANAGER_H
#define DIALOGUE_MANAGER_H

#include "call.pb-c.h"
#include "common/err.h"
#include "services/dialogue/effects.h"
#include "services/dialogue/nlu/civil.h"
#include "services/dialogue/prompts.h"
#include "speech.pb-c.h"

typedef struct {
    uint32_t number; /* of the thought */
    think_kind_t kind;
    const char *text;             /* what the caller said; "" for a voice without words */
    uint32_t message;             /* number of the message that text is; 0: none */
    bool unheard;                 /* the caller had not heard our last question yet */
    const Pl__CallRecord *record; /* borrowed until return */
    civil_t now;                  /* the call's clock, in its zone */
} think_t;

typedef struct {
    void *arg;
    void (*sentence)(void *arg, uint32_t thought, const char *text, Pl__Style style);
    void (*expect)(void *arg, uint32_t thought, Pl__Expect expect); /* of the next answer */
    void (*tool)(void *arg, uint32_t thought, const char *tool_id, const char *name,
                 const char *arguments);
    /* What was said so far stands by itself; the rest comes after some waiting. */
    void (*part)(void *arg, uint32_t thought);
    /* A content filter refused what the caller said: message is not to be shown to a model again. */
    void (*unsafe)(void *arg, uint32_t thought, uint32_t message);
    /* The answer, of which something was said, was begun so much before the final transcript. */
    void (*saved)(void *arg, uint32_t thought, uint32_t saved_ms);
    /* err: it could not be answered, and the caller is told so. */
    void (*done)(void *arg, uint32_t thought, pl_err_t err);
} manager_sink_t;

typedef struct {
    const char *tool_id;
    const char *content;
    bool leaving;                 /* the call ends or is transferred after what is said now */
    const Pl__CallRecord *record; /* borrowed until return */
} tool_result_t;

typedef struct {
    const prompts_t *prompts;
    double answer_score;   /* least score of a passage worth saying */
    bool ask_policyholder; /* ask for policyholder_* fields too */
} manager_opts_t;

typedef struct manager {
    const char *name; /* what the configuration says: dialogue.manager: script */
    void *(*open)(const manager_opts_t *opts, const manager_sink_t *sink, const char *seed);
    void (*think)(void *self, const think_t *think);
    void (*tool_result)(void *self, const tool_result_t *result);
    void (*cancel)(void *self);
    void (*close)(void **self); /* NULL is fine; no sink call after it */
} manager_t;

extern const manager_t manager_script;

const manager_t *manager_find(const char *name); /* NULL when there is none */

#endif
