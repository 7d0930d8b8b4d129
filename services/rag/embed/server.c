#include "services/rag/embed/server.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "common/entra.h"
#include "common/http.h"
#include "common/retry.h"

enum {
    URL_BYTES = 2048,
    NAME_MOST = 200,
    KEY_MOST = 4096,
    CONNECT_MS = 2000,
    VECTOR_BYTES = 100 * 1024, /* of a text's part of an answer, at most: 4096 numbers */
    ANSWER_BYTES = 64 * 1024,
};

#define SCOPE "https://cognitiveservices.azure.com/.default"

typedef enum { AUTH_NONE, AUTH_BEARER, AUTH_API_KEY, AUTH_ENTRA } auth_t;

struct embed_server {
    pl_http_t *http;
    pl_entra_t *entra; /* NULL: not wanted */
    const pl_config_t *cfg;
    char url[URL_BYTES];
    const char *model, *api_key, *encoding, *question_prefix, *passage_prefix;
    auth_t auth;
    size_t dimensions;
    bool azure;
    char space[EMBED_SPACE_BYTES];
    embed_call_t *calls;
};

struct embed_call {
    embed_call_t *next, **at; /* in server->calls */
    embed_server_t *server;
    char *body;
    size_t count;
    uint64_t until_ms;
    pl_entra_wait_t *wait;
    pl_http_call_t *http;
    embed_done_fn *done;
    void *arg;
};

/* ---- settings ---- */

static pl_err_t wrong(const embed_server_t *self, const char *key, const char *what)
{
    char path[64];
    (void)snprintf(path, sizeof path, "rag.embeddings.%s", key);
    const char *where = pl_config_where(self->cfg, path);
    (void)fprintf(stderr, "parley-rag: %s%s%s %s\n", where, *where ? ": " : "", path, what);
    return PL_INVALID;
}

static bool is_url(const char *text)
{
    const char *host = NULL;
    if (strncasecmp(text, "http://", 7) == 0) host = text + 7;
    if (strncasecmp(text, "https://", 8) == 0) host = text + 8;
    if (!host || !*host || *host == '/') return false;
    for (const char *c = text; *c; c++) {
        if (!isgraph((unsigned char)*c)) return false;
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

static pl_err_t read_url(embed_server_t *self)
{
    const char *endpoint = pl_config_str(self->cfg, "rag.embeddings.endpoint");
    const char *api = pl_config_str(self->cfg, "rag.embeddings.api");
    const char *version = pl_config_str(self->cfg, "rag.embeddings.api_version");
    size_t length = strlen(endpoint);
    if (!is_url(endpoint) || length > URL_BYTES / 2)
        return wrong(self, "endpoint", "must be a URL like https://api.openai.com/v1");
    if (!*self->model || strlen(self->model) > NAME_MOST)
        return wrong(self, "model", "must name the model");
    while (endpoint[length - 1] == '/') length--;
    if (strcmp(api, "openai") == 0) {
        const char *host = strstr(endpoint, "://") + 3;
        bool bare = host + strcspn(host, "/") >= endpoint + length; /* the usual path is /v1 */
        (void)snprintf(self->url, sizeof self->url, "%.*s%s/embeddings", (int)length, endpoint,
                       bare ? "/v1" : "");
        return PL_OK;
    }
    if (strcmp(api, "azure") != 0) return wrong(self, "api", "must be openai or azure");
    if (!is_path_name(self->model))
        return wrong(self, "model", "must be a deployment's name: letters, digits, - . _ ~");
    if (!is_path_name(version)) return wrong(self, "api_version", "must be a date like 2024-10-21");
    self->azure = true;
    (void)snprintf(self->url, sizeof self->url,
                   "%.*s/openai/deployments/%s/embeddings?api-version=%s", (int)length, endpoint,
                   self->model, version);
    return PL_OK;
}

static pl_err_t read_auth(embed_server_t *self)
{
    static const struct {
        const char *word;
        auth_t auth;
    } words[] = {{"none", AUTH_NONE},
                 {"bearer", AUTH_BEARER},
                 {"api-key", AUTH_API_KEY},
                 {"entra", AUTH_ENTRA}};
    const char *word = pl_config_str(self->cfg, "rag.embeddings.auth");
    bool keyed = *self->api_key != '\0';
    bool known = strcmp(word, "auto") == 0;
    self->auth = keyed ? AUTH_BEARER : AUTH_NONE;
    if (self->azure) self->auth = keyed ? AUTH_API_KEY : AUTH_ENTRA;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(word, words[i].word) != 0) continue;
        self->auth = words[i].auth;
        known = true;
    }
    if (!known) return wrong(self, "auth", "must be auto, none, bearer, api-key or entra");
    if ((self->auth == AUTH_BEARER || self->auth == AUTH_API_KEY) && !keyed)
        return wrong(self, "api_key", "is wanted by this auth");
    if (strlen(self->api_key) > KEY_MOST) return wrong(self, "api_key", "is too long");
    for (const char *c = self->api_key; *c; c++) {
        if (!isgraph((unsigned char)*c))
            return wrong(self, "api_key", "holds a blank or another character no key has");
    }
    return PL_OK;
}

