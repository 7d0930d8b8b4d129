/* openai.h - what stt_openai and tts_openai share: a server's address, key and names of models.
 *
 * Source: OpenAI's API reference (audio); as vLLM, LocalAI, speaches and others serve it.
 * Threads: the loop's.
 */
#ifndef PL_SPEECH_OPENAI_H
#define PL_SPEECH_OPENAI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/err.h"
#include "common/http.h"
#include "common/loop.h"

typedef struct {
    pl_http_t *http;
    char *url;           /* of the endpoint */
    char *authorization; /* the header; NULL: no key */
    char *model;
    uint32_t timeout_ms;
} openai_t;

/* section: "speech.stt.openai"; path: "/audio/transcriptions". An empty URL is PL_OK with url NULL:
 * not configured. PL_INVALID: said which setting is wrong. */
pl_err_t openai_open(openai_t *self, pl_loop_t *loop, const pl_config_t *cfg, const char *section,
                     const char *path);
void openai_close(openai_t *self); /* twice is fine */

/* Error of an exchange whose status is not 2xx. */
pl_err_t openai_error(const pl_http_answer_t *answer);
/* The server's own words for it, for the log; out is returned. */
const char *openai_reason(const pl_http_answer_t *answer, char *out, size_t bytes);

#endif
