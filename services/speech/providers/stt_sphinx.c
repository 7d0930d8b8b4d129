/* stt_sphinx: recognition by a pool of PocketSphinx decoders, each with a thread of its own.
 *
 * An utterance borrows a decoder from its first samples to its final text. When none is free its
 * audio is kept and decoded, faster than real time, when one comes free; utterances of a stream are
 * decoded in order, one at a time. Nothing of an utterance stays in a decoder: it begins each one
 * from the model's own means (sphinx.c), so that no caller is heard through another's words.
 *
 * All bookkeeping is on the home loop. A decoder's thread gets jobs about an utterance and posts
 * texts back; the utterance lives until its decoder has reported the end of it.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/lane.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/worker.h"
#include "services/speech/providers/sphinx.h"
#include "services/speech/stt.h"

enum {
    PARTIAL_SAMPLES = PL_FRAME_HZ / 4, /* between looks at the words so far */
    SLICE_SAMPLES = PL_FRAME_HZ / 10,  /* between looks whether it was dropped */
    NICE = 5,                          /* below the threads that keep the audio's clock */
    DECODERS_MAX = 64,
};

typedef struct engine engine_t;
typedef struct stt_stream stt_stream_t;
typedef struct utterance utterance_t;

typedef struct {
    engine_t *engine;
    pl_worker_t *worker;
    sphinx_t *sphinx; /* of the worker's thread once it is ready */
    pl_err_t err;     /* of loading */
    bool ready;
    utterance_t *utterance; /* NULL: free */
} decoder_t;

struct engine {
    pl_loop_t *loop;
    char *model_dir;
    decoder_t decoders[DECODERS_MAX];
    size_t count;
    utterance_t *waiting; /* for a decoder, oldest first */
    size_t refs;          /* what other threads will still post about, and the owner */
    bool closed;
    uint64_t start_ms;
    stt_failed_fn *failed; /* when not even one decoder can be had */
    void *failed_arg;
    pl_metric_t *ready, *busy, *queued;
};

struct stt_stream {
    engine_t *engine;
    stt_sink_t sink;
    Pl__Expect expect;
    bool narrow;
    stt_memory_t *memory; /* NULL: nothing is remembered */
    utterance_t *open;    /* being fed; NULL between utterances */
    utterance_t *decoded; /* on a decoder now */
};

struct utterance {
    engine_t *engine;
    stt_stream_t *stream; /* NULL: nobody wants its text any more */
    Pl__Expect expect;
    bool narrow;
    sphinx_voice_t voice; /* of the caller; the decoder's thread's between lending and the end */
    decoder_t *decoder;   /* NULL: waiting */
    utterance_t *next;    /* in the waiting list */
    int16_t *pcm;         /* kept while waiting */
    size_t samples, room;
    bool ended;
    atomic_bool dropped; /* read by the decoder's thread */
    size_t decoded;      /* samples; of the decoder's thread */
    size_t unlooked;     /* of them since the last partial; of the decoder's thread */
    pl_err_t err;        /* of decoding; of the decoder's thread until the final result */
};

typedef enum { JOB_BEGIN, JOB_FEED, JOB_LOOK, JOB_END } job_kind_t;

typedef struct {
    job_kind_t kind;
    utterance_t *utterance;
    sphinx_t *sphinx;
    size_t samples;
    int16_t *pcm; /* its own */
} job_t;

typedef struct {
    utterance_t *utterance;
    bool final;
    double confidence;
    size_t samples; /* of a partial */
    char text[];
} result_t;

static void assign(engine_t *self);

/* ---- on a decoder's thread ---- */

static void on_result(void *arg);

static void report(utterance_t *u, bool final, const char *text, double confidence, size_t samples)
{
    size_t bytes = strlen(text) + 1;
    result_t *r = malloc(sizeof *r + bytes);
    assert(r);
    r->utterance = u;
    r->final = final;
    r->confidence = confidence;
    r->samples = samples;
    memcpy(r->text, text, bytes);
    pl_loop_post(u->engine->loop, on_result, r);
}

static void look(const job_t *job)
{
    utterance_t *u = job->utterance;
    if (atomic_load(&u->dropped)) return;
    bool sure = false;
    const char *text = sphinx_partial(job->sphinx, &sure);
    u->unlooked = 0;
    report(u, false, text, 0, sure ? u->decoded : 0);
}

