#include "common/entra_ask.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILE_MOST_BYTES = 64 * 1024,
    TOKEN_MOST_BYTES = 8000,
    LIFE_MOST_S = 2 * 86400,
    LOGIN_TIMEOUT_MS = 10000,
    LOCAL_TIMEOUT_MS = 5000,
    LOCAL_CONNECT_MS = 1000,
    ANSWER_MOST_BYTES = 256 * 1024,
};

static const char assertion_type[] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/* ---- settings ------------------------------------------------------------------------------ */

static const char *setting(const pl_config_t *cfg, const char *path, const char *variable)
{
    const char *value = pl_config_str(cfg, path);
    const char *outside = variable && !*value ? getenv(variable) : NULL;
    return outside ? outside : value;
}

static pl_err_t wrong(const pl_config_t *cfg, const char *path, const char *what)
{
    const char *where = pl_config_where(cfg, path);
    fprintf(stderr, "%s%s%s: %s\n", where, *where ? ": " : "", path, what);
    return PL_INVALID;
}

static pl_err_t choose_way(entra_ask_t *self, const pl_config_t *cfg)
{
    const char *method = pl_config_str(cfg, "entra.method");
    bool automatic = strcmp(method, "auto") == 0;
    bool named = *self->tenant && *self->client;
    if (strcmp(method, "client_secret") == 0 || (automatic && named && *self->secret)) {
        self->way = ENTRA_CLIENT_SECRET;
    } else if (strcmp(method, "workload") == 0 || (automatic && named && *self->file)) {
        self->way = ENTRA_WORKLOAD;
    } else if (automatic || strcmp(method, "managed") == 0) {
        self->way = *self->identity_endpoint ? ENTRA_APP_SERVICE : ENTRA_METADATA;
        return PL_OK;
    } else {
        return wrong(cfg, "entra.method", "must be auto, client_secret, workload or managed");
    }
    if (!*self->tenant) return wrong(cfg, "entra.tenant_id", "is wanted by this method");
    if (!*self->client) return wrong(cfg, "entra.client_id", "is wanted by this method");
    if (self->way == ENTRA_CLIENT_SECRET && !*self->secret) {
        return wrong(cfg, "entra.client_secret", "is wanted by this method");
    }
    if (self->way == ENTRA_WORKLOAD && !*self->file) {
        return wrong(cfg, "entra.federated_token_file", "is wanted by this method");
    }
    return PL_OK;
}

pl_err_t entra_ask_read(entra_ask_t *out, const pl_config_t *cfg)
{
    entra_ask_t self = {
        .tenant = setting(cfg, "entra.tenant_id", "AZURE_TENANT_ID"),
        .client = setting(cfg, "entra.client_id", "AZURE_CLIENT_ID"),
        .secret = setting(cfg, "entra.client_secret", "AZURE_CLIENT_SECRET"),
        .file = setting(cfg, "entra.federated_token_file", "AZURE_FEDERATED_TOKEN_FILE"),
        .authority = setting(cfg, "entra.authority", "AZURE_AUTHORITY_HOST"),
        .identity_endpoint = setting(cfg, "entra.identity_endpoint", "IDENTITY_ENDPOINT"),
        .identity_header = setting(cfg, "entra.identity_header", "IDENTITY_HEADER"),
        .metadata_endpoint = pl_config_str(cfg, "entra.metadata_endpoint"),
    };
    if (!*self.authority) self.authority = "https://login.microsoftonline.com";
    for (const char *c = self.tenant; *c; c++) { /* it becomes a part of the path */
        if (!isalnum((unsigned char)*c) && !strchr("-.", *c)) {
            return wrong(cfg, "entra.tenant_id", "must be a directory's id or domain");
        }
    }
    pl_err_t err = choose_way(&self, cfg);
    if (!err) *out = self;
    return err;
}

/* ---- the request --------------------------------------------------------------------------- */

static void wipe(char *text)
{
    if (text) explicit_bzero(text, strlen(text));
    free(text);
}

/* "name=value" with the value percent-encoded, after what is there. */
static void add_field(char **text, char separator, const char *name, const char *value)
{
    char *coded = curl_easy_escape(NULL, value, 0);
    assert(coded);
    char *grown = NULL;
    int length = *text ? asprintf(&grown, "%s%c%s=%s", *text, separator, name, coded)
                       : asprintf(&grown, "%s=%s", name, coded);
    assert(length >= 0);
    (void)length;
    curl_free(coded);
    wipe(*text);
    *text = grown;
}

static void set_url(entra_request_t *self, const char *base, const char *rest)
{
    size_t length = strlen(base);
    while (length && base[length - 1] == '/') length--;
    int made = asprintf(&self->url, "%.*s%s", (int)length, base, rest);
    assert(made >= 0);
    (void)made;
}

/* The whole file without what blanks end it; NULL when it cannot be read or is empty. */
static char *read_token_file(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file) return NULL;
    char *text = calloc(1, FILE_MOST_BYTES + 1);
    assert(text);
    size_t size = fread(text, 1, FILE_MOST_BYTES, file);
    (void)fclose(file);
    while (size && isspace((unsigned char)text[size - 1])) text[--size] = '\0';
    if (size) return text;
    free(text);
    return NULL;
}

