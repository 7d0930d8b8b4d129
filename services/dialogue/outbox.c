#include "services/dialogue/outbox.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"

enum { FIRST_RETRY_MS = 100, LAST_RETRY_MS = 2000 };

/* A change or a job. */
typedef struct {
    Pl__CallChange *change;
    Pl__JobSpec *job;
    uint32_t group;
} entry_t;

struct outbox {
    entry_t *waiting;
    size_t count, capacity;
    Pl__StoreApply write; /* the one that is out, or to be sent again */
    bool out;
    unsigned attempts;
    uint64_t due_ms;
    uint64_t last_id;
};

outbox_t *outbox_new(void)
{
    outbox_t *self = calloc(1, sizeof *self);
    assert(self);
    pl__store_apply__init(&self->write);
    return self;
}

static void clear_entry(entry_t *entry)
{
    if (entry->change) pl__call_change__free_unpacked(entry->change, NULL);
    if (entry->job) pl__job_spec__free_unpacked(entry->job, NULL);
    *entry = (entry_t){0};
}

static void clear_write(outbox_t *self)
{
    for (size_t i = 0; i < self->write.n_changes; i++) {
        pl__call_change__free_unpacked(self->write.changes[i], NULL);
    }
    for (size_t i = 0; i < self->write.n_jobs; i++) {
        pl__job_spec__free_unpacked(self->write.jobs[i], NULL);
    }
    free(self->write.changes);
    free(self->write.jobs);
    pl__store_apply__init(&self->write);
    self->attempts = 0;
    self->due_ms = 0;
}

static void clear_waiting(outbox_t *self)
{
    for (size_t i = 0; i < self->count; i++) clear_entry(&self->waiting[i]);
    self->count = 0;
}

void outbox_destroy(outbox_t **self_p)
{
    outbox_t *self = *self_p;
    if (!self) return;
    clear_write(self);
    clear_waiting(self);
    free(self->waiting);
    free(self);
    *self_p = NULL;
}

/* Does b make a needless? A claim's former values are kept by the store, so that only the same
 * value said again (its confirmation) may replace it here. */
static bool replaces(const Pl__CallChange *a, const Pl__CallChange *b)
{
    if (a->change_case != b->change_case) return false;
    switch (a->change_case) {
    case PL__CALL_CHANGE__CHANGE_MESSAGE:
        return a->message->number == b->message->number;
    case PL__CALL_CHANGE__CHANGE_CLAIM:
        return strcmp(a->claim->name, b->claim->name) == 0 &&
               strcmp(a->claim->value, b->claim->value) == 0;
    case PL__CALL_CHANGE__CHANGE_REMINDER:
        return strcmp(a->reminder->title, b->reminder->title) == 0;
    case PL__CALL_CHANGE__CHANGE_RECORDING:
    case PL__CALL_CHANGE__CHANGE_APPENDED:
    case PL__CALL_CHANGE__CHANGE_REMINDER_OUTCOME:
    case PL__CALL_CHANGE__CHANGE__NOT_SET:
    case _PL__CALL_CHANGE__CHANGE__CASE_IS_INT_SIZE:
        return false;
    case PL__CALL_CHANGE__CHANGE_IN_PROGRESS:
    case PL__CALL_CHANGE__CHANGE_LANG_SHORT_CODE:
    case PL__CALL_CHANGE__CHANGE_NEXT:
    case PL__CALL_CHANGE__CHANGE_SYNTHESIS:
    case PL__CALL_CHANGE__CHANGE_ENDED:
    case PL__CALL_CHANGE__CHANGE_VOICE:
    case PL__CALL_CHANGE__CHANGE_RECOGNITION_RETRY:
    case PL__CALL_CHANGE__CHANGE_PROSODY_RATE:
    case PL__CALL_CHANGE__CHANGE_LAST_INTERACTION_AT_MS:
    case PL__CALL_CHANGE__CHANGE_CALLER_NUMBER:
    case PL__CALL_CHANGE__CHANGE_TIME_ZONE:
    case PL__CALL_CHANGE__CHANGE_CONTINUED_AS:
        break;
    }
    return true;
}

