#include "tools/callsim/conversation.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "tools/callsim/mark.h"
#include "tools/callsim/wav.h"

/* Voice is noticed up to 50 ms late; the decoder likes a little quiet before it. */
enum { BEFORE_FRAMES = 15, LINES = SCENARIO_MAX_STEPS + 1 };

struct conversation {
    const scenario_t *scenario;
    conversation_sink_t sink;
    pl_loop_t *loop;
    uint32_t mark; /* under its voice; 0: none */
    bool recognise, up, over;
    bool listening;   /* the decoder is inside an utterance */
    unsigned awaited; /* utterances whose words are to come */
    person_t *person;
    turns_t *turns;
    listener_t *listener;
    wav_writer_t *wav;

    conversation_ready_fn *ready;
    void *ready_arg;
    unsigned waits; /* for lines and for the decoder */
    pl_err_t ready_err;
    line_audio_t lines[LINES]; /* the last is said when patience ends */

    const line_audio_t *playing;
    size_t played; /* samples */
    int16_t caller[TURNS_FRAME_SAMPLES], bot[TURNS_FRAME_SAMPLES];
    int16_t before[BEFORE_FRAMES][TURNS_FRAME_SAMPLES]; /* the bot's last frames, a ring */
    uint32_t frames;
};

static line_audio_t *line_of(conversation_t *self, int step)
{
    return &self->lines[step == PERSON_LOST ? LINES - 1 : step];
}

/* ---- getting ready ---- */

static void one_ready(conversation_t *self, pl_err_t err)
{
    if (err && !self->ready_err) self->ready_err = err;
    if (--self->waits == 0) self->ready(self->ready_arg, self->ready_err);
}

static void on_lines(void *arg, pl_err_t err, const line_audio_t *lines)
{
    conversation_t *self = arg;
    if (!err) memcpy(self->lines, lines, sizeof self->lines);
    one_ready(self, err);
}

static void on_decoder(void *arg, pl_err_t err)
{
    one_ready(arg, err);
}

static void on_words(void *arg, const char *words)
{
    conversation_t *self = arg;
    self->awaited--;
    turns_heard(self->turns, words);
    if (self->sink.line) self->sink.line(self->sink.arg, false, words);
    if (self->over) return;
    person_bot_said(self->person, turns_now_ms(self->turns), words);
}

pl_err_t conversation_new(conversation_t **out, const conversation_opts_t *opts,
                          const conversation_sink_t *sink)
{
    wav_writer_t *wav = NULL;
    pl_err_t err = opts->recording ? wav_open(&wav, opts->recording, 2) : PL_OK;
    if (err) return err;
    conversation_t *self = calloc(1, sizeof *self);
    assert(self);
    self->scenario = opts->scenario;
    self->sink = *sink;
    self->loop = opts->loop;
    self->recognise = opts->recognise;
    self->mark = opts->scenario->marked ? opts->n : 0;
    self->wav = wav;
    self->person = person_new(opts->scenario, opts->n, opts->recognise);
    self->turns = turns_new(opts->scenario->quiet_ms);
    *out = self;
    return PL_OK;
}

void conversation_prepare(conversation_t *self, voices_t *voices, conversation_ready_fn *ready,
                          void *arg)
{
    const char *texts[LINES] = {0};
    for (int i = 0; i < SCENARIO_MAX_STEPS; i++) texts[i] = person_line(self->person, i);
    texts[LINES - 1] = person_line(self->person, PERSON_LOST);
    self->ready = ready;
    self->ready_arg = arg;
    self->waits = self->recognise ? 2 : 1;
    if (self->recognise) self->listener = listener_new(self->loop, on_decoder, on_words, self);
    voices_say(voices, self->scenario->voice, self->scenario->rate, texts, LINES, on_lines, self);
}

void conversation_destroy(conversation_t **self_p)
{
    conversation_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    conversation_end(self);
    person_destroy(&self->person);
    turns_destroy(&self->turns);
    free(self);
}

/* ---- a tick ---- */

