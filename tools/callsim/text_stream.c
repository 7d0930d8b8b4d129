#include "tools/callsim/text_stream.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/speech/backchannel.h"
#include "tools/callsim/words.h"

enum { JOINED_BYTES = 16384, LETTER_MS = 62 }; /* about 150 words a minute */
#define NEVER UINT64_MAX

typedef struct {
    char *text;
    double rate;
    bool fixed; /* may not be interrupted */
} sentence_t;

typedef struct {
    uint32_t number;
    sentence_t sentences[TEXT_STREAM_SENTENCES_MAX];
    size_t count;
    uint32_t next_index; /* of the sentence that may come next */
    char lang[TEXT_STREAM_LANG_BYTES];
    bool closed, started;
    size_t at, heard_bytes; /* the sentence being played, and how much of it was heard */
    uint32_t words, heard_ms;
} turn_t;

struct text_stream {
    text_stream_sink_t sink;
    double speed;
    char lang[TEXT_STREAM_LANG_BYTES];
    Pl__Expect expect;
    uint32_t silence_ms, cutoff_ms;

    turn_t *turns[TEXT_STREAM_TURNS_MAX]; /* the first one is being played */
    size_t turn_count;
    uint32_t ended; /* the newest turn that is over */
    uint64_t word_due_us;
    size_t word_end; /* in the sentence being played */
    uint32_t word_ms;

    char *line;        /* what the caller says, or has said of an utterance not over */
    size_t line_heard; /* of it, by the recogniser */
    bool speaking;     /* the caller */
    uint64_t voice_due_us, endpoint_due_us, cutoff_due_us;
    uint64_t voice_began_us, voice_ended_us;
};

static uint64_t scaled_us(const text_stream_t *self, uint32_t ms)
{
    return (uint64_t)(ms * 1000.0 / self->speed);
}

static uint32_t unscaled_ms(const text_stream_t *self, uint64_t us)
{
    return (uint32_t)((double)us * self->speed / 1000.0);
}

static char *copy(const char *text, size_t bytes)
{
    char *out = strndup(text, bytes);
    assert(out);
    return out;
}

/* How long this part of a text is spoken: its letters and marks count. */
static uint32_t spoken_ms(const char *text, size_t from, size_t to, double rate)
{
    uint32_t letters = 0;
    for (size_t i = from; i < to; i++) {
        unsigned char c = (unsigned char)text[i];
        letters += !isspace(c) && (c & 0xc0) != 0x80;
    }
    return (uint32_t)(letters * LETTER_MS / rate);
}

/* ---- events ---- */

static void tell(text_stream_t *self, Pl__Envelope__BodyCase body, void *message)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = body;
    env.utterance = message; /* all bodies share the place */
    self->sink.event(self->sink.arg, &env);
}

static void tell_started(text_stream_t *self, const turn_t *turn, uint64_t at_us)
{
    Pl__TurnStarted started = PL__TURN_STARTED__INIT;
    started.turn = turn->number;
    if (self->voice_ended_us) {
        started.answer_latency_ms = (uint32_t)((at_us - self->voice_ended_us) / 1000) + 1;
    }
    self->voice_ended_us = 0;
    tell(self, PL__ENVELOPE__BODY_TURN_STARTED, &started);
}

/* The first `count` sentences, and `more` bytes of the one after. */
static void join(const turn_t *turn, size_t count, size_t more, char out[JOINED_BYTES])
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < turn->count && i <= count && used < JOINED_BYTES; i++) {
        int bytes = (int)(i < count ? strlen(turn->sentences[i].text) : more);
        if (bytes == 0) continue;
        used += (size_t)snprintf(out + used, JOINED_BYTES - used, "%s%.*s", used ? " " : "", bytes,
                                 turn->sentences[i].text);
    }
}

static void destroy_turn(turn_t *turn)
{
    for (size_t i = 0; i < turn->count; i++) free(turn->sentences[i].text);
    free(turn);
}

