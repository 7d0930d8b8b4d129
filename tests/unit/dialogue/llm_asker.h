/* llm_asker.h - for tests: a language-model client on a loop of its own, and what it was told. */
#ifndef TESTS_LLM_ASKER_H
#define TESTS_LLM_ASKER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/loop.h"
#include "services/dialogue/llm/llm.h"
#include "tests/support/llm_double.h"

typedef struct {
    llm_double_t server;
    pl_config_t *cfg;
    pl_loop_t *loop;
    llm_t *llm;

    llm_asked_t *asked;
    char *text;
    size_t text_bytes;
    unsigned pieces, tools, dones;
    char tool_names[128], tool_ids[256], arguments[1024]; /* each followed by ";" */
    pl_err_t err;
    llm_end_t end;
    char model[64], detail[256];
    bool cancel_at_text, cancel_at_tool;
} asker_t;

static inline void asker_text(void *arg, const char *piece)
{
    asker_t *self = arg;
    size_t more = strlen(piece);
    assert_true(more > 0);
    assert_int_equal(self->dones, 0);
    self->text = realloc(self->text, self->text_bytes + more + 1);
    assert_non_null(self->text);
    memcpy(self->text + self->text_bytes, piece, more + 1);
    self->text_bytes += more;
    self->pieces++;
    if (!self->cancel_at_text) return;
    llm_cancel(&self->asked);
    pl_loop_stop(self->loop);
}

static inline void asker_tool(void *arg, const llm_tool_call_t *call)
{
    asker_t *self = arg;
    assert_int_equal(self->dones, 0);
    self->tools++;
    strncat(strncat(self->tool_names, call->name, 60), ";", 2);
    strncat(strncat(self->tool_ids, call->id, 60), ";", 2);
    strncat(strncat(self->arguments, call->arguments, 500), ";", 2);
    if (!self->cancel_at_tool) return;
    llm_cancel(&self->asked);
    pl_loop_stop(self->loop);
}

static inline void asker_done(void *arg, pl_err_t err, const llm_end_t *end)
{
    asker_t *self = arg;
    self->dones++;
    self->err = err;
    self->end = *end;
    (void)snprintf(self->model, sizeof self->model, "%s", end->model);
    (void)snprintf(self->detail, sizeof self->detail, "%s", end->detail);
    self->end.model = self->end.detail = NULL; /* they were borrowed */
    self->asked = NULL;
    pl_loop_stop(self->loop);
}

static const llm_sink_t asker_sink = {.text = asker_text, .tool = asker_tool, .done = asker_done};

static inline void asker_forget(asker_t *self)
{
    free(self->text);
    self->text = calloc(1, 1);
    assert_non_null(self->text);
    self->text_bytes = 0;
    self->pieces = self->tools = self->dones = 0;
    self->tool_names[0] = self->tool_ids[0] = self->arguments[0] = '\0';
    self->err = PL_OK;
}

static inline llm_asked_t *asker_begin(asker_t *self, llm_size_t size, const llm_request_t *request)
{
    llm_sink_t sink = asker_sink;
    sink.arg = self;
    asker_forget(self);
    self->asked = llm_ask(self->llm, size, request, &sink);
    assert_int_equal(self->dones, 0); /* never from within */
    assert_int_equal(self->pieces, 0);
    return self->asked;
}

static inline void asker_request(asker_t *self, llm_size_t size, const llm_request_t *request)
{
    (void)asker_begin(self, size, request);
    pl_loop_run(self->loop);
}

/* Asks one thing as the user. */
static inline void asker_say(asker_t *self, llm_size_t size, const char *words)
{
    llm_message_t message = {.role = LLM_USER, .content = words};
    asker_request(self, size, &(llm_request_t){.messages = &message, .n_messages = 1});
}

static inline void asker_stop_loop(void *loop)
{
    pl_loop_stop(loop);
}

static inline void asker_run_ms(asker_t *self, uint64_t ms)
{
    pl_timer_t *timer = pl_timer_start(self->loop, ms, 0, asker_stop_loop, self->loop);
    pl_loop_run(self->loop);
    pl_timer_stop(&timer);
}

/* Runs until the model is well or not, as wanted. */
static inline void asker_await_well(asker_t *self, bool well)
{
    uint64_t until_ms = pl_clock_ms() + 10000;
    while (llm_well(self->llm) != well) {
        assert_true(pl_clock_ms() < until_ms);
        asker_run_ms(self, 5);
    }
}

/* Runs until that many lines of the double's log hold the text. */
static inline void asker_await_log(asker_t *self, const char *text, unsigned count)
{
    uint64_t until_ms = pl_clock_ms() + 10000;
    while (llm_double_count(&self->server, text) < count) {
        assert_true(pl_clock_ms() < until_ms);
        asker_run_ms(self, 2);
    }
    assert_int_equal(llm_double_count(&self->server, text), count);
}

/* settings: YAML under "llm:", with %d where the double's port belongs, twice at most. */
static inline asker_t asker_open(const char *script, const char *settings)
{
    asker_t self = {.server = llm_double_start(script)};
    char yaml[4096];
    char error[1024] = "";
    int head = snprintf(yaml, sizeof yaml, "llm:\n");
    char *to = yaml + head;
    for (const char *from = settings; *from; from++) {
        assert_true(to < yaml + sizeof yaml - 16);
        if (strncmp(from, "%d", 2) == 0) {
            to += sprintf(to, "%d", self.server.port);
            from++;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    self.cfg = pl_config_parse("dialogue", llm_config_keys, "t.yaml", yaml, error, sizeof error);
    if (!self.cfg) fail_msg("%s", error);
    self.loop = pl_loop_new();
    assert_int_equal(llm_new(&self.llm, self.loop, self.cfg), PL_OK);
    assert_non_null(self.llm);
    asker_forget(&self);
    return self;
}

static inline void asker_close(asker_t *self)
{
    llm_destroy(&self->llm);
    pl_loop_destroy(&self->loop);
    pl_config_destroy(&self->cfg);
    free(self->text);
    llm_double_stop(&self->server);
}

#endif
