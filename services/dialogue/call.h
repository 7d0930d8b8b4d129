/* call.h - one call's machine: (state, time, message) -> state, effects.
 *
 * No clock, no I/O, no threads: time comes in, effects (effects.h) go out, and the record it keeps
 * is a copy that changes only by the changes it also asks to store. The manager's sentences, tools
 * and its end are messages like any other, named by the number of the thought they belong to; those
 * of an older thought are stale.
 *
 *   CREATING -> DIALLING -> RINGING -> GREETING -> SPEAKING <-> LISTENING -> THINKING -> SPEAKING
 *                                                                        \-> TRANSFERRING
 *   any -> ENDING (goodbye is being said, then hang-up) -> ENDED
 *
 * Every state has a deadline at which it speaks or ends; see call_tick.
 *
 * Units: _ms monotonic; wall_ms since the epoch, for the record.
 */
#ifndef DIALOGUE_CALL_H
#define DIALOGUE_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "envelope.pb-c.h"
#include "services/dialogue/contacts.h"
#include "services/dialogue/effects.h"
#include "services/dialogue/prompts.h"
#include "services/dialogue/remote_tools.h"

#define CALL_STATE_MAP(X)                                                                          \
    X(CREATING)                                                                                    \
    X(DIALLING)                                                                                    \
    X(RINGING) X(GREETING) X(LISTENING) X(THINKING) X(SPEAKING) X(TRANSFERRING) X(ENDING) X(ENDED)
#define CALL_STATE_ENUM(name) CALL_##name,
typedef enum { CALL_STATE_MAP(CALL_STATE_ENUM) CALL_STATES } call_state_t;
#undef CALL_STATE_ENUM

typedef struct {
    uint32_t silence_ms;     /* of both sides, before asking whether the caller is there */
    uint32_t retry_max;      /* how often to ask */
    uint32_t soft_ms;        /* thinking, before "one moment, please" */
    uint32_t hard_ms;        /* thinking, before giving the turn up */
    uint32_t create_ms;      /* for the store to accept the call */
    uint32_t dial_ms;        /* for telephony to take the dialling on */
    uint32_t ring_ms;        /* of ringing; telephony ends it itself a little earlier */
    uint32_t stream_ms;      /* without an audio stream while the leg is up */
    uint32_t transfer_ms;    /* for the transfer's outcome */
    uint32_t hangup_ms;      /* from hang-up to the leg's end */
    uint32_t search_ms;      /* for an answer of the knowledge base */
    uint32_t vad_silence_ms; /* passed on with Listen; 0: speech's own */
    uint32_t vad_cutoff_ms;
    bool slow_llm;         /* talk with the slow model */
    bool speculate;        /* tell the manager of transcripts that stand still */
    uint32_t early_ms;     /* so long */
    uint32_t knowledge_ms; /* an answer waits so long for passages; 0: none are looked for */
    uint32_t messages_max; /* of one call; then it is ended politely */
    const char *timezone;  /* of callers whose number tells none; never NULL */
    bool language_menu;    /* ask a fresh caller for their language, where several are configured */
    const contacts_t *contacts;         /* for emergencies; NULL: nobody */
    const remote_tools_t *remote_tools; /* the integrator's; NULL: none */
} call_settings_t;

typedef struct {
    uint64_t mono_ms;
    int64_t wall_ms;
} call_now_t;

typedef struct call call_t;

/* A call before anything happened. Copies record; settings and prompts are borrowed for the call's
 * life. leg is telephony's instance for an incoming call, "" for one to be dialled. */
call_t *call_new(const Pl__CallRecord *record, const char *leg, const call_settings_t *settings,
                 const prompts_t *prompts);
void call_destroy(call_t **self_p);

