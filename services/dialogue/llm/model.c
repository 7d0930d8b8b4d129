#include "services/dialogue/llm/model.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PATH_BYTES = 64, URL_BYTES = 2048, NAME_MOST = 200, KEY_MOST = 4096 };

typedef struct {
    const pl_config_t *cfg;
    const char *size;
} reader_t;

static void path_of(const reader_t *reader, const char *key, char out[PATH_BYTES])
{
    (void)snprintf(out, PATH_BYTES, "llm.%s.%s", reader->size, key);
}

static const char *text_of(const reader_t *reader, const char *key)
{
    char path[PATH_BYTES];
    path_of(reader, key, path);
    return pl_config_str(reader->cfg, path);
}

static uint32_t number_of(const reader_t *reader, const char *key)
{
    char path[PATH_BYTES];
    path_of(reader, key, path);
    return (uint32_t)pl_config_int(reader->cfg, path);
}

/* Always PL_INVALID. */
static pl_err_t wrong(const reader_t *reader, const char *key, const char *what)
{
    char path[PATH_BYTES];
    path_of(reader, key, path);
    const char *where = pl_config_where(reader->cfg, path);
    fprintf(stderr, "%s%s%s: %s\n", where, *where ? ": " : "", path, what);
    return PL_INVALID;
}

/* ---- where --------------------------------------------------------------------------------- */

static bool is_url(const char *text)
{
    const char *host = strncasecmp(text, "http://", 7) == 0    ? text + 7
                       : strncasecmp(text, "https://", 8) == 0 ? text + 8
                                                               : NULL;
    if (!host || !*host || *host == '/') return false;
    for (const char *c = text; *c; c++) {
        if (isspace((unsigned char)*c) || !isprint((unsigned char)*c)) return false;
    }
    return !strpbrk(host, "?#@");
}

static bool is_path_name(const char *text)
{
    for (const char *c = text; *c; c++) {
        if (!isalnum((unsigned char)*c) && !strchr("-._~", *c)) return false;
    }
    return *text != '\0';
}

static pl_err_t read_url(const reader_t *reader, model_t *model)
{
    const char *endpoint = text_of(reader, "endpoint");
    const char *api = text_of(reader, "api");
    const char *version = text_of(reader, "api_version");
    char url[URL_BYTES];
    if (!is_url(endpoint) || strlen(endpoint) > URL_BYTES / 2) {
        return wrong(reader, "endpoint", "must be a URL like https://api.openai.com/v1");
    }
    if (!*model->name || strlen(model->name) > NAME_MOST) {
        return wrong(reader, "model", "must name the model");
    }
    size_t length = strlen(endpoint);
    while (endpoint[length - 1] == '/') length--;
    if (strcmp(api, "azure") == 0) {
        if (!is_path_name(model->name)) {
            return wrong(reader, "model", "must be a deployment's name: letters, digits, - . _ ~");
        }
        if (!is_path_name(version)) {
            return wrong(reader, "api_version", "must be a date like 2024-10-21");
        }
        (void)snprintf(url, sizeof url,
                       "%.*s/openai/deployments/%s/chat/completions?api-version=%s", (int)length,
                       endpoint, model->name, version);
    } else if (strcmp(api, "openai") == 0) {
        const char *host = strstr(endpoint, "://") + 3;
        bool bare = host + strcspn(host, "/") >= endpoint + length; /* the usual path is /v1 */
        (void)snprintf(url, sizeof url, "%.*s%s/chat/completions", (int)length, endpoint,
                       bare ? "/v1" : "");
    } else {
        return wrong(reader, "api", "must be openai or azure");
    }
    model->url = strdup(url);
    assert(model->url);
    return PL_OK;
}

/* ---- how ----------------------------------------------------------------------------------- */

/* The number of a word in a list that ends with NULL, or -1. */
static int word_of(const char *word, const char *const *list)
{
    for (int i = 0; list[i]; i++) {
        if (strcmp(list[i], word) == 0) return i;
    }
    return -1;
}

