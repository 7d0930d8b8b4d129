/* toolbox.h - the tools that a manager may use in a call just now, as a language model is told of
 * them: name, description and a JSON schema of the arguments, made from the table of tools.h and
 * from the call (its fields, its languages, who can be reached).
 *
 * Threads: none; values only.
 */
#ifndef DIALOGUE_TOOLBOX_H
#define DIALOGUE_TOOLBOX_H

#include "call.pb-c.h"
#include "services/dialogue/llm/llm.h"
#include "services/dialogue/remote_tools.h"
#include "services/dialogue/tools.h"

typedef struct toolbox toolbox_t;

#define TOOLBOX_BIT(kind) (1U << (kind))
/* What a caller who has just rung back is not to be offered. */
#define TOOLBOX_BARRED_ON_RETURN (TOOLBOX_BIT(TOOL_END_CALL) | TOOLBOX_BIT(TOOL_TALK_TO_HUMAN))

/* remote: the integrator's tools, borrowed as long as the toolbox lives, may be NULL. barred: a set
 * of TOOLBOX_BIT. Left out by itself is what the call cannot do: a transfer without
 * an agent's number, an SMS to a hidden number, another language where there is one only. */
toolbox_t *toolbox_new(const Pl__CallRecord *record, const remote_tools_t *remote, unsigned barred);
void toolbox_destroy(toolbox_t **self_p);

/* Borrowed, as long as the toolbox lives. */
const llm_tool_t *toolbox_tools(const toolbox_t *self, size_t *count);

#endif
