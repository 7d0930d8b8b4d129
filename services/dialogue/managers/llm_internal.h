/* llm_internal.h - what the files of the language model's manager share. Nobody else includes it. */
#ifndef DIALOGUE_LLM_INTERNAL_H
#define DIALOGUE_LLM_INTERNAL_H

#include "services/dialogue/manager.h"
#include "services/dialogue/managers/llm_meter.h"
#include "services/dialogue/managers/llm_stream.h"
#include "services/dialogue/model/thread.h"
#include "services/dialogue/model/window.h"
#include "services/dialogue/toolbox.h"

enum {
    PASSES_MAX = 4, /* requests of one answer; the last one goes without tools */
    ID_BYTES = 40,
    REST_MS = 30000, /* a model that let a caller wait in vain is not asked for so long */
};

/* What one request adds to rules and history. */
typedef struct {
    const char *heard; /* not (yet) in the history */
    bool moved;        /* because it was said in the call before */
    bool carry_on;     /* what was said of the answer so far is shown, to be gone on with */
    bool barred;       /* tools that end the call are not offered */
} ask_t;

typedef struct {
    manager_opts_t opts;
    manager_sink_t sink;
    char *seed;
    char call[64]; /* id of the call that all of this is about */

    /* the script, while no model answers */
    void *script; /* NULL: it has not been needed */
    bool scripted;
    bool by_script; /* the present thought is its own */
    uint64_t rest_until_us;

    /* the present thought */
    bool thinking;
    uint32_t thought;
    think_kind_t kind;
    char *text;
    uint32_t message;
    bool unheard;
    civil_t now;
    char zone[64];
    char *passages; /* JSON; NULL: none */
    uint64_t began_us;
    bool counted;  /* its first sentence was metered */
    bool spoke;    /* something was said, by us or with a tool */
    bool moved;    /* a tool has opened another call */
    bool leaving;  /* a tool ends the call or transfers it */
    draft_t said;  /* what was said and is not in the history yet */
    draft_t lines; /* what was said by former passes, a line a sentence */
    draft_t last;  /* the last sentence */

    /* its passes */
    unsigned pass;
    bool barred, without_tools, was_empty, was_broken, pass_spoke;
    stream_t *stream;
    bool guessed;                             /* the stream was begun before the final transcript */
    char waiting[STREAM_CALLS_MAX][ID_BYTES]; /* tool calls without result */
    size_t n_waiting;
    uint32_t ids;

    /* an answer begun on a transcript that is not final */
    stream_t *guess;
    char *guess_last; /* last message of its request */
    uint64_t guess_hash;

    /* the older part of the call */
    char *summary;       /* NULL: none */
    uint32_t summarised; /* up to that message */
    llm_asked_t *summing;
    draft_t sum;
    uint32_t sum_to;
    uint32_t floor;   /* what is before it is shown no more: a filter refuses it */
    unsigned refused; /* by a filter, in a row */

    toolbox_t *tools[2];     /* all, and without those that end the call */
    uint32_t tool_tokens[2]; /* that telling of them takes */
} talk_t;

/* llm.c */
/* The live session has moved to another call: what was known of the former one is not this one's. */
bool talk_notice_call(talk_t *t, const Pl__CallRecord *record);

/* llm_request.c */
/* Rules, history and what ask adds. rest: of an answer that was cut, what was no sentence yet. */
thread_t *talk_thread(talk_t *t, const ask_t *ask, const sentences_t *rest);
/* Asks the model. Takes rest, which may be NULL. */
stream_t *talk_ask(talk_t *t, thread_t *thread, const ask_t *ask, sentences_t *rest);
const char *talk_lang(const talk_t *t);
window_opts_t talk_window(const talk_t *t);

/* llm_turn.c */
void talk_begin(talk_t *t, const ask_t *ask);
void talk_result(talk_t *t, const tool_result_t *result);
void talk_changed(void *arg); /* the present answer has something new */
void talk_drop(talk_t *t);    /* no more of the present answer */
void talk_finish(talk_t *t, pl_err_t err);
void talk_say(talk_t *t, const char *text, Pl__Style style, answered_t by);
void talk_say_prompt(talk_t *t, prompt_t id, answered_t by);

/* llm_script.c */
bool talk_to_script(talk_t *t);    /* is no model worth asking just now? */
void talk_script_begin(talk_t *t); /* the present thought is the script's */
void talk_script_close(talk_t *t);

/* llm_guess.c */
void talk_guess(talk_t *t, const char *heard);
/* The answer that was begun for exactly this request becomes the present one. */
bool talk_guess_take(talk_t *t, const thread_t *thread);
void talk_guess_drop(talk_t *t);

/* llm_summary.c */
void talk_summarise(talk_t *t); /* where the history has grown long */
void talk_summary_drop(talk_t *t);

#endif
