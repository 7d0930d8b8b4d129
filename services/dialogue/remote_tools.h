/* remote_tools.h - the tools that an integrator declares: dialogue.tools[] of the configuration.
 *
 * Each is a name, a description for the model, a JSON schema of its arguments and a URL that is
 * called with them (webhook.h; the messages: docs/webhooks.md). Everything is checked at the start.
 *
 * Threads: read-only after remote_tools_new, so any.
 */
#ifndef DIALOGUE_REMOTE_TOOLS_H
#define DIALOGUE_REMOTE_TOOLS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/err.h"

typedef struct remote_tools remote_tools_t;

enum { REMOTE_TOOLS_MAX = 32, REMOTE_NAME_MAX = 64 };

typedef struct {
    const char *name, *description, *url, *secret;
    uint32_t timeout_ms;
    uint32_t filler_after_ms; /* without a result: a sentence for the caller; 0: none */
    bool idempotent;          /* may be called again when it failed */
    cJSON *schema;            /* of the arguments that the URL gets */
    char *offered;            /* as text, with the sentence for the caller, for a model */
} remote_tool_t;

/* PL_INVALID: a wrong setting, named on standard error. Strings are cfg's. */
pl_err_t remote_tools_new(remote_tools_t **out, const pl_config_t *cfg);
void remote_tools_destroy(remote_tools_t **self_p);

/* self may be NULL: there are none. */
size_t remote_tools_count(const remote_tools_t *self);
const remote_tool_t *remote_tools_at(const remote_tools_t *self, size_t i);
const remote_tool_t *remote_tools_find(const remote_tools_t *self, const char *name);

/* Parses a model's arguments, takes the sentence for the caller out (*response, malloc'd, may be
 * NULL) and checks the rest against the schema. On PL_OK *out is the caller's. */
pl_err_t remote_tool_arguments(const remote_tool_t *tool, const char *json, cJSON **out,
                               char **response, char *reason, size_t reason_bytes);

#endif
