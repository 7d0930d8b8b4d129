#include "services/speech/providers/voice_pool.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/lane.h"
#include "common/log.h"
#include "common/worker.h"
#include "services/speech/clause.h"
#include "services/speech/resample.h"
#include "services/speech/trim.h"

enum { THREADS_MAX = 16, CLAUSE_PAUSE_MS = 120, MARKS_MAX = 256 /* words of a clause */ };

typedef struct job job_t;

typedef struct {
    size_t bytes, samples;
} mark_t;

typedef struct {
    voice_pool_t *pool;
    pl_worker_t *worker;
    job_t *job; /* NULL: free */
} thread_t;

struct voice_pool {
    pl_loop_t *home;
    voice_say_fn *say;
    uint32_t hz;
    thread_t threads[THREADS_MAX];
    size_t count;
    job_t *waiting; /* oldest first */
    size_t refs;    /* jobs on threads, and the owner */
};

struct job {
    voice_pool_t *pool;
    thread_t *thread;
    job_t *next;
    tts_sink_t sink;
    bool wanted; /* on the home loop: call back */
    atomic_bool cancelled;
    char *text, *lang, *voice;
    tts_say_t say; /* of the clause being said; its strings are the three above */
    resample_t *resample;
    trim_t *trim;
    pl_err_t err;
    size_t given;            /* samples, at 16 kHz */
    mark_t marks[MARKS_MAX]; /* of the clause, in samples as emitted */
    size_t mark_count;
};

typedef struct {
    job_t *job;
    size_t samples;
    int16_t pcm[];
} piece_t;

typedef struct {
    job_t *job;
    mark_t mark;
} word_t;

/* ---- on a pool's thread ---- */

static void on_piece(void *arg);
static void on_word(void *arg);
static void on_done(void *arg);

static void give(void *arg, const int16_t *pcm, size_t samples)
{
    job_t *job = arg;
    piece_t *piece = malloc(sizeof *piece + samples * sizeof *pcm);
    assert(piece);
    piece->job = job;
    piece->samples = samples;
    memcpy(piece->pcm, pcm, samples * sizeof *pcm);
    job->given += samples;
    pl_loop_post(job->pool->home, on_piece, piece);
}

static void to_trim(void *arg, const int16_t *pcm, size_t samples)
{
    job_t *job = arg;
    trim_feed(job->trim, pcm, samples);
}

static bool emit(void *arg, const int16_t *pcm, size_t samples)
{
    job_t *job = arg;
    if (atomic_load(&job->cancelled)) return false;
    resample_feed(job->resample, pcm, samples);
    return true;
}

static void said(void *arg, size_t bytes, size_t samples)
{
    job_t *job = arg;
    size_t last = job->mark_count > 0 ? job->marks[job->mark_count - 1].bytes : 0;
    if (bytes > last && job->mark_count < MARKS_MAX)
        job->marks[job->mark_count++] = (mark_t){bytes, samples};
}

/* Tells the words of the clause that begins at that byte, its audio at that sample. */
static void tell_words(job_t *job, size_t byte, size_t sample)
{
    size_t skipped = trim_skipped(job->trim);
    for (size_t i = 0; i < job->mark_count; i++) {
        size_t at = (size_t)((uint64_t)job->marks[i].samples * PL_FRAME_HZ / job->pool->hz);
        at = sample + (at > skipped ? at - skipped : 0);
        word_t *word = malloc(sizeof *word);
        assert(word);
        word->job = job;
        word->mark = (mark_t){byte + job->marks[i].bytes, at < job->given ? at : job->given};
        pl_loop_post(job->pool->home, on_word, word);
    }
    job->mark_count = 0;
}

static void pause_between(job_t *job)
{
    static const int16_t zeros[CLAUSE_PAUSE_MS * PL_FRAME_HZ / 1000] = {0};
    give(job, zeros, sizeof zeros / sizeof *zeros);
}

static pl_err_t say_clauses(job_t *job)
{
    pl_err_t err = PL_INVALID; /* nothing to say, unless some clause says something */
    char *rest = job->text;
    const voice_out_t out = {emit, said, job};
    while (*rest && !atomic_load(&job->cancelled)) {
        size_t bytes = clause_bytes(rest);
        char kept = rest[bytes];
        rest[bytes] = '\0';
        job->say.text = rest;
        if (err == PL_OK) pause_between(job);
        size_t sample = job->given;
        pl_err_t one = job->pool->say(&job->say, &out);
        resample_end(job->resample);
        trim_end(job->trim);
        tell_words(job, (size_t)(rest - job->text), sample);
        if (one != PL_INVALID) err = one;
        rest[bytes] = kept;
        rest += bytes;
        if (one && one != PL_INVALID) break;
    }
    return err;
}

