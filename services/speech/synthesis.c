#include "services/speech/synthesis.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/metrics.h"
#include "services/speech/phrase_cache.h"
#include "services/speech/voices.h"
#include "services/speech/voicing.h"

enum { KEY_BYTES = PHRASE_TEXT_MAX + 256, MEGABYTE = 1024 * 1024 };

typedef struct {
    pl_metric_t *hits, *misses, *bytes;
} metrics_t;

struct synthesis {
    pl_loop_t *loop;
    voices_t *voices;
    phrase_cache_t *cache;
    bool warms;
    voicing_opts_t opts;
    synthesis_job_t *warm_first, *warm_last; /* waiting, by next */
    synthesis_job_t *warming;                /* NULL: none is under way */
    size_t warm_count;
    metrics_t metrics;
};

struct synthesis_job {
    synthesis_t *owner;
    synthesis_job_t *next; /* of those waiting to be warmed */
    synthesis_sink_t sink;
    tts_say_t say;       /* its strings are the job's own */
    char key[KEY_BYTES]; /* "": too long to be kept */
    bool again;          /* warmed: it will be said */
    bool from_cache;     /* its delivery is posted */
    bool cancelled;      /* while that is so */
    phrase_t *recording; /* for the cache; NULL: not kept */
    voicing_t *voicing;
};

/* ---- jobs ---- */

static char *copy(const char *text)
{
    char *out = strdup(text ? text : "");
    assert(out);
    return out;
}

static synthesis_job_t *job_new(synthesis_t *owner, const tts_say_t *say,
                                const synthesis_sink_t *sink)
{
    synthesis_job_t *job = calloc(1, sizeof *job);
    assert(job);
    job->owner = owner;
    job->sink = *sink;
    job->say =
        (tts_say_t){copy(say->text), copy(say->lang), copy(say->voice), say->rate, say->style};
    return job;
}

static void job_free(synthesis_job_t *job)
{
    phrase_destroy(&job->recording);
    free((char *)job->say.text);
    free((char *)job->say.lang);
    free((char *)job->say.voice);
    free(job);
}

/* ---- a provider at work ---- */

static void on_audio(void *arg, const int16_t *pcm, size_t samples)
{
    synthesis_job_t *job = arg;
    clip_t *clip = clip_new(pcm, samples);
    if (job->recording) phrase_add(job->recording, clip);
    job->sink.audio(job->sink.arg, clip);
    clip_drop(&clip);
}

static void on_said(void *arg, size_t bytes, size_t samples)
{
    synthesis_job_t *job = arg;
    if (job->recording) phrase_add_word(job->recording, bytes, samples);
    job->sink.said(job->sink.arg, bytes, samples);
}

static void on_done(void *arg, pl_err_t err, bool pure)
{
    synthesis_job_t *job = arg;
    synthesis_t *self = job->owner;
    synthesis_sink_t sink = job->sink;
    if (!err && pure && job->recording) phrase_cache_put(self->cache, job->key, &job->recording);
    pl_metric_set(self->metrics.bytes, (double)phrase_cache_bytes(self->cache));
    job_free(job);
    sink.done(sink.arg, err);
}

static void make_key(synthesis_job_t *job, const voices_choice_t *choice)
{
    job->key[0] = '\0';
    if (strlen(job->say.text) > PHRASE_TEXT_MAX) return;
    int bytes =
        snprintf(job->key, sizeof job->key, "%s\n%s\n%s\n%.3f\n%d\n%s", choice->provider->name,
                 choice->voice, job->say.lang, job->say.rate, (int)job->say.style, job->say.text);
    if (bytes < 0 || (size_t)bytes >= sizeof job->key) job->key[0] = '\0';
}

static pl_err_t start(synthesis_job_t *job)
{
    synthesis_t *self = job->owner;
    voices_choice_t choices[VOICES_CHOICES_MAX];
    size_t count = voices_list(self->voices, job->say.lang, job->say.voice, choices);
    if (count == 0) return PL_NOT_FOUND;
    bool keep = job->key[0] && phrase_cache_wants(self->cache, job->key, job->again);
    if (keep) job->recording = phrase_new();
    voicing_sink_t sink = {on_audio, on_said, on_done, job};
    job->voicing = voicing_new(self->loop, choices, count, &self->opts, &job->say, &sink);
    return PL_OK;
}

/* ---- out of the cache ---- */

static void deliver(const synthesis_job_t *job, const phrase_t *phrase)
{
    for (size_t i = 0; i < phrase->clip_count && !job->cancelled; i++)
        job->sink.audio(job->sink.arg, phrase->clips[i]);
    for (size_t i = 0; i < phrase->word_count && !job->cancelled; i++)
        job->sink.said(job->sink.arg, phrase->words[i].bytes, phrase->words[i].samples);
}

