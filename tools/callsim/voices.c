#include "tools/callsim/voices.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "services/speech/providers/flite_voice.h"

enum { CACHE_BUCKETS = 512, KEY_BYTES = 1200 };

typedef struct cached {
    struct cached *next;
    char *key;
    int16_t *pcm;
    size_t samples;
} cached_t;

typedef struct job {
    struct job *next;
    struct voices *voices;
    char voice[32];
    double rate;
    char **texts;
    line_audio_t *lines;
    size_t count;
    voices_done_fn *done;
    void *arg;
    pl_err_t err;
} job_t;

struct voices {
    pl_loop_t *loop;
    pthread_t thread;
    cached_t *cache[CACHE_BUCKETS]; /* the thread's */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    job_t *first, **last;
    atomic_bool stopping;
    bool dead;   /* loop's thread: destroyed, jobs under way call nobody */
    size_t open; /* loop's thread: jobs not called back */
};

static cached_t **bucket_of(voices_t *self, const char *key)
{
    uint32_t hash = 2166136261U;
    for (const char *at = key; *at; at++) hash = (hash ^ (unsigned char)*at) * 16777619U;
    return &self->cache[hash % CACHE_BUCKETS];
}

static pl_err_t say(voices_t *self, const job_t *job, const char *text, line_audio_t *out)
{
    char key[KEY_BYTES];
    snprintf(key, sizeof key, "%s %.3f %s", job->voice, job->rate, text);
    cached_t **bucket = bucket_of(self, key);
    cached_t *hit = *bucket;
    while (hit && strcmp(hit->key, key) != 0) hit = hit->next;
    if (!hit) {
        int16_t *pcm = NULL;
        size_t samples = 0;
        pl_err_t err = flite_voice_say(job->voice, job->rate, text, &pcm, &samples);
        if (err) return err;
        hit = calloc(1, sizeof *hit);
        assert(hit);
        *hit = (cached_t){.next = *bucket, .key = strdup(key), .pcm = pcm, .samples = samples};
        assert(hit->key);
        *bucket = hit;
    }
    *out = (line_audio_t){.pcm = hit->pcm, .samples = hit->samples};
    return PL_OK;
}

static void job_free(job_t *job)
{
    for (size_t i = 0; i < job->count; i++) free(job->texts[i]);
    free(job->texts);
    free(job->lines);
    free(job);
}

static void self_free(voices_t *self)
{
    for (size_t i = 0; i < CACHE_BUCKETS; i++) {
        while (self->cache[i]) {
            cached_t *next = self->cache[i]->next;
            free(self->cache[i]->key);
            free(self->cache[i]->pcm);
            free(self->cache[i]);
            self->cache[i] = next;
        }
    }
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->wake);
    free(self);
}

static void finish(void *arg)
{
    job_t *job = arg;
    voices_t *self = job->voices;
    self->open--;
    if (!self->dead) job->done(job->arg, job->err, job->lines);
    job_free(job);
    if (self->dead && self->open == 0) self_free(self);
}

static job_t *take(voices_t *self)
{
    pthread_mutex_lock(&self->lock);
    while (!self->first && !self->stopping) pthread_cond_wait(&self->wake, &self->lock);
    job_t *job = self->first;
    if (job) self->first = job->next;
    if (!self->first) self->last = &self->first;
    pthread_mutex_unlock(&self->lock);
    return job;
}

static void *run(void *arg)
{
    voices_t *self = arg;
    for (job_t *job; (job = take(self));) {
        for (size_t i = 0; i < job->count && !job->err && !self->stopping; i++) {
            if (job->texts[i]) job->err = say(self, job, job->texts[i], &job->lines[i]);
        }
        if (job->err) {
            log_error("callsim.voice_failed", "voice=%s err=%s", job->voice, pl_err_name(job->err));
        }
        pl_loop_post(self->loop, finish, job);
    }
    return NULL;
}

voices_t *voices_new(pl_loop_t *loop)
{
    voices_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->last = &self->first;
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->wake, NULL);
    int rc = pthread_create(&self->thread, NULL, run, self);
    assert(rc == 0);
    return self;
}

void voices_destroy(voices_t **self_p)
{
    voices_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    self->dead = true;
    pthread_mutex_lock(&self->lock);
    self->stopping = true;
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&self->lock);
    (void)pthread_join(self->thread, NULL);
    if (self->open == 0) self_free(self); /* else the last job's finish does */
}

void voices_say(voices_t *self, const char *voice, double rate, const char *const *texts,
                size_t count, voices_done_fn *done, void *arg)
{
    job_t *job = calloc(1, sizeof *job);
    assert(job);
    job->voices = self;
    job->rate = rate;
    job->count = count;
    job->done = done;
    job->arg = arg;
    snprintf(job->voice, sizeof job->voice, "%s", voice);
    job->texts = calloc(count + 1, sizeof *job->texts);
    job->lines = calloc(count + 1, sizeof *job->lines);
    assert(job->texts && job->lines);
    for (size_t i = 0; i < count; i++) {
        job->texts[i] = texts[i] ? strdup(texts[i]) : NULL;
        assert(!texts[i] || job->texts[i]);
    }
    self->open++;
    pthread_mutex_lock(&self->lock);
    *self->last = job;
    self->last = &job->next;
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&self->lock);
}
