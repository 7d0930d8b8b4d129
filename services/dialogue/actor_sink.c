/* actor_sink.c - what a manager says, on its way to the call's machine. */
#include "common/log.h"
#include "services/dialogue/actor_internal.h"

static void sink_sentence(void *arg, uint32_t thought, const char *text, Pl__Style style)
{
    actor_t *self = arg;
    (void)call_sentence(self->call, actor_now(), thought, text, style, &self->effects);
}

static void sink_expect(void *arg, uint32_t thought, Pl__Expect expect)
{
    actor_t *self = arg;
    (void)call_expect(self->call, thought, expect);
}

static void sink_tool(void *arg, uint32_t thought, const char *tool_id, const char *name,
                      const char *arguments)
{
    actor_t *self = arg;
    pl_err_t err =
        call_tool(self->call, actor_now(), thought, tool_id, name, arguments, &self->effects);
    log_info("call.tool", "call=%s tool=%.40s err=%s", call_id(self->call), name, pl_err_name(err));
}

static void sink_part(void *arg, uint32_t thought)
{
    actor_t *self = arg;
    (void)call_part(self->call, actor_now(), thought, &self->effects);
}

static void sink_unsafe(void *arg, uint32_t thought, uint32_t message)
{
    actor_t *self = arg;
    (void)call_unsafe(self->call, thought, message, &self->effects);
}

static void sink_saved(void *arg, uint32_t thought, uint32_t saved_ms)
{
    actor_t *self = arg;
    (void)call_saved(self->call, thought, saved_ms, &self->effects);
}

static void sink_done(void *arg, uint32_t thought, pl_err_t err)
{
    actor_t *self = arg;
    (void)call_thought(self->call, actor_now(), thought, err, &self->effects);
    actor_run(self); /* a manager may end its thought by itself, later */
}

static void sink_flush(void *arg)
{
    actor_run(arg);
}

static const Pl__CallRecord *sink_record(void *arg)
{
    const actor_t *self = arg;
    return call_record(self->call);
}

manager_sink_t actor_sink(actor_t *self)
{
    return (manager_sink_t){.arg = self,
                            .sentence = sink_sentence,
                            .expect = sink_expect,
                            .tool = sink_tool,
                            .part = sink_part,
                            .unsafe = sink_unsafe,
                            .saved = sink_saved,
                            .flush = sink_flush,
                            .record = sink_record,
                            .done = sink_done};
}
