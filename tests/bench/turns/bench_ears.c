#include "tests/bench/turns/bench_ears.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "services/speech/providers/sphinx.h"

enum { RESULTS = 64, TEXT_BYTES = 512, LOOK_SAMPLES = 4000 /* as stt_sphinx does */ };

typedef struct {
    uint64_t due_us;
    bool final;
    size_t samples;
    double confidence;
    char text[TEXT_BYTES];
} result_t;

struct bench_ears {
    bench_ears_sink_t sink;
    sphinx_t *sphinx;
    bool narrow;
    sphinx_voice_t voice; /* the caller's, as stt_sphinx keeps it */
    uint64_t free_us;     /* until then it decodes */
    size_t decoded, unlooked;
    bool open;
    result_t results[RESULTS]; /* in order */
    size_t count;
};

bench_ears_t *bench_ears_new(bool narrow, const bench_ears_sink_t *sink)
{
    bench_ears_t *self = calloc(1, sizeof *self);
    assert(self);
    self->sink = *sink;
    self->narrow = narrow;
    if (sphinx_new(&self->sphinx, NULL) != PL_OK) abort();
    return self;
}

void bench_ears_destroy(bench_ears_t **self_p)
{
    bench_ears_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    sphinx_destroy(&self->sphinx);
    free(self);
}

static uint64_t cpu_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* So much work is behind what is under way. */
static void worked(bench_ears_t *self, uint64_t now_us, uint64_t took_us)
{
    self->free_us = (self->free_us > now_us ? self->free_us : now_us) + took_us;
}

static result_t *result_add(bench_ears_t *self, const char *text)
{
    if (self->count == RESULTS) {
        self->count--;
        memmove(&self->results[0], &self->results[1], self->count * sizeof self->results[0]);
    }
    result_t *r = &self->results[self->count++];
    *r = (result_t){.due_us = self->free_us};
    (void)snprintf(r->text, sizeof r->text, "%s", text);
    return r;
}

static void look(bench_ears_t *self)
{
    bool sure = false;
    result_t *r = result_add(self, sphinx_partial(self->sphinx, &sure));
    r->samples = sure ? self->decoded : 0;
    self->unlooked = 0;
}

void bench_ears_begin(bench_ears_t *self, uint64_t now_us, Pl__Expect expect)
{
    (void)now_us;
    (void)sphinx_begin(self->sphinx, expect, &self->voice, self->narrow);
    self->decoded = self->unlooked = 0;
    self->open = true;
}

void bench_ears_feed(bench_ears_t *self, uint64_t now_us, const int16_t *pcm, size_t samples)
{
    if (!self->open) return;
    uint64_t before = cpu_us();
    (void)sphinx_feed(self->sphinx, pcm, samples);
    worked(self, now_us, cpu_us() - before);
    self->decoded += samples;
    self->unlooked += samples;
    if (self->unlooked >= LOOK_SAMPLES) look(self);
}

void bench_ears_pause(bench_ears_t *self, uint64_t now_us)
{
    (void)now_us;
    if (self->open) look(self);
}

void bench_ears_end(bench_ears_t *self, uint64_t now_us)
{
    if (!self->open) return;
    self->open = false;
    double confidence = 0;
    uint64_t before = cpu_us();
    const char *text = sphinx_end(self->sphinx, &confidence);
    if (*text) sphinx_learned(self->sphinx, &self->voice);
    worked(self, now_us, cpu_us() - before);
    result_t *r = result_add(self, text);
    r->final = true;
    r->confidence = confidence;
}

void bench_ears_drop(bench_ears_t *self)
{
    if (!self->open) return;
    self->open = false;
    (void)sphinx_end(self->sphinx, NULL);
    size_t kept = 0; /* its partials are wanted no more */
    for (size_t i = 0; i < self->count; i++) kept = self->results[i].final ? i + 1 : kept;
    self->count = kept;
}

void bench_ears_tick(bench_ears_t *self, uint64_t now_us)
{
    while (self->count > 0 && self->results[0].due_us <= now_us) {
        result_t r = self->results[0];
        self->count--;
        memmove(&self->results[0], &self->results[1], self->count * sizeof r);
        if (r.final)
            self->sink.final(self->sink.arg, now_us, r.text, r.confidence);
        else
            self->sink.partial(self->sink.arg, now_us, r.text, r.samples);
    }
}
