#include "services/telephony/registrar.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "services/telephony/identity.h"

enum { CALL_ID_BYTES = 128 };

typedef struct {
    char number[IDENTITY_BYTES];
    char uri[REGISTRAR_URI_BYTES];
    char target[REGISTRAR_URI_BYTES];
    char call_id[CALL_ID_BYTES];
    uint32_t cseq;
    uint64_t expires_ms;
    uint64_t order; /* rises with each registration: the highest is the newest */
} contact_t;

struct registrar {
    contact_t *contacts; /* unordered; a removed one is replaced by the last */
    size_t used, room, max;
    uint64_t order;
};

registrar_t *registrar_new(size_t max_contacts)
{
    registrar_t *self = calloc(1, sizeof(*self));
    if (!self) abort();
    self->max = max_contacts;
    return self;
}

void registrar_destroy(registrar_t **self_p)
{
    if (!*self_p) return;
    free((*self_p)->contacts);
    free(*self_p);
    *self_p = NULL;
}

uint32_t registrar_granted_s(uint32_t asked_s)
{
    if (asked_s == 0) return 0;
    if (asked_s < REGISTRAR_MIN_S) return REGISTRAR_MIN_S;
    return asked_s > REGISTRAR_MAX_S ? REGISTRAR_MAX_S : asked_s;
}

static void remove_at(registrar_t *self, size_t i)
{
    self->used--;
    if (i != self->used) self->contacts[i] = self->contacts[self->used];
}

static void expire(registrar_t *self, uint64_t now_ms)
{
    for (size_t i = self->used; i-- > 0;) {
        if (self->contacts[i].expires_ms <= now_ms) remove_at(self, i);
    }
}

static bool fits(const char *text, size_t room)
{
    return text[0] != '\0' && strlen(text) < room;
}

/* The contact of that number and URI, or NULL; *of_number counts the number's contacts. */
static contact_t *find(registrar_t *self, const char *number, const char *uri, size_t *of_number)
{
    contact_t *found = NULL;
    *of_number = 0;
    for (size_t i = 0; i < self->used; i++) {
        contact_t *contact = &self->contacts[i];
        if (strcmp(contact->number, number) != 0) continue;
        (*of_number)++;
        if (strcmp(contact->uri, uri) == 0) found = contact;
    }
    return found;
}

static contact_t *add(registrar_t *self)
{
    if (self->used == self->room) {
        self->room = self->room ? 2 * self->room : 16;
        contact_t *grown = realloc(self->contacts, self->room * sizeof(*grown));
        if (!grown) abort();
        self->contacts = grown;
    }
    contact_t *contact = &self->contacts[self->used++];
    memset(contact, 0, sizeof(*contact));
    return contact;
}

static void copy(char *out, size_t room, const char *text)
{
    size_t length = strlen(text);
    assert(length < room);
    memcpy(out, text, length < room ? length + 1 : 0);
}

pl_err_t registrar_set(registrar_t *self, uint64_t now_ms, const registrar_binding_t *binding)
{
    if (!identity_is_number(binding->number) || !fits(binding->uri, REGISTRAR_URI_BYTES) ||
        !fits(binding->target, REGISTRAR_URI_BYTES) || !fits(binding->call_id, CALL_ID_BYTES)) {
        return PL_INVALID;
    }
    expire(self, now_ms);
    size_t of_number = 0;
    contact_t *contact = find(self, binding->number, binding->uri, &of_number);
    if (contact && strcmp(contact->call_id, binding->call_id) == 0 &&
        contact->cseq >= binding->cseq) {
        return PL_STALE;
    }
    if (binding->expires_s == 0) {
        if (contact) remove_at(self, (size_t)(contact - self->contacts));
        return PL_OK;
    }
    if (!contact) {
        if (self->used >= self->max || of_number >= REGISTRAR_PER_NUMBER) return PL_BUSY;
        contact = add(self);
    }
    copy(contact->number, sizeof(contact->number), binding->number);
    copy(contact->uri, sizeof(contact->uri), binding->uri);
    copy(contact->target, sizeof(contact->target), binding->target);
    copy(contact->call_id, sizeof(contact->call_id), binding->call_id);
    contact->cseq = binding->cseq;
    contact->expires_ms = now_ms + 1000ULL * registrar_granted_s(binding->expires_s);
    contact->order = ++self->order;
    return PL_OK;
}

void registrar_remove_all(registrar_t *self, const char *number)
{
    for (size_t i = self->used; i-- > 0;) {
        if (strcmp(self->contacts[i].number, number) == 0) remove_at(self, i);
    }
}

/* The number's newest contact that is older than before, or NULL. */
static const contact_t *newest(const registrar_t *self, const char *number, uint64_t before)
{
    const contact_t *best = NULL;
    for (size_t i = 0; i < self->used; i++) {
        const contact_t *contact = &self->contacts[i];
        if (contact->order >= before || strcmp(contact->number, number) != 0) continue;
        if (!best || contact->order > best->order) best = contact;
    }
    return best;
}

const char *registrar_find(registrar_t *self, uint64_t now_ms, const char *number)
{
    expire(self, now_ms);
    const contact_t *contact = newest(self, number, UINT64_MAX);
    return contact ? contact->target : NULL;
}

void registrar_each(registrar_t *self, uint64_t now_ms, const char *number, registrar_each_fn *fn,
                    void *arg)
{
    expire(self, now_ms);
    const contact_t *contact = newest(self, number, UINT64_MAX);
    for (; contact; contact = newest(self, number, contact->order)) {
        fn(arg, contact->uri, (uint32_t)((contact->expires_ms - now_ms) / 1000));
    }
}

size_t registrar_count(registrar_t *self, uint64_t now_ms)
{
    expire(self, now_ms);
    return self->used;
}