static void decode(const job_t *job)
{
    utterance_t *u = job->utterance;
    for (size_t at = 0; at < job->samples; at += SLICE_SAMPLES) {
        if (atomic_load(&u->dropped)) return;
        size_t count = job->samples - at;
        if (count > SLICE_SAMPLES) count = SLICE_SAMPLES;
        pl_err_t err = sphinx_feed(job->sphinx, job->pcm + at, count);
        if (err) u->err = err;
        u->decoded += count;
        u->unlooked += count;
        if (u->unlooked >= PARTIAL_SAMPLES) look(job);
    }
}

static void finish(const job_t *job)
{
    double confidence = 0;
    const char *text = sphinx_end(job->sphinx, &confidence);
    sphinx_learned(job->sphinx, &job->utterance->voice);
    bool dropped = atomic_load(&job->utterance->dropped);
    report(job->utterance, true, dropped ? "" : text, confidence, 0);
}

static void do_job(void *arg)
{
    job_t *job = arg;
    switch (job->kind) {
    case JOB_BEGIN:
        job->utterance->err = sphinx_begin(job->sphinx, job->utterance->expect,
                                           &job->utterance->voice, job->utterance->narrow);
        break;
    case JOB_FEED:
        decode(job);
        break;
    case JOB_LOOK:
        look(job);
        break;
    case JOB_END:
        finish(job);
        break;
    }
    free(job->pcm);
    free(job);
}

static void on_loaded(void *arg);

static void load(void *arg)
{
    decoder_t *d = arg;
    bool first = d == d->engine->decoders; /* callers wait for it, hardly for the others */
    if (!first) (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
    d->err = sphinx_new(&d->sphinx, d->engine->model_dir);
    if (first) (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
    pl_loop_post(d->engine->loop, on_loaded, d);
}

/* ---- the pool, on the home loop ---- */

static void unref(engine_t *self)
{
    if (--self->refs > 0) return;
    free(self->model_dir);
    free(self);
}

static void set_gauges(engine_t *self)
{
    size_t ready = 0, busy = 0, queued = 0;
    for (size_t i = 0; i < self->count; i++) {
        ready += self->decoders[i].ready;
        busy += self->decoders[i].utterance != NULL;
    }
    for (utterance_t *u = self->waiting; u; u = u->next) queued++;
    pl_metric_set(self->ready, (double)ready);
    pl_metric_set(self->busy, (double)busy);
    pl_metric_set(self->queued, (double)queued);
}

static void post_job(const utterance_t *u, job_kind_t kind, int16_t *pcm, size_t samples)
{
    job_t *job = calloc(1, sizeof *job);
    assert(job);
    job->kind = kind;
    job->utterance = (utterance_t *)u;
    job->sphinx = u->decoder->sphinx;
    job->pcm = pcm;
    job->samples = samples;
    pl_loop_post(pl_worker_loop(u->decoder->worker), do_job, job);
}

static void to_voice(sphinx_voice_t *out, const stt_memory_t *memory)
{
    out->count = memory->count < SPHINX_MEANS_MAX ? memory->count : 0;
    for (size_t i = 0; i < out->count; i++) out->mean[i] = memory->values[i];
}

static void from_voice(stt_memory_t *out, const sphinx_voice_t *voice)
{
    const size_t most = sizeof out->values / sizeof *out->values;
    out->count = voice->count < most ? voice->count : 0;
    for (size_t i = 0; i < out->count; i++) out->values[i] = voice->mean[i];
}

static void lend(decoder_t *d, utterance_t *u)
{
    u->decoder = d;
    d->utterance = u;
    u->stream->decoded = u;
    u->engine->refs++; /* until its final result */
    if (u->stream->memory) to_voice(&u->voice, u->stream->memory);
    post_job(u, JOB_BEGIN, NULL, 0);
    if (u->samples > 0)
        post_job(u, JOB_FEED, u->pcm, u->samples);
    else
        free(u->pcm);
    u->pcm = NULL;
    u->samples = u->room = 0;
    if (u->ended) post_job(u, JOB_END, NULL, 0);
}

static decoder_t *free_decoder(engine_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->decoders[i].ready && !self->decoders[i].utterance) return &self->decoders[i];
    }
    return NULL;
}

