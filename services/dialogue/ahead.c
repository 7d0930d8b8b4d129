#include "services/dialogue/ahead.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"

typedef struct entry {
    struct entry *next;
    Pl__Envelope *env;
} entry_t;

struct ahead {
    entry_t *first;
};

ahead_t *ahead_new(void)
{
    ahead_t *self = calloc(1, sizeof *self);
    assert(self);
    return self;
}

/* Takes the entry at *at out of the list. */
static Pl__Envelope *cut(entry_t **at)
{
    entry_t *entry = *at;
    Pl__Envelope *env = entry->env;
    *at = entry->next;
    free(entry);
    return env;
}

void ahead_destroy(ahead_t **self_p)
{
    ahead_t *self = *self_p;
    if (!self) return;
    while (self->first) pl__envelope__free_unpacked(cut(&self->first), NULL);
    free(self);
    *self_p = NULL;
}

void ahead_keep(ahead_t *self, const Pl__Envelope *env)
{
    entry_t *entry = calloc(1, sizeof *entry);
    assert(entry);
    ahead_drop(self, env->call_id);
    entry->env = (Pl__Envelope *)pl_message_copy(&env->base);
    entry_t **at = &self->first;
    while (*at) at = &(*at)->next;
    *at = entry;
}

void ahead_drop(ahead_t *self, const char *call_id)
{
    for (entry_t **at = &self->first; *at;) {
        if (strcmp((*at)->env->call_id, call_id) == 0) {
            pl__envelope__free_unpacked(cut(at), NULL);
        } else {
            at = &(*at)->next;
        }
    }
}

Pl__Envelope *ahead_take(ahead_t *self, const char *instance)
{
    for (entry_t **at = &self->first; *at; at = &(*at)->next) {
        if (strcmp((*at)->env->leg_answered->speech, instance) == 0) return cut(at);
    }
    return NULL;
}
