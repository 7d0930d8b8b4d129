/* caller_report.h - what is known of one caller's call, and its JSON.
 *
 * Threads: none.
 */
#ifndef CALLSIM_CALLER_REPORT_H
#define CALLSIM_CALLER_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "services/telephony/rtp_leg.h"
#include "tools/callsim/scenario.h"
#include "tools/callsim/turns.h"

enum { CALLER_MAX_STATUSES = 32 };

typedef struct {
    char number[64];
    char call_id[64]; /* once known */
    char detail[512]; /* why it is not complete; "" when it is */
    bool rang, up, remote;
    uint64_t started_ms, up_ms, ended_ms; /* monotonic */
    uint32_t deadline_ms;
    uint16_t statuses[CALLER_MAX_STATUSES]; /* SIP's, in order */
    size_t status_count;
    uint16_t status;  /* of the end; 0: BYE */
    char reason[128]; /* of the end */
    long http_status; /* of POST /call or /phone/ticket; 0: none */
    char codec[32];
    char keys[64];        /* DTMF heard */
    uint32_t transcripts; /* lines the browser leg was shown */
    rtp_stats_t rtp;
    char recording[512];
} caller_result_t;

cJSON *caller_result_json(const caller_result_t *result, const scenario_t *scenario, uint32_t n,
                          const turns_t *turns);
/* With names that end in _unit: "ms" or "us". */
cJSON *latency_json(const latency_t *latency, const char *unit);

#endif
