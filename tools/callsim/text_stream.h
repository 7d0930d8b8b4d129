/* text_stream.h - one call's listening and speaking, with words in place of sound.
 *
 * Does what speech and a leg do between them: plays the sentences of turns word by word on a clock,
 * tells the owner when a turn started and what of it was heard, turns the caller's lines into
 * SpeechStarted, Partial and Utterance, and gives the caller the floor. Words take the time their
 * letters do, `speed` times faster than a person's.
 *
 * The caller takes the floor the moment it begins to speak over a turn that is audible and may be
 * interrupted: what was heard ends with the word before, whatever the machine's load. A voice that
 * a turn starts under cuts it after the time Listen names. "Mhm" and a voice without words do not
 * interrupt, by the same rule as in speech.
 *
 * What happens in time happens in text_stream_step, in order, at the time it was due: the caller of
 * it may be late and still sees each word.
 *
 * Threads: none. Pure: time is an argument (_us, monotonic), effects go through the sink.
 */
#ifndef CALLSIM_TEXT_STREAM_H
#define CALLSIM_TEXT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "envelope.pb-c.h"

enum {
    TEXT_STREAM_PAUSE_MS = 200,   /* between two sentences */
    TEXT_STREAM_SILENCE_MS = 500, /* that ends an utterance, unless Listen says */
    TEXT_STREAM_CUTOFF_MS = 250,  /* of voice that cuts a turn starting under it, unless ... */
    TEXT_STREAM_TURNS_MAX = 8,    /* waiting at once */
    TEXT_STREAM_SENTENCES_MAX = 100,
    TEXT_STREAM_TEXT_MAX = 4000, /* bytes of a sentence or a line */
    TEXT_STREAM_LANG_BYTES = 32,
};

typedef struct text_stream text_stream_t;

/* A turn of the bot's that is over. */
typedef struct {
    uint32_t number;
    const char *asked; /* all its sentences */
    const char *heard; /* what was played of them */
    const char *lang;  /* of its first sentence */
    uint32_t words;    /* heard */
    bool started;      /* anything was */
    bool interrupted;
} text_turn_t;

typedef struct {
    void (*event)(void *arg, Pl__Envelope *env); /* to the owner; the routing is the receiver's */
    void (*bot_started)(void *arg, uint64_t at_us);
    /* After each word: what was heard of the turn so far, and how many words that is. The caller
     * may speak from within. */
    void (*bot_word)(void *arg, uint64_t at_us, const char *heard, uint32_t words);
    void (*bot_over)(void *arg, uint64_t at_us, const text_turn_t *turn);
    void (*said)(void *arg, uint64_t at_us); /* the caller's own line is over */
    void *arg;
} text_stream_sink_t;

text_stream_t *text_stream_new(double speed, const char *lang, const text_stream_sink_t *sink);
void text_stream_destroy(text_stream_t **self_p); /* calls nothing */

/* Orders of the owner. PL_STALE: of an older turn, or a sentence that came already; PL_INVALID: too
 * long or too many. */
pl_err_t text_stream_say(text_stream_t *self, uint64_t now_us, const Pl__Say *say);
pl_err_t text_stream_say_stop(text_stream_t *self, uint64_t now_us, uint32_t turn);
void text_stream_listen(text_stream_t *self, const Pl__Listen *listen);

/* The caller begins to speak. text is what is recognised in the end; "" with a length makes a voice
 * without words. Speaking on before the utterance is over lengthens it. */
void text_stream_speak(text_stream_t *self, uint64_t now_us, const char *text, uint32_t mumble_ms);

/* The leg is gone: what is being said ends here, and the owner is told what was heard of it. */
void text_stream_end(text_stream_t *self, uint64_t now_us);

uint64_t text_stream_due_us(const text_stream_t *self); /* when to step; UINT64_MAX: not in time */
/* Does the one thing that is due first. Returns its time. */
uint64_t text_stream_step(text_stream_t *self);

const char *text_stream_lang(const text_stream_t *self); /* that is listened in */
Pl__Expect text_stream_expect(const text_stream_t *self);

#endif
