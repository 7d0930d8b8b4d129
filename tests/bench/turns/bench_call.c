#include "tests/bench/turns/bench_call.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/lane.h"
#include "services/speech/providers/flite_voice.h"
#include "services/speech/spoken.h"
#include "services/speech/stream.h"
#include "services/telephony/cleaner.h"
#include "services/telephony/comfort.h"
#include "services/telephony/duck.h"
#include "services/telephony/playout.h"
#include "services/telephony/receiver.h"
#include "services/telephony/vad.h"
#include "tests/bench/turns/bench_ears.h"

enum {
    TICK_US = 20000,
    CREDIT_MS = 400,
    JITTER_MIN_MS = 20,
    JITTER_MAX_MS = 200,
    WORDS_MAX = 256,
    HEAD_BYTES = 4, /* our packets: the time stamp, then the payload */
};

/* One end of the wire. */
typedef struct {
    codec_t *codec;
    receiver_t *receiver;
    path_t *out; /* towards the other end */
    uint32_t timestamp;
} end_t;

struct bench_call {
    bench_event_fn *event;
    bench_out_fn *out;
    void *arg;
    uint64_t now_us;
    const codec_info_t *info;
    end_t bot, caller;
    /* caller */
    room_t *room;
    int16_t *mouth;
    size_t mouth_samples, mouth_at;
    /* telephony */
    cleaner_t *cleaner;
    vad_t vad;
    playout_t *playout;
    duck_t duck;
    comfort_t comfort;
    uint32_t seq;
    /* speech */
    stream_t *stream;
    bench_ears_t *ears;
    int16_t *said; /* by the synthesiser, to be handed over */
    size_t said_samples;
    flite_word_t words[WORDS_MAX];
    size_t word_count;
    size_t *source;
    bool synthesising;
    /* from speech to telephony, in effect after the tick */
    uint32_t flush, rise; /* turns; 0: none */
};

/* ---- speech's sinks ---- */

static void hear_begin(void *arg, Pl__Expect expect, const char *lang)
{
    bench_call_t *self = arg;
    (void)lang;
    bench_ears_begin(self->ears, self->now_us, expect);
}

static void hear(void *arg, const int16_t *pcm, size_t samples)
{
    bench_call_t *self = arg;
    bench_ears_feed(self->ears, self->now_us, pcm, samples);
}

static void hear_pause(void *arg)
{
    bench_call_t *self = arg;
    bench_ears_pause(self->ears, self->now_us);
}

static void hear_end(void *arg)
{
    bench_call_t *self = arg;
    bench_ears_end(self->ears, self->now_us);
}

static void hear_drop(void *arg)
{
    bench_call_t *self = arg;
    bench_ears_drop(self->ears);
}

static pl_err_t synthesise(void *arg, const Pl__Say *sentence)
{
    bench_call_t *self = arg;
    free(self->said);
    free(self->source);
    self->said = NULL;
    char *text = spoken_text(sentence->text, "en-US", &self->source);
    pl_err_t err = flite_voice_words("slt", 1.0, text, &self->said, &self->said_samples,
                                     self->words, WORDS_MAX, &self->word_count);
    free(text);
    self->synthesising = !err;
    return err;
}

static void synthesis_cancel(void *arg)
{
    ((bench_call_t *)arg)->synthesising = false;
}

static pl_err_t say_out(void *arg, Pl__LaneSayOut *out)
{
    bench_call_t *self = arg;
    (void)playout_put(self->playout, out->turn, out->seq, out->pcm.data, out->pcm.len,
                      out->not_interruptible, out->last);
    return PL_OK;
}

static void flush(void *arg, uint32_t turn)
{
    ((bench_call_t *)arg)->flush = turn;
}

static void let_rise(void *arg, uint32_t turn)
{
    ((bench_call_t *)arg)->rise = turn;
}

static void on_event(void *arg, Pl__Envelope *env)
{
    bench_call_t *self = arg;
    self->event(self->arg, self->now_us, env);
}

static void on_partial(void *arg, uint64_t now_us, const char *text, size_t samples)
{
    stream_partial(((bench_call_t *)arg)->stream, now_us, text, samples);
}

static void on_final(void *arg, uint64_t now_us, const char *text, double confidence)
{
    stream_final(((bench_call_t *)arg)->stream, now_us, text, confidence);
}

/* ---- the wire ---- */

