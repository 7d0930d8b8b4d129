#include "services/speech/stream.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/lane.h"
#include "services/speech/interruption.h"
#include "services/speech/speaking.h"
#include "services/speech/unfinished.h"

enum {
    LANG_BYTES = 36,
    PENDING_MAX = 16, /* utterances waiting for their final text */
    PARTIAL_BYTES = 4096,
};

typedef struct {
    listening_end_t end;
    uint64_t decided_us;
    uint32_t turn; /* that was audible at its end; 0: none */
    char lang[LANG_BYTES];
} pending_t;

struct stream {
    stream_sink_t sink;
    stream_opts_t configured; /* but lang */
    listening_t *listening;
    interruption_t *interruption;
    speaking_t *speaking;
    char lang[LANG_BYTES], hearing_lang[LANG_BYTES];
    Pl__Expect expect, hearing_expect;
    pending_t pending[PENDING_MAX]; /* oldest first */
    size_t pendings;
    char partial[PARTIAL_BYTES]; /* the last one told */
    uint64_t now_us;             /* of the frame being handled */
    uint64_t voice_us;           /* when the last voiced frame came */
    uint64_t answered_us;        /* voice_us of the utterance that awaits its answer; 0: none */
};

/* ---- events ---- */

static void tell(stream_t *self, Pl__Envelope *env)
{
    self->sink.event(self->sink.arg, env);
}

static void tell_partial(stream_t *self, const char *text)
{
    Pl__Partial partial = PL__PARTIAL__INIT;
    partial.text = (char *)text;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_PARTIAL;
    env.partial = &partial;
    tell(self, &env);
}

static void tell_utterance(stream_t *self, const pending_t *p, const char *text, double confidence)
{
    Pl__Utterance utterance = PL__UTTERANCE__INIT;
    utterance.text = (char *)text;
    utterance.lang = (char *)p->lang;
    utterance.confidence = confidence;
    utterance.speech_ms = p->end.speech_ms;
    utterance.endpointing_ms = p->end.endpointing_ms;
    utterance.recognition_ms = (uint32_t)((self->now_us - p->decided_us) / 1000);
    utterance.backchannel = words_kind(text, 0, p->lang, self->expect) == WORDS_BACKCHANNEL;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_UTTERANCE;
    env.utterance = &utterance;
    tell(self, &env);
}

/* ---- who has the floor ---- */

static void barge_in(stream_t *self, uint32_t turn)
{
    if (speaking_stop(self->speaking, self->now_us, turn) != PL_OK) return;
    Pl__BargeIn hit = PL__BARGE_IN__INIT;
    hit.turn = turn;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_BARGE_IN;
    env.barge_in = &hit;
    tell(self, &env);
}

static void obey(stream_t *self, floor_verdict_t verdict)
{
    uint32_t turn = speaking_audible(self->speaking);
    switch (verdict) {
    case FLOOR_KEEP:
        break;
    case FLOOR_YIELD:
        barge_in(self, turn);
        break;
    case FLOOR_RISE:
        self->sink.rise(self->sink.arg, turn);
        break;
    }
}

/* Was the oldest utterance that is not yet final spoken over the turn audible now? */
static bool over_this_turn(const stream_t *self)
{
    uint32_t audible = speaking_audible(self->speaking);
    if (self->pendings > 0) return audible != 0 && self->pending[0].turn == audible;
    return audible != 0 && listening_in_utterance(self->listening);
}

/* ---- listening ---- */

static void on_begin(void *arg)
{
    stream_t *self = arg;
    memcpy(self->hearing_lang, self->lang, sizeof self->lang);
    self->hearing_expect = self->expect;
    self->partial[0] = '\0';
    interruption_utterance(self->interruption);
    self->sink.hear_begin(self->sink.arg, self->expect, self->lang);
}

static void on_feed(void *arg, const int16_t *pcm, size_t samples)
{
    stream_t *self = arg;
    self->sink.hear(self->sink.arg, pcm, samples);
}

