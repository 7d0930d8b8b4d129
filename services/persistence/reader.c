#include "services/persistence/reader.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"
#include "common/worker.h"

enum { LIST_LIMIT = 100, LIST_LIMIT_MAX = 1000 };

struct reader {
    pl_loop_t *home;
    pl_worker_t *worker;
    const store_provider_t *provider;
    void *store;
    reader_done_fn *done;
    void *arg;
};

typedef struct {
    reader_t *reader;
    read_t *read;
} errand_t;

typedef struct {
    reader_done_fn *done;
    void *arg;
    read_t *read;
} answer_t;

static uint32_t list_limit(uint32_t asked)
{
    if (asked == 0) return LIST_LIMIT;
    return asked < LIST_LIMIT_MAX ? asked : LIST_LIMIT_MAX;
}

read_t *read_new(const Pl__Envelope *env)
{
    read_t *read = calloc(1, sizeof *read);
    assert(read);
    if (env->body_case == PL__ENVELOPE__BODY_STORE_GET) {
        /* An id that is too long is cut, and then is nobody's: what comes after a UUID's 36
         * characters makes it another id, so one more character is enough to tell. */
        (void)snprintf(read->call_id, sizeof read->call_id, "%s",
                       strlen(env->call_id) < CALL_ID_BYTES ? env->call_id : "?");
        read->get = (Pl__StoreGet *)pl_message_copy(&env->store_get->base);
        return read;
    }
    if (env->body_case == PL__ENVELOPE__BODY_JOB_LIST) {
        read->jobs = (Pl__JobList *)pl_message_copy(&env->job_list->base);
        read->jobs->limit = list_limit(read->jobs->limit);
        return read;
    }
    if (env->body_case == PL__ENVELOPE__BODY_REMINDER_LIST) {
        read->reminders = (Pl__ReminderList *)pl_message_copy(&env->reminder_list->base);
        read->reminders->limit = list_limit(read->reminders->limit);
        return read;
    }
    assert(env->body_case == PL__ENVELOPE__BODY_STORE_LIST);
    read->list = (Pl__StoreList *)pl_message_copy(&env->store_list->base);
    read->list->limit = list_limit(read->list->limit);
    return read;
}

read_t *read_new_counts(void)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__JobList list = PL__JOB_LIST__INIT;
    list.count = 1;
    env.body_case = PL__ENVELOPE__BODY_JOB_LIST;
    env.job_list = &list;
    return read_new(&env);
}

void read_destroy(read_t **self_p)
{
    read_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    if (self->get) pl__store_get__free_unpacked(self->get, NULL);
    if (self->list) pl__store_list__free_unpacked(self->list, NULL);
    if (self->jobs) pl__job_list__free_unpacked(self->jobs, NULL);
    if (self->reminders) pl__reminder_list__free_unpacked(self->reminders, NULL);
    if (self->due) pl__reminders__free_unpacked(self->due, NULL);
    if (self->found) pl__jobs__free_unpacked(self->found, NULL);
    if (self->calls) pl__store_calls__free_unpacked(self->calls, NULL);
    pl_record_free(&self->call);
    free(self);
}

static void report(void *arg)
{
    answer_t *answer = arg;
    answer->done(answer->arg, answer->read);
    free(answer);
}

static void look_up(void *arg)
{
    errand_t *errand = arg;
    reader_t *self = errand->reader;
    read_t *read = errand->read;
    free(errand);
    if (read->get)
        read->err =
            self->provider->get(self->store, read->call_id, read->get, &read->call, read->detail);
    else if (read->jobs)
        read->err = self->provider->jobs(self->store, read->jobs, &read->found, read->detail);
    else if (read->reminders)
        read->err =
            self->provider->reminders(self->store, read->reminders, &read->due, read->detail);
    else
        read->err = self->provider->list(self->store, read->list, &read->calls, read->detail);
    answer_t *answer = malloc(sizeof *answer);
    assert(answer);
    *answer = (answer_t){self->done, self->arg, read};
    pl_loop_post(self->home, report, answer);
}

reader_t *reader_new(pl_loop_t *home, const store_provider_t *provider, void *store,
                     reader_done_fn *done, void *arg)
{
    reader_t *self = malloc(sizeof *self);
    assert(self);
    *self =
        (reader_t){.home = home, .provider = provider, .store = store, .done = done, .arg = arg};
    self->worker = pl_worker_new("store-reader");
    return self;
}

void reader_add(reader_t *self, read_t **read_p)
{
    errand_t *errand = malloc(sizeof *errand);
    assert(errand);
    *errand = (errand_t){self, *read_p};
    *read_p = NULL;
    pl_loop_post(pl_worker_loop(self->worker), look_up, errand);
}

void reader_destroy(reader_t **self_p)
{
    reader_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_worker_destroy(&self->worker);
    free(self);
}
