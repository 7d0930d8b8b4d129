/* exchange.h - one try at one model: a request out, a stream in, and what came of it.
 *
 * Threads: all on the loop's. The sink is never called from within exchange_new; it may cancel the
 * exchange.
 */
#ifndef DIALOGUE_LLM_EXCHANGE_H
#define DIALOGUE_LLM_EXCHANGE_H

#include "common/entra.h"
#include "common/http.h"
#include "common/loop.h"
#include "services/dialogue/llm/llm.h"
#include "services/dialogue/llm/model.h"

typedef enum {
    EXCHANGE_ANSWERED,  /* see finish */
    EXCHANGE_BUSY,      /* 429: at its limit */
    EXCHANGE_TIMEOUT,   /* no connection, no first piece, or no next one in time */
    EXCHANGE_DOWN,      /* no connection, it broke, or the server is ill */
    EXCHANGE_SENSELESS, /* the answer was garbage, too much, or empty */
    EXCHANGE_REFUSED,   /* 400 and the like: this request is wrong */
    EXCHANGE_HOPELESS,  /* 401, 403, 404: no request will do, the settings are wrong */
} exchange_result_t;

typedef struct {
    exchange_result_t result;
    llm_finish_t finish;
    uint32_t prompt_tokens, answer_tokens;
    bool told;               /* some piece went to the sink */
    bool finished;           /* the model came to an end, whatever it said */
    uint32_t first_ms;       /* to the first piece of any kind; 0: none came */
    uint32_t since_first_ms; /* and from there to the end */
    int64_t retry_after_ms;  /* as the server asks; below 0: it does not */
    const char *detail;      /* for the log, without secrets; "" */
} exchange_end_t;

typedef struct {
    void *arg;
    void (*text)(void *arg, const char *piece);
    void (*tool)(void *arg, const llm_tool_call_t *call);
    void (*end)(void *arg, const exchange_end_t *end); /* once; the exchange is gone then */
} exchange_sink_t;

typedef struct {
    pl_loop_t *loop;
    pl_http_t *http;
    pl_entra_t *entra; /* for models that want it */
} exchange_world_t;

typedef struct exchange exchange_t;

/* body is taken. whole_ms: what is left for it all, at least 1. */
exchange_t *exchange_new(const exchange_world_t *world, const model_t *model, char *body,
                         size_t body_bytes, uint32_t whole_ms, uint64_t salt,
                         const exchange_sink_t *sink);
void exchange_cancel(exchange_t **self_p); /* no call of the sink any more; NULL is fine */

#endif
