#include "services/dialogue/managers/llm_stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "services/dialogue/model/letters.h"
#include "services/dialogue/model/style.h"

enum { STILL_MS = 150 }; /* a text that stands still so long, as before a tool call, is looked at */

typedef struct {
    char *text;
    Pl__Style style;
} said_t;

struct stream {
    stream_opts_t opts;
    llm_asked_t *asked;
    sentences_t *sentences;
    Pl__Style style; /* of what comes next */
    said_t *said;    /* sentences in order; [taken, count) wait */
    size_t taken, count;
    llm_tool_call_t calls[STREAM_CALLS_MAX];
    size_t n_calls;
    bool silent, ended;
    pl_err_t err;
    llm_finish_t finish;
    uint64_t asked_us, first_us, piece_us;
    pl_timer_t *still;
};

static char *copy(const char *text)
{
    char *out = strdup(text);
    assert(out);
    return out;
}

/* Makes sentences of the text so far, without styles and what cannot be spoken. */
static void cut(stream_t *self)
{
    const char *next = NULL;
    while (self->sentences && (next = sentences_next(self->sentences))) {
        char *text = copy(next);
        Pl__Style style = self->style;
        style_take(text, &style, &self->style);
        if (!letters_any(text)) {
            free(text);
            continue;
        }
        self->said = realloc(self->said, (self->count + 1) * sizeof *self->said);
        assert(self->said);
        self->said[self->count++] = (said_t){text, style};
        if (!self->first_us) self->first_us = self->opts.now_us();
    }
}

static void changed(stream_t *self)
{
    self->opts.changed(self->opts.arg);
}

static void look(void *arg)
{
    stream_t *self = arg;
    uint64_t stood_ms = (self->opts.now_us() - self->piece_us) / 1000;
    pl_timer_stop(&self->still);
    if (stood_ms < STILL_MS) {
        self->still = pl_timer_start(self->opts.loop, STILL_MS - stood_ms, 0, look, self);
        return;
    }
    size_t before = self->count;
    sentences_settle(self->sentences);
    cut(self);
    if (self->count > before) changed(self);
}

/* ---- what the model says ---- */

static void on_text(void *arg, const char *piece)
{
    stream_t *self = arg;
    size_t before = self->count;
    if (letters_any(piece)) self->silent = false;
    sentences_add(self->sentences, piece);
    cut(self);
    self->piece_us = self->opts.now_us();
    if (self->opts.loop && !self->still) {
        self->still = pl_timer_start(self->opts.loop, STILL_MS, 0, look, self);
    }
    if (self->count > before) changed(self);
}

static void on_tool(void *arg, const llm_tool_call_t *call)
{
    stream_t *self = arg;
    self->silent = false;
    if (self->n_calls == STREAM_CALLS_MAX) return;
    self->calls[self->n_calls++] =
        (llm_tool_call_t){copy(call->id), copy(call->name), copy(call->arguments)};
}

static void on_done(void *arg, pl_err_t err, const llm_end_t *end)
{
    stream_t *self = arg;
    self->asked = NULL;
    self->ended = true;
    self->err = err;
    self->finish = end->finish;
    pl_timer_stop(&self->still);
    /* What was cut off may go on, and half a sentence of a broken answer is not spoken. */
    if (!err && (end->finish != LLM_LENGTH || self->n_calls)) stream_end_text(self);
    changed(self);
}

stream_t *stream_ask(const stream_opts_t *opts)
{
    stream_t *self = calloc(1, sizeof *self);
    assert(self);
    self->opts = *opts;
    self->opts.request = NULL;
    self->silent = true;
    self->sentences = opts->sentences ? opts->sentences : sentences_new(opts->lang);
    self->asked_us = opts->now_us();
    llm_sink_t sink = {.arg = self, .text = on_text, .tool = on_tool, .done = on_done};
    self->asked = llm_ask(opts->llm, opts->size, opts->request, &sink);
    return self;
}

void stream_destroy(stream_t **self_p)
{
    stream_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    llm_cancel(&self->asked);
    pl_timer_stop(&self->still);
    sentences_destroy(&self->sentences);
    for (size_t i = 0; i < self->count; i++) free(self->said[i].text);
    free(self->said);
    for (size_t i = 0; i < self->n_calls; i++) {
        free((char *)self->calls[i].id);
        free((char *)self->calls[i].name);
        free((char *)self->calls[i].arguments);
    }
    free(self);
}

const char *stream_sentence(stream_t *self, Pl__Style *style)
{
    if (self->taken == self->count) return NULL;
    const said_t *said = &self->said[self->taken++];
    *style = said->style;
    return said->text;
}

bool stream_ended(const stream_t *self)
{
    return self->ended;
}

pl_err_t stream_error(const stream_t *self)
{
    return self->err;
}

llm_finish_t stream_finish(const stream_t *self)
{
    return self->finish;
}

const llm_tool_call_t *stream_calls(const stream_t *self, size_t *count)
{
    *count = self->n_calls;
    return self->calls;
}

bool stream_silent(const stream_t *self)
{
    return self->silent;
}

uint64_t stream_asked_us(const stream_t *self)
{
    return self->asked_us;
}

uint64_t stream_first_us(const stream_t *self)
{
    return self->first_us;
}

void stream_end_text(stream_t *self)
{
    if (self->sentences) sentences_close(self->sentences);
    cut(self);
}

sentences_t *stream_take_rest(stream_t *self)
{
    sentences_t *rest = self->sentences;
    self->sentences = NULL;
    return rest;
}