bool conversation_next(conversation_t *self, int16_t out[TURNS_FRAME_SAMPLES])
{
    memset(self->caller, 0, sizeof self->caller);
    bool speaks = self->playing != NULL;
    if (speaks) {
        size_t left = self->playing->samples - self->played;
        size_t part = left < TURNS_FRAME_SAMPLES ? left : TURNS_FRAME_SAMPLES;
        memcpy(self->caller, self->playing->pcm + self->played, part * sizeof *self->caller);
        if (self->mark) mark_add(self->caller, part, MARK_CALLER, self->mark, self->played);
        self->played += part;
    }
    memcpy(out, self->caller, sizeof self->caller);
    return speaks;
}

void conversation_heard(conversation_t *self, const int16_t bot[TURNS_FRAME_SAMPLES])
{
    memcpy(self->bot, bot, sizeof self->bot);
}

static void end_listening(conversation_t *self)
{
    if (!self->listening) return;
    self->listening = false;
    self->awaited++;
    listener_end(self->listener);
}

/* The decoder gets what the bot says, a little before its voice included. */
static void listen(conversation_t *self, const turns_event_t *event)
{
    if (!self->listener) return;
    if (event->bot_started) {
        self->listening = true;
        uint32_t kept = self->frames < BEFORE_FRAMES ? self->frames : BEFORE_FRAMES;
        for (uint32_t i = kept; i > 0; i--) {
            listener_feed(self->listener, self->before[(self->frames - i) % BEFORE_FRAMES],
                          TURNS_FRAME_SAMPLES);
        }
    }
    if (event->bot_started || event->bot_ended || turns_bot_speaks(self->turns)) {
        listener_feed(self->listener, self->bot, TURNS_FRAME_SAMPLES);
    }
    if (event->bot_ended) end_listening(self);
}

static void act(conversation_t *self, const act_t *what)
{
    switch (what->kind) {
    case ACT_SAY:
        self->playing = line_of(self, what->step);
        self->played = 0;
        turns_say(self->turns, what->step, what->text);
        if (self->sink.line) self->sink.line(self->sink.arg, true, what->text);
        break;
    case ACT_DTMF:
        self->sink.dtmf(self->sink.arg, what->text);
        break;
    case ACT_MUMBLE:
    case ACT_RING: /* only by text */
        break;
    case ACT_HANG_UP:
        self->over = true;
        self->sink.hang_up(self->sink.arg);
        break;
    }
}

static void finish_line(conversation_t *self)
{
    if (!self->playing || self->played < self->playing->samples) return;
    self->playing = NULL;
    person_said(self->person, turns_now_ms(self->turns));
}

void conversation_tick(conversation_t *self)
{
    if (self->over) return;
    if (!self->up) person_up(self->person, 0);
    self->up = true;
    turns_event_t event = turns_frame(self->turns, self->caller, self->bot);
    if (self->wav) wav_write_stereo(self->wav, self->caller, self->bot, TURNS_FRAME_SAMPLES);
    uint32_t now_ms = turns_now_ms(self->turns);
    listen(self, &event);
    memcpy(self->before[self->frames++ % BEFORE_FRAMES], self->bot, sizeof self->bot);
    if (event.bot_started) person_bot_started(self->person, now_ms);
    if (event.bot_ended) {
        person_bot_quiet(self->person, now_ms);
        if (!self->listener) person_bot_said(self->person, now_ms, NULL);
    }
    finish_line(self);
    act_t what;
    while (!self->over && person_next(self->person, now_ms, &what)) act(self, &what);
    memset(self->bot, 0, sizeof self->bot);
    memset(self->caller, 0, sizeof self->caller);
}

bool conversation_over(conversation_t *self)
{
    self->over = true;
    self->playing = NULL;
    turns_finish(self->turns);
    end_listening(self);
    return self->awaited > 0;
}

void conversation_end(conversation_t *self)
{
    (void)conversation_over(self);
    listener_destroy(&self->listener);
    if (wav_close(&self->wav)) log_error("callsim.recording_failed", "err=write");
}

const person_t *conversation_person(const conversation_t *self)
{
    return self->person;
}

const turns_t *conversation_turns(const conversation_t *self)
{
    return self->turns;
}
