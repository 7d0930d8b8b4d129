#include "services/speech/channel.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "services/speech/spoken.h"
#include "services/speech/utterances.h"

struct channel {
    const channel_world_t *world;
    char *call_id, *owner, *voice;
    char *former; /* the call that it was of before; NULL: none */
    uint32_t epoch;
    uint64_t lane_number;
    pl_lane_t *lane;
    uint32_t slot, generation;
    stream_t *stream;
    recognition_t *recognition;
    synthesis_job_t *synthesis; /* under way; NULL: none */
    size_t *source; /* for each byte of its text, how many of the sentence's are said with it */
    size_t source_bytes;
    utterances_t *utterances; /* told to the owner, for the next one */
};

static char *copy(const char *text)
{
    char *out = strdup(text ? text : "");
    assert(out);
    return out;
}

/* ---- recogniser ---- */

static void hear_begin(void *arg, Pl__Expect expect, const char *lang)
{
    channel_t *self = arg;
    recognition_begin(self->recognition, expect, lang);
}

static void hear(void *arg, const int16_t *pcm, size_t samples)
{
    channel_t *self = arg;
    recognition_feed(self->recognition, pcm, samples);
}

static void hear_pause(void *arg)
{
    channel_t *self = arg;
    recognition_pause(self->recognition);
}

static void hear_end(void *arg)
{
    channel_t *self = arg;
    recognition_end(self->recognition);
}

static void hear_drop(void *arg)
{
    channel_t *self = arg;
    recognition_drop(self->recognition);
}

static void on_partial(void *arg, const char *text, size_t samples)
{
    channel_t *self = arg;
    stream_partial(self->stream, pl_clock_us(), text, samples);
}

static void on_final(void *arg, const char *text, double confidence)
{
    channel_t *self = arg;
    stream_final(self->stream, pl_clock_us(), text, confidence);
}

/* ---- synthesiser ---- */

static void on_audio(void *arg, clip_t *clip)
{
    channel_t *self = arg;
    stream_audio(self->stream, pl_clock_us(), clip);
}

static void on_said(void *arg, size_t bytes, size_t samples)
{
    channel_t *self = arg;
    if (bytes == 0 || bytes > self->source_bytes) return;
    stream_said(self->stream, self->source[bytes - 1], samples);
}

static void on_synthesised(void *arg, pl_err_t err)
{
    channel_t *self = arg;
    (void)err; /* it has been logged; the turn goes on without the sentence */
    self->synthesis = NULL;
    stream_synthesised(self->stream, pl_clock_us());
}

static pl_err_t synthesise(void *arg, const Pl__Say *sentence)
{
    channel_t *self = arg;
    const char *lang = *sentence->lang ? sentence->lang : stream_lang(self->stream);
    const char *voice = *sentence->voice ? sentence->voice : self->voice;
    free(self->source);
    char *text = spoken_text(sentence->text, lang, &self->source);
    self->source_bytes = strlen(text);
    double rate = sentence->rate > 0 ? sentence->rate : 1.0;
    tts_say_t say = {text, lang, voice, rate, sentence->style};
    synthesis_sink_t sink = {on_audio, on_said, on_synthesised, self};
    pl_err_t err = synthesis_say(self->world->synthesis, &self->synthesis, &say, &sink);
    if (err)
        log_warn("say.no_voice", "call=%s lang=%s err=%s", self->call_id, lang, pl_err_name(err));
    free(text);
    return err;
}

static void cancel_synthesis(void *arg)
{
    channel_t *self = arg;
    synthesis_cancel(&self->synthesis);
}

/* ---- lane ---- */

static pl_err_t send_frame(channel_t *self, Pl__LaneFrame *frame)
{
    frame->slot = self->slot;
    frame->generation = self->generation;
    return pl_lane_send(self->lane, frame);
}

static pl_err_t say_out(void *arg, Pl__LaneSayOut *out)
{
    channel_t *self = arg;
    Pl__LaneFrame frame = PL__LANE_FRAME__INIT;
    frame.body_case = PL__LANE_FRAME__BODY_OUT;
    frame.out = out;
    return send_frame(self, &frame);
}

static void flush(void *arg, uint32_t turn)
{
    channel_t *self = arg;
    Pl__LaneFlush body = PL__LANE_FLUSH__INIT;
    body.turn = turn;
    Pl__LaneFrame frame = PL__LANE_FRAME__INIT;
    frame.body_case = PL__LANE_FRAME__BODY_FLUSH;
    frame.flush = &body;
    (void)send_frame(self, &frame); /* unanswered, it is given up by the clock */
}

static void let_rise(void *arg, uint32_t turn)
{
    channel_t *self = arg;
    Pl__LaneRise body = PL__LANE_RISE__INIT;
    body.turn = turn;
    Pl__LaneFrame frame = PL__LANE_FRAME__INIT;
    frame.body_case = PL__LANE_FRAME__BODY_RISE;
    frame.rise = &body;
    (void)send_frame(self, &frame); /* lost, the voice rises by itself a little later */
}