static void do_job(void *arg)
{
    job_t *job = arg;
    job->trim = trim_new(give, job);
    job->resample = resample_new(job->pool->hz, to_trim, job);
    job->err = say_clauses(job);
    resample_destroy(&job->resample);
    trim_destroy(&job->trim);
    pl_loop_post(job->pool->home, on_done, job);
}

/* ---- on the home loop ---- */

static void job_free(job_t *job)
{
    free(job->text);
    free(job->lang);
    free(job->voice);
    free(job);
}

static void unref(voice_pool_t *self)
{
    if (--self->refs == 0) free(self);
}

static void assign(voice_pool_t *self)
{
    for (size_t i = 0; i < self->count && self->waiting; i++) {
        thread_t *t = &self->threads[i];
        if (t->job) continue;
        job_t *job = self->waiting;
        self->waiting = job->next;
        job->thread = t;
        t->job = job;
        self->refs++;
        pl_loop_post(pl_worker_loop(t->worker), do_job, job);
    }
}

static void on_piece(void *arg)
{
    piece_t *piece = arg;
    job_t *job = piece->job;
    if (job->wanted) job->sink.audio(job->sink.arg, piece->pcm, piece->samples);
    free(piece);
}

static void on_word(void *arg)
{
    word_t *word = arg;
    job_t *job = word->job;
    if (job->wanted) job->sink.said(job->sink.arg, word->mark.bytes, word->mark.samples);
    free(word);
}

static void on_done(void *arg)
{
    job_t *job = arg;
    voice_pool_t *self = job->pool;
    tts_sink_t sink = job->sink;
    bool wanted = job->wanted;
    pl_err_t err = job->err;
    job->thread->job = NULL;
    job_free(job);
    assign(self);
    if (wanted) sink.done(sink.arg, err);
    unref(self);
}

voice_pool_t *voice_pool_new(pl_loop_t *home, const char *name, size_t threads, uint32_t hz,
                             voice_say_fn *say)
{
    voice_pool_t *self = calloc(1, sizeof *self);
    assert(self && threads >= 1 && threads <= THREADS_MAX);
    self->home = home;
    self->say = say;
    self->hz = hz;
    self->count = threads;
    self->refs = 1;
    for (size_t i = 0; i < threads; i++) {
        char full[16];
        (void)snprintf(full, sizeof full, "%.12s-%zu", name, i % 100);
        self->threads[i].pool = self;
        self->threads[i].worker = pl_worker_new(full);
    }
    return self;
}

void voice_pool_destroy(voice_pool_t **self_p)
{
    voice_pool_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    assert(!self->waiting);
    for (size_t i = 0; i < self->count; i++) pl_worker_destroy(&self->threads[i].worker);
    unref(self);
}

static char *copy(const char *text)
{
    char *out = strdup(text ? text : "");
    assert(out);
    return out;
}

pl_err_t voice_pool_say(voice_pool_t *self, void **out, const tts_say_t *say,
                        const tts_sink_t *sink)
{
    job_t *job = calloc(1, sizeof *job);
    assert(job);
    job->pool = self;
    job->sink = *sink;
    job->wanted = true;
    atomic_init(&job->cancelled, false);
    job->text = copy(say->text);
    job->lang = copy(say->lang);
    job->voice = copy(say->voice);
    job->say = (tts_say_t){job->text, job->lang, job->voice, say->rate, say->style};
    job_t **at = &self->waiting;
    while (*at) at = &(*at)->next;
    *at = job;
    *out = job;
    assign(self);
    return PL_OK;
}

void voice_pool_cancel(void **job_p)
{
    job_t *job = *job_p;
    if (!job) return;
    *job_p = NULL;
    job->wanted = false;
    atomic_store(&job->cancelled, true);
    if (job->thread) return; /* its thread reports the end of it */
    for (job_t **at = &job->pool->waiting; *at; at = &(*at)->next) {
        if (*at != job) continue;
        *at = job->next;
        break;
    }
    job_free(job);
}
