#include "tests/doubles/llm/journal.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "services/gateway/text.h"

struct journal {
    FILE *file; /* NULL: nothing is kept */
};

journal_t *journal_open(const char *path)
{
    journal_t *self = calloc(1, sizeof *self);
    assert(self);
    if (path) self->file = fopen(path, "ae");
    if (path && !self->file) {
        fprintf(stderr, "llm-double: %s: %s\n", path, strerror(errno));
        free(self);
        return NULL;
    }
    return self;
}

void journal_close(journal_t **self_p)
{
    journal_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    if (self->file) (void)fclose(self->file);
    free(self);
}

static void put(journal_t *self, text_t *line)
{
    text_add(line, "}\n");
    (void)fwrite(line->data, 1, line->size, self->file);
    (void)fflush(self->file);
    text_free(line);
}

/* The body as JSON on one line where it is JSON, else as a string. */
static void add_body(text_t *line, const char *body, size_t bytes)
{
    char *copy = strndup(body ? body : "", bytes);
    assert(copy);
    cJSON *parsed = cJSON_Parse(copy);
    if (parsed) {
        cJSON_Minify(copy);
        text_add(line, copy);
    } else {
        text_json(line, copy);
    }
    cJSON_Delete(parsed);
    free(copy);
}

void journal_request(journal_t *self, const journal_request_t *request)
{
    if (!self->file) return;
    text_t line = {0};
    text_fmt(&line, "{\"event\":\"request\",\"n\":%llu,\"at_ms\":%lld,\"method\":",
             (unsigned long long)request->number, (long long)pl_clock_wall_ms());
    text_json(&line, request->method);
    text_add(&line, ",\"path\":");
    text_json(&line, request->path);
    text_add(&line, ",\"query\":");
    text_json(&line, request->query);
    text_fmt(&line, ",\"status\":%d,\"auth\":\"%s\",\"rule\":", request->status, request->auth);
    text_json(&line, request->rule);
    text_add(&line, ",\"model\":");
    text_json(&line, request->model);
    text_add(&line, ",\"body\":");
    add_body(&line, request->body, request->body_bytes);
    put(self, &line);
}

void journal_end(journal_t *self, uint64_t number, const char *how, size_t sent_bytes, double ms)
{
    if (!self->file) return;
    text_t line = {0};
    text_fmt(&line,
             "{\"event\":\"end\",\"n\":%llu,\"at_ms\":%lld,\"how\":\"%s\",\"sent_bytes\":%zu,"
             "\"ms\":%.3f",
             (unsigned long long)number, (long long)pl_clock_wall_ms(), how, sent_bytes, ms);
    put(self, &line);
}
