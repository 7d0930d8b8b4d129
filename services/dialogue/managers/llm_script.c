/* llm_script.c - while no model answers, the script leads the call, from where it stands. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "services/dialogue/managers/llm_internal.h"

/* The script speaks through us, so that its first sentence is counted. */
static void forward_sentence(void *arg, uint32_t thought, const char *text, Pl__Style style)
{
    talk_t *t = arg;
    if (!t->counted) {
        t->counted = true;
        meter_first(ANSWERED_SCRIPT, t->opts.now_us() - t->began_us);
    }
    t->sink.sentence(t->sink.arg, thought, text, style);
}

static void forward_expect(void *arg, uint32_t thought, Pl__Expect expect)
{
    const talk_t *t = arg;
    t->sink.expect(t->sink.arg, thought, expect);
}

static void forward_tool(void *arg, uint32_t thought, const char *tool_id, const char *name,
                         const char *arguments)
{
    const talk_t *t = arg;
    t->sink.tool(t->sink.arg, thought, tool_id, name, arguments);
}

static void forward_done(void *arg, uint32_t thought, pl_err_t err)
{
    talk_t *t = arg;
    t->thinking = t->by_script = false;
    t->sink.done(t->sink.arg, thought, err);
}

bool talk_to_script(talk_t *t)
{
    bool well = llm_well(t->opts.llm) && t->opts.now_us() >= t->rest_until_us;
    if (well && t->scripted) {
        const Pl__CallRecord *record = t->sink.record(t->sink.arg);
        log_info("call.handed_back", "call=%s", record->call_id);
        meter_add(METER_HANDBACKS);
        t->scripted = false;
    }
    return !well;
}

void talk_script_begin(talk_t *t)
{
    const Pl__CallRecord *record = t->sink.record(t->sink.arg);
    bool takes_over = !t->scripted;
    if (takes_over) {
        log_warn("call.script_takes_over", "call=%s", record->call_id);
        meter_add(METER_TAKEOVERS);
    }
    if (!t->script) {
        manager_sink_t sink = {.arg = t,
                               .sentence = forward_sentence,
                               .expect = forward_expect,
                               .tool = forward_tool,
                               .done = forward_done};
        t->script = manager_script.open(&t->opts, &sink, t->seed);
    }
    t->scripted = t->by_script = true;
    think_t think = {.number = t->thought,
                     .kind = t->kind,
                     .text = t->text,
                     .message = t->message,
                     .unheard = t->unheard,
                     .record = record,
                     .now = t->now,
                     .zone = t->zone,
                     .takes_over = takes_over};
    manager_script.think(t->script, &think);
}

void talk_script_close(talk_t *t)
{
    if (t->script) manager_script.close(&t->script);
}
