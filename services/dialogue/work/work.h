/* work.h - one job being done: what its kind sees of it, and how it ends it.
 *
 * A kind's begin is called with the job and, where the job is about a call, that call's record as
 * the store has it now. The kind ends the work once, by work_done or work_fail, now or later; after
 * that the work is gone. When cancel is called it must stop at once and end nothing: the lease was
 * lost, or the process stops.
 *
 * Threads: all on the loop's thread. Nothing blocks.
 */
#ifndef DIALOGUE_WORK_WORK_H
#define DIALOGUE_WORK_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bus.h"
#include "common/loop.h"
#include "envelope.pb-c.h"
#include "services/dialogue/llm/llm.h"

typedef struct work work_t;

typedef enum { REMINDER_ENTRY, REMINDER_SMS, REMINDER_CALL } reminder_action_t;

/* Begins a call out under that id (a UUID nobody has used). Calls done once, within or later: PL_OK
 * once it is being dialled. initiate is borrowed. */
typedef void work_called_fn(void *arg, pl_err_t err, const char *detail);
typedef void work_call_out_fn(void *arg, const char *call_id, const Pl__Initiate *initiate,
                              work_called_fn *done, void *done_arg);

/* What all work shares; outlives it. */
typedef struct {
    pl_loop_t *loop;
    pl_bus_t *bus;
    llm_t *llm;                              /* NULL: no model, results are made by rule */
    const struct instructions *instructions; /* for the model; may be NULL without one */
    const struct notices *notices;
    bool sms_report;    /* callers get an SMS after the call */
    bool sms_to_stated; /* and so does a number that they merely stated */
    reminder_action_t reminders_of_customer, reminders_of_assistant;
    work_call_out_fn *call_out; /* NULL: there are no calls out */
    void *call_out_arg;
} workshop_t;

typedef struct {
    const char *name; /* kind of the job */
    bool about_call;  /* the call's record is needed */
    void (*begin)(work_t *work);
    void (*cancel)(work_t *work); /* frees the kind's state, too */
} work_kind_t;

const Pl__Job *work_job(const work_t *self);
const Pl__CallRecord *work_record(const work_t *self); /* NULL unless about_call */
const workshop_t *work_shop(const work_t *self);
void work_keep(work_t *self, void *state); /* the kind's own; freed by the kind */
void *work_kept(const work_t *self);

/* What the work comes to; everything is borrowed. */
typedef struct {
    Pl__CallChange *const *changes; /* of the job's call */
    size_t n_changes;
    Pl__JobSpec *const *jobs; /* work that follows; of work_done only */
    size_t n_jobs;
} work_result_t;

/* result may be NULL. Takes *work_p. */
void work_done(work_t **work_p, const work_result_t *result);
/* Another attempt, in retry_after_ms (0: the store decides) at the earliest; result stands
 * meanwhile. */
void work_fail(work_t **work_p, uint32_t retry_after_ms, const work_result_t *result,
               const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* No attempt would fare better: given up with the reason; result stands. */
void work_give_up(work_t **work_p, const work_result_t *result, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Notes progress with the job, for whoever goes on after us; noted(arg) is called once that is
 * durable. If it cannot be noted the work is cancelled instead. One note at a time. */
void work_note(work_t *self, const void *bytes, size_t size, void (*noted)(void *arg), void *arg);

/* A request to another process; answered is called once, unless the work ends or is cancelled before.
 * reply as of pl_bus_request. One request at a time. */
typedef void work_answer_fn(void *arg, pl_err_t err, const Pl__Envelope *reply);
void work_ask(work_t *self, const char *to, Pl__Envelope *env, uint32_t timeout_ms,
              work_answer_fn *answered, void *arg);

#endif
