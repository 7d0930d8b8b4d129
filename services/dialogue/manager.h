/* manager.h - a dialogue manager decides what is said: the script, or a language model.
 *
 * One object a call. A thought is one turn's work: think() begins it; while it runs the manager
 * hands over sentences and tool calls and then ends it with done, at once or later. Tools run in
 * the call's machine; their results come back by tool_result, in the order asked or not. cancel()
 * ends the thought without done: what the manager says for it afterwards is dropped.
 *
 * Threads: all on the call's loop. Nothing blocks. A manager may call the sink from within think
 * and tool_result; it is not called again from within the sink, but for flush and done.
 */
#ifndef DIALOGUE_MANAGER_H
#define DIALOGUE_MANAGER_H

#include "call.pb-c.h"
#include "common/err.h"
#include "common/loop.h"
#include "services/dialogue/call.h"
#include "services/dialogue/effects.h"
#include "services/dialogue/llm/llm.h"
#include "services/dialogue/model/instructions.h"
#include "services/dialogue/nlu/civil.h"
#include "services/dialogue/prompts.h"
#include "services/dialogue/remote_tools.h"
#include "services/dialogue/translation/translate.h"
#include "rag.pb-c.h"
#include "speech.pb-c.h"

typedef struct {
    uint32_t number; /* of the thought */
    think_kind_t kind;
    const char *text;              /* what the caller said; "" for a voice without words */
    uint32_t message;              /* number of the message that text is; 0: none */
    bool unheard;                  /* the caller had not heard our last question yet */
    const Pl__CallRecord *record;  /* borrowed until return */
    civil_t now;                   /* the call's clock, in its zone */
    const char *zone;              /* that zone's name */
    const Pl__SearchResult *found; /* passages that were found beforehand; NULL: none */
    bool takes_over; /* another manager or process has led it so far: begin from the record */
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
    /* Carries out now what was said outside of think and tool_result. The last thing a manager does
     * when it is called by others (a model's answer, a timer). */
    void (*flush)(void *arg);
    const Pl__CallRecord *(*record)(
        void *arg); /* as it stands; borrowed until the next sink call */
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

    /* of the language model's manager */
    llm_t *llm;
    const call_settings_t *settings; /* as they stand: operators turn them during a call */
    const instructions_t *instructions;
    const remote_tools_t *remote_tools;
    translate_t *translate;       /* history of another language; NULL: it stays as it is */
    const char *bot_phone_number; /* "" when nobody has said */
    uint32_t history_messages;    /* of a prompt, at most */
    bool speculate;               /* begin on a transcript that is not final yet */
    pl_loop_t *loop;              /* for timers; NULL: there are none */
    uint64_t (*now_us)(void);     /* monotonic */
} manager_opts_t;

typedef struct manager {
    const char *name; /* what the configuration says: dialogue.manager: script */
    void *(*open)(const manager_opts_t *opts, const manager_sink_t *sink, const char *seed);
    void (*think)(void *self, const think_t *think);
    void (*tool_result)(void *self, const tool_result_t *result);
    void (*cancel)(void *self);
    /* The caller may have said all: a transcript that has stood still. NULL: of no use to it. think
     * as it will be when this is the final text, but for number and message. Nothing is to be said
     * and no tool called before think. */
    void (*partial)(void *self, const think_t *think);
    void (*close)(void **self); /* NULL is fine; no sink call after it */
} manager_t;

extern const manager_t manager_script;
extern const manager_t manager_llm; /* hands the call to the script while no model answers */

const manager_t *manager_find(const char *name); /* NULL when there is none */
/* The same for dialogue.manager: "auto" is the model's where there is a model, else the script. */
const manager_t *manager_choose(const char *name, bool has_model);

#endif