static void end_open(end_t *self, codec_kind_t kind, const path_opts_t *path, uint32_t seed)
{
    path_opts_t opts = *path;
    opts.seed = path->seed + seed;
    self->codec = codec_new(kind);
    self->receiver = receiver_new(self->codec, codec_info(kind), JITTER_MIN_MS, JITTER_MAX_MS);
    self->out = path_new(&opts);
}

static void end_close(end_t *self)
{
    receiver_destroy(&self->receiver);
    codec_destroy(&self->codec);
    path_destroy(&self->out);
}

static void send_frame(bench_call_t *self, end_t *from, const int16_t *pcm)
{
    uint8_t bytes[HEAD_BYTES + CODEC_MAX_PAYLOAD_BYTES];
    memcpy(bytes, &from->timestamp, HEAD_BYTES);
    size_t size = codec_encode(from->codec, pcm, bytes + HEAD_BYTES);
    path_put(from->out, self->now_us, bytes, HEAD_BYTES + size);
    from->timestamp += self->info->ticks_per_frame;
}

static receiver_frame_t take_frame(bench_call_t *self, end_t *at, end_t *from, int16_t *pcm)
{
    uint8_t bytes[PATH_BYTES_MAX];
    size_t size = 0;
    while ((size = path_take(from->out, self->now_us, bytes)) > HEAD_BYTES) {
        uint32_t timestamp = 0;
        memcpy(&timestamp, bytes, HEAD_BYTES);
        (void)receiver_packet(at->receiver, self->now_us, timestamp, bytes + HEAD_BYTES,
                              size - HEAD_BYTES);
    }
    return receiver_frame(at->receiver, self->now_us, pcm);
}

/* ---- a tick ---- */

static void caller_tick(bench_call_t *self)
{
    int16_t ear[CODEC_FRAME_SAMPLES];
    int16_t mouth[CODEC_FRAME_SAMPLES] = {0};
    int16_t mic[CODEC_FRAME_SAMPLES];
    receiver_frame_t frame = take_frame(self, &self->caller, &self->bot, ear);
    if (frame.missing) memset(ear, 0, sizeof ear);
    size_t left = self->mouth_samples - self->mouth_at;
    size_t count = left < CODEC_FRAME_SAMPLES ? left : CODEC_FRAME_SAMPLES;
    if (count > 0) memcpy(mouth, self->mouth + self->mouth_at, count * sizeof *mouth);
    self->mouth_at += count;
    room_mic(self->room, mouth, ear, mic);
    send_frame(self, &self->caller, mic);
}

static void capture(bench_call_t *self)
{
    int16_t pcm[CODEC_FRAME_SAMPLES];
    receiver_frame_t frame = take_frame(self, &self->bot, &self->caller, pcm);
    float echo_db = CLEANER_SILENCE_DB;
    if (self->cleaner) echo_db = cleaner_heard(self->cleaner, pcm, frame.missing);
    vad_result_t voice = vad_frame_over(&self->vad, frame.missing ? NULL : pcm, echo_db);
    duck_heard(&self->duck, voice.sound,
               playout_playing(self->playout) && !playout_firm(self->playout));
    Pl__LaneHeardIn in = PL__LANE_HEARD_IN__INIT;
    in.seq = self->seq++;
    if (!frame.missing) in.pcm = (ProtobufCBinaryData){PL_FRAME_BYTES, (uint8_t *)pcm};
    in.voice = voice.voice;
    in.level_cb = voice.level_cb;
    in.floor_cb = voice.floor_cb;
    in.concealed = frame.concealed;
    (void)stream_heard(self->stream, self->now_us, &in);
}

static void play(bench_call_t *self)
{
    int16_t pcm[CODEC_FRAME_SAMPLES];
    if (playout_tick(self->playout, pcm))
        duck_apply(&self->duck, pcm);
    else
        comfort_add(&self->comfort, pcm);
    send_frame(self, &self->bot, pcm);
    const int16_t *narrow = codec_narrow(self->bot.codec);
    if (self->cleaner) cleaner_played(self->cleaner, narrow ? narrow : pcm);
    self->out(self->arg, self->now_us, pcm);
}

