#include "services/dialogue/model/thread.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    llm_role_t role;
    char *content, *tool_id;
    llm_tool_call_t *calls;
    size_t n_calls;
} item_t;

struct thread {
    item_t *items;
    size_t count, room;
    llm_message_t *messages;
};

static char *copy(const char *text)
{
    char *out = strdup(text);
    assert(out);
    return out;
}

thread_t *thread_new(void)
{
    thread_t *self = calloc(1, sizeof *self);
    assert(self);
    return self;
}

static void free_call(llm_tool_call_t *call)
{
    free((char *)call->id);
    free((char *)call->name);
    free((char *)call->arguments);
}

void thread_destroy(thread_t **self_p)
{
    thread_t *self = *self_p;
    if (!self) return;
    for (size_t i = 0; i < self->count; i++) {
        item_t *item = &self->items[i];
        for (size_t k = 0; k < item->n_calls; k++) free_call(&item->calls[k]);
        free(item->calls);
        free(item->content);
        free(item->tool_id);
    }
    free(self->items);
    free(self->messages);
    free(self);
    *self_p = NULL;
}

static item_t *add(thread_t *self, llm_role_t role, const char *content)
{
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 16;
        self->items = realloc(self->items, self->room * sizeof *self->items);
        assert(self->items);
    }
    item_t *item = &self->items[self->count++];
    *item = (item_t){.role = role, .content = copy(content)};
    return item;
}

void thread_add(thread_t *self, llm_role_t role, const char *content)
{
    (void)add(self, role, content);
}

static void go_on(item_t *item, char parted_by, const char *content)
{
    size_t before = strlen(item->content);
    size_t n = strlen(content);
    size_t gap = before && n ? 1 : 0;
    item->content = realloc(item->content, before + gap + n + 1);
    assert(item->content);
    if (gap) item->content[before] = parted_by;
    memcpy(item->content + before + gap, content, n + 1);
}

static item_t *last_of(thread_t *self, llm_role_t role)
{
    item_t *last = self->count ? &self->items[self->count - 1] : NULL;
    return last && last->role == role && !last->n_calls ? last : NULL;
}

void thread_add_user(thread_t *self, const char *content)
{
    item_t *last = last_of(self, LLM_USER);
    if (last) {
        go_on(last, '\n', content);
    } else {
        (void)add(self, LLM_USER, content);
    }
}

void thread_add_opening(thread_t *self, const char *content)
{
    size_t at = 0;
    while (at < self->count && self->items[at].role == LLM_SYSTEM) at++;
    if (at < self->count && self->items[at].role == LLM_USER) {
        go_on(&self->items[at], '\n', content);
        return;
    }
    item_t item = *add(self, LLM_USER, content);
    memmove(&self->items[at + 1], &self->items[at], (self->count - 1 - at) * sizeof item);
    self->items[at] = item;
}

void thread_add_assistant(thread_t *self, const char *content)
{
    item_t *last = last_of(self, LLM_ASSISTANT);
    if (last) {
        go_on(last, ' ', content);
    } else {
        (void)add(self, LLM_ASSISTANT, content);
    }
}

void thread_add_call(thread_t *self, const char *id, const char *name, const char *arguments)
{
    assert(self->count && self->items[self->count - 1].role == LLM_ASSISTANT);
    item_t *item = &self->items[self->count - 1];
    item->calls = realloc(item->calls, (item->n_calls + 1) * sizeof *item->calls);
    assert(item->calls);
    item->calls[item->n_calls++] = (llm_tool_call_t){copy(id), copy(name), copy(arguments)};
}

void thread_add_result(thread_t *self, const char *id, const char *content)
{
    add(self, LLM_TOOL, content)->tool_id = copy(id);
}

size_t thread_count(const thread_t *self)
{
    return self->count;
}

const llm_message_t *thread_messages(thread_t *self, size_t *count)
{
    self->messages = realloc(self->messages, (self->count + 1) * sizeof *self->messages);
    assert(self->messages);
    for (size_t i = 0; i < self->count; i++) {
        const item_t *item = &self->items[i];
        self->messages[i] = (llm_message_t){.role = item->role,
                                            .content = item->content,
                                            .calls = item->calls,
                                            .n_calls = item->n_calls,
                                            .tool_id = item->tool_id};
    }
    *count = self->count;
    return self->messages;
}

/* FNV-1a, 64 bits; the 0 byte parts texts. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    do {
        hash = (hash ^ *p) * 0x100000001b3ULL;
    } while (*p++);
    return hash;
}

uint64_t thread_hash(const thread_t *self)
{
    uint64_t hash = 0xcbf29ce484222325ULL;
    for (size_t i = 0; i + 1 < self->count; i++) {
        const item_t *item = &self->items[i];
        hash = (hash ^ (uint64_t)item->role) * 0x100000001b3ULL;
        hash = hash_text(hash, item->content);
        if (item->tool_id) hash = hash_text(hash, item->tool_id);
        for (size_t k = 0; k < item->n_calls; k++) {
            hash = hash_text(hash, item->calls[k].id);
            hash = hash_text(hash, item->calls[k].name);
            hash = hash_text(hash, item->calls[k].arguments);
        }
    }
    return hash;
}

const char *thread_last(const thread_t *self)
{
    return self->count ? self->items[self->count - 1].content : "";
}
