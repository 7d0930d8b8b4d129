#include "services/speech/utterances.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/record.h"

struct utterances {
    uint64_t next_id;
    size_t count;
    Pl__Utterance *kept[UTTERANCES_MAX]; /* oldest first */
    uint64_t at_ms[UTTERANCES_MAX];
};

utterances_t *utterances_new(void)
{
    utterances_t *self = calloc(1, sizeof *self);
    assert(self);
    /* Streams of a call do not know of each other: where the ids begin is drawn. */
    ssize_t n = getrandom(&self->next_id, sizeof self->next_id, 0);
    assert(n == (ssize_t)sizeof self->next_id);
    return self;
}

static void forget_oldest(utterances_t *self)
{
    pl__utterance__free_unpacked(self->kept[0], NULL);
    self->count--;
    memmove(&self->kept[0], &self->kept[1], self->count * sizeof self->kept[0]);
    memmove(&self->at_ms[0], &self->at_ms[1], self->count * sizeof self->at_ms[0]);
}

void utterances_destroy(utterances_t **self_p)
{
    utterances_t *self = *self_p;
    if (!self) return;
    while (self->count) forget_oldest(self);
    free(self);
    *self_p = NULL;
}

void utterances_keep(utterances_t *self, uint64_t now_ms, Pl__Utterance *utterance)
{
    self->next_id++;
    if (self->next_id == 0) self->next_id++; /* 0 is none */
    utterance->heard_id = self->next_id;
    if (!utterance->text[0]) return;
    if (self->count == UTTERANCES_MAX) forget_oldest(self);
    self->kept[self->count] = (Pl__Utterance *)pl_message_copy(&utterance->base);
    self->at_ms[self->count++] = now_ms;
}

Pl__Utterance *const *utterances_recent(utterances_t *self, uint64_t now_ms, size_t *count)
{
    while (self->count && now_ms >= self->at_ms[0] + UTTERANCES_LIFE_MS) forget_oldest(self);
    *count = self->count;
    return self->kept;
}