static void on_cached(void *arg)
{
    synthesis_job_t *job = arg;
    job->from_cache = false;
    if (job->cancelled) {
        job_free(job);
        return;
    }
    const phrase_t *phrase = phrase_cache_find(job->owner->cache, job->key);
    if (!phrase) { /* driven out just now */
        pl_err_t err = start(job);
        if (err) on_done(job, err, false);
        return;
    }
    job->from_cache = true; /* a cancel meanwhile leaves it to us */
    deliver(job, phrase);
    synthesis_sink_t sink = job->sink;
    bool cancelled = job->cancelled;
    job_free(job);
    if (!cancelled) sink.done(sink.arg, PL_OK);
}

pl_err_t synthesis_say(synthesis_t *self, synthesis_job_t **out, const tts_say_t *say,
                       const synthesis_sink_t *sink)
{
    voices_choice_t choice;
    pl_err_t err = voices_pick(self->voices, say->lang, say->voice, &choice);
    if (err) return err;
    synthesis_job_t *job = job_new(self, say, sink);
    make_key(job, &choice);
    bool cached = job->key[0] && phrase_cache_has(self->cache, job->key);
    pl_metric_add(cached ? self->metrics.hits : self->metrics.misses, 1);
    if (cached) {
        job->from_cache = true;
        pl_loop_post(self->loop, on_cached, job);
    } else {
        err = start(job);
    }
    if (err) {
        job_free(job);
        return err;
    }
    *out = job;
    return PL_OK;
}

void synthesis_cancel(synthesis_job_t **job_p)
{
    synthesis_job_t *job = *job_p;
    if (!job) return;
    *job_p = NULL;
    if (job->from_cache) {
        job->cancelled = true;
        return;
    }
    voicing_cancel(&job->voicing);
    job_free(job);
}

/* ---- warming ---- */

static void warm_next(synthesis_t *self);

static void no_audio(void *arg, clip_t *clip)
{
    (void)arg;
    (void)clip;
}

static void no_word(void *arg, size_t bytes, size_t samples)
{
    (void)arg;
    (void)bytes;
    (void)samples;
}

static void on_warm(void *arg, pl_err_t err)
{
    synthesis_t *self = arg;
    (void)err; /* it has been logged */
    self->warming = NULL;
    warm_next(self);
}

static void warm_next(synthesis_t *self)
{
    while (!self->warming && self->warm_first) {
        synthesis_job_t *job = self->warm_first;
        self->warm_first = job->next;
        if (!self->warm_first) self->warm_last = NULL;
        self->warm_count--;
        voices_choice_t choice;
        pl_err_t err = voices_pick(self->voices, job->say.lang, job->say.voice, &choice);
        if (!err) make_key(job, &choice);
        bool useful = !err && job->key[0] && !phrase_cache_has(self->cache, job->key);
        if (useful && start(job) == PL_OK)
            self->warming = job;
        else
            job_free(job);
    }
    if (!self->warming)
        log_info("cache.warm", "phrases=%zu bytes=%zu", phrase_cache_count(self->cache),
                 phrase_cache_bytes(self->cache));
}

void synthesis_warm(synthesis_t *self, const tts_say_t *say)
{
    if (!self->warms || self->warm_count == SYNTHESIS_WARM_MAX) return;
    synthesis_sink_t sink = {no_audio, no_word, on_warm, self};
    synthesis_job_t *job = job_new(self, say, &sink);
    job->again = true;
    if (self->warm_last)
        self->warm_last->next = job;
    else
        self->warm_first = job;
    self->warm_last = job;
    self->warm_count++;
    if (!self->warming) warm_next(self);
}

/* ---- life ---- */

pl_err_t synthesis_new(synthesis_t **out, pl_loop_t *loop, const pl_config_t *cfg)
{
    synthesis_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    size_t room = (size_t)pl_config_int(cfg, "speech.tts.cache.size_mb") * MEGABYTE;
    self->warms = room > 0 && pl_config_bool(cfg, "speech.tts.cache.warm");
    self->cache = phrase_cache_new(room);
    self->opts = (voicing_opts_t){(uint32_t)pl_config_int(cfg, "speech.tts.first_audio_ms"),
                                  pl_config_bool(cfg, "speech.tts.hedge")};
    self->metrics = (metrics_t){
        pl_metric_counter("parley_tts_cache_hits_total", NULL, "Sentences said out of the cache"),
        pl_metric_counter("parley_tts_cache_misses_total", NULL, "Sentences synthesised"),
        pl_metric_gauge("parley_tts_cache_bytes", NULL, "Audio kept of sentences said before"),
    };
    pl_metric_set(self->metrics.bytes, 0);
    pl_err_t err = voices_new(&self->voices, loop, cfg);
    if (err) {
        synthesis_destroy(&self);
        return err;
    }
    *out = self;
    return PL_OK;
}

void synthesis_destroy(synthesis_t **self_p)
{
    synthesis_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    synthesis_cancel(&self->warming);
    while (self->warm_first) {
        synthesis_job_t *job = self->warm_first;
        self->warm_first = job->next;
        job_free(job);
    }
    voices_destroy(&self->voices);
    phrase_cache_destroy(&self->cache);
    free(self);
}