static pl_err_t read_settings(embed_server_t *self)
{
    self->model = pl_config_str(self->cfg, "rag.embeddings.model");
    self->api_key = pl_config_str(self->cfg, "rag.embeddings.api_key");
    self->encoding = pl_config_str(self->cfg, "rag.embeddings.encoding_format");
    self->question_prefix = pl_config_str(self->cfg, "rag.embeddings.query_prefix");
    self->passage_prefix = pl_config_str(self->cfg, "rag.embeddings.passage_prefix");
    self->dimensions = (size_t)pl_config_int(self->cfg, "rag.embeddings.dimensions");
    if (strcmp(self->encoding, "base64") != 0 && strcmp(self->encoding, "float") != 0)
        return wrong(self, "encoding_format", "must be base64 or float");
    pl_err_t err = read_url(self);
    if (!err) err = read_auth(self);
    (void)snprintf(self->space, sizeof self->space, "%.200s|%zu|%.200s", self->model,
                   self->dimensions, self->passage_prefix);
    return err;
}

pl_err_t embed_server_new(embed_server_t **out, pl_loop_t *loop, const pl_config_t *cfg)
{
    *out = NULL;
    if (!*pl_config_str(cfg, "rag.embeddings.endpoint")) return PL_OK;
    embed_server_t *self = calloc(1, sizeof *self);
    assert(self);
    self->cfg = cfg;
    self->http = pl_http_new(loop);
    pl_http_trust(self->http, pl_config_str(cfg, "http.ca_file"));
    pl_err_t err = read_settings(self);
    if (!err && self->auth == AUTH_ENTRA) err = pl_entra_new(&self->entra, loop, self->http, cfg);
    if (err) {
        embed_server_destroy(&self);
        return err;
    }
    pl_http_warm(self->http, self->url, 1);
    *out = self;
    return PL_OK;
}

static void drop(embed_call_t *call)
{
    if (call->next) call->next->at = call->at;
    *call->at = call->next;
    pl_entra_cancel(&call->wait);
    pl_http_cancel(&call->http);
    free(call->body);
    free(call);
}

void embed_server_destroy(embed_server_t **self_p)
{
    embed_server_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    while (self->calls) drop(self->calls);
    pl_entra_destroy(&self->entra);
    pl_http_destroy(&self->http);
    free(self);
}

const char *embed_server_space(const embed_server_t *self)
{
    return self->space;
}

size_t embed_server_dimensions(const embed_server_t *self)
{
    return self->dimensions;
}

/* ---- asking ---- */

static char *body_of(const embed_server_t *self, const char *const *texts, size_t count,
                     bool question)
{
    cJSON *root = cJSON_CreateObject();
    cJSON *input = cJSON_AddArrayToObject(root, "input");
    const char *prefix = question ? self->question_prefix : self->passage_prefix;
    for (size_t i = 0; i < count; i++) {
        size_t room = strlen(prefix) + strlen(texts[i]) + 1;
        char *text = malloc(room);
        assert(text);
        (void)snprintf(text, room, "%s%s", prefix, texts[i]);
        cJSON_AddItemToArray(input, cJSON_CreateString(text));
        free(text);
    }
    if (!self->azure) cJSON_AddStringToObject(root, "model", self->model);
    cJSON_AddStringToObject(root, "encoding_format", self->encoding);
    if (self->dimensions > 0) cJSON_AddNumberToObject(root, "dimensions", (double)self->dimensions);
    char *body = cJSON_PrintUnformatted(root);
    assert(body);
    cJSON_Delete(root);
    return body;
}

