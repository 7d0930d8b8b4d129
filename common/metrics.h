/* metrics.h - counters and gauges of this process, read by the gateway for /metrics.
 *
 * Threads: counting is atomic, from any thread; make them before threads start.
 * A metric made twice with the same name and label is the same one. Never freed before exit.
 */
#ifndef PL_COMMON_METRICS_H
#define PL_COMMON_METRICS_H

#include <stdint.h>

#include "bus.pb-c.h"

typedef struct pl_metric pl_metric_t;

/* name: "parley_calls_total"; label: NULL or `reason="busy"`. All are copied. */
pl_metric_t *pl_metric_counter(const char *name, const char *label, const char *help);
pl_metric_t *pl_metric_gauge(const char *name, const char *label, const char *help);

void pl_metric_add(pl_metric_t *self, double by);
void pl_metric_set(pl_metric_t *self, double value);
double pl_metric_value(const pl_metric_t *self);

/* All of them as a message; free with pl_metrics_free. pl_bus_new answers MetricsGet with it. */
Pl__MetricsReply *pl_metrics_collect(void);
void pl_metrics_free(Pl__MetricsReply **reply_p);

#endif
