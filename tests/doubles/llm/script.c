#include "tests/doubles/llm/script.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"

#define KEY(path, type, fallback)                                                                  \
    {                                                                                              \
        path, PL_CONFIG_##type, fallback, 0, 0, ""                                                 \
    }
#define NUMBER(path, fallback, most)                                                               \
    {                                                                                              \
        path, PL_CONFIG_INT, fallback, 0, most, ""                                                 \
    }

static const pl_config_key_t keys[] = {
    KEY("api_key", STRING, ""),
    KEY("models[]", STRING, NULL),
    {"embeddings.dimensions", PL_CONFIG_INT, "256", 1, 8192, ""},
    {"embeddings.status", PL_CONFIG_INT, "200", 200, 599, ""},
    NUMBER("embeddings.delay_ms", "0", 600000),
    KEY("embeddings.refuse", STRING, ""),
    NUMBER("pace.first_ms", "0", 600000),
    {"pace.tokens_per_s", PL_CONFIG_DOUBLE, "0", 0, 1e6, ""},

    KEY("rules[].name", STRING, ""),
    KEY("rules[].count", INT, "0"),
    KEY("rules[].when.user", STRING, ""),
    KEY("rules[].when.tool", STRING, ""),
    KEY("rules[].when.tool_name", STRING, ""),
    KEY("rules[].when.system", STRING, ""),
    KEY("rules[].when.anywhere", STRING, ""),
    KEY("rules[].when.model", STRING, ""),
    KEY("rules[].when.role", STRING, ""),
    KEY("rules[].when.schema", STRING, ""),
    KEY("rules[].when.offered", STRING, ""),
    KEY("rules[].when.not_offered", STRING, ""),
    NUMBER("rules[].when.turn", "0", 100000),
    KEY("rules[].say", STRING, ""),
    KEY("rules[].call[].name", STRING, ""),
    KEY("rules[].call[].arguments", STRING, "{}"),
    KEY("rules[].call[].id", STRING, ""),
    KEY("rules[].pace.first_ms", STRING, ""),
    KEY("rules[].pace.tokens_per_s", STRING, ""),
    KEY("rules[].fault.kind", STRING, "none"),
    NUMBER("rules[].fault.ms", "5000", 600000),
    NUMBER("rules[].fault.after_bytes", "0", 1000000000),
    {"rules[].fault.bytes", PL_CONFIG_INT, "1048576", 1, 64 << 20, ""},
    {"rules[].fault.status", PL_CONFIG_INT, "500", 200, 599, ""},
    KEY("rules[].fault.retry_after_s", STRING, ""),
    KEY("rules[].fault.code", STRING, ""),
    KEY("rules[].fault.message", STRING, ""),
    {NULL, PL_CONFIG_STRING, NULL, 0, 0, NULL},
};

static const char *const fault_names[] = {
    [FAULT_NONE] = "none",
    [FAULT_SLOW_FIRST] = "slow_first",
    [FAULT_STALL] = "stall",
    [FAULT_RESET] = "reset",
    [FAULT_HANGUP] = "hangup",
    [FAULT_STATUS] = "status",
    [FAULT_GARBAGE] = "garbage",
    [FAULT_HUGE_LINE] = "huge_line",
    [FAULT_TRUNCATED_JSON] = "truncated_json",
    [FAULT_EMPTY] = "empty",
    [FAULT_FILTER_PROMPT] = "filter_prompt",
    [FAULT_FILTER_ANSWER] = "filter_answer",
    [FAULT_FINISH_LENGTH] = "finish_length",
    [FAULT_ERROR_EVENT] = "error_event",
};

static const char built_in[] = "rules:\n  - name: echo\n    say: \"You said: {{user}}\"\n";

struct script {
    pl_config_t *cfg; /* owns all strings */
    rule_t *rules;
    size_t n_rules;
};

/* ---- reading ------------------------------------------------------------------------------- */

typedef struct {
    const pl_config_t *cfg;
    size_t at; /* of the rule */
    FILE *errors;
} reader_t;

static void complain(const reader_t *reader, const char *field, const char *what)
{
    fprintf(reader->errors, "rules[%zu].%s: %s\n", reader->at, field, what);
}

static const char *text_of(const reader_t *reader, const char *field)
{
    return pl_config_item(reader->cfg, "rules[%zu].%s", reader->at, field);
}

static uint32_t number_of(const reader_t *reader, const char *field)
{
    return (uint32_t)strtoul(text_of(reader, field), NULL, 10); /* in range: it was checked */
}