/* Claims keep their order among themselves: a replaced one must be the latest of its name. */
static size_t find_replaced(const outbox_t *self, const Pl__CallChange *change)
{
    for (size_t i = self->count; i-- > 0;) {
        const Pl__CallChange *old = self->waiting[i].change;
        if (!old) continue;
        if (replaces(old, change)) return i;
        bool same_claim = change->change_case == PL__CALL_CHANGE__CHANGE_CLAIM &&
                          old->change_case == PL__CALL_CHANGE__CHANGE_CLAIM &&
                          strcmp(old->claim->name, change->claim->name) == 0;
        if (same_claim) break;
    }
    return self->count;
}

static void append(outbox_t *self, entry_t entry)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity ? self->capacity * 2 : 16;
        self->waiting = realloc(self->waiting, self->capacity * sizeof(*self->waiting));
        assert(self->waiting);
    }
    self->waiting[self->count++] = entry;
}

/* A member of a group is always added: it stands with the others, and is not left out either. */
pl_err_t outbox_add(outbox_t *self, const Pl__CallChange *change, uint32_t group)
{
    size_t at = group ? self->count : find_replaced(self, change);
    if (at == self->count && !group && self->count >= OUTBOX_MAX) return PL_BUSY;
    Pl__CallChange *copy = (Pl__CallChange *)pl_message_copy(&change->base);
    if (at < self->count) {
        pl__call_change__free_unpacked(self->waiting[at].change, NULL);
        self->waiting[at].change = copy;
        return PL_OK;
    }
    append(self, (entry_t){.change = copy, .group = group});
    return PL_OK;
}

void outbox_add_job(outbox_t *self, const Pl__JobSpec *job, uint32_t group)
{
    append(self, (entry_t){.job = (Pl__JobSpec *)pl_message_copy(&job->base), .group = group});
}

/* How many of those that wait go into the next write: a group is not torn. */
static size_t next_count(const outbox_t *self)
{
    size_t n = self->count < OUTBOX_WRITE_MAX ? self->count : OUTBOX_WRITE_MAX;
    while (n > 0 && n < self->count && self->waiting[n].group &&
           self->waiting[n].group == self->waiting[n - 1].group) {
        n++;
    }
    return n;
}

static void fill_write(outbox_t *self)
{
    size_t n = next_count(self);
    Pl__StoreApply *write = &self->write;
    write->changes = malloc(n * sizeof(*write->changes));
    write->jobs = malloc(n * sizeof(*write->jobs));
    assert(write->changes && write->jobs);
    for (size_t i = 0; i < n; i++) {
        const entry_t *entry = &self->waiting[i];
        if (entry->change) write->changes[write->n_changes++] = entry->change;
        if (entry->job) write->jobs[write->n_jobs++] = entry->job;
    }
    memmove(self->waiting, self->waiting + n, (self->count - n) * sizeof(*self->waiting));
    self->count -= n;
    write->write_id = ++self->last_id;
}

static bool write_empty(const outbox_t *self)
{
    return self->write.n_changes == 0 && self->write.n_jobs == 0;
}

const Pl__StoreApply *outbox_take(outbox_t *self, uint64_t now_ms)
{
    if (self->out || now_ms < self->due_ms) return NULL;
    if (write_empty(self)) {
        if (self->count == 0) return NULL;
        fill_write(self);
    }
    self->out = true;
    self->attempts++;
    return &self->write;
}

bool outbox_answered(outbox_t *self, uint64_t now_ms, pl_err_t err)
{
    assert(self->out);
    self->out = false;
    if (err == PL_OK) {
        clear_write(self);
        return true;
    }
    if (err == PL_STALE) {
        clear_write(self);
        clear_waiting(self);
        return false;
    }
    if (!pl_err_retry(err) && self->attempts >= OUTBOX_ATTEMPTS_MAX) {
        clear_write(self);
        return false;
    }
    unsigned doublings = self->attempts < 6 ? self->attempts - 1 : 5;
    uint64_t wait = (uint64_t)FIRST_RETRY_MS << doublings;
    self->due_ms = now_ms + (wait < LAST_RETRY_MS ? wait : LAST_RETRY_MS);
    return true;
}

bool outbox_empty(const outbox_t *self)
{
    return self->count == 0 && write_empty(self);
}

uint64_t outbox_due_ms(const outbox_t *self)
{
    if (self->out || outbox_empty(self)) return UINT64_MAX;
    return self->due_ms;
}
