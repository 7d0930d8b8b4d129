#include "tests/doubles/llm/plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *reason(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 404:
        return "Not Found";
    case 429:
        return "Too Many Requests";
    case 500:
        return "Internal Server Error";
    case 503:
        return "Service Unavailable";
    default:
        return "Status";
    }
}

void plan_free(plan_t *self)
{
    text_free(&self->bytes);
    free(self->steps);
    *self = (plan_t){0};
}

void plan_step(plan_t *self, uint64_t at_us)
{
    uint64_t before_us = self->n_steps ? self->steps[self->n_steps - 1].at_us : 0;
    if (at_us < before_us) at_us = before_us;
    if (self->n_steps && at_us == before_us) {
        self->steps[self->n_steps - 1].upto = self->bytes.size;
    } else {
        if (self->n_steps == self->room) {
            self->room = self->room ? 2 * self->room : 16;
            self->steps = realloc(self->steps, self->room * sizeof *self->steps);
            assert(self->steps);
        }
        self->steps[self->n_steps++] = (plan_step_t){at_us, self->bytes.size};
    }
    if (self->end_us < at_us) self->end_us = at_us;
}

void plan_whole(plan_t *self, int status, const char *type, const char *headers, const char *body,
                uint64_t at_us)
{
    self->status = status;
    text_fmt(&self->bytes, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s\r\n",
             status, reason(status), type, strlen(body), headers ? headers : "");
    text_add(&self->bytes, body);
    plan_step(self, at_us);
}

void plan_head(plan_t *self, const char *type, uint64_t at_us)
{
    self->status = 200;
    self->chunked = true;
    text_fmt(&self->bytes,
             "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nCache-Control: no-cache\r\n"
             "x-request-id: req_double\r\nopenai-processing-ms: 1\r\n"
             "Transfer-Encoding: chunked\r\n\r\n",
             type);
    plan_step(self, at_us);
}

void plan_chunk(plan_t *self, const char *bytes, size_t size, uint64_t at_us)
{
    if (!size) return;
    text_fmt(&self->bytes, "%zx\r\n", size);
    text_bytes(&self->bytes, bytes, size);
    text_add(&self->bytes, "\r\n");
    plan_step(self, at_us);
}

void plan_last_chunk(plan_t *self, uint64_t at_us)
{
    text_add(&self->bytes, "0\r\n\r\n");
    plan_step(self, at_us);
}
