/* call_internal.h - what the files of the call's machine share. Nobody else includes it. */
#ifndef DIALOGUE_CALL_INTERNAL_H
#define DIALOGUE_CALL_INTERNAL_H

#include "services/dialogue/call.h"
#include "services/dialogue/tools.h"

typedef enum { AFTER_LISTEN, AFTER_HANGUP, AFTER_TRANSFER } after_t;

enum {
    SENTENCES_MAX = 64,
    PAST_TURNS = 4,
    RUNNING_MAX = 16,
    TOOL_CALLS_MAX = 64,
    TOOL_ID_MAX = 256,
    KEYS_BYTES = 33
};
#define NO_DEADLINE UINT64_MAX

typedef struct {
    char *text;
    char *lang; /* short code to say it in; NULL: the call's */
    Pl__Style style;
    bool aside; /* said, but not part of the conversation */
} sentence_t;

/* What the bot says at one go. */
typedef struct {
    uint32_t number;  /* 0: none yet */
    uint32_t message; /* in the history; 0: not stored (a prompt of the machine) */
    sentence_t sentences[SENTENCES_MAX];
    size_t count;
    bool closed; /* the last sentence was handed over */
    bool started;
    bool over;        /* spoken, cut or stopped: its sentences are kept to say them again */
    uint32_t thought; /* whose answer it is; 0: a prompt of the machine */
} turn_t;

/* A turn before the present one; what becomes of it may still be reported. */
typedef struct {
    uint32_t number, message, thought;
    bool started, over;
} past_turn_t;

/* A tool that has no result yet. */
typedef struct {
    tool_kind_t kind;
    uint32_t message;                /* that holds the tool call */
    uint32_t thought;                /* that asked for it */
    char *key;                       /* of our requests for it: message and id */
    char *id;                        /* the manager's */
    const remote_tool_t *remote;     /* an integrator's; NULL: one of ours */
    unsigned asked, failed, reached; /* emergency contacts */
    uint64_t filler_ms;              /* when to bridge the waiting; NO_DEADLINE: not */
} running_t;

/* What is begun on a transcript that is not final. */
typedef struct {
    char *text;              /* the newest; NULL: none */
    uint64_t due_ms;         /* when it will have stood still for long enough */
    char *found_for;         /* passages were asked for, for this text */
    bool fetched;            /* and the answer is there: */
    Pl__SearchResult *found; /* NULL: none */
    bool waiting;            /* the thought waits for passages */
    think_kind_t think_kind; /* what it is about */
    char *think_text;
    uint32_t think_message;
    bool think_unheard;
} early_t;

struct call {
    Pl__CallRecord *record;
    const call_settings_t *settings;
    const prompts_t *prompts;
    call_state_t state;
    uint64_t deadline_ms; /* of the state */
    char *leg;            /* telephony's instance */
    char *speech;         /* speech's instance; "" while no stream is open */
    Pl__LegKind leg_kind;
    bool rung_in;      /* this time it is the caller who rings */
    bool continued;    /* begun by call_begin_again */
    bool adopted;      /* by call_adopt, and nothing has been said since */
    bool released;     /* its former owner stopped in order, while nobody was speaking */
    bool takes_over;   /* the next thought begins from the record */
    uint32_t welcome;  /* the thought that welcomes a returning caller; 0: none */
    bool answered;     /* the leg was up at some time */
    bool leg_gone;     /* the leg has ended, or there never was one */
    bool hangup_asked; /* exactly once */
    bool accepted;     /* who asked for the call has been answered */
    bool over;         /* FX_OVER was given */

    uint32_t thought;    /* number of the newest */
    bool thinking;       /* it has not ended */
    bool soft_said;      /* "one moment" was said in it */
    uint64_t thought_ms; /* when it began */
    uint32_t turns;      /* number of the newest turn */
    turn_t turn;         /* the one being said or made */
    past_turn_t past[PAST_TURNS];
    after_t after; /* what follows when the turn was spoken */
    running_t running[RUNNING_MAX];
    size_t n_running;
    Pl__CallRecord *next; /* the call that this one is about to go on as; NULL: none */
    unsigned moves, move_attempts;
    Pl__Expect expect;
    bool menu; /* the caller is being asked for their language */
    unsigned menu_tries;
    char keys[KEYS_BYTES]; /* pressed so far */
    uint64_t keys_due_ms;  /* when they are taken as they are; NO_DEADLINE: none */
    uint32_t cut;          /* replies that the caller cut, in a row */
    char *deferred;        /* said over a reply that is finished all the same; NULL: nothing */
    uint32_t deferred_message;
    early_t early;
    Pl__SearchResult *found; /* passages for the present thought; NULL: none */
    bool unheard;            /* the last question was cut before the caller heard it */
    bool held;               /* the caller has put us on hold: nothing is heard or missed */
    uint64_t sound_ms;       /* last sound of either side */
    uint64_t said_ms;        /* last sound of the bot */
    uint64_t voice_ms;       /* when the caller began to speak; 0: they do not */
    uint32_t endpointing_ms; /* of the utterance being answered */
    uint32_t recognition_ms;
    uint32_t seed; /* chooses wordings */
};