static void report(bench_call_t *self)
{
    playout_report_t r;
    while (playout_report(self->playout, &r)) {
        Pl__LanePlayed played = PL__LANE_PLAYED__INIT;
        played.turn = r.turn;
        played.heard_ms = r.heard_ms;
        played.started = r.started;
        played.finished = r.finished;
        played.flushed = r.flushed;
        played.credit_ms = r.credit_ms;
        (void)stream_played(self->stream, self->now_us, &played);
    }
}

static void synthesised(bench_call_t *self)
{
    if (!self->synthesising) return;
    self->synthesising = false;
    clip_t *clip = clip_new(self->said, self->said_samples);
    free(self->said);
    size_t *source = self->source;
    self->said = NULL;
    self->source = NULL;
    stream_audio(self->stream, self->now_us, clip);
    clip_drop(&clip);
    for (size_t i = 0; i < self->word_count; i++)
        stream_said(self->stream, source[self->words[i].bytes - 1], self->words[i].samples);
    stream_synthesised(self->stream, self->now_us);
    free(source);
}

static void obey(bench_call_t *self)
{
    if (self->flush) playout_flush(self->playout, self->flush);
    if (self->rise && playout_turn(self->playout) == self->rise) duck_rise(&self->duck);
    self->flush = self->rise = 0;
}

void bench_call_tick(bench_call_t *self)
{
    self->now_us += TICK_US;
    caller_tick(self);
    capture(self);
    play(self);
    bench_ears_tick(self->ears, self->now_us);
    synthesised(self);
    obey(self);
    report(self);
    stream_tick(self->stream, self->now_us);
}

/* ---- life ---- */

bench_call_t *bench_call_new(const bench_call_opts_t *opts, bench_event_fn *event,
                             bench_out_fn *out, void *arg)
{
    bench_call_t *self = calloc(1, sizeof *self);
    assert(self);
    self->event = event;
    self->out = out;
    self->arg = arg;
    self->now_us = 1000000;
    self->info = codec_info(opts->codec);
    end_open(&self->bot, opts->codec, &opts->path, 11);
    end_open(&self->caller, opts->codec, &opts->path, 23);
    self->room = room_new(&opts->room);
    cleaner_opts_t clean = {.echo = !opts->bare, .noise = !opts->bare};
    self->cleaner = cleaner_new(codec_narrow(self->bot.codec) ? 8000 : 16000, &clean);
    vad_init(&self->vad, 0.5);
    self->playout = playout_new(CREDIT_MS);
    comfort_init(&self->comfort, -65, 99);
    bench_ears_sink_t texts = {on_partial, on_final, self};
    self->ears = bench_ears_new(codec_narrow(self->bot.codec) != NULL, &texts);
    stream_sink_t sink = {hear_begin,       hear,    hear_pause, hear_end, hear_drop, synthesise,
                          synthesis_cancel, say_out, flush,      let_rise, on_event,  self};
    stream_opts_t stream = {"en-US", {{.silence_ms = 500}, .final_ms = 100}, .cutoff_ms = 250};
    self->stream = stream_new(&stream, &sink);
    return self;
}

void bench_call_destroy(bench_call_t **self_p)
{
    bench_call_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    stream_destroy(&self->stream);
    bench_ears_destroy(&self->ears);
    playout_destroy(&self->playout);
    cleaner_destroy(&self->cleaner);
    room_destroy(&self->room);
    end_close(&self->bot);
    end_close(&self->caller);
    free(self->mouth);
    free(self->said);
    free(self->source);
    free(self);
}

uint64_t bench_call_now_us(const bench_call_t *self)
{
    return self->now_us;
}

void bench_call_say(bench_call_t *self, uint32_t turn, const char *text)
{
    Pl__Say say = PL__SAY__INIT;
    say.turn = turn;
    say.text = (char *)text;
    say.last = true;
    (void)stream_say(self->stream, self->now_us, &say);
}

void bench_call_listen(bench_call_t *self, Pl__Expect expect)
{
    Pl__Listen listen = PL__LISTEN__INIT;
    listen.expect = expect;
    stream_listen(self->stream, &listen);
}

bool bench_call_bot_speaks(const bench_call_t *self)
{
    return playout_playing(self->playout);
}

void bench_call_mouth(bench_call_t *self, const int16_t *pcm, size_t samples)
{
    free(self->mouth);
    self->mouth = malloc(samples * sizeof *pcm + 1);
    assert(self->mouth);
    memcpy(self->mouth, pcm, samples * sizeof *pcm);
    self->mouth_samples = samples;
    self->mouth_at = 0;
}
