/* metrics_page.h - metrics of many instances as one text for Prometheus.
 *
 * Samples of one name stand together under one HELP and TYPE, each with its instance as a label.
 * Threads: any; pure. Source: Prometheus text exposition format 0.0.4.
 */
#ifndef GATEWAY_METRICS_PAGE_H
#define GATEWAY_METRICS_PAGE_H

#include <stdbool.h>

#include "bus.pb-c.h"
#include "services/gateway/text.h"

typedef struct {
    char *service, *instance;
    bool up; /* answers */
    uint32_t load, capacity;
    Pl__MetricsReply *metrics; /* NULL when it has not answered */
} metrics_source_t;

void metrics_page(text_t *out, const metrics_source_t *sources, size_t count);

#endif
