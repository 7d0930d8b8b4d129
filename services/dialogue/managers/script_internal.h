/* script_internal.h - what the files of the script manager share. Nobody else includes it. */
#ifndef DIALOGUE_SCRIPT_INTERNAL_H
#define DIALOGUE_SCRIPT_INTERNAL_H

#include <cjson/cJSON.h>

#include "services/dialogue/label.h"
#include "services/dialogue/manager.h"
#include "services/dialogue/nlu/intent.h"
#include "services/dialogue/nlu/phone.h"
#include "services/dialogue/value.h"

enum {
    FIELDS_MAX = 64, /* what a claim may have; more are refused when the call starts */
    FAILS_MAX = 3,   /* the same failure so often: offer a human, or go on */
    SAY_BYTES = 3072,
    NO_FIELD = -1,
};

typedef enum {
    MODE_ASK,       /* the pending field was asked for */
    MODE_CONFIRM,   /* its value was read back */
    MODE_HUMAN,     /* consent to a transfer was asked for */
    MODE_CLOSING,   /* all is asked: anything to correct, anything else? */
    MODE_CHANGE,    /* which field to change? */
    MODE_NEW_CLAIM, /* consent to a new claim was asked for */
} script_mode_t;

typedef struct {
    bool skipped; /* not understood: asked again at the end, once */
    bool refused; /* the caller does not know or will not say: not asked again */
} field_state_t;

/* Where the conversation stands: plain data, so that a turn the caller did not hear can be undone. */
typedef struct {
    script_mode_t mode;
    script_mode_t back; /* from MODE_HUMAN */
    int pending;
    int last_set; /* the field acknowledged last, which "no, building five" corrects */
    unsigned fails;
    bool second_round;
    bool offered_human;
    bool summed_up;
    bool answered;            /* the last reply was from the knowledge base */
    char digits[PHONE_BYTES]; /* of a phone number said in pieces */
    field_state_t fields[FIELDS_MAX];
} script_state_t;

typedef struct {
    manager_opts_t opts;
    manager_sink_t sink;
    script_state_t at, before;
    uint32_t seed;
    uint32_t tools;          /* counted for their ids */
    char said[SAY_BYTES];    /* the last reply */
    char heard[VALUE_BYTES]; /* the last utterance */
    char waiting[32];        /* id of the tool whose result the thought waits for */
    bool waits_for_claim;    /* it is new_claim; else a search */
    char call_id[64];        /* the call that the state is about */
    char question[512];      /* what was searched for */
    uint32_t thought;
    const Pl__CallRecord *record; /* during a call of the manager's functions only */
    civil_t now;
} script_t;

/* script_say.c */
void say(script_t *s, const char *text);
void say_prompt(script_t *s, prompt_t id, const char *label, const char *value);
void say_question(script_t *s, int field); /* asks for a field */
void say_current(script_t *s);             /* the question that is open now, again */
void say_recap(script_t *s);
void say_so_far(script_t *s); /* what is known, in one sentence; nothing when nothing is */
/* A value as it is spoken. Returns out. */
char *speakable(const script_t *s, const Pl__ClaimField *field, const char *value, char *out,
                size_t bytes);
void expect_answer(script_t *s); /* tells what sort of answer is awaited now */
/* Two sentences of a passage that answer best. False when nothing fit to be said is in it. */
bool pick_answer(const char *content, const char *question, char *out, size_t bytes);

/* script_form.c */
size_t field_count(const script_t *s);
const Pl__ClaimField *field_at(const script_t *s, int field);
const char *field_value(const script_t *s, int field); /* "" when none */
bool field_asked(const script_t *s, int field);        /* does the script ask for it? */
int next_field(script_t *s);                           /* NO_FIELD when all is asked */
int field_named(const script_t *s, const words_t *w);  /* the field that the words name */
void set_value(script_t *s, int field, const char *value, bool confirmed);
void confirm_all(script_t *s);

typedef enum { READ_NOTHING, READ_PARTIAL, READ_COUNTRY, READ_VALUE } read_t;
/* Understands text as a value of the field's type. expected: it was asked for. from and to are the
 * words that said it. */
read_t read_value(script_t *s, int field, const char *text, const words_t *w, bool expected,
                  char value[VALUE_BYTES], size_t *from, size_t *to);
/* A value of the field among other words: a date, a place, an address, a number. */
bool find_value(script_t *s, int field, const words_t *w, char *value, size_t *from, size_t *to);
/* Takes values of other missing fields out of the words; says what it took. Returns how many. */
unsigned take_volunteered(script_t *s, words_t *w, int except);

/* script.c */
void tool(script_t *s, const char *name, cJSON *arguments); /* takes arguments */
void go_on(script_t *s);                                    /* asks what is still to be asked */

/* script_claim.c */
void begin_anew(script_t *s);
bool notice_claim(script_t *s); /* another call since last time: begins anew, true */
bool wants_new_claim(script_t *s, const words_t *w); /* true: consent was asked for */
void in_new_claim(script_t *s, polarity_t polarity);
void after_new_claim(script_t *s); /* its result is there */

/* script_lang.c: the caller wants another language; true: dealt with */
bool changes_language(script_t *s, const char *text, const words_t *w);

/* script_change.c: each returns true when the utterance was that */
/* Stores the value; what only the ear can check is read back and confirmed. */
void take_value(script_t *s, int field, const char *value);
bool changes(script_t *s, const char *text, const words_t *w);
bool corrects_last(script_t *s, const char *text, const words_t *w);
bool restates(script_t *s, const char *text, const words_t *w, bool denied);
void change_field(script_t *s, int field, const char *text, const words_t *w);

/* script_reply.c: what to do with what the caller said */
bool pending_text(const script_t *s); /* is the field that was asked for a text? */
void not_understood(script_t *s);
void reply(script_t *s, const char *text, bool unheard);
/* The same where another manager has led the call so far: all that is known is in the record. */
void pick_up(script_t *s, const char *text);
void offer_human(script_t *s, prompt_t id);
void say_goodbye(script_t *s);

#endif
