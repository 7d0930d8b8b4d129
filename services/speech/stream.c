#include "services/speech/stream.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/lane.h"
#include "services/speech/interruption.h"
#include "services/speech/speaking.h"

enum { PARTIAL_BYTES = 4096 };

struct stream {
    stream_sink_t sink;
    stream_opts_t configured; /* but lang */
    hearing_t *hearing;
    interruption_t *interruption;
    speaking_t *speaking;
    char partial[PARTIAL_BYTES]; /* the last one told */
    uint64_t now_us;             /* of the event being handled */
    uint64_t answered_us;        /* last voice of the utterance that awaits its answer; 0: none */
};

/* ---- events ---- */

static void tell(stream_t *self, Pl__Envelope *env)
{
    self->sink.event(self->sink.arg, env);
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

static bool open_to_interruption(const stream_t *self)
{
    return speaking_interruptible(self->speaking);
}

static bool is_audible(const stream_t *self, uint32_t turn)
{
    return turn != 0 && turn == speaking_audible(self->speaking);
}

/* ---- hearing ---- */

static void hear_begin(void *arg, Pl__Expect expect, const char *lang)
{
    stream_t *self = arg;
    self->sink.hear_begin(self->sink.arg, expect, lang);
}

static void hear(void *arg, const int16_t *pcm, size_t samples)
{
    stream_t *self = arg;
    self->sink.hear(self->sink.arg, pcm, samples);
}

static void hear_pause(void *arg)
{
    stream_t *self = arg;
    self->sink.hear_pause(self->sink.arg);
}

static void hear_end(void *arg)
{
    stream_t *self = arg;
    self->answered_us = hearing_ended_us(self->hearing);
    self->sink.hear_end(self->sink.arg);
}

static void hear_drop(void *arg)
{
    stream_t *self = arg;
    self->sink.hear_drop(self->sink.arg);
}

static void on_began(void *arg)
{
    stream_t *self = arg;
    self->partial[0] = '\0';
    interruption_utterance(self->interruption);
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

static void on_words(void *arg, const char *text)
{
    stream_t *self = arg;
    if (is_audible(self, hearing_over(self->hearing)))
        obey(self, interruption_words(self->interruption, text, hearing_lang(self->hearing),
                                      hearing_expect(self->hearing), open_to_interruption(self)));
    if (!*text || strncmp(self->partial, text, sizeof self->partial - 1) == 0) return;
    (void)snprintf(self->partial, sizeof self->partial, "%s", text);
    Pl__Partial partial = PL__PARTIAL__INIT;
    partial.text = (char *)text;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_PARTIAL;
    env.partial = &partial;
    tell(self, &env);
}

static void on_utterance(void *arg, const hearing_utterance_t *said)
{
    stream_t *self = arg;
    Pl__Expect expect = hearing_expect(self->hearing);
    self->partial[0] = '\0';
    if (is_audible(self, said->turn))
        obey(self, interruption_end(self->interruption, said->text, said->lang, expect,
                                    open_to_interruption(self)));
    Pl__Utterance utterance = PL__UTTERANCE__INIT;
    utterance.text = (char *)said->text;
    utterance.lang = (char *)said->lang;
    utterance.confidence = said->confidence;
    utterance.speech_ms = said->end.speech_ms;
    utterance.endpointing_ms = said->end.endpointing_ms;
    utterance.recognition_ms = said->recognition_ms;
    utterance.backchannel = words_kind(said->text, 0, said->lang, expect) == WORDS_BACKCHANNEL;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_UTTERANCE;
    env.utterance = &utterance;
    tell(self, &env);
}

static void on_noise(void *arg)
{
    stream_t *self = arg;
    obey(self, interruption_end(self->interruption, "", hearing_lang(self->hearing),
                                hearing_expect(self->hearing), open_to_interruption(self)));
}

static uint32_t audible(void *arg)
{
    const stream_t *self = arg;
    return speaking_audible(self->speaking);
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
    interruption_turn(self->interruption, words_count(hearing_words(self->hearing)));
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

stream_t *stream_new(const stream_opts_t *opts, const stream_sink_t *sink)
{
    stream_t *self = calloc(1, sizeof *self);
    assert(self);
    self->sink = *sink;
    self->configured = *opts;
    self->interruption = interruption_new(opts->cutoff_ms);
    hearing_sink_t ears = {hear_begin, hear,     hear_pause,   hear_end, hear_drop, on_began,
                           on_voice,   on_words, on_utterance, on_noise, audible,   self};
    self->hearing = hearing_new(&opts->hearing, opts->lang, &ears);
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
    hearing_destroy(&self->hearing);
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
    if (!hearing_frame(self->hearing, now_us, in->seq, in->pcm.len ? pcm : NULL, voice))
        return PL_STALE;
    obey(self, interruption_frame(self->interruption, voice, open_to_interruption(self)));
    return PL_OK;
}

pl_err_t stream_played(stream_t *self, uint64_t now_us, const Pl__LanePlayed *played)
{
    self->now_us = now_us;
    return speaking_played(self->speaking, now_us, played);
}

void stream_listen(stream_t *self, const Pl__Listen *listen)
{
    uint32_t cutoff_ms = listen->vad_cutoff_timeout_ms;
    interruption_set(self->interruption, cutoff_ms ? cutoff_ms : self->configured.cutoff_ms);
    hearing_listen(self->hearing, listen->expect, listen->lang, listen->vad_silence_timeout_ms);
}

void stream_partial(stream_t *self, uint64_t now_us, const char *text, size_t samples)
{
    self->now_us = now_us;
    hearing_partial(self->hearing, now_us, text, samples);
}

void stream_final(stream_t *self, uint64_t now_us, const char *text, double confidence)
{
    self->now_us = now_us;
    hearing_final(self->hearing, now_us, text, confidence);
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

void stream_audio(stream_t *self, uint64_t now_us, clip_t *clip)
{
    self->now_us = now_us;
    speaking_audio(self->speaking, clip);
}

void stream_said(stream_t *self, size_t bytes, size_t samples)
{
    speaking_said(self->speaking, bytes, samples);
}

void stream_synthesised(stream_t *self, uint64_t now_us)
{
    self->now_us = now_us;
    speaking_synthesised(self->speaking);
}

void stream_end(stream_t *self, uint64_t now_us)
{
    self->now_us = now_us;
    speaking_end(self->speaking);
}

void stream_tick(stream_t *self, uint64_t now_us)
{
    self->now_us = now_us;
    hearing_tick(self->hearing, now_us);
    speaking_tick(self->speaking, now_us);
}

const char *stream_lang(const stream_t *self)
{
    return hearing_lang(self->hearing);
}