static double double_of(const reader_t *reader, const char *field, double none)
{
    const char *text = text_of(reader, field);
    char *end = NULL;
    if (!*text) return none;
    double value = strtod(text, &end);
    if (*end || !(value >= 0 && value <= 1e6)) {
        complain(reader, field, "must be a number from 0 to 1000000");
    }
    return value;
}

/* "word": holds the word, whatever the case; "/regex/": matches; "!..." not; "=text": is exactly. */
static void read_pattern(const reader_t *reader, const char *field, pattern_t *out)
{
    char path[64];
    (void)snprintf(path, sizeof path, "when.%s", field);
    const char *text = text_of(reader, path);
    if (!*text) return;
    out->negated = *text == '!';
    if (out->negated) text++;
    size_t length = strlen(text);
    out->text = text;
    if (length < 2 || text[0] != '/' || text[length - 1] != '/') return;
    char *inner = strndup(text + 1, length - 2);
    assert(inner);
    out->is_regex = regcomp(&out->regex, inner, REG_EXTENDED | REG_ICASE) == 0;
    if (!out->is_regex) complain(reader, path, "is no regular expression");
    free(inner);
}

static void read_when(const reader_t *reader, rule_t *rule)
{
    read_pattern(reader, "user", &rule->user);
    read_pattern(reader, "tool", &rule->tool);
    read_pattern(reader, "tool_name", &rule->tool_name);
    read_pattern(reader, "system", &rule->system);
    read_pattern(reader, "anywhere", &rule->anywhere);
    read_pattern(reader, "model", &rule->model);
    read_pattern(reader, "role", &rule->role);
    read_pattern(reader, "schema", &rule->schema);
    rule->offered = text_of(reader, "when.offered");
    rule->not_offered = text_of(reader, "when.not_offered");
    rule->turn = number_of(reader, "when.turn");
}

static void read_fault(const reader_t *reader, fault_t *out)
{
    const char *kind = text_of(reader, "fault.kind");
    size_t kinds = sizeof fault_names / sizeof *fault_names;
    size_t at = 0;
    while (at < kinds && strcmp(fault_names[at], kind) != 0) at++;
    if (at == kinds) complain(reader, "fault.kind", "is not known; see README.md");
    *out = (fault_t){
        .kind = at < kinds ? (fault_kind_t)at : FAULT_NONE,
        .ms = number_of(reader, "fault.ms"),
        .after_bytes = number_of(reader, "fault.after_bytes"),
        .bytes = number_of(reader, "fault.bytes"),
        .status = (int)number_of(reader, "fault.status"),
        .retry_after_s = double_of(reader, "fault.retry_after_s", -1),
        .code = text_of(reader, "fault.code"),
        .message = text_of(reader, "fault.message"),
    };
}

static void read_calls(const reader_t *reader, rule_t *rule)
{
    char path[64];
    (void)snprintf(path, sizeof path, "rules[%zu].call", reader->at);
    rule->n_calls = pl_config_count(reader->cfg, path);
    rule->calls = calloc(rule->n_calls + 1, sizeof *rule->calls);
    assert(rule->calls);
    for (size_t i = 0; i < rule->n_calls; i++) {
        rule->calls[i] = (rule_call_t){
            .name = pl_config_item(reader->cfg, "%s[%zu].name", path, i),
            .arguments = pl_config_item(reader->cfg, "%s[%zu].arguments", path, i),
            .id = pl_config_item(reader->cfg, "%s[%zu].id", path, i),
        };
        if (!*rule->calls[i].name) complain(reader, "call", "needs a name");
    }
}

static void read_rule(const reader_t *reader, rule_t *rule)
{
    rule->name = text_of(reader, "name");
    rule->count = number_of(reader, "count");
    rule->say = text_of(reader, "say");
    read_when(reader, rule);
    read_calls(reader, rule);
    read_fault(reader, &rule->fault);
    rule->pace.first_ms = (uint32_t)double_of(reader, "pace.first_ms",
                                              (double)pl_config_int(reader->cfg, "pace.first_ms"));
    rule->pace.tokens_per_s =
        double_of(reader, "pace.tokens_per_s", pl_config_double(reader->cfg, "pace.tokens_per_s"));
}