/* Takes turn i out of the queue. */
static turn_t *take_turn(text_stream_t *self, size_t i)
{
    turn_t *turn = self->turns[i];
    self->turn_count--;
    memmove(&self->turns[i], &self->turns[i + 1], (self->turn_count - i) * sizeof(turn_t *));
    if (i == 0) self->word_due_us = NEVER;
    if (turn->number > self->ended) self->ended = turn->number;
    return turn;
}

static uint32_t turn_ms(const turn_t *turn)
{
    uint32_t ms = 0;
    for (size_t i = 0; i < turn->count; i++) {
        const sentence_t *sentence = &turn->sentences[i];
        ms += spoken_ms(sentence->text, 0, strlen(sentence->text), sentence->rate);
    }
    return ms;
}

/* Turn i is over: tells both sides. */
static void turn_over(text_stream_t *self, size_t i, uint64_t at_us, bool interrupted)
{
    turn_t *turn = take_turn(self, i);
    char asked[JOINED_BYTES];
    char heard[JOINED_BYTES];
    join(turn, turn->count, 0, asked);
    join(turn, turn->at, turn->heard_bytes, heard);
    Pl__TurnSpoken spoken = PL__TURN_SPOKEN__INIT;
    spoken.turn = turn->number;
    spoken.interrupted = interrupted;
    spoken.heard_ms = turn->heard_ms;
    spoken.spoken_ms = turn_ms(turn);
    spoken.heard_text = heard;
    tell(self, PL__ENVELOPE__BODY_TURN_SPOKEN, &spoken);
    text_turn_t over = {.number = turn->number,
                        .asked = asked,
                        .heard = heard,
                        .lang = turn->lang,
                        .words = turn->words,
                        .started = turn->started,
                        .interrupted = interrupted};
    self->sink.bot_over(self->sink.arg, at_us, &over);
    destroy_turn(turn);
}

/* ---- the bot's words ---- */

static bool audible(const text_stream_t *self)
{
    return self->turn_count > 0 && self->turns[0]->started;
}

static bool interruptible(const text_stream_t *self)
{
    const turn_t *turn = self->turns[0];
    size_t at = turn->at < turn->count ? turn->at : turn->count - 1;
    return turn->count == 0 || !turn->sentences[at].fixed;
}

static void start_turn(text_stream_t *self, turn_t *turn, uint64_t at_us)
{
    turn->started = true;
    tell_started(self, turn, at_us);
    if (self->speaking) self->cutoff_due_us = at_us + scaled_us(self, self->cutoff_ms);
    self->sink.bot_started(self->sink.arg, at_us);
}

/* The next word of the turn begins; false: there is none now. */
static bool begin_word(text_stream_t *self, turn_t *turn, uint64_t at_us)
{
    uint32_t pause_ms = 0;
    while (turn->at < turn->count) {
        const sentence_t *sentence = &turn->sentences[turn->at];
        size_t end = words_spoken_end(sentence->text, turn->heard_bytes);
        if (end > turn->heard_bytes) {
            self->word_end = end;
            self->word_ms = spoken_ms(sentence->text, turn->heard_bytes, end, sentence->rate);
            self->word_due_us = at_us + scaled_us(self, pause_ms + self->word_ms);
            if (!turn->started) start_turn(self, turn, at_us);
            return true;
        }
        pause_ms = turn->started ? TEXT_STREAM_PAUSE_MS : 0;
        turn->at++;
        turn->heard_bytes = 0;
    }
    return false;
}

/* Goes on playing, from at_us. */
static void play(text_stream_t *self, uint64_t at_us)
{
    while (self->turn_count > 0 && self->word_due_us == NEVER) {
        if (begin_word(self, self->turns[0], at_us)) return;
        if (!self->turns[0]->closed) return;
        turn_over(self, 0, at_us, false);
    }
}

static void end_word(text_stream_t *self, uint64_t at_us)
{
    turn_t *turn = self->turns[0];
    char heard[JOINED_BYTES];
    turn->heard_bytes = self->word_end;
    turn->heard_ms += self->word_ms;
    turn->words++;
    self->word_due_us = NEVER;
    join(turn, turn->at, turn->heard_bytes, heard);
    uint32_t words = turn->words;
    self->sink.bot_word(self->sink.arg, at_us, heard, words); /* may end the turn */
    play(self, at_us);
}