/* Lends free decoders to the utterances that wait longest, but never two to one stream. */
static void assign(engine_t *self)
{
    decoder_t *d = free_decoder(self);
    for (utterance_t **at = &self->waiting; d && *at;) {
        utterance_t *u = *at;
        if (u->stream->decoded) {
            at = &u->next;
            continue;
        }
        *at = u->next;
        lend(d, u);
        d = free_decoder(self);
    }
    set_gauges(self);
}

static void load_next(engine_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        decoder_t *d = &self->decoders[i];
        if (d->ready || d->err) continue;
        self->refs++;
        pl_loop_post(pl_worker_loop(d->worker), load, d);
        return; /* one after the other: the first utterances need the processors too */
    }
    log_info("sphinx.loaded", "decoders=%zu", self->count);
}

static void on_loaded(void *arg)
{
    decoder_t *d = arg;
    engine_t *self = d->engine;
    d->ready = d->err == PL_OK;
    log_info("sphinx.loading", "decoder=%zu err=%s since_start_ms=%" PRIu64,
             (size_t)(d - self->decoders), pl_err_name(d->err), pl_clock_ms() - self->start_ms);
    bool first = d == self->decoders;
    if (!self->closed && first && d->err) self->failed(self->failed_arg);
    if (!self->closed) {
        load_next(self);
        assign(self);
    }
    unref(self);
}

static void on_result(void *arg)
{
    result_t *r = arg;
    utterance_t *u = r->utterance;
    engine_t *self = u->engine;
    stt_stream_t *stream = u->stream;
    stt_sink_t sink = stream ? stream->sink : (stt_sink_t){NULL, NULL, NULL, NULL};
    if (!r->final) {
        if (stream) sink.partial(sink.arg, r->text, r->samples);
        free(r);
        return;
    }
    u->decoder->utterance = NULL;
    if (stream) stream->decoded = NULL;
    if (stream && stream->memory && !u->err && *r->text) from_voice(stream->memory, &u->voice);
    pl_err_t err = u->err;
    free(u);
    assign(self);
    if (stream && err) sink.failed(sink.arg, err);
    if (stream && !err) sink.final(sink.arg, r->text, r->confidence);
    free(r);
    unref(self);
}

/* ---- streams ---- */

static pl_err_t sphinx_open(void *engine, void **out, const stt_sink_t *sink)
{
    stt_stream_t *stream = calloc(1, sizeof *stream);
    assert(stream);
    stream->engine = engine;
    stream->sink = *sink;
    *out = stream;
    return PL_OK;
}

static void sphinx_listen(void *arg, Pl__Expect expect, const char *lang, bool narrow)
{
    stt_stream_t *stream = arg;
    stream->expect = expect;
    stream->narrow = narrow;
    (void)lang; /* its only model is English; other languages need another provider */
}

static void sphinx_remember(void *arg, stt_memory_t *memory)
{
    ((stt_stream_t *)arg)->memory = memory;
}

static utterance_t *utterance_new(stt_stream_t *stream)
{
    utterance_t *u = calloc(1, sizeof *u);
    assert(u);
    u->engine = stream->engine;
    u->stream = stream;
    u->expect = stream->expect;
    u->narrow = stream->narrow;
    atomic_init(&u->dropped, false);
    utterance_t **at = &stream->engine->waiting;
    while (*at) at = &(*at)->next;
    *at = u;
    stream->open = u;
    assign(stream->engine);
    return u;
}

static void keep(utterance_t *u, const int16_t *pcm, size_t samples)
{
    if (u->samples + samples > u->room) {
        u->room = 2 * (u->samples + samples);
        u->pcm = realloc(u->pcm, u->room * sizeof *u->pcm);
        assert(u->pcm);
    }
    memcpy(u->pcm + u->samples, pcm, samples * sizeof *pcm);
    u->samples += samples;
}

static pl_err_t sphinx_feed_stream(void *arg, const int16_t *pcm, size_t samples)
{
    stt_stream_t *stream = arg;
    if (samples == 0) return PL_OK;
    utterance_t *u = stream->open ? stream->open : utterance_new(stream);
    if (!u->decoder) {
        keep(u, pcm, samples);
        return PL_OK;
    }
    int16_t *copy = malloc(samples * sizeof *copy);
    assert(copy);
    memcpy(copy, pcm, samples * sizeof *copy);
    post_job(u, JOB_FEED, copy, samples);
    return PL_OK;
}

