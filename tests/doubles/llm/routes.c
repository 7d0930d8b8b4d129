#include "tests/doubles/llm/routes.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/doubles/llm/chat_reply.h"
#include "tests/doubles/llm/embed.h"

enum { NAME_BYTES = 128, ERROR_BYTES = 4096 };

struct routes {
    script_t *script;
    journal_t *journal;
    uint64_t exchanges;
};

/* What a path asks for. */
typedef struct {
    char call[32];         /* "chat/completions", "embeddings", "models"... */
    char name[NAME_BYTES]; /* deployment, or model after "models/" */
    bool azure;            /* Azure's manner: api-version wanted, filter results added */
} target_t;

/* What is noted of an exchange beyond its plan. */
typedef struct {
    char rule[NAME_BYTES], model[NAME_BYTES];
} note_t;

routes_t *routes_new(script_t *script, journal_t *journal)
{
    routes_t *self = calloc(1, sizeof *self);
    assert(self);
    self->script = script;
    self->journal = journal;
    return self;
}

void routes_destroy(routes_t **self_p)
{
    if (!*self_p) return;
    script_destroy(&(*self_p)->script);
    free(*self_p);
    *self_p = NULL;
}

static const char *after(const char *path, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(path, prefix, length) == 0 ? path + length : NULL;
}

static target_t target_of(const char *path)
{
    target_t out = {0};
    const char *rest = after(path, "/openai/deployments/");
    if (rest) {
        size_t length = strcspn(rest, "/");
        (void)snprintf(out.name, sizeof out.name, "%.*s", (int)length, rest);
        out.azure = true;
        rest += length + (rest[length] == '/');
    } else {
        rest = after(path, "/openai/v1/");
        if (!rest) rest = after(path, "/v1/");
    }
    const char *model = rest ? after(rest, "models/") : NULL;
    if (model) {
        (void)snprintf(out.name, sizeof out.name, "%s", model);
        rest = "model";
    }
    (void)snprintf(out.call, sizeof out.call, "%s", rest ? rest : "");
    return out;
}

static const char *auth_of(const http_request_t *request)
{
    if (http_header(request, "api-key")) return "api-key";
    const char *header = http_header(request, "authorization");
    return header && after(header, "Bearer ") ? "bearer" : "none";
}

static bool is_allowed(const routes_t *self, const http_request_t *request)
{
    const char *wanted = script_api_key(self->script);
    const char *key = http_header(request, "api-key");
    const char *header = http_header(request, "authorization");
    if (!key && header) key = after(header, "Bearer ");
    return !*wanted || (key && strcmp(key, wanted) == 0);
}

static bool is_model(const routes_t *self, const char *name)
{
    size_t models = script_models(self->script);
    for (size_t i = 0; i < models; i++) {
        if (strcmp(script_model(self->script, i), name) == 0) return true;
    }
    return models == 0;
}

/* ---- the calls ----------------------------------------------------------------------------- */

static void add_model(text_t *body, const char *name)
{
    text_add(body, "{\"id\":");
    text_json(body, name);
    text_add(body, ",\"object\":\"model\",\"created\":1700000000,\"owned_by\":\"double\"}");
}

static void list_models(const routes_t *self, plan_t *out)
{
    text_t body = {0};
    size_t models = script_models(self->script);
    text_add(&body, "{\"object\":\"list\",\"data\":[");
    for (size_t i = 0; i < models; i++) {
        if (i) text_add(&body, ",");
        add_model(&body, script_model(self->script, i));
    }
    if (!models) add_model(&body, "double");
    text_add(&body, "]}");
    plan_whole(out, 200, "application/json", NULL, body.data, 0);
    text_free(&body);
}

static void no_model(const target_t *target, const char *name, plan_t *out)
{
    char message[NAME_BYTES + 96];
    if (target->azure) {
        reply_error(out, 404, "DeploymentNotFound", "",
                    "The API deployment for this resource does not exist.", NULL);
        return;
    }
    (void)snprintf(message, sizeof message,
                   "The model `%s` does not exist or you do not have access to it.", name);
    reply_error(out, 404, "model_not_found", "", message, NULL);
}

static void chat(routes_t *self, const target_t *target, const http_request_t *http, plan_t *out,
                 note_t *note)
{
    chat_request_t request = {0};
    chat_problem_t problem;
    char *groups[RULE_GROUPS];
    if (!chat_request_read(&request, http->body ? http->body : "", http->body_bytes, *target->name,
                           &problem)) {
        reply_error(out, 400, "", problem.param, problem.message, NULL);
        return;
    }
    const char *model = *target->name ? target->name : request.model;
    (void)snprintf(note->model, sizeof note->model, "%s", model);
    if (!is_model(self, model)) {
        no_model(target, model, out);
        chat_request_free(&request);
        return;
    }
    const rule_t *rule = script_match(self->script, &request, model, groups);
    if (rule) {
        (void)snprintf(note->rule, sizeof note->rule, "%s", rule->name);
        chat_reply(&(chat_reply_t){.request = &request,
                                   .rule = rule,
                                   .groups = groups,
                                   .model = model,
                                   .azure = target->azure,
                                   .number = self->exchanges,
                                   .created_s = (int64_t)time(NULL)},
                   out);
    } else {
        reply_error(out, 400, "no_rule", "", "no rule of the double's script applies", NULL);
    }
    for (size_t i = 0; i < RULE_GROUPS; i++) free(groups[i]);
    chat_request_free(&request);
}