static turn_t *turn_of(text_stream_t *self, uint32_t number)
{
    if (self->turn_count > 0) {
        turn_t *last = self->turns[self->turn_count - 1];
        if (last->number == number) return last;
        if (last->number > number) return NULL;
    }
    if (number <= self->ended || self->turn_count == TEXT_STREAM_TURNS_MAX) return NULL;
    turn_t *turn = calloc(1, sizeof *turn);
    assert(turn);
    turn->number = number;
    self->turns[self->turn_count++] = turn;
    return turn;
}

pl_err_t text_stream_say(text_stream_t *self, uint64_t now_us, const Pl__Say *say)
{
    size_t bytes = strlen(say->text);
    if (bytes > TEXT_STREAM_TEXT_MAX || say->index >= TEXT_STREAM_SENTENCES_MAX) return PL_INVALID;
    turn_t *turn = turn_of(self, say->turn);
    if (!turn || turn->closed || say->index < turn->next_index) return PL_STALE;
    turn->next_index = say->index + 1;
    if (turn->count == 0) snprintf(turn->lang, sizeof turn->lang, "%s", say->lang);
    if (bytes) {
        turn->sentences[turn->count++] = (sentence_t){.text = copy(say->text, bytes),
                                                      .rate = say->rate > 0 ? say->rate : 1.0,
                                                      .fixed = say->not_interruptible};
    }
    turn->closed = say->last;
    play(self, now_us);
    return PL_OK;
}

/* Ends all turns up to this one, the oldest first. */
static bool stop(text_stream_t *self, uint64_t now_us, uint32_t turn)
{
    bool any = false;
    while (self->turn_count > 0 && self->turns[0]->number <= turn) {
        turn_over(self, 0, now_us, true);
        any = true;
    }
    return any;
}

pl_err_t text_stream_say_stop(text_stream_t *self, uint64_t now_us, uint32_t turn)
{
    bool any = stop(self, now_us, turn);
    if (turn > self->ended) self->ended = turn;
    play(self, now_us);
    return any ? PL_OK : PL_STALE;
}

/* ---- the caller's words ---- */

static void set_lang(text_stream_t *self, const char *lang)
{
    if (lang[0]) snprintf(self->lang, sizeof self->lang, "%s", lang);
}

void text_stream_listen(text_stream_t *self, const Pl__Listen *listen)
{
    set_lang(self, listen->lang);
    self->expect = listen->expect;
    self->silence_ms =
        listen->vad_silence_timeout_ms ? listen->vad_silence_timeout_ms : TEXT_STREAM_SILENCE_MS;
    self->cutoff_ms =
        listen->vad_cutoff_timeout_ms ? listen->vad_cutoff_timeout_ms : TEXT_STREAM_CUTOFF_MS;
}

/* What kind of words the caller's line holds. */
static words_kind_t line_kind(const text_stream_t *self)
{
    return words_kind(self->line, 0, self->lang, self->expect);
}

static void take_floor(text_stream_t *self, uint64_t now_us)
{
    self->cutoff_due_us = NEVER;
    if (!audible(self) || !interruptible(self) || line_kind(self) < WORDS_REAL) return;
    Pl__BargeIn hit = PL__BARGE_IN__INIT;
    hit.turn = self->turns[0]->number;
    tell(self, PL__ENVELOPE__BODY_BARGE_IN, &hit);
    (void)stop(self, now_us, hit.turn);
    play(self, now_us);
}

static void next_own_word(text_stream_t *self, uint64_t at_us)
{
    size_t end = words_spoken_end(self->line, self->line_heard);
    uint32_t ms = spoken_ms(self->line, self->line_heard, end, 1.0);
    self->voice_due_us = at_us + scaled_us(self, ms);
}