script_t *script_read(const char *name, const char *yaml, char *error, size_t error_bytes)
{
    script_t *self = calloc(1, sizeof *self);
    assert(self);
    self->cfg =
        pl_config_parse("llm-double", keys, name, yaml ? yaml : built_in, error, error_bytes);
    if (!self->cfg) {
        script_destroy(&self);
        return NULL;
    }
    self->n_rules = pl_config_count(self->cfg, "rules");
    self->rules = calloc(self->n_rules + 1, sizeof *self->rules);
    assert(self->rules);
    (void)memset(error, 0, error_bytes);
    reader_t reader = {.cfg = self->cfg, .errors = fmemopen(error, error_bytes, "w")};
    assert(reader.errors);
    for (; reader.at < self->n_rules; reader.at++) read_rule(&reader, &self->rules[reader.at]);
    (void)fclose(reader.errors);
    if (*error) script_destroy(&self);
    return self;
}

static void pattern_free(pattern_t *self)
{
    if (self->is_regex) regfree(&self->regex);
}

void script_destroy(script_t **self_p)
{
    script_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (size_t i = 0; i < self->n_rules; i++) {
        rule_t *rule = &self->rules[i];
        pattern_t *all[] = {&rule->user,  &rule->tool, &rule->system,    &rule->anywhere,
                            &rule->model, &rule->role, &rule->tool_name, &rule->schema};
        for (size_t p = 0; p < sizeof all / sizeof *all; p++) pattern_free(all[p]);
        free(rule->calls);
    }
    free(self->rules);
    pl_config_destroy(&self->cfg);
    free(self);
}

/* ---- matching ------------------------------------------------------------------------------ */

static bool holds(const pattern_t *self, const char *text, regmatch_t groups[RULE_GROUPS])
{
    if (!self->text) return true;
    bool found;
    if (self->is_regex) {
        found = regexec(&self->regex, text, groups ? RULE_GROUPS : 0, groups, 0) == 0;
    } else if (*self->text == '=') {
        found = strcmp(text, self->text + 1) == 0;
    } else {
        found = strcasestr(text, self->text) != NULL;
    }
    return found != self->negated;
}

static bool applies(const rule_t *rule, const chat_request_t *request, const char *model,
                    regmatch_t groups[RULE_GROUPS])
{
    return (!rule->count || rule->used < rule->count) && holds(&rule->model, model, NULL) &&
           holds(&rule->role, request->last_role, NULL) &&
           holds(&rule->tool, request->tool, NULL) &&
           holds(&rule->tool_name, request->tool_name, NULL) &&
           holds(&rule->schema, request->schema_name, NULL) &&
           holds(&rule->system, request->system, NULL) &&
           holds(&rule->anywhere, request->all, NULL) &&
           (!*rule->offered || chat_request_offers(request, rule->offered)) &&
           (!*rule->not_offered || !chat_request_offers(request, rule->not_offered)) &&
           (!rule->turn || rule->turn == request->turns) &&
           holds(&rule->user, request->user, groups);
}

const rule_t *script_match(script_t *self, const chat_request_t *request, const char *model,
                           char *groups[RULE_GROUPS])
{
    for (size_t i = 0; i < RULE_GROUPS; i++) groups[i] = NULL;
    for (size_t i = 0; i < self->n_rules; i++) {
        regmatch_t found[RULE_GROUPS];
        for (size_t g = 0; g < RULE_GROUPS; g++) found[g] = (regmatch_t){-1, -1};
        rule_t *rule = &self->rules[i];
        if (!applies(rule, request, model, found)) continue;
        rule->used++;
        for (size_t g = 0; g < RULE_GROUPS; g++) {
            if (found[g].rm_so < 0 || rule->user.negated) continue;
            groups[g] =
                strndup(request->user + found[g].rm_so, (size_t)(found[g].rm_eo - found[g].rm_so));
            assert(groups[g]);
        }
        return rule;
    }
    return NULL;
}

const char *script_api_key(const script_t *self)
{
    return pl_config_str(self->cfg, "api_key");
}

embeddings_t script_embeddings(const script_t *self)
{
    return (embeddings_t){
        .dimensions = (uint32_t)pl_config_int(self->cfg, "embeddings.dimensions"),
        .status = (int)pl_config_int(self->cfg, "embeddings.status"),
        .delay_ms = (uint32_t)pl_config_int(self->cfg, "embeddings.delay_ms"),
        .refuse = pl_config_str(self->cfg, "embeddings.refuse"),
    };
}

size_t script_models(const script_t *self)
{
    return pl_config_count(self->cfg, "models");
}

const char *script_model(const script_t *self, size_t at)
{
    return pl_config_item(self->cfg, "models[%zu]", at);
}
