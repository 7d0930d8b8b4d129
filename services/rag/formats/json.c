#include "services/rag/formats/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/rag/formats/entry.h"

typedef struct {
    const char *text;
    size_t bytes, at;
    entry_t *entry;
    size_t given, left_out;
    char *problem; /* of the first entry that was left out */
} reader_t;

/* ---- finding the entries ---- */

static void skip_blanks(reader_t *self)
{
    while (self->at < self->bytes && self->text[self->at] &&
           strchr(" \t\r\n,", self->text[self->at]))
        self->at++;
}

static void skip_string(reader_t *self)
{
    for (self->at++; self->at < self->bytes && self->text[self->at] != '"'; self->at++) {
        if (self->text[self->at] == '\\') self->at++;
    }
    self->at = self->at < self->bytes ? self->at + 1 : self->bytes;
}

static void skip_scalar(reader_t *self)
{
    self->at++;
    while (self->at < self->bytes && !strchr(" \t\r\n,:{}[]\"", self->text[self->at])) self->at++;
}

/* Passes the value at the present place. False: the text ends within it. */
static bool skip_value(reader_t *self)
{
    size_t depth = 0;
    do {
        if (self->at >= self->bytes) return false;
        char c = self->text[self->at];
        if (c == '{' || c == '[') {
            depth++;
            self->at++;
        } else if (c == '}' || c == ']') {
            depth -= depth > 0;
            self->at++;
        } else if (c == '"') {
            skip_string(self);
        } else {
            skip_scalar(self);
        }
    } while (depth > 0);
    return true;
}

static size_t line_of(const reader_t *self, size_t at)
{
    size_t line = 1;
    for (size_t i = 0; i < at && i < self->bytes; i++) line += self->text[i] == '\n';
    return line;
}

static void leave_out(reader_t *self, size_t at, const char *why)
{
    if (self->left_out++ == 0)
        (void)snprintf(self->problem, JSON_PROBLEM_BYTES, "line %zu: %s", line_of(self, at), why);
}

/* ---- one entry ---- */

static void put_vector(reader_t *self, const cJSON *list)
{
    float vector[PASSAGE_DIMENSIONS_MAX];
    size_t count = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble) ||
            count == PASSAGE_DIMENSIONS_MAX)
            return;
        vector[count++] = (float)item->valuedouble;
    }
    if (count > 0) entry_vector(self->entry, vector, count);
}

static void put_field(reader_t *self, const char *name, const cJSON *value)
{
    char number[40];
    const char *text = NULL;
    if (cJSON_IsString(value)) {
        text = value->valuestring;
    } else if (cJSON_IsNumber(value)) {
        (void)snprintf(number, sizeof number, "%.15g", value->valuedouble);
        text = number;
    } else if (cJSON_IsBool(value)) {
        text = cJSON_IsTrue(value) ? "true" : "false";
    }
    if (text && name[0] != '@') entry_field(self->entry, name, text, strlen(text));
}

static void put_object(reader_t *self, const cJSON *object)
{
    const cJSON *member = NULL;
    cJSON_ArrayForEach(member, object)
    {
        if (cJSON_IsArray(member) && entry_is_vector(member->string)) {
            put_vector(self, member);
            continue;
        }
        const cJSON *item = member;
        if (cJSON_IsArray(member)) item = member->child;
        for (; item; item = cJSON_IsArray(member) ? item->next : NULL)
            put_field(self, member->string, item);
    }
}

static void take_entry(reader_t *self, size_t from)
{
    size_t size = self->at - from;
    if (size > JSON_ENTRY_BYTES) {
        leave_out(self, from, "longer than 1 MiB");
        return;
    }
    cJSON *object = cJSON_ParseWithLength(self->text + from, size);
    if (!object) {
        leave_out(self, from, "not JSON");
    } else if (!cJSON_IsObject(object)) {
        leave_out(self, from, "not an object");
    } else {
        put_object(self, object);
        if (entry_end(self->entry))
            self->given++;
        else
            leave_out(self, from, "no content, answer or other text");
    }
    cJSON_Delete(object);
}

/* Entries up to the array's end, or, with close '\0', the text's. */
static void take_entries(reader_t *self, char close)
{
    while (skip_blanks(self), self->at < self->bytes && self->text[self->at] != close) {
        size_t from = self->at;
        if (!skip_value(self)) {
            leave_out(self, from, "the file ends within it");
            return;
        }
        take_entry(self, from);
    }
    if (close && self->at >= self->bytes)
        leave_out(self, self->at, "the file ends within its list");
}

/* Goes to the list of an answer {"...": ..., "value": [ ... ]}. False: it has none. */
static bool enter_answer(reader_t *self)
{
    self->at++;
    while (skip_blanks(self), self->at < self->bytes && self->text[self->at] == '"') {
        size_t key = self->at;
        skip_string(self);
        bool value = self->at - key == 7 && memcmp(self->text + key, "\"value\"", 7) == 0;
        skip_blanks(self);
        if (self->at >= self->bytes || self->text[self->at] != ':') return false;
        self->at++;
        skip_blanks(self);
        if (value && self->at < self->bytes && self->text[self->at] == '[') return true;
        if (!skip_value(self)) return false;
    }
    return false;
}

bool json_run(const char *name, const char *text, size_t bytes, passage_fn *fn, void *arg,
              char problem[JSON_PROBLEM_BYTES])
{
    char first[JSON_PROBLEM_BYTES] = "";
    reader_t self = {
        .text = text, .bytes = bytes, .entry = entry_new(name, fn, arg), .problem = first};
    skip_blanks(&self);
    char kind = self.at < bytes ? text[self.at] : '\0';
    size_t start = self.at;
    if (kind == '{' && !enter_answer(&self)) self.at = start;
    bool list = self.at < bytes && text[self.at] == '[';
    if (list) self.at++;
    take_entries(&self, list ? ']' : '\0');
    entry_destroy(&self.entry);
    problem[0] = '\0';
    if (self.given == 0)
        (void)snprintf(problem, JSON_PROBLEM_BYTES, "%s", first[0] ? first : "no entries in it");
    else if (self.left_out > 0)
        (void)snprintf(problem, JSON_PROBLEM_BYTES, "%zu of %zu entries left out; %.60s",
                       self.left_out, self.left_out + self.given, first);
    return self.given > 0;
}
