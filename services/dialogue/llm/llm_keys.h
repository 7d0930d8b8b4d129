/* llm_keys.h - the settings of the language models, for tables of keys: LLM_KEYS. */
#ifndef DIALOGUE_LLM_KEYS_H
#define DIALOGUE_LLM_KEYS_H

#include "common/config.h"

#define MODEL_STRING(size, key, fallback, help)                                                    \
    {                                                                                              \
        "llm." size "." key, PL_CONFIG_STRING, fallback, 0, 0, help                                \
    }
#define MODEL_INT(size, key, fallback, min, max, help)                                             \
    {                                                                                              \
        "llm." size "." key, PL_CONFIG_INT, fallback, min, max, help                               \
    }
/* The settings of the model of that size, for a table of keys. */
#define MODEL_KEYS(size)                                                                           \
    MODEL_STRING(size, "endpoint", "",                                                             \
                 "base URL, like https://api.openai.com/v1; empty: no such model"),                \
        MODEL_STRING(size, "api", "openai",                                                        \
                     "openai, or azure: deployment paths with api_version"),                       \
        MODEL_STRING(size, "model", "", "name of the model, or of Azure's deployment"),            \
        MODEL_STRING(size, "auth", "auto",                                                         \
                     "none, bearer, api-key, entra; auto: by api and api_key"),                    \
        MODEL_STRING(size, "api_key", "", "secret of bearer and api-key"),                         \
        MODEL_STRING(size, "api_version", "2024-10-21", "of Azure's API"),                         \
        MODEL_INT(size, "context", "16384", 1024, 100000000, "tokens it can read and write"),      \
        MODEL_INT(size, "max_tokens", "160", 1, 1000000, "tokens of a spoken answer"),             \
        {"llm." size ".temperature", PL_CONFIG_DOUBLE, "0.0", 0, 2, "0: the likeliest words"},     \
        MODEL_INT(size, "seed", "42", -1, 2147483647, "for answers that repeat; -1: none"),        \
        {"llm." size ".reasoning",                                                                 \
         PL_CONFIG_BOOL,                                                                           \
         "false",                                                                                  \
         0,                                                                                        \
         0,                                                                                        \
         "takes max_completion_tokens and no temperature, as OpenAI's reasoning models do"},       \
        MODEL_STRING(size, "json", "schema",                                                       \
                     "how JSON is asked for: schema, object or text, as the server allows"),       \
        MODEL_STRING(size, "extra_body", "", "JSON object, added to each request"),                \
        MODEL_INT(size, "connect_timeout_ms", "2000", 50, 60000, "for a connection"),              \
        MODEL_INT(size, "first_timeout_ms", "5000", 50, 600000, "for the first piece"),            \
        MODEL_INT(size, "stall_timeout_ms", "5000", 50, 600000, "between two pieces"),             \
        MODEL_INT(size, "timeout_ms", "60000", 100, 3600000, "for an answer with its retries"),    \
        MODEL_INT(size, "retries", "3", 0, 20, "further tries before the first piece")

#define LLM_INT(key, fallback, min, max, help)                                                     \
    {                                                                                              \
        "llm." key, PL_CONFIG_INT, fallback, min, max, help                                        \
    }
#define LLM_KEYS                                                                                   \
    MODEL_KEYS("fast"), MODEL_KEYS("slow"),                                                        \
        LLM_INT("retry_pause_ms", "250", 1, 60000,                                                 \
                "before the second try of a model; doubled from there, and jittered"),             \
        LLM_INT("retry_pause_most_ms", "8000", 1, 600000, "the longest such pause"),               \
        LLM_INT("retry_after_most_ms", "1000", 0, 600000,                                          \
                "a model that asks for a longer wait is left to the other"),                       \
        LLM_INT("failures_most", "3", 1, 1000,                                                     \
                "failures in a row after which a model is only probed"),                           \
        LLM_INT("probe_pause_ms", "2000", 10, 600000, "before the first probe; doubled"),          \
        LLM_INT("probe_pause_most_ms", "30000", 10, 3600000, "the longest pause between probes"),  \
        LLM_INT("connections", "2", 0, 64, "opened to each model at the start"),                   \
        LLM_INT("keep_warm_ms", "45000", 0, 3600000,                                               \
                "a connection is opened anew after so long without a request; 0: never")

#endif
