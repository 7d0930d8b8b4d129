/* actor_internal.h - what the files of an actor share. Nobody else includes it. */
#ifndef DIALOGUE_ACTOR_INTERNAL_H
#define DIALOGUE_ACTOR_INTERNAL_H

#include "services/dialogue/actor.h"
#include "services/dialogue/held.h"
#include "services/dialogue/ledger.h"

struct actor {
    const desk_t *desk;
    call_t *call;
    effects_t effects;
    bool running;
    void *mind;         /* the manager's object */
    ledgers_t *ledgers; /* what is to be written */
    held_t *held;       /* until that is done */
    pl_request_t *request;
    actor_started_fn *started; /* NULL: told, or nobody asked */
    void *started_arg;
    bool incoming;
    pl_timer_t *timer;
    uint64_t armed_ms;
    bool over, told;
    uint64_t over_ms;
};

call_now_t actor_now(void);
/* Carries out what is queued, and what that brings up. Not from within itself. */
void actor_run(actor_t *self);

/* actor_sink.c */
manager_sink_t actor_sink(actor_t *self);

#endif