static void on_voice(void *arg)
{
    stream_t *self = arg;
    Pl__SpeechStarted started = PL__SPEECH_STARTED__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_SPEECH_STARTED;
    env.speech_started = &started;
    tell(self, &env);
}

static void on_end(void *arg, const listening_end_t *end)
{
    stream_t *self = arg;
    if (self->pendings == PENDING_MAX) { /* recognition has stalled: give the oldest up, unheard */
        self->sink.hear_drop(self->sink.arg);
        return;
    }
    pending_t *p = &self->pending[self->pendings++];
    p->end = *end;
    p->decided_us = self->now_us;
    p->turn = speaking_audible(self->speaking);
    memcpy(p->lang, self->hearing_lang, sizeof p->lang);
    self->answered_us = self->voice_us;
    self->sink.hear_end(self->sink.arg);
}

static void on_drop(void *arg)
{
    stream_t *self = arg;
    self->sink.hear_drop(self->sink.arg);
    obey(self, interruption_end(self->interruption, "", self->lang, self->expect,
                                speaking_interruptible(self->speaking)));
}

void stream_partial(stream_t *self, const char *text)
{
    if (over_this_turn(self))
        obey(self, interruption_words(self->interruption, text, self->hearing_lang, self->expect,
                                      speaking_interruptible(self->speaking)));
    if (!*text) return;
    if (strncmp(self->partial, text, sizeof self->partial - 1) == 0) return;
    (void)snprintf(self->partial, sizeof self->partial, "%s", text);
    /* Only the utterance still going on can wait longer. */
    if (self->pendings == 0 && listening_in_utterance(self->listening))
        listening_patience(self->listening, unfinished_ms(text, self->hearing_expect));
    tell_partial(self, text);
}

void stream_final(stream_t *self, uint64_t now_us, const char *text, double confidence)
{
    if (self->pendings == 0) return;
    pending_t p = self->pending[0];
    self->pendings--;
    memmove(&self->pending[0], &self->pending[1], self->pendings * sizeof p);
    self->now_us = now_us;
    self->partial[0] = '\0';
    uint32_t audible = speaking_audible(self->speaking);
    if (audible != 0 && p.turn == audible)
        obey(self, interruption_end(self->interruption, text, p.lang, self->expect,
                                    speaking_interruptible(self->speaking)));
    tell_utterance(self, &p, text, confidence);
}

/* ---- speaking ---- */

static pl_err_t on_synthesise(void *arg, const Pl__Say *sentence)
{
    stream_t *self = arg;
    return self->sink.synthesise(self->sink.arg, sentence);
}

static void on_cancel(void *arg)
{
    stream_t *self = arg;
    self->sink.synthesis_cancel(self->sink.arg);
}

static pl_err_t on_frame(void *arg, Pl__LaneSayOut *frame)
{
    stream_t *self = arg;
    return self->sink.say_out(self->sink.arg, frame);
}

static void on_flush(void *arg, uint32_t turn)
{
    stream_t *self = arg;
    self->sink.flush(self->sink.arg, turn);
}

static void on_started(void *arg, uint32_t turn, uint32_t synthesis_ms)
{
    stream_t *self = arg;
    Pl__TurnStarted started = PL__TURN_STARTED__INIT;
    started.turn = turn;
    started.synthesis_ms = synthesis_ms;
    if (self->answered_us)
        started.answer_latency_ms = (uint32_t)((self->now_us - self->answered_us) / 1000);
    self->answered_us = 0;
    /* What the caller said before could not have been meant to interrupt this turn. */
    bool speaks = self->pendings == 0 && listening_in_utterance(self->listening);
    interruption_turn(self->interruption, speaks ? words_count(self->partial) : 0);
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_TURN_STARTED;
    env.turn_started = &started;
    tell(self, &env);
}

