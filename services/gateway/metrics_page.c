#include "services/gateway/metrics_page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const Pl__Metric *metric;
    const char *instance;
} sample_t;

/* By name, then instance, then label: one name's samples end up together. */
static int by_name(const void *a, const void *b)
{
    const sample_t *x = a, *y = b;
    int order = strcmp(x->metric->name, y->metric->name);
    if (order == 0) order = strcmp(x->instance, y->instance);
    return order ? order : strcmp(x->metric->label, y->metric->label);
}

static bool name_valid(const char *name)
{
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:");
    return size > 0 && !name[size] && !(name[0] >= '0' && name[0] <= '9');
}

/* Escapes \ and line breaks, and quotes where they end a value. */
static void escaped(text_t *out, const char *s, bool quoted)
{
    for (; *s; s++) {
        if (*s == '\\') {
            text_add(out, "\\\\");
        } else if (*s == '\n') {
            text_add(out, "\\n");
        } else if (*s == '"' && quoted) {
            text_add(out, "\\\"");
        } else {
            text_bytes(out, s, 1);
        }
    }
}

static void number(text_t *out, double value)
{
    if (isnan(value)) {
        text_add(out, "NaN");
    } else if (isinf(value)) {
        text_add(out, value > 0 ? "+Inf" : "-Inf");
    } else {
        text_fmt(out, "%.17g", value);
    }
}

static void family(text_t *out, const char *name, const char *help, const char *type)
{
    text_fmt(out, "# HELP %s ", name);
    escaped(out, help, false);
    text_fmt(out, "\n# TYPE %s %s\n", name, type);
}

static void sample(text_t *out, const sample_t *s)
{
    text_fmt(out, "%s{instance=\"", s->metric->name);
    escaped(out, s->instance, true);
    text_add(out, "\"");
    if (s->metric->label[0] && !strchr(s->metric->label, '\n')) {
        text_fmt(out, ",%s", s->metric->label);
    }
    text_add(out, "} ");
    number(out, s->metric->value);
    text_add(out, "\n");
}

static void source_sample(text_t *out, const char *name, const metrics_source_t *source,
                          double value)
{
    text_fmt(out, "%s{instance=\"", name);
    escaped(out, source->instance, true);
    text_add(out, "\",service=\"");
    escaped(out, source->service, true);
    text_add(out, "\"} ");
    number(out, value);
    text_add(out, "\n");
}

static void about_sources(text_t *out, const metrics_source_t *sources, size_t count)
{
    family(out, "parley_up", "whether the instance answers", "gauge");
    for (size_t i = 0; i < count; i++) {
        source_sample(out, "parley_up", &sources[i], sources[i].up && sources[i].metrics ? 1 : 0);
    }
    family(out, "parley_load", "slots in use, as the instance tells", "gauge");
    for (size_t i = 0; i < count; i++) {
        source_sample(out, "parley_load", &sources[i], sources[i].load);
    }
    family(out, "parley_capacity", "slots in all, as the instance tells", "gauge");
    for (size_t i = 0; i < count; i++) {
        source_sample(out, "parley_capacity", &sources[i], sources[i].capacity);
    }
}

void metrics_page(text_t *out, const metrics_source_t *sources, size_t count)
{
    size_t total = 0, n = 0;
    about_sources(out, sources, count);
    for (size_t i = 0; i < count; i++) {
        if (sources[i].metrics) total += sources[i].metrics->n_metrics;
    }
    sample_t *samples = calloc(total ? total : 1, sizeof *samples);
    if (!samples) abort();
    for (size_t i = 0; i < count; i++) {
        const Pl__MetricsReply *reply = sources[i].metrics;
        for (size_t j = 0; reply && j < reply->n_metrics; j++) {
            if (!name_valid(reply->metrics[j]->name)) continue;
            samples[n++] = (sample_t){reply->metrics[j], sources[i].instance};
        }
    }
    qsort(samples, n, sizeof *samples, by_name);
    for (size_t i = 0; i < n; i++) {
        const Pl__Metric *m = samples[i].metric;
        if (i == 0 || strcmp(m->name, samples[i - 1].metric->name) != 0) {
            family(out, m->name, m->help,
                   m->kind == PL__METRIC__KIND__COUNTER ? "counter" : "gauge");
        }
        sample(out, &samples[i]);
    }
    free(samples);
}
