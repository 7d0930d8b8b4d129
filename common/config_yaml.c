#include "common/config_yaml.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

enum { MAX_DEPTH = 16, MAX_PATH = 256, MAX_ENTRIES = 20000 };

void config_error(config_errors_t *errors, const char *where, const char *path, const char *fmt,
                  ...)
{
    char what[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    char *grown = NULL;
    int length = asprintf(&grown, "%s%s: %s%s%s\n", errors->text ? errors->text : "", where, path,
                          path[0] ? ": " : "", what);
    assert(length >= 0);
    free(errors->text);
    errors->text = grown;
    errors->bytes = (size_t)length;
}

static char *copy(const char *text)
{
    char *made = strdup(text);
    assert(made);
    return made;
}

static config_entry_t *find(const config_entries_t *self, const char *path)
{
    for (size_t i = 0; i < self->count; i++) {
        if (strcmp(self->entries[i].path, path) == 0) return &self->entries[i];
    }
    return NULL;
}

const config_entry_t *config_entries_find(const config_entries_t *self, const char *path)
{
    return find(self, path);
}

void config_entries_put(config_entries_t *self, const char *path, const char *value,
                        const char *where)
{
    config_entry_t *entry = find(self, path);
    if (entry) {
        free(entry->value);
        free(entry->where);
    } else {
        if (self->count == self->room) {
            self->room = self->room ? 2 * self->room : 64;
            self->entries = realloc(self->entries, self->room * sizeof *self->entries);
            assert(self->entries);
        }
        entry = &self->entries[self->count++];
        entry->path = copy(path);
    }
    entry->value = value ? copy(value) : NULL;
    entry->where = copy(where);
}

void config_entries_free(config_entries_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free(self->entries[i].path);
        free(self->entries[i].value);
        free(self->entries[i].where);
    }
    free(self->entries);
    *self = (config_entries_t){0};
}

char *config_expand(const char *value, char missing[64])
{
    char *out = NULL;
    size_t bytes = 0;
    FILE *to = open_memstream(&out, &bytes);
    assert(to);
    bool ok = true;
    while (*value && ok) {
        const char *end = strncmp(value, "${", 2) == 0 ? strchr(value, '}') : NULL;
        if (!end) {
            fputc(*value++, to);
            continue;
        }
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)(end - value - 2), value + 2);
        const char *found = getenv(name);
        if (found) {
            fputs(found, to);
        } else {
            memcpy(missing, name, sizeof name);
            ok = false;
        }
        value = end + 1;
    }
    int closed = fclose(to);
    assert(closed == 0);
    if (ok) return out;
    free(out);
    return NULL;
}

/* ---- walking the document ---- */

typedef struct {
    yaml_document_t *document;
    config_entries_t *entries;
    config_errors_t *errors;
    const char *name;
} walk_t;

static void where_of(const walk_t *walk, const yaml_node_t *node, char where[MAX_PATH])
{
    snprintf(where, MAX_PATH, "%s:%zu", walk->name, node->start_mark.line + 1);
}

static void put_scalar(walk_t *walk, const yaml_node_t *node, const char *path, const char *where)
{
    const char *text = (const char *)node->data.scalar.value;
    bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (plain && (text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0)) {
        return; /* as if it were not there */
    }
    if (strlen(text) != node->data.scalar.length) {
        config_error(walk->errors, where, path, "holds a NUL character");
        return;
    }
    char missing[64];
    char *value = config_expand(text, missing);
    if (value) {
        config_entries_put(walk->entries, path, value, where);
    } else {
        config_error(walk->errors, where, path, "environment variable %s is not set", missing);
    }
    free(value);
}

static void walk_node(walk_t *walk, int id, const char *path, const char *where, unsigned depth);

static void walk_map(walk_t *walk, const yaml_node_t *node, const char *path, unsigned depth)
{
    const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
    for (; pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(walk->document, pair->key);
        char where[MAX_PATH];
        where_of(walk, key, where);
        if (key->type != YAML_SCALAR_NODE) {
            config_error(walk->errors, where, path, "a key must be a plain word");
            continue;
        }
        char child[MAX_PATH];
        int length = snprintf(child, sizeof child, "%s%s%s", path, path[0] ? "." : "",
                              (const char *)key->data.scalar.value);
        if (length >= MAX_PATH) {
            config_error(walk->errors, where, path, "nested or named too long");
            continue;
        }
        const config_entry_t *former = find(walk->entries, child);
        if (former) {
            config_error(walk->errors, where, child, "given twice, first at %s", former->where);
            continue;
        }
        walk_node(walk, pair->value, child, where, depth + 1);
    }
}

static void walk_list(walk_t *walk, const yaml_node_t *node, const char *path, unsigned depth)
{
    const yaml_node_item_t *item = node->data.sequence.items.start;
    for (size_t i = 0; item < node->data.sequence.items.top; item++, i++) {
        char child[MAX_PATH];
        if (snprintf(child, sizeof child, "%s[%zu]", path, i) < MAX_PATH) {
            char where[MAX_PATH];
            where_of(walk, yaml_document_get_node(walk->document, *item), where);
            walk_node(walk, *item, child, where, depth + 1);
        }
    }
}

static void walk_node(walk_t *walk, int id, const char *path, const char *where, unsigned depth)
{
    const yaml_node_t *node = yaml_document_get_node(walk->document, id);
    if (depth > MAX_DEPTH ||
        walk->entries->count > MAX_ENTRIES) { /* also stops recursive aliases */
        config_error(walk->errors, where, path, "nested too deep or too many values");
        return;
    }
    if (node->type == YAML_SCALAR_NODE) {
        put_scalar(walk, node, path, where);
        return;
    }
    if (path[0]) config_entries_put(walk->entries, path, NULL, where);
    if (node->type == YAML_MAPPING_NODE) walk_map(walk, node, path, depth);
    if (node->type == YAML_SEQUENCE_NODE) walk_list(walk, node, path, depth);
}

void config_yaml_read(config_entries_t *self, const char *name, const char *text, size_t bytes,
                      config_errors_t *errors)
{
    yaml_parser_t parser;
    yaml_document_t document;
    int made = yaml_parser_initialize(&parser);
    assert(made);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, bytes);
    if (!yaml_parser_load(&parser, &document)) {
        char where[MAX_PATH];
        snprintf(where, sizeof where, "%s:%zu", name, parser.problem_mark.line + 1);
        config_error(errors, where, "", "%s", parser.problem ? parser.problem : "not YAML");
        yaml_parser_delete(&parser);
        return;
    }
    walk_t walk = {&document, self, errors, name};
    const yaml_node_t *root = yaml_document_get_root_node(&document);
    if (root && root->type == YAML_MAPPING_NODE) {
        walk_node(&walk, 1, "", name, 0);
    } else if (root && !(root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0)) {
        config_error(errors, name, "", "the file must hold sections (a map), e.g. \"gateway:\"");
    }
    yaml_document_delete(&document);
    yaml_parser_delete(&parser);
}