call_state_t call_state(const call_t *self);
const char *call_state_name(call_state_t state);
const Pl__CallRecord *call_record(const call_t *self); /* borrowed, until the next call */
const char *call_id(const call_t *self);
const char *call_leg(const call_t *self); /* telephony's instance; "" before it is known */
const char *call_lang(const call_t *self);
const char *call_zone(const call_t *self); /* the caller's time zone */
/* The zone of a call with that number. */
const char *call_zone_of(const call_settings_t *settings, const char *number);
const Pl__Message *call_newest_utterance(const Pl__CallRecord *record); /* NULL: none */
bool call_leg_up(const call_t *self);    /* a leg exists that wants keep-alives */
bool call_resting(const call_t *self);   /* neither side is speaking, and nothing is thought of */
bool call_continued(const call_t *self); /* it was begun by call_begin_again */

void call_begin(call_t *self, call_now_t now, effects_t *fx);
/* Instead of call_begin: goes on with a call that was had before and has been adopted from the
 * store. caller: the number of who is on the line. */
void call_begin_again(call_t *self, call_now_t now, const char *caller, effects_t *fx);
/* Instead of call_begin: goes on with a call whose owner was lost in mid-call, and which has been
 * adopted from the store. Its leg is up; LegAnswered tells its stream. */
void call_adopt(call_t *self, call_now_t now, const Pl__CallOrphaned *offered, effects_t *fx);
/* The store's answer to FX_CREATE. */
void call_created(call_t *self, call_now_t now, pl_err_t err, effects_t *fx);

/* An event of a leg or of speech. PL_STALE: of an older turn, epoch or state; nothing happened.
 * PL_UNSUPPORTED: not for calls. */
pl_err_t call_handle(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx);
/* The reply to one of our requests; env may be NULL. */
void call_reply(call_t *self, call_now_t now, asked_t asked, const char *tool_id, pl_err_t err,
                const Pl__Envelope *env, effects_t *fx);

/* What a server said to FX_POST: its status and text, or why it said nothing. */
typedef struct {
    pl_err_t err;
    long status;
    const char *body;   /* borrowed */
    const char *detail; /* for people, when err */
} posted_t;
void call_posted(call_t *self, call_now_t now, const char *tool_id, const posted_t *posted,
                 effects_t *fx);

/* FX_SPLIT: the record of the call that the conversation is to go on as, with that id; borrowed until
 * call_next_created, which tells how storing it went. */
const Pl__CallRecord *call_next(call_t *self, const char *id, call_now_t now);
void call_next_created(call_t *self, const char *tool_id, pl_err_t err, effects_t *fx);

/* ---- from the manager, for thought ---- */

pl_err_t call_sentence(call_t *self, call_now_t now, uint32_t thought, const char *text,
                       Pl__Style style, effects_t *fx);
pl_err_t call_expect(call_t *self, uint32_t thought, Pl__Expect expect);
pl_err_t call_tool(call_t *self, call_now_t now, uint32_t thought, const char *tool_id,
                   const char *name, const char *arguments, effects_t *fx);
/* What was said so far is spoken by itself and stands in the history; what follows is the next
 * message, and may take its time. */
pl_err_t call_part(call_t *self, call_now_t now, uint32_t thought, effects_t *fx);
/* A content filter refused that message: models are not shown it again. */
pl_err_t call_unsafe(call_t *self, uint32_t thought, uint32_t message, effects_t *fx);
/* So much earlier was the present answer begun than without speculation. */
pl_err_t call_saved(call_t *self, uint32_t thought, uint32_t saved_ms, effects_t *fx);
pl_err_t call_thought(call_t *self, call_now_t now, uint32_t thought, pl_err_t err, effects_t *fx);
/* Do the leg's end or its transfer follow what is being said? */
bool call_leaving(const call_t *self);

/* ---- time ---- */

uint64_t call_deadline(const call_t *self); /* when to tick next; UINT64_MAX: never */
void call_tick(call_t *self, call_now_t now, effects_t *fx);

/* Ends it with a short goodbye where there is someone to hear it: this process stops. */
void call_shut_down(call_t *self, call_now_t now, effects_t *fx);
/* Another owner has it now: no further effect but FX_OVER. */
void call_lost(call_t *self, effects_t *fx);
/* Ends it at once: no goodbye. */
void call_abort(call_t *self, call_now_t now, effects_t *fx);

#endif