static pl_err_t make_login(entra_request_t *self, const entra_ask_t *ask, const char *scope)
{
    char path[512];
    (void)snprintf(path, sizeof path, "/%.300s/oauth2/v2.0/token", ask->tenant);
    set_url(self, ask->authority, path);
    add_field(&self->body, '&', "client_id", ask->client);
    add_field(&self->body, '&', "scope", scope);
    add_field(&self->body, '&', "grant_type", "client_credentials");
    if (ask->way == ENTRA_CLIENT_SECRET) {
        add_field(&self->body, '&', "client_secret", ask->secret);
    } else {
        char *assertion = read_token_file(ask->file); /* each time: it is replaced now and then */
        if (!assertion) return PL_NOT_FOUND;
        add_field(&self->body, '&', "client_assertion_type", assertion_type);
        add_field(&self->body, '&', "client_assertion", assertion);
        wipe(assertion);
    }
    self->headers[0] = "Content-Type: application/x-www-form-urlencoded";
    self->opts.timeout_ms = LOGIN_TIMEOUT_MS;
    return PL_OK;
}

/* The services beside the machine want the resource: the scope without "/.default". */
static void make_local(entra_request_t *self, const entra_ask_t *ask, const char *scope)
{
    static const char suffix[] = "/.default";
    size_t length = strlen(scope);
    size_t tail = sizeof suffix - 1;
    if (length > tail && strcmp(scope + length - tail, suffix) == 0) length -= tail;
    char *resource = strndup(scope, length);
    assert(resource);
    bool app = ask->way == ENTRA_APP_SERVICE;
    if (app) {
        set_url(self, ask->identity_endpoint, "?api-version=2019-08-01");
        int made = asprintf(&self->header, "X-IDENTITY-HEADER: %s", ask->identity_header);
        assert(made >= 0);
        (void)made;
        self->headers[0] = self->header;
    } else {
        set_url(self, ask->metadata_endpoint,
                "/metadata/identity/oauth2/token?api-version=2018-02-01");
        self->headers[0] = "Metadata: true";
    }
    add_field(&self->url, '&', "resource", resource);
    if (*ask->client) add_field(&self->url, '&', "client_id", ask->client);
    free(resource);
    self->opts.no_proxy = true;
    self->opts.connect_timeout_ms = LOCAL_CONNECT_MS;
    self->opts.timeout_ms = LOCAL_TIMEOUT_MS;
}

pl_err_t entra_request_make(entra_request_t *out, const entra_ask_t *ask, const char *scope)
{
    *out = (entra_request_t){0};
    pl_err_t err = PL_OK;
    if (ask->way == ENTRA_CLIENT_SECRET || ask->way == ENTRA_WORKLOAD) {
        err = make_login(out, ask, scope);
    } else {
        make_local(out, ask, scope);
    }
    out->opts.url = out->url;
    out->opts.body = out->body;
    out->opts.body_bytes = out->body ? strlen(out->body) : 0;
    out->opts.headers = out->headers;
    out->opts.max_bytes = ANSWER_MOST_BYTES;
    return err;
}

void entra_request_free(entra_request_t *self)
{
    free(self->url);
    wipe(self->body);
    wipe(self->header);
    *self = (entra_request_t){0};
}

/* ---- the answer ---------------------------------------------------------------------------- */

/* Seconds as a number or, from the metadata service, as a string. */
static uint32_t read_life(const cJSON *answer)
{
    const cJSON *life = cJSON_GetObjectItemCaseSensitive(answer, "expires_in");
    double seconds = cJSON_IsNumber(life)   ? life->valuedouble
                     : cJSON_IsString(life) ? strtod(life->valuestring, NULL)
                                            : 0;
    if (!(seconds > 0)) return 0;
    return seconds < LIFE_MOST_S ? (uint32_t)seconds : LIFE_MOST_S;
}

static bool is_token(const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        if (!isgraph((unsigned char)text[i])) return false; /* it becomes a header's value */
    }
    return length > 0 && length <= TOKEN_MOST_BYTES;
}

static void read_error(entra_answer_t *out, long status, const cJSON *answer)
{
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(answer, "error");
    const cJSON *words = cJSON_GetObjectItemCaseSensitive(answer, "error_description");
    (void)snprintf(out->detail, sizeof out->detail, "status %ld %s: %s", status,
                   cJSON_IsString(code) ? code->valuestring : "",
                   cJSON_IsString(words) ? words->valuestring : "");
    for (char *c = out->detail; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == '"') *c = ' ';
    }
    out->again = status == 404 || status == 408 || status == 410 || status == 429 || status >= 500;
}

void entra_answer_read(entra_answer_t *out, long status, const char *body)
{
    *out = (entra_answer_t){0};
    cJSON *answer = cJSON_Parse(body);
    const cJSON *token = cJSON_GetObjectItemCaseSensitive(answer, "access_token");
    uint32_t life_s = read_life(answer);
    if (status != 200) {
        read_error(out, status, answer);
    } else if (!cJSON_IsString(token) || !is_token(token->valuestring) || !life_s) {
        (void)snprintf(out->detail, sizeof out->detail, "the answer holds no token");
    } else {
        out->token = strdup(token->valuestring);
        assert(out->token);
        out->life_s = life_s;
    }
    cJSON_Delete(answer);
}

void entra_answer_free(entra_answer_t *self)
{
    wipe(self->token);
    self->token = NULL;
}