/* call.c */
void call_enter(call_t *self, call_state_t next, uint64_t deadline_ms);
void call_hang_up(call_t *self, call_now_t now, const char *reason, effects_t *fx);
void call_end(call_t *self, call_now_t now, Pl__LegEnd end, const char *detail, effects_t *fx);
void call_envelope(const call_t *self, Pl__Envelope *env);

/* call_record.c: each changes the copy and asks to store it */
uint32_t call_add_message(call_t *self, int64_t wall_ms, Pl__Action action, Pl__Persona persona,
                          const char *content, effects_t *fx);
uint32_t call_add_utterance(call_t *self, int64_t wall_ms, const Pl__Utterance *said,
                            effects_t *fx);
Pl__Message *call_message(const call_t *self, uint32_t number); /* NULL when unknown; for changes */
void call_store_message(call_t *self, const Pl__Message *message, effects_t *fx);
/* Replaces a text of the copy itself; nothing is stored by this. */
void call_put_text(char **field, const char *text);
void call_add_tool_call(Pl__Message *message, const char *tool_id, const char *name,
                        const char *arguments);
/* Notes at that message which passages were found for it; each id once. */
void call_add_passages(call_t *self, uint32_t number, const Pl__SearchResult *found, effects_t *fx);
void call_apply(call_t *self, const Pl__CallChange *change, effects_t *fx);
void call_set_in_progress(call_t *self, bool in_progress, effects_t *fx);
void call_set_retry(call_t *self, uint32_t retry, effects_t *fx);
void call_set_lang(call_t *self, const char *lang, effects_t *fx);
void call_set_interaction(call_t *self, int64_t wall_ms, effects_t *fx);
void call_transcript(const call_t *self, uint32_t number, Pl__Persona persona, const char *text,
                     bool partial, effects_t *fx);

/* call_turn.c */
void call_turn_begin(call_t *self, uint32_t thought);
/* The turn of the present thought, with its message in the history. */
void call_turn_ensure(call_t *self, call_now_t now, effects_t *fx);
bool call_turn_add(call_t *self, const char *text, Pl__Style style, effects_t *fx);
/* Said in that language, and not part of the conversation. */
bool call_turn_add_in(call_t *self, const char *text, const char *lang, effects_t *fx);
void call_turn_store(call_t *self, effects_t *fx); /* its words so far, in its message */
void call_turn_close(call_t *self, effects_t *fx); /* it has no further sentence */
/* What the caller has not heard of a message is not part of the conversation. estimated: where it was
 * cut is no more than an estimate. */
void call_turn_cut(call_t *self, uint32_t message, const char *heard, bool estimated,
                   effects_t *fx);
/* The same of what was said aside. */
void call_turn_drop_asides(const turn_t *turn, char *heard);
void call_turn_clear(turn_t *turn);
/* Asks for the fixed sentences that the call's language lacks. */
void call_prepare_prompts(const call_t *self);
/* Says one of the fixed sentences as a turn of its own; stored says whether the history gets it. */
void call_say_prompt(call_t *self, call_now_t now, prompt_t id, bool stored, effects_t *fx);
/* Says the goodbye and hangs up after it. */
void call_say_goodbye(call_t *self, call_now_t now, prompt_t id, effects_t *fx);
/* The same after what is being said. */
void call_add_goodbye(call_t *self, call_now_t now, prompt_t id, effects_t *fx);
/* Bridges the wait for a tool, once, within the turn that is being made. Not stored. */
void call_say_filler(call_t *self, call_now_t now, effects_t *fx);
/* No more of the present turn and those before it. */
void call_stop_turn(call_t *self, effects_t *fx);
void call_listen(call_t *self, call_now_t now);
void call_send_listen(call_t *self, effects_t *fx);
/* The stream is open (again): says what the caller has not heard. */
void call_stream_opened(call_t *self, call_now_t now, effects_t *fx);
/* When a turn of that text must have been over, generously. */
uint64_t call_speech_deadline(const call_t *self, call_now_t now);

/* call_think.c */
void call_think(call_t *self, call_now_t now, think_kind_t kind, const char *text, uint32_t message,
                effects_t *fx);
void call_cancel_thought(call_t *self, effects_t *fx);
/* Says a text of a model's, for the present thought: cut into sentences, without what the answer has
 * said already. */
void call_say_text(call_t *self, call_now_t now, const char *text, effects_t *fx);