static void new_script(routes_t *self, const http_request_t *request, plan_t *out)
{
    char error[ERROR_BYTES];
    script_t *script =
        script_read("script", request->body ? request->body : "", error, sizeof error);
    if (!script) {
        reply_error(out, 400, "script", "", error, NULL);
        return;
    }
    script_destroy(&self->script);
    self->script = script;
    plan_whole(out, 200, "application/json", NULL, "{}", 0);
}

/* Entra ID's token for this server: whatever the script's api_key is. */
static void give_token(const routes_t *self, bool local, plan_t *out)
{
    text_t body = {0};
    text_fmt(&body, "{\"token_type\":\"Bearer\",\"expires_in\":%s,\"access_token\":",
             local ? "\"3599\"" : "3599");
    text_json(&body, *script_api_key(self->script) ? script_api_key(self->script) : "token");
    text_add(&body, "}");
    plan_whole(out, 200, "application/json", NULL, body.data, 0);
    text_free(&body);
}

/* What is not the models' business; false when path is nothing of the kind. */
static bool dispatch_beside(routes_t *self, const http_request_t *request, plan_t *out)
{
    const char *path = request->path;
    static const char login[] = "/oauth2/v2.0/token";
    size_t length = strlen(path);
    size_t tail = sizeof login - 1;
    if (strcmp(path, "/double/script") == 0 && strcmp(request->method, "PUT") == 0) {
        new_script(self, request, out);
    } else if (strcmp(path, "/health") == 0 || strcmp(path, "/") == 0) {
        plan_whole(out, 200, "application/json", NULL, "{\"status\":\"ok\"}", 0);
    } else if (strcmp(path, "/metadata/identity/oauth2/token") == 0) {
        give_token(self, true, out);
    } else if (length > tail && strcmp(path + length - tail, login) == 0) {
        give_token(self, false, out);
    } else {
        return false;
    }
    return true;
}

static void dispatch(routes_t *self, const http_request_t *request, plan_t *out, note_t *note)
{
    bool posts = strcmp(request->method, "POST") == 0;
    if (dispatch_beside(self, request, out)) return;
    target_t target = target_of(request->path);
    char *version = http_query(request, "api-version");
    bool versioned = !target.azure || (version && *version);
    free(version);
    if (!*target.call || !versioned) {
        reply_error(out, 404, "404", "", "Resource not found", NULL);
    } else if (!is_allowed(self, request)) {
        reply_error(out, 401, target.azure ? "401" : "invalid_api_key", "",
                    "Incorrect API key provided.", NULL);
    } else if (strcmp(target.call, "chat/completions") == 0 && posts) {
        chat(self, &target, request, out, note);
    } else if (strcmp(target.call, "embeddings") == 0 && posts) {
        (void)snprintf(note->model, sizeof note->model, "%s", target.name);
        embed_reply(self->script, request->body ? request->body : "", request->body_bytes,
                    *target.name, out);
    } else if (strcmp(target.call, "models") == 0 && !posts) {
        list_models(self, out);
    } else if (strcmp(target.call, "model") == 0 && !posts) {
        if (is_model(self, target.name)) {
            text_t body = {0};
            add_model(&body, target.name);
            plan_whole(out, 200, "application/json", NULL, body.data, 0);
            text_free(&body);
        } else {
            no_model(&target, target.name, out);
        }
    } else {
        reply_error(out, 404, "", "", "Unknown request URL.", NULL);
    }
}

uint64_t routes_answer(routes_t *self, const http_request_t *request, plan_t *out)
{
    note_t note = {0};
    self->exchanges++;
    dispatch(self, request, out, &note);
    if (strcmp(request->method, "HEAD") == 0 && out->n_steps) { /* the head alone */
        out->bytes.size = (size_t)(strstr(out->bytes.data, "\r\n\r\n") + 4 - out->bytes.data);
        out->steps[0].upto = out->bytes.size;
    }
    journal_request(self->journal, &(journal_request_t){.number = self->exchanges,
                                                        .method = request->method,
                                                        .path = request->path,
                                                        .query = request->query,
                                                        .status = out->status,
                                                        .auth = auth_of(request),
                                                        .rule = note.rule,
                                                        .model = note.model,
                                                        .body = request->body,
                                                        .body_bytes = request->body_bytes});
    return self->exchanges;
}