void text_stream_speak(text_stream_t *self, uint64_t now_us, const char *text, uint32_t mumble_ms)
{
    bool goes_on = self->line != NULL;
    char *line = NULL;
    int bytes = asprintf(&line, "%s%s%.*s", goes_on ? self->line : "",
                         goes_on && self->line[0] ? " " : "", TEXT_STREAM_TEXT_MAX, text);
    assert(bytes >= 0);
    free(self->line);
    self->line = line;
    self->speaking = true;
    self->endpoint_due_us = NEVER;
    if (!goes_on) {
        self->line_heard = 0;
        self->voice_began_us = now_us;
        Pl__SpeechStarted started = PL__SPEECH_STARTED__INIT;
        tell(self, PL__ENVELOPE__BODY_SPEECH_STARTED, &started);
    }
    if (text[0]) {
        next_own_word(self, now_us);
    } else {
        self->voice_due_us = now_us + scaled_us(self, mumble_ms);
    }
    take_floor(self, now_us);
}

static void end_own_word(text_stream_t *self, uint64_t at_us)
{
    size_t end = words_spoken_end(self->line, self->line_heard);
    if (end > self->line_heard) {
        self->line_heard = end;
        char *so_far = copy(self->line, end);
        Pl__Partial partial = PL__PARTIAL__INIT;
        partial.text = so_far;
        tell(self, PL__ENVELOPE__BODY_PARTIAL, &partial);
        free(so_far);
    }
    if (words_spoken_end(self->line, end) > end) {
        next_own_word(self, at_us);
        return;
    }
    self->voice_due_us = NEVER;
    self->cutoff_due_us = NEVER;
    self->speaking = false;
    self->voice_ended_us = at_us;
    self->endpoint_due_us = at_us + scaled_us(self, self->silence_ms);
    self->sink.said(self->sink.arg, at_us);
}

static void end_utterance(text_stream_t *self)
{
    Pl__Utterance utterance = PL__UTTERANCE__INIT;
    utterance.backchannel = line_kind(self) == WORDS_BACKCHANNEL;
    char *line = self->line;
    self->line = NULL;
    self->endpoint_due_us = NEVER;
    utterance.text = line;
    utterance.lang = self->lang;
    utterance.confidence = line[0] ? 0.95 : 0;
    utterance.speech_ms = unscaled_ms(self, self->voice_ended_us - self->voice_began_us);
    utterance.endpointing_ms = self->silence_ms;
    tell(self, PL__ENVELOPE__BODY_UTTERANCE, &utterance);
    free(line);
}

/* ---- time ---- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t text_stream_due_us(const text_stream_t *self)
{
    return earlier(earlier(self->word_due_us, self->voice_due_us),
                   earlier(self->endpoint_due_us, self->cutoff_due_us));
}

uint64_t text_stream_step(text_stream_t *self)
{
    uint64_t due_us = text_stream_due_us(self);
    if (due_us == NEVER) return NEVER;
    if (due_us == self->word_due_us) {
        end_word(self, due_us);
    } else if (due_us == self->cutoff_due_us) {
        take_floor(self, due_us);
    } else if (due_us == self->voice_due_us) {
        end_own_word(self, due_us);
    } else {
        end_utterance(self);
    }
    return due_us;
}

/* ---- its life ---- */

text_stream_t *text_stream_new(double speed, const char *lang, const text_stream_sink_t *sink)
{
    text_stream_t *self = calloc(1, sizeof *self);
    assert(self && speed > 0);
    self->sink = *sink;
    self->speed = speed;
    self->silence_ms = TEXT_STREAM_SILENCE_MS;
    self->cutoff_ms = TEXT_STREAM_CUTOFF_MS;
    self->word_due_us = self->voice_due_us = NEVER;
    self->endpoint_due_us = self->cutoff_due_us = NEVER;
    set_lang(self, lang);
    return self;
}

void text_stream_end(text_stream_t *self, uint64_t now_us)
{
    while (self->turn_count > 0) turn_over(self, 0, now_us, true);
    self->voice_due_us = self->endpoint_due_us = self->cutoff_due_us = NEVER;
    self->speaking = false;
    free(self->line);
    self->line = NULL;
}

void text_stream_destroy(text_stream_t **self_p)
{
    text_stream_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (size_t i = 0; i < self->turn_count; i++) destroy_turn(self->turns[i]);
    free(self->line);
    free(self);
}

const char *text_stream_lang(const text_stream_t *self)
{
    return self->lang;
}

Pl__Expect text_stream_expect(const text_stream_t *self)
{
    return self->expect;
}
