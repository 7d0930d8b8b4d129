/* effects.h - what a call's machine wants done: a queue that the actor carries out in order.
 *
 * The machine fills it and knows nothing of sockets; a test reads it. Everything in it is a copy.
 * Threads: none; a queue belongs to its caller.
 */
#ifndef DIALOGUE_EFFECTS_H
#define DIALOGUE_EFFECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "envelope.pb-c.h"

/* Which of our requests a reply is for. */
typedef enum {
    ASKED_DIAL,
    ASKED_HANGUP,
    ASKED_TRANSFER,
    ASKED_SEARCH,
    ASKED_PASSAGES, /* for an answer, before it is thought of */
    ASKED_SMS,
    ASKED_MOVE,  /* of the leg, to another call */
    ASKED_ALERT, /* an SMS to an emergency contact */
} asked_t;

typedef enum {
    THINK_OPENING,         /* begin the conversation */
    THINK_RESUMED,         /* go on with it: the caller has rung back, or was rung again */
    THINK_UTTERANCE,       /* the caller said text (empty: a voice without words) */
    THINK_TRANSFER_FAILED, /* nobody took the call over: go on */
    THINK_ADOPTED,         /* its owner was lost in mid-call: excuse it and ask again */
} think_kind_t;

typedef enum {
    FX_CREATE,      /* create the record in the store; then call_created */
    FX_STORE,       /* change: write it */
    FX_JOB,         /* job: put it, with the changes before it */
    FX_EVENT,       /* env: send it one-way to to */
    FX_REQUEST,     /* env: send it to to; then call_reply(asked, tool_id) */
    FX_POST,        /* post, text: a signed request to a server; then call_posted(tool_id) */
    FX_SPLIT,       /* tool_id: draw an id, call_next, store it; then call_next_created */
    FX_SWITCH,      /* call_record is another one from now on; what comes after belongs to it */
    FX_ABANDON,     /* text: a record that was stored by FX_SPLIT and is not used: close it */
    FX_STARTED,     /* the call was accepted: answer who asked for it */
    FX_REFUSED,     /* err, text: refuse who asked for it */
    FX_THINK,       /* the manager's turn: think, kind, text, message, unheard, found */
    FX_PARTIAL,     /* text, found: what the caller has perhaps said */
    FX_TOOL_RESULT, /* to the manager: tool_id, text */
    FX_CANCEL,      /* the manager must stop thinking */
    FX_OVER,        /* the machine has come to its end */
} fx_kind_t;

/* A request to a server of others, see webhook.h; the body is the effect's text. */
typedef struct {
    char *url, *secret, *event_id;
    bool idempotent;
} post_t;

typedef struct effect {
    struct effect *next;
    fx_kind_t kind;
    char *to;
    Pl__Envelope *env;
    uint32_t timeout_ms;
    asked_t asked;
    char *tool_id; /* "" unless a tool asked */
    post_t post;
    Pl__CallChange *change;
    Pl__JobSpec *job;
    uint32_t group; /* of FX_STORE and FX_JOB: those of one group are one write; 0: none */
    pl_err_t err;
    char *text;
    think_kind_t think_kind;
    uint32_t think;          /* number of the thought */
    uint32_t message;        /* number of the message that text is */
    bool takes_over;         /* the manager that led the call so far is lost */
    bool unheard;            /* the question before this utterance was not heard by the caller */
    Pl__SearchResult *found; /* passages for it; NULL: none */
} effect_t;

typedef struct {
    effect_t *first, *last;
    size_t count;
    uint32_t groups; /* given so far */
} effects_t;         /* zero is empty */

/* Appends and returns the new effect, to be filled in. Never NULL. */
effect_t *fx_add(effects_t *fx, fx_kind_t kind);
/* Copies env and to. */
effect_t *fx_event(effects_t *fx, const char *to, const Pl__Envelope *env);
effect_t *fx_request(effects_t *fx, const char *to, const Pl__Envelope *env, uint32_t timeout_ms,
                     asked_t asked, const char *tool_id);
effect_t *fx_store(effects_t *fx, const Pl__CallChange *change);
effect_t *fx_job(effects_t *fx, const Pl__JobSpec *job); /* copies job */

/* What is to be stored of the effects after the first so many becomes one group: the store gets all
 * of it or nothing. */
void fx_join(effects_t *fx, size_t first);

/* Appends what was taken out of another queue. Takes *effect_p. */
void fx_append(effects_t *fx, effect_t **effect_p);
/* Takes the first one out; NULL when empty. The caller frees it. */
effect_t *fx_take(effects_t *fx);
void fx_free(effect_t **effect_p);
void fx_clear(effects_t *fx);

#endif