/* call_early.c */
void call_early_partial(call_t *self, call_now_t now, const char *text, effects_t *fx);
uint64_t call_early_due(const call_t *self);
void call_early_tick(call_t *self, effects_t *fx);
/* Asks the manager for the present thought, when its passages are there. */
void call_early_think(call_t *self, think_kind_t kind, const char *text, uint32_t message,
                      effects_t *fx);
void call_early_found(call_t *self, const char *key, pl_err_t err, const Pl__Envelope *env,
                      effects_t *fx);
void call_early_clear(call_t *self);

/* call_heard.c */
pl_err_t call_on_speech_started(call_t *self, call_now_t now, const Pl__Envelope *env,
                                effects_t *fx);
pl_err_t call_on_partial(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx);
pl_err_t call_on_utterance(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx);
pl_err_t call_on_barge_in(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx);
pl_err_t call_on_turn_started(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx);
pl_err_t call_on_turn_spoken(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx);
/* What was being said is over: waits for more of it, hangs up, transfers or listens. */
void call_after_speaking(call_t *self, call_now_t now, effects_t *fx);

/* call_floor.c: after two replies in a row that the caller cut, the third is finished */
bool call_floor_held(const call_t *self);
void call_floor_cut(call_t *self);
void call_floor_finished(call_t *self); /* a reply was said to its end */
/* The caller said this over a reply that is finished first. */
void call_floor_defer(call_t *self, const char *text, uint32_t message);
void call_floor_clear(call_t *self);
/* The floor is the caller's: answers what they have said already, else listens. */
void call_floor_give(call_t *self, call_now_t now, effects_t *fx);

/* call_tool.c */
/* Adds the tool call to the message of the present turn and runs it; its result follows, now or
 * later. */
void call_run_tool(call_t *self, call_now_t now, const char *id, const char *name,
                   const char *arguments, effects_t *fx);
void call_searched(call_t *self, const char *key, pl_err_t err, const Pl__Envelope *env,
                   effects_t *fx);
running_t *call_running(call_t *self, const char *key); /* NULL when it is over */
/* The tool is over with that result; *tool is no more. */
void call_give_result(call_t *self, running_t *tool, const char *text, effects_t *fx);
/* The present thought is given up, or the call is over: what has no result gets a defined one. */
void call_tools_cancelled(call_t *self, effects_t *fx);
void call_tools_ended(call_t *self, effects_t *fx);
void call_tools_clear(call_t *self);

/* call_reach.c: what is asked of others; the result follows by call_give_result */
void call_send_sms(call_t *self, const running_t *tool, const cJSON *args, effects_t *fx);
void call_sms_sent(call_t *self, call_now_t now, const char *key, pl_err_t err,
                   const Pl__Envelope *env, effects_t *fx);
/* False: nobody can be notified, and out says so. */
bool call_notify(call_t *self, running_t *tool, const cJSON *args, char *out, size_t bytes,
                 effects_t *fx);
void call_alerted(call_t *self, const char *key, pl_err_t err, const Pl__Envelope *env,
                  effects_t *fx);
void call_remote(call_t *self, call_now_t now, running_t *tool, const cJSON *args, effects_t *fx);
/* When a caller who waits for a tool is to hear something; NO_DEADLINE: not yet asked for. */
uint64_t call_filler_due(const call_t *self);
void call_filler_said(call_t *self);

/* Those that still run are over, with a defined result: their call is left. */
void call_tools_left(call_t *self, effects_t *fx);

/* call_adopt.c: the stream of an adopted call is open */
void call_go_on(call_t *self, call_now_t now, effects_t *fx);

/* Begins the conversation, or goes on with it. */
void call_open(call_t *self, call_now_t now, effects_t *fx);

/* call_menu.c: the language menu, and keys */
bool call_menu_open(call_t *self, call_now_t now, effects_t *fx); /* false: there is none */
void call_menu_heard(call_t *self, call_now_t now, const char *text, effects_t *fx);
void call_menu_silent(call_t *self, call_now_t now, effects_t *fx);
uint32_t call_menu_wait_ms(const call_t *self); /* of silence; without a menu: the settings' */
pl_err_t call_on_dtmf(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx);
/* call_time.c */
pl_err_t call_on_held(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx);
void call_keys_due(call_t *self, call_now_t now, effects_t *fx);
void call_keys_clear(call_t *self);

/* call_move.c: the conversation goes on as another call */
const char *call_may_split(const call_t *self); /* NULL: yes; else why not */
void call_split(const running_t *tool, effects_t *fx);
void call_leg_moved(call_t *self, const char *key, pl_err_t err, const Pl__Envelope *reply,
                    effects_t *fx);
void call_abandon_next(call_t *self, effects_t *fx);

/* call_claim.c: true when something was stored; out tells what and what not */
bool call_updated_claim(call_t *self, call_now_t now, const cJSON *args, char *out, size_t bytes,
                        effects_t *fx);
bool call_reminder(call_t *self, call_now_t now, const cJSON *args, char *out, size_t bytes,
                   effects_t *fx);

#endif