static void on_spoken(void *arg, const Pl__TurnSpoken *spoken)
{
    stream_t *self = arg;
    Pl__TurnSpoken copy = *spoken;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_TURN_SPOKEN;
    env.turn_spoken = &copy;
    tell(self, &env);
}

/* ---- in ---- */

static void set_lang(stream_t *self, const char *lang)
{
    if (*lang) (void)snprintf(self->lang, sizeof self->lang, "%s", lang);
}

stream_t *stream_new(const stream_opts_t *opts, const stream_sink_t *sink)
{
    stream_t *self = calloc(1, sizeof *self);
    assert(self);
    self->sink = *sink;
    self->configured = *opts;
    self->interruption = interruption_new(opts->cutoff_ms);
    set_lang(self, opts->lang);
    listening_sink_t ears = {on_begin, on_feed, on_voice, on_end, on_drop, self};
    self->listening = listening_new(&opts->listening, &ears);
    speaking_sink_t mouth = {on_synthesise, on_cancel, on_frame, on_flush,
                             on_started,    on_spoken, self};
    self->speaking = speaking_new(&mouth);
    return self;
}

void stream_destroy(stream_t **self_p)
{
    stream_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    listening_destroy(&self->listening);
    interruption_destroy(&self->interruption);
    speaking_destroy(&self->speaking);
    free(self);
}

pl_err_t stream_heard(stream_t *self, uint64_t now_us, const Pl__LaneHeardIn *in)
{
    if (in->pcm.len != 0 && in->pcm.len != PL_FRAME_BYTES) return PL_INVALID;
    int16_t pcm[PL_FRAME_SAMPLES];
    if (in->pcm.len) memcpy(pcm, in->pcm.data, sizeof pcm); /* received bytes are not aligned */
    self->now_us = now_us;
    bool voice = in->voice && in->pcm.len > 0;
    if (voice) self->voice_us = now_us;
    if (!listening_frame(self->listening, in->seq, in->pcm.len ? pcm : NULL, voice))
        return PL_STALE;
    obey(self,
         interruption_frame(self->interruption, voice, speaking_interruptible(self->speaking)));
    return PL_OK;
}

pl_err_t stream_played(stream_t *self, uint64_t now_us, const Pl__LanePlayed *played)
{
    self->now_us = now_us;
    return speaking_played(self->speaking, now_us, played);
}

void stream_listen(stream_t *self, const Pl__Listen *listen)
{
    listening_opts_t opts = self->configured.listening;
    uint32_t cutoff_ms = self->configured.cutoff_ms;
    if (listen->vad_silence_timeout_ms) opts.silence_ms = listen->vad_silence_timeout_ms;
    if (listen->vad_cutoff_timeout_ms) cutoff_ms = listen->vad_cutoff_timeout_ms;
    listening_set(self->listening, &opts);
    interruption_set(self->interruption, cutoff_ms);
    self->expect = listen->expect;
    set_lang(self, listen->lang);
}

pl_err_t stream_say(stream_t *self, uint64_t now_us, const Pl__Say *say)
{
    self->now_us = now_us;
    return speaking_say(self->speaking, now_us, say);
}

pl_err_t stream_say_stop(stream_t *self, uint64_t now_us, uint32_t turn)
{
    self->now_us = now_us;
    return speaking_stop(self->speaking, now_us, turn);
}

void stream_audio(stream_t *self, uint64_t now_us, const int16_t *pcm, size_t samples)
{
    self->now_us = now_us;
    speaking_audio(self->speaking, pcm, samples);
}

void stream_synthesised(stream_t *self, uint64_t now_us)
{
    self->now_us = now_us;
    speaking_synthesised(self->speaking);
}

void stream_tick(stream_t *self, uint64_t now_us)
{
    self->now_us = now_us;
    speaking_tick(self->speaking, now_us);
}

const char *stream_lang(const stream_t *self)
{
    return self->lang;
}
