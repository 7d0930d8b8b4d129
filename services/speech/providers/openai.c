#include "services/speech/providers/openai.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 96, URL_MAX = 2000 };

static const char *setting(const pl_config_t *cfg, const char *section, const char *name)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s.%s", section, name);
    return pl_config_str(cfg, path);
}

static char *joined(const char *a, const char *b)
{
    size_t bytes = strlen(a) + strlen(b) + 1;
    char *out = malloc(bytes);
    assert(out);
    (void)snprintf(out, bytes, "%s%s", a, b);
    return out;
}

static pl_err_t wrong(const char *section, const char *name, const char *why)
{
    (void)fprintf(stderr, "parley-speech: %s.%s: %s\n", section, name, why);
    return PL_INVALID;
}

pl_err_t openai_open(openai_t *self, pl_loop_t *loop, const pl_config_t *cfg, const char *section,
                     const char *path)
{
    *self = (openai_t){0};
    const char *url = setting(cfg, section, "url");
    const char *key = setting(cfg, section, "api_key");
    const char *model = setting(cfg, section, "model");
    if (!*url) return PL_OK;
    bool http = strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
    if (!http || strlen(url) > URL_MAX)
        return wrong(section, "url", "is no http:// or https:// address");
    if (strpbrk(key, "\r\n")) return wrong(section, "api_key", "holds a line's end");
    if (!*model) return wrong(section, "model", "is empty");
    char timeout[PATH_BYTES];
    (void)snprintf(timeout, sizeof timeout, "%s.timeout_ms", section);
    self->timeout_ms = (uint32_t)pl_config_int(cfg, timeout);
    char *base = joined(url, "");
    size_t end = strlen(base);
    while (end > 0 && base[end - 1] == '/') base[--end] = '\0';
    self->url = joined(base, path);
    free(base);
    self->authorization = *key ? joined("Authorization: Bearer ", key) : NULL;
    self->model = joined(model, "");
    self->http = pl_http_new(loop);
    pl_http_trust(self->http, pl_config_str(cfg, "http.ca_file"));
    pl_http_warm(self->http, self->url, 1);
    return PL_OK;
}

void openai_close(openai_t *self)
{
    if (self->http) pl_http_destroy(&self->http);
    free(self->url);
    free(self->authorization);
    free(self->model);
    *self = (openai_t){0};
}

pl_err_t openai_error(const pl_http_answer_t *answer)
{
    if (answer->status == 429 || answer->status == 503) return PL_BUSY;
    if (answer->status >= 500) return PL_UNAVAILABLE;
    return PL_INVALID; /* it does not like what we ask */
}

const char *openai_reason(const pl_http_answer_t *answer, char *out, size_t bytes)
{
    (void)snprintf(out, bytes, "%s", answer->detail ? answer->detail : "");
    cJSON *root = cJSON_ParseWithLength(answer->body, answer->body_bytes);
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(root, "error");
    const char *message = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "message"));
    if (message) (void)snprintf(out, bytes, "%s", message);
    cJSON_Delete(root);
    for (char *c = out; *c; c++) {
        if (*c == '"' || *c == '\n') *c = ' '; /* it stands between quotes on one line */
    }
    return out;
}
