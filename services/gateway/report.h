/* report.h - the report pages: the list of calls, and one call.
 *
 * report_list and report_call are pure: record in, page out. report_error ends an exchange.
 */
#ifndef GATEWAY_REPORT_H
#define GATEWAY_REPORT_H

#include <stdint.h>

#include "services/gateway/http_server.h"
#include "store.pb-c.h"

/* number: the filter, "" for all. offset and limit: the part shown. */
void report_list(text_t *out, const Pl__StoreCalls *calls, const char *number, uint32_t offset,
                 uint32_t limit);

void report_call(text_t *out, const Pl__CallRecord *call);

/* Ends the exchange with a page. detail may be "". */
void report_error(http_exchange_t *x, int status, const char *title, const char *detail);

#endif