static void end_utterance(utterance_t *u)
{
    if (u->ended) return;
    u->ended = true;
    if (u->decoder) post_job(u, JOB_END, NULL, 0);
}

static void forget(utterance_t *u)
{
    atomic_store(&u->dropped, true);
    if (u->decoder) {
        if (u->stream) u->stream->decoded = NULL;
        u->stream = NULL;
        end_utterance(u);
        return;
    }
    for (utterance_t **at = &u->engine->waiting; *at; at = &(*at)->next) {
        if (*at != u) continue;
        *at = u->next;
        break;
    }
    free(u->pcm);
    free(u);
}

static void sphinx_pause(void *arg)
{
    const stt_stream_t *stream = arg;
    if (stream->open && stream->open->decoder) post_job(stream->open, JOB_LOOK, NULL, 0);
}

static void sphinx_end_of_speech(void *arg)
{
    stt_stream_t *stream = arg;
    utterance_t *u = stream->open ? stream->open : utterance_new(stream);
    stream->open = NULL;
    end_utterance(u);
}

static void sphinx_drop(void *arg)
{
    stt_stream_t *stream = arg;
    utterance_t *u = stream->open;
    stream->open = NULL;
    if (u) forget(u);
}

static void sphinx_close(void **stream_p)
{
    stt_stream_t *stream = *stream_p;
    if (!stream) return;
    *stream_p = NULL;
    if (stream->decoded) forget(stream->decoded);
    for (utterance_t **at = &stream->engine->waiting; *at;) {
        utterance_t *u = *at;
        if (u->stream != stream) {
            at = &u->next;
            continue;
        }
        *at = u->next;
        free(u->pcm);
        free(u);
    }
    set_gauges(stream->engine);
    free(stream);
}

/* ---- the engine ---- */

static void metrics_new(engine_t *self)
{
    self->ready = pl_metric_gauge("parley_stt_decoders", "state=\"ready\"", "Decoders by state");
    self->busy = pl_metric_gauge("parley_stt_decoders", "state=\"busy\"", "Decoders by state");
    self->queued = pl_metric_gauge("parley_stt_waiting", NULL, "Utterances without a decoder");
}

static pl_err_t sphinx_open_engine(void **out, pl_loop_t *loop, const pl_config_t *cfg,
                                   stt_failed_fn *failed, void *arg)
{
    const char *dir = pl_config_str(cfg, "speech.stt.sphinx.model_dir");
    pl_err_t err = sphinx_find_model(dir);
    if (err) {
        (void)fprintf(stderr,
                      "parley-speech: speech.stt.sphinx.model_dir: no English model can be read in "
                      "\"%s\" (Debian's pocketsphinx-en-us has one)\n",
                      dir);
        return err;
    }
    engine_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->failed = failed;
    self->failed_arg = arg;
    self->refs = 1;
    self->model_dir = strdup(dir);
    assert(self->model_dir);
    self->count = (size_t)pl_config_int(cfg, "speech.stt.sphinx.decoders");
    assert(self->count >= 1 && self->count <= DECODERS_MAX);
    metrics_new(self);
    for (size_t i = 0; i < self->count; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "sphinx-%zu", i);
        self->decoders[i].engine = self;
        self->decoders[i].worker = pl_worker_new(name);
    }
    self->start_ms = pl_clock_ms();
    load_next(self);
    *out = self;
    return PL_OK;
}

static void sphinx_close_engine(void **engine_p)
{
    engine_t *self = *engine_p;
    if (!self) return;
    *engine_p = NULL;
    assert(!self->waiting); /* streams go first */
    self->closed = true;
    for (size_t i = 0; i < self->count; i++) {
        pl_worker_destroy(&self->decoders[i].worker);
        sphinx_destroy(&self->decoders[i].sphinx);
    }
    unref(self);
}

const stt_provider_t stt_sphinx = {
    .name = "sphinx",
    .open_engine = sphinx_open_engine,
    .close_engine = sphinx_close_engine,
    .open = sphinx_open,
    .listen = sphinx_listen,
    .remember = sphinx_remember,
    .feed = sphinx_feed_stream,
    .pause = sphinx_pause,
    .end_of_speech = sphinx_end_of_speech,
    .drop = sphinx_drop,
    .close = sphinx_close,
};
