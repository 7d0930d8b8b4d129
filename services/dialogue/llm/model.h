/* model.h - one configured model: where it is, how it is asked, what it can take.
 *
 * Threads: none; read-only once read. Secrets stay in here: they are never logged.
 */
#ifndef DIALOGUE_LLM_MODEL_H
#define DIALOGUE_LLM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/err.h"

typedef enum { MODEL_NO_AUTH, MODEL_BEARER, MODEL_API_KEY, MODEL_ENTRA } model_auth_t;

/* How an answer of a given JSON shape is asked for. */
typedef enum {
    MODEL_JSON_SCHEMA, /* response_format json_schema */
    MODEL_JSON_OBJECT, /* response_format json_object, the schema in a message */
    MODEL_JSON_TEXT,   /* the schema in a message alone */
} model_json_t;

typedef struct {
    const char *size; /* "fast" or "slow": names it in the log and the configuration */
    const char *name; /* model or deployment */
    char *url;        /* of its chat completions */
    model_auth_t auth;
    const char *api_key; /* "" */
    model_json_t json;
    bool reasoning; /* takes max_completion_tokens and no temperature */
    double temperature;
    int64_t seed;           /* below 0: none */
    const char *extra_body; /* members of a JSON object, without its braces; "" */
    char *extra_owned;

    uint32_t context_tokens, answer_tokens;
    uint32_t connect_ms, first_ms, stall_ms, whole_ms;
    unsigned retries;
} model_t;

/* *out is NULL with PL_OK when the size has no endpoint. PL_INVALID: said on standard error with
 * the file and line. Strings are borrowed from cfg. */
pl_err_t model_new(model_t **out, const pl_config_t *cfg, const char *size);
void model_destroy(model_t **self_p);

#endif
