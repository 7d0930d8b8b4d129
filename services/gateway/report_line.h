/* report_line.h - how a call sounded, as HTML: the counters of its line in words. */
#ifndef GATEWAY_REPORT_LINE_H
#define GATEWAY_REPORT_LINE_H

#include "call.pb-c.h"
#include "services/gateway/text.h"

/* Nothing when the call has no counters. */
void report_line(text_t *out, const Pl__CallRecord *call);

#endif
