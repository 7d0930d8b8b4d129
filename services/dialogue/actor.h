/* actor.h - one live call in this process: carries its machine's effects out.
 *
 * Owns the machine, the manager's object, the outbox and a timer. Sends on the bus, and brings
 * replies, events and time back to the machine. Effects are carried out one after another, also
 * those that come up meanwhile, so the machine is never entered from within itself.
 *
 * Threads: none of its own; all on the loop's thread.
 */
#ifndef DIALOGUE_ACTOR_H
#define DIALOGUE_ACTOR_H

#include "common/bus.h"
#include "common/loop.h"
#include "services/dialogue/call.h"
#include "services/dialogue/manager.h"
#include "services/dialogue/webhook.h"

typedef struct actor actor_t;

/* What all calls share. Lives longer than any of them. */
typedef struct {
    pl_loop_t *loop;
    pl_bus_t *bus;
    webhooks_t *webhooks;
    const manager_t *manager;
    manager_opts_t manager_opts;
    call_settings_t settings;
    const prompts_t *prompts;
    uint32_t store_timeout_ms;
    uint64_t store_retry_ms; /* how long an ended call's writes are tried again */
    void *arg;
    actor_t *(*find)(void *arg, const char *call_id); /* NULL when it is gone */
    /* Finds the actor by that id too, from now on. */
    void (*alias)(void *arg, actor_t *actor, const char *call_id);
    /* The actor has nothing left to do; destroy it now or later. Called once, never from within
     * a call of the actor's functions. */
    void (*over)(void *arg, actor_t *actor);
} desk_t;

/* Takes *request_p (the CallStart or CallIncoming to be answered). record is copied; leg is
 * telephony's instance, "" for a call to be dialled. Nothing happens before actor_begin. */
actor_t *actor_new(const desk_t *desk, const Pl__CallRecord *record, const char *leg,
                   pl_request_t **request_p);
void actor_destroy(actor_t **self_p); /* refuses a request that is still open */

void actor_begin(actor_t *self);
void actor_begin_again(actor_t *self, const char *caller);        /* see call_begin_again */
void actor_adopt(actor_t *self, const Pl__CallOrphaned *offered); /* see call_adopt */
pl_err_t actor_handle(actor_t *self, const Pl__Envelope *env);
/* Asks telephony to find the call another owner, when all of it is stored; quiet: and only while neither
 * side is speaking. Until then it is this one's. */
void actor_release(actor_t *self, bool quiet);
void actor_shut_down(actor_t *self); /* says goodbye where it can */
void actor_abort(actor_t *self);

/* Instead of a request: started is called once, when the call is being dialled, or was refused, or the
 * actor is destroyed before either. Before actor_begin. */
typedef void actor_started_fn(void *arg, pl_err_t err, const char *detail);
void actor_on_started(actor_t *self, actor_started_fn *started, void *arg);

const call_t *actor_call(const actor_t *self);
/* Sends the leg its keep-alive. False: telephony's instance was not reachable. */
bool actor_keep_alive(actor_t *self);

#endif
