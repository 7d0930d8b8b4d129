#include "tools/callsim/listener.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "services/speech/providers/sphinx.h"

enum { MAX_WAITING_SAMPLES = 30 * 16000, CHUNK_SAMPLES = 1600 };

/* Audio of one utterance, in order; ended: no more comes. */
typedef struct utterance {
    struct utterance *next;
    int16_t *pcm;
    size_t samples, room, decoded;
    bool ended;
} utterance_t;

/* What is known on the loop; outlives the listener until the last post has run. */
typedef struct {
    listener_ready_fn *ready;
    listener_words_fn *words;
    void *arg;
    bool dead;
    unsigned references; /* the listener and each open post; guarded by the lock */
    pthread_mutex_t lock;
} receiver_t;

struct listener {
    pl_loop_t *loop;
    receiver_t *receiver;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    utterance_t *first, *last;
    size_t waiting; /* samples not decoded */
    bool stopping;
};

/* ---- telling the loop ---- */

typedef struct {
    receiver_t *receiver;
    pl_err_t err;
    char *words; /* NULL: this is about being ready */
} post_t;

static void release(receiver_t *receiver)
{
    pthread_mutex_lock(&receiver->lock);
    bool last = --receiver->references == 0;
    pthread_mutex_unlock(&receiver->lock);
    if (!last) return;
    pthread_mutex_destroy(&receiver->lock);
    free(receiver);
}

static void deliver(void *arg)
{
    post_t *post = arg;
    receiver_t *receiver = post->receiver;
    if (!receiver->dead && post->words) receiver->words(receiver->arg, post->words);
    if (!receiver->dead && !post->words) receiver->ready(receiver->arg, post->err);
    free(post->words);
    free(post);
    release(receiver);
}

static void tell(listener_t *self, pl_err_t err, const char *words)
{
    post_t *post = calloc(1, sizeof *post);
    assert(post);
    post->receiver = self->receiver;
    post->err = err;
    post->words = words ? strdup(words) : NULL;
    pthread_mutex_lock(&self->receiver->lock);
    self->receiver->references++;
    pthread_mutex_unlock(&self->receiver->lock);
    pl_loop_post(self->loop, deliver, post);
}

/* ---- the decoder's thread ---- */

typedef struct {
    int16_t pcm[CHUNK_SAMPLES];
    size_t samples;
    bool ended;
} chunk_t;

/* Waits for audio of the first utterance, or its end; false: stop. */
static bool take(listener_t *self, chunk_t *out)
{
    pthread_mutex_lock(&self->lock);
    utterance_t *first = NULL;
    for (;;) {
        first = self->first;
        bool something = first && (first->ended || first->decoded < first->samples);
        if (self->stopping || something) break;
        pthread_cond_wait(&self->wake, &self->lock);
    }
    bool go_on = !self->stopping;
    if (go_on) {
        size_t left = first->samples - first->decoded;
        out->samples = left < CHUNK_SAMPLES ? left : CHUNK_SAMPLES;
        if (out->samples) {
            memcpy(out->pcm, first->pcm + first->decoded, out->samples * sizeof *out->pcm);
        }
        first->decoded += out->samples;
        self->waiting -= out->samples;
        out->ended = first->ended && first->decoded == first->samples;
    }
    if (go_on && out->ended) {
        self->first = first->next;
        if (!self->first) self->last = NULL;
        free(first->pcm);
        free(first);
    }
    pthread_mutex_unlock(&self->lock);
    return go_on;
}

static void decode(listener_t *self, sphinx_t *sphinx)
{
    chunk_t chunk;
    bool begun = false;
    while (take(self, &chunk)) {
        if (!begun && sphinx_begin(sphinx, PL__EXPECT__ANYTHING, NULL, false)) return;
        begun = true;
        if (chunk.samples) (void)sphinx_feed(sphinx, chunk.pcm, chunk.samples);
        if (!chunk.ended) continue;
        tell(self, PL_OK, sphinx_end(sphinx, NULL));
        begun = false;
    }
}

static void *run(void *arg)
{
    listener_t *self = arg;
    sphinx_t *sphinx = NULL;
    pl_err_t err = sphinx_new(&sphinx, NULL);
    tell(self, err, NULL);
    if (!err) decode(self, sphinx);
    sphinx_destroy(&sphinx);
    return NULL;
}

/* ---- the loop's thread ---- */

listener_t *listener_new(pl_loop_t *loop, listener_ready_fn *ready, listener_words_fn *words,
                         void *arg)
{
    listener_t *self = calloc(1, sizeof *self);
    receiver_t *receiver = calloc(1, sizeof *receiver);
    assert(self && receiver);
    *receiver = (receiver_t){.ready = ready, .words = words, .arg = arg, .references = 1};
    pthread_mutex_init(&receiver->lock, NULL);
    self->loop = loop;
    self->receiver = receiver;
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->wake, NULL);
    int rc = pthread_create(&self->thread, NULL, run, self);
    assert(rc == 0);
    return self;
}

void listener_destroy(listener_t **self_p)
{
    listener_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pthread_mutex_lock(&self->lock);
    self->stopping = true;
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&self->lock);
    (void)pthread_join(self->thread, NULL);
    while (self->first) {
        utterance_t *next = self->first->next;
        free(self->first->pcm);
        free(self->first);
        self->first = next;
    }
    self->receiver->dead = true;
    release(self->receiver);
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->wake);
    free(self);
}

/* The utterance being heard; makes one after the last has ended. */
static utterance_t *open_utterance(listener_t *self)
{
    if (self->last && !self->last->ended) return self->last;
    utterance_t *fresh = calloc(1, sizeof *fresh);
    assert(fresh);
    if (self->last) self->last->next = fresh;
    if (!self->first) self->first = fresh;
    self->last = fresh;
    return fresh;
}

void listener_feed(listener_t *self, const int16_t *pcm, size_t samples)
{
    if (samples == 0) return;
    pthread_mutex_lock(&self->lock);
    utterance_t *now = open_utterance(self);
    if (self->waiting + samples <= MAX_WAITING_SAMPLES) {
        if (now->samples + samples > now->room) {
            now->room = (now->samples + samples) * 2;
            now->pcm = realloc(now->pcm, now->room * sizeof *now->pcm);
            assert(now->pcm);
        }
        memcpy(now->pcm + now->samples, pcm, samples * sizeof *pcm);
        now->samples += samples;
        self->waiting += samples;
        pthread_cond_signal(&self->wake);
    } else {
        log_warn("callsim.listener_behind", "waiting_ms=%zu", self->waiting / 16);
    }
    pthread_mutex_unlock(&self->lock);
}

void listener_end(listener_t *self)
{
    pthread_mutex_lock(&self->lock);
    open_utterance(self)->ended = true;
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&self->lock);
}
