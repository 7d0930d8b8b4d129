#include "common/metrics.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct pl_metric {
    struct pl_metric *next;
    char *name, *label, *help;
    Pl__Metric__Kind kind;
    _Atomic double value;
};

/* The list only grows, mostly before threads start; the lock guards late makers and collectors. */
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct pl_metric *metrics;

static char *copy(const char *text)
{
    char *made = strdup(text ? text : "");
    assert(made);
    return made;
}

static pl_metric_t *find_or_make(Pl__Metric__Kind kind, const char *name, const char *label,
                                 const char *help)
{
    pthread_mutex_lock(&list_lock);
    pl_metric_t **at = &metrics;
    for (; *at; at = &(*at)->next) {
        if (strcmp((*at)->name, name) == 0 && strcmp((*at)->label, label ? label : "") == 0) break;
    }
    if (!*at) {
        pl_metric_t *made = calloc(1, sizeof *made);
        assert(made);
        made->name = copy(name);
        made->label = copy(label);
        made->help = copy(help);
        made->kind = kind;
        *at = made;
    }
    pl_metric_t *found = *at;
    pthread_mutex_unlock(&list_lock);
    return found;
}

pl_metric_t *pl_metric_counter(const char *name, const char *label, const char *help)
{
    return find_or_make(PL__METRIC__KIND__COUNTER, name, label, help);
}

pl_metric_t *pl_metric_gauge(const char *name, const char *label, const char *help)
{
    return find_or_make(PL__METRIC__KIND__GAUGE, name, label, help);
}

void pl_metric_add(pl_metric_t *self, double by)
{
    double now = atomic_load(&self->value);
    while (!atomic_compare_exchange_weak(&self->value, &now, now + by)) continue;
}

void pl_metric_set(pl_metric_t *self, double value)
{
    atomic_store(&self->value, value);
}

double pl_metric_value(const pl_metric_t *self)
{
    return atomic_load(&self->value);
}

Pl__MetricsReply *pl_metrics_collect(void)
{
    Pl__MetricsReply *reply = malloc(sizeof *reply);
    assert(reply);
    pl__metrics_reply__init(reply);
    pthread_mutex_lock(&list_lock);
    for (const pl_metric_t *m = metrics; m; m = m->next) reply->n_metrics++;
    reply->metrics = calloc(reply->n_metrics + 1, sizeof *reply->metrics);
    assert(reply->metrics);
    size_t i = 0;
    for (const pl_metric_t *m = metrics; m; m = m->next, i++) {
        Pl__Metric *row = malloc(sizeof *row);
        assert(row);
        pl__metric__init(row);
        row->name = copy(m->name);
        row->label = copy(m->label);
        row->help = copy(m->help);
        row->kind = m->kind;
        row->value = pl_metric_value(m);
        reply->metrics[i] = row;
    }
    pthread_mutex_unlock(&list_lock);
    return reply;
}

void pl_metrics_free(Pl__MetricsReply **reply_p)
{
    if (!*reply_p) return;
    pl__metrics_reply__free_unpacked(*reply_p, NULL);
    *reply_p = NULL;
}