void channel_frame(channel_t *self, const Pl__LaneFrame *frame)
{
    switch (frame->body_case) {
    case PL__LANE_FRAME__BODY_IN:
        recognition_narrow(self->recognition, frame->in->narrow);
        (void)stream_heard(self->stream, pl_clock_us(), frame->in);
        break;
    case PL__LANE_FRAME__BODY_PLAYED:
        (void)stream_played(self->stream, pl_clock_us(), frame->played);
        break;
    case PL__LANE_FRAME__BODY_OUT:
    case PL__LANE_FRAME__BODY_FLUSH:
    case PL__LANE_FRAME__BODY_RISE:
    case PL__LANE_FRAME__BODY__NOT_SET:
    case _PL__LANE_FRAME__BODY__CASE_IS_INT_SIZE:
        break;
    }
}

/* ---- owner ---- */

static void event(void *arg, Pl__Envelope *env)
{
    channel_t *self = arg;
    env->call_id = self->call_id;
    env->epoch = self->epoch;
    if (env->body_case == PL__ENVELOPE__BODY_UTTERANCE)
        utterances_keep(self->utterances, pl_clock_ms(), env->utterance);
    pl_err_t err = pl_bus_event(self->world->bus, self->owner, env);
    /* The owner may be restarting, or the call about to be adopted: listening goes on. */
    if (err)
        log_warn("event.undelivered", "call=%s owner=%s err=%s", self->call_id, self->owner,
                 pl_err_name(err));
}

/* The former owner was lost, perhaps before it had noted what it was told last. */
static void tell_again(channel_t *self)
{
    size_t n = 0;
    Pl__Utterance *const *kept = utterances_recent(self->utterances, pl_clock_ms(), &n);
    for (size_t i = 0; i < n; i++) {
        Pl__Envelope env = PL__ENVELOPE__INIT;
        env.call_id = self->call_id;
        env.epoch = self->epoch;
        env.body_case = PL__ENVELOPE__BODY_UTTERANCE;
        env.utterance = kept[i];
        (void)pl_bus_event(self->world->bus, self->owner, &env);
    }
}

bool channel_fence(channel_t *self, uint32_t epoch, const char *owner)
{
    if (epoch < self->epoch) return false;
    if (epoch > self->epoch && owner && *owner) {
        log_info("stream.owner", "call=%s epoch=%" PRIu32 " owner=%s", self->call_id, epoch, owner);
        free(self->owner);
        self->owner = copy(owner);
        self->epoch = epoch;
        tell_again(self);
    }
    self->epoch = epoch;
    return true;
}

void channel_listen(channel_t *self, const Pl__Listen *listen)
{
    stream_listen(self->stream, listen);
}

void channel_say(channel_t *self, const Pl__Say *say)
{
    pl_err_t err = stream_say(self->stream, pl_clock_us(), say);
    if (err)
        log_warn("say.refused", "call=%s turn=%" PRIu32 " index=%" PRIu32 " err=%s", self->call_id,
                 say->turn, say->index, pl_err_name(err));
}

void channel_say_stop(channel_t *self, uint32_t turn)
{
    (void)stream_say_stop(self->stream, pl_clock_us(), turn);
}

void channel_tick(channel_t *self)
{
    stream_tick(self->stream, pl_clock_us());
}

void channel_end(channel_t *self)
{
    stream_end(self->stream, pl_clock_us());
}

void channel_lost(channel_t *self, const char *why)
{
    Pl__StreamLost lost = PL__STREAM_LOST__INIT;
    lost.detail = (char *)why;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_STREAM_LOST;
    env.stream_lost = &lost;
    event(self, &env);
}

/* ---- life ---- */

channel_t *channel_new(const channel_world_t *world, const channel_opts_t *opts)
{
    channel_t *self = calloc(1, sizeof *self);
    assert(self);
    self->world = world;
    self->call_id = copy(opts->call_id);
    self->owner = copy(opts->owner);
    self->voice = copy(opts->voice);
    self->epoch = opts->epoch;
    self->lane_number = opts->lane_number;
    self->lane = opts->lane;
    self->slot = opts->slot;
    self->generation = opts->generation;
    stream_sink_t sink = {hear_begin,       hear,    hear_pause, hear_end, hear_drop, synthesise,
                          cancel_synthesis, say_out, flush,      let_rise, event,     self};
    stream_opts_t stream_opts = {opts->lang, world->hearing, world->cutoff_ms};
    self->stream = stream_new(&stream_opts, &sink);
    self->utterances = utterances_new();
    recognition_sink_t words = {on_partial, on_final, self};
    self->recognition = recognition_new(world->recognisers, &words);
    return self;
}

void channel_destroy(channel_t **self_p)
{
    channel_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    cancel_synthesis(self);
    recognition_destroy(&self->recognition);
    stream_destroy(&self->stream);
    utterances_destroy(&self->utterances);
    free(self->call_id);
    free(self->former);
    free(self->owner);
    free(self->voice);
    free(self->source);
    free(self);
}

const char *channel_call(const channel_t *self)
{
    return self->call_id;
}

bool channel_is_of(const channel_t *self, const char *call_id)
{
    if (strcmp(self->call_id, call_id) == 0) return true;
    return self->former && strcmp(self->former, call_id) == 0;
}

void channel_move(channel_t *self, const char *call_id)
{
    free(self->former);
    self->former = self->call_id;
    self->call_id = copy(call_id);
}

uint64_t channel_lane(const channel_t *self)
{
    return self->lane_number;
}

uint32_t channel_slot(const channel_t *self)
{
    return self->slot;
}

uint32_t channel_generation(const channel_t *self)
{
    return self->generation;
}