static pl_err_t read_auth(const reader_t *reader, model_t *model)
{
    static const char *const words[] = {"none", "bearer", "api-key", "entra", NULL};
    const char *word = text_of(reader, "auth");
    model->api_key = text_of(reader, "api_key");
    int auth = word_of(word, words);
    if (strcmp(word, "auto") == 0) {
        bool azure = strcmp(text_of(reader, "api"), "azure") == 0;
        bool keyed = *model->api_key != '\0';
        auth = azure ? (keyed ? MODEL_API_KEY : MODEL_ENTRA) : keyed ? MODEL_BEARER : MODEL_NO_AUTH;
    }
    if (auth < 0) return wrong(reader, "auth", "must be auto, none, bearer, api-key or entra");
    model->auth = (model_auth_t)auth;
    bool wants_key = model->auth == MODEL_BEARER || model->auth == MODEL_API_KEY;
    if (wants_key && !*model->api_key) return wrong(reader, "api_key", "is wanted by this auth");
    if (strlen(model->api_key) > KEY_MOST) return wrong(reader, "api_key", "is too long");
    for (const char *c = model->api_key; *c; c++) {
        if (!isgraph((unsigned char)*c)) {
            return wrong(reader, "api_key", "holds a blank or another character no key has");
        }
    }
    return PL_OK;
}

/* Keeps the members without the braces: they are put between ours. */
static pl_err_t read_extra(const reader_t *reader, model_t *model)
{
    const char *text = text_of(reader, "extra_body");
    model->extra_body = "";
    if (!*text) return PL_OK;
    cJSON *parsed = cJSON_Parse(text);
    bool ok = cJSON_IsObject(parsed);
    if (ok && parsed->child) {
        model->extra_owned = cJSON_PrintUnformatted(parsed);
        assert(model->extra_owned);
        model->extra_owned[strlen(model->extra_owned) - 1] = '\0';
        model->extra_body = model->extra_owned + 1;
    }
    cJSON_Delete(parsed);
    return ok ? PL_OK : wrong(reader, "extra_body", "must be a JSON object");
}

static pl_err_t read_manner(const reader_t *reader, model_t *model)
{
    static const char *const words[] = {"schema", "object", "text", NULL};
    char path[PATH_BYTES];
    int json = word_of(text_of(reader, "json"), words);
    if (json < 0) return wrong(reader, "json", "must be schema, object or text");
    model->json = (model_json_t)json;
    path_of(reader, "reasoning", path);
    model->reasoning = pl_config_bool(reader->cfg, path);
    path_of(reader, "temperature", path);
    model->temperature = pl_config_double(reader->cfg, path);
    path_of(reader, "seed", path);
    model->seed = pl_config_int(reader->cfg, path);
    model->context_tokens = number_of(reader, "context");
    model->answer_tokens = number_of(reader, "max_tokens");
    model->connect_ms = number_of(reader, "connect_timeout_ms");
    model->first_ms = number_of(reader, "first_timeout_ms");
    model->stall_ms = number_of(reader, "stall_timeout_ms");
    model->whole_ms = number_of(reader, "timeout_ms");
    model->retries = number_of(reader, "retries");
    if (model->answer_tokens >= model->context_tokens) {
        return wrong(reader, "max_tokens", "must be less than context");
    }
    return read_extra(reader, model);
}

pl_err_t model_new(model_t **out, const pl_config_t *cfg, const char *size)
{
    reader_t reader = {cfg, size};
    *out = NULL;
    if (!*text_of(&reader, "endpoint")) return PL_OK;
    model_t *self = calloc(1, sizeof *self);
    assert(self);
    self->size = size;
    self->name = text_of(&reader, "model");
    pl_err_t err = read_url(&reader, self);
    if (!err) err = read_auth(&reader, self);
    if (!err) err = read_manner(&reader, self);
    if (err) {
        model_destroy(&self);
        return err;
    }
    *out = self;
    return PL_OK;
}

void model_destroy(model_t **self_p)
{
    if (!*self_p) return;
    free((*self_p)->url);
    free((*self_p)->extra_owned);
    free(*self_p);
    *self_p = NULL;
}