static void finish(embed_call_t *call, const embed_outcome_t *outcome)
{
    embed_done_fn *done = call->done;
    void *arg = call->arg;
    drop(call);
    done(arg, outcome);
}

static embed_end_t end_of(long status)
{
    if (status >= 200 && status < 300) return EMBED_ANSWERED;
    if (status == 429) return EMBED_BUSY;
    if (status == 400 || status == 413 || status == 422) return EMBED_REFUSED;
    if (status == 408 || status >= 500 || status < 400) return EMBED_DOWN;
    return EMBED_HOPELESS;
}

static void on_answer(void *arg, pl_err_t err, const pl_http_answer_t *answer)
{
    embed_call_t *call = arg;
    embed_server_t *self = call->server;
    call->http = NULL;
    char detail[EMBED_DETAIL_BYTES] = "";
    char words[EMBED_DETAIL_BYTES] = "";
    embed_outcome_t outcome = {.end = EMBED_DOWN, .retry_after_ms = -1, .detail = detail};
    if (err) {
        (void)snprintf(detail, sizeof detail, "%s", answer->detail);
    } else {
        outcome.end = end_of(answer->status);
        outcome.retry_after_ms =
            pl_retry_after_ms(pl_http_header(answer, "retry-after-ms"),
                              pl_http_header(answer, "retry-after"), pl_clock_wall_ms());
        embed_answer_error(answer->body, answer->body_bytes, words);
        (void)snprintf(detail, sizeof detail, "status %ld%s%.200s", answer->status,
                       *words ? ": " : "", words);
        if (answer->status == 401 && self->entra) pl_entra_forget(self->entra, SCOPE);
    }
    /* The answer outlives this callback's call, but not the callback. */
    outcome.body = outcome.end == EMBED_ANSWERED ? answer->body : "";
    outcome.bytes = outcome.end == EMBED_ANSWERED ? answer->body_bytes : 0;
    finish(call, &outcome);
}

static void send_call(embed_call_t *call, const char *token)
{
    embed_server_t *self = call->server;
    size_t room = strlen(token) + 64;
    char *credentials = malloc(room);
    assert(credentials);
    const char *headers[3] = {"Content-Type: application/json"};
    if (self->auth != AUTH_NONE) {
        (void)snprintf(credentials, room, "%s%s",
                       self->auth == AUTH_API_KEY ? "api-key: " : "Authorization: Bearer ", token);
        headers[1] = credentials;
    }
    uint64_t now_ms = pl_clock_ms();
    pl_http_opts_t opts = {
        .url = self->url,
        .headers = headers,
        .body = call->body,
        .body_bytes = strlen(call->body),
        .connect_timeout_ms = CONNECT_MS,
        .timeout_ms = call->until_ms > now_ms ? (uint32_t)(call->until_ms - now_ms) : 1,
        .max_bytes = ANSWER_BYTES + call->count * VECTOR_BYTES,
    };
    call->http = pl_http_send(self->http, &opts, on_answer, call);
    free(credentials);
}

static void on_token(void *arg, pl_err_t err, const char *token, const char *detail)
{
    embed_call_t *call = arg;
    call->wait = NULL;
    if (!err) {
        send_call(call, token);
        return;
    }
    embed_outcome_t outcome = {
        .end = EMBED_DOWN, .body = "", .retry_after_ms = -1, .detail = detail ? detail : ""};
    finish(call, &outcome);
}

embed_call_t *embed_ask(embed_server_t *self, const char *const *texts, size_t count, bool question,
                        uint32_t timeout_ms, embed_done_fn *done, void *arg)
{
    assert(count > 0 && count <= EMBED_TEXTS_MAX);
    embed_call_t *call = calloc(1, sizeof *call);
    assert(call);
    *call = (embed_call_t){.next = self->calls,
                           .at = &self->calls,
                           .server = self,
                           .body = body_of(self, texts, count, question),
                           .count = count,
                           .until_ms = pl_clock_ms() + timeout_ms,
                           .done = done,
                           .arg = arg};
    if (call->next) call->next->at = &call->next;
    self->calls = call;
    const char *token = self->entra ? pl_entra_token(self->entra, SCOPE) : self->api_key;
    if (token)
        send_call(call, token);
    else
        call->wait = pl_entra_ask(self->entra, SCOPE, on_token, call);
    return call;
}

void embed_cancel(embed_call_t **call_p)
{
    embed_call_t *call = *call_p;
    *call_p = NULL;
    if (call) drop(call);
}
