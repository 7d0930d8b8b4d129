/* text_talk.h - the talk of a text caller's calls: the person, the stream of words, and the minutes.
 *
 * Keeps time for both sides on one clock, and does what is due in order even when it is late.
 *
 * Threads: the loop's.
 */
#ifndef CALLSIM_TEXT_TALK_H
#define CALLSIM_TEXT_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/loop.h"
#include "envelope.pb-c.h"
#include "tools/callsim/minutes.h"
#include "tools/callsim/person.h"

typedef struct text_talk text_talk_t;

typedef struct {
    void (*event)(void *arg, Pl__Envelope *env); /* as speech, to the owner of the leg */
    void (*dtmf)(void *arg, const char *keys);
    void (*hang_up)(void *arg);
    void (*ring)(void *arg); /* again */
    /* From the utterance to the first sentence of its answer. */
    void (*answered)(void *arg, uint32_t us);
    /* For a live view: "caller", "bot" and so on; text may be NULL. */
    void (*note)(void *arg, const char *what, const char *text);
    void *arg;
} text_talk_sink_t;

typedef struct {
    pl_loop_t *loop;
    const scenario_t *scenario; /* borrowed */
    uint32_t n;                 /* the caller's number in a load */
    double speed;
} text_talk_opts_t;

text_talk_t *text_talk_new(const text_talk_opts_t *opts, const text_talk_sink_t *sink);
void text_talk_destroy(text_talk_t **self_p);

void text_talk_up(text_talk_t *self, const char *lang); /* a call is answered */
void text_talk_down(text_talk_t *self);                 /* it is over */
void text_talk_stop(text_talk_t *self);                 /* nothing more will happen */

/* Orders of the owner. */
void text_talk_listen(text_talk_t *self, const Pl__Listen *body);
void text_talk_say(text_talk_t *self, const Pl__Say *body);
void text_talk_say_stop(text_talk_t *self, uint32_t turn);

/* What else happened, now. */
void text_talk_minute(text_talk_t *self, minute_kind_t kind, const char *text, const char *to);

const person_t *text_talk_person(const text_talk_t *self);
const minutes_t *text_talk_minutes(const text_talk_t *self);
const char *text_talk_lang(const text_talk_t *self); /* listened in, last */
uint32_t text_talk_turns(const text_talk_t *self);   /* of the bot that were heard */

#endif
