#include "tools/callsim/caller_report.h"

#include <stdio.h>

static void add_text(cJSON *to, const char *name, const char *text)
{
    if (text && text[0]) {
        cJSON_AddStringToObject(to, name, text);
    } else {
        cJSON_AddNullToObject(to, name);
    }
}

static void add_ms(cJSON *to, const char *name, int64_t ms)
{
    if (ms < 0) {
        cJSON_AddNullToObject(to, name);
    } else {
        cJSON_AddNumberToObject(to, name, (double)ms);
    }
}

static cJSON *turn_json(const turn_t *turn)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "who", turn->caller ? "caller" : "bot");
    add_ms(json, "start_ms", turn->start_ms);
    add_ms(json, "end_ms", turn->end_ms);
    add_text(json, "text", turn->text);
    if (turn->caller) {
        add_ms(json, "step", turn->step < 0 ? -1 : turn->step + 1);
        cJSON_AddBoolToObject(json, "interrupts", turn->interrupts);
        add_ms(json, "bot_stopped_after_ms", turn->stop_ms);
    } else {
        add_ms(json, "latency_ms", turn->latency_ms);
        cJSON_AddBoolToObject(json, "interrupted", turn->interrupted);
    }
    return json;
}

static cJSON *rtp_json(const rtp_stats_t *rtp)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "sent", rtp->sent);
    cJSON_AddNumberToObject(json, "received", rtp->received);
    cJSON_AddNumberToObject(json, "lost", rtp->lost);
    cJSON_AddNumberToObject(json, "late", rtp->late);
    cJSON_AddNumberToObject(json, "duplicate", rtp->duplicate);
    cJSON_AddNumberToObject(json, "malformed", rtp->malformed);
    cJSON_AddNumberToObject(json, "foreign", rtp->foreign);
    cJSON_AddNumberToObject(json, "concealed_frames", rtp->concealed_frames);
    cJSON_AddNumberToObject(json, "jitter_us", rtp->jitter_us);
    cJSON_AddNumberToObject(json, "remote_lost", rtp->remote_lost);
    cJSON_AddNumberToObject(json, "round_trip_us", rtp->round_trip_us);
    return json;
}

static void add_value(cJSON *to, const char *what, const char *unit, uint32_t value)
{
    char name[32];
    snprintf(name, sizeof name, "%s_%s", what, unit);
    cJSON_AddNumberToObject(to, name, value);
}

cJSON *latency_json(const latency_t *latency, const char *unit)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "turns", latency->count);
    if (latency->count == 0) return json;
    add_value(json, "least", unit, latency->least);
    add_value(json, "p50", unit, latency->p50);
    add_value(json, "p95", unit, latency->p95);
    add_value(json, "p99", unit, latency->p99);
    add_value(json, "most", unit, latency->most);
    return json;
}

static cJSON *sip_json(const caller_result_t *result)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *statuses = cJSON_AddArrayToObject(json, "statuses");
    for (size_t i = 0; i < result->status_count; i++) {
        cJSON_AddItemToArray(statuses, cJSON_CreateNumber(result->statuses[i]));
    }
    cJSON_AddBoolToObject(json, "rang", result->rang);
    add_ms(json, "end_status", result->status ? result->status : -1);
    add_text(json, "end_reason", result->reason);
    return json;
}

static cJSON *expects_json(const scenario_t *scenario, uint32_t n)
{
    static const char *const kinds[] = {"text", "datetime", "phone_number", "email"};
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < scenario->expect_count; i++) {
        char value[SCENARIO_TEXT_BYTES];
        (void)scenario_expand(scenario->expects[i].value, n, value, sizeof value);
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "field", scenario->expects[i].field);
        cJSON_AddStringToObject(json, "type", kinds[scenario->expects[i].kind]);
        cJSON_AddStringToObject(json, "value", value);
        cJSON_AddItemToArray(list, json);
    }
    return list;
}

cJSON *caller_result_json(const caller_result_t *result, const scenario_t *scenario, uint32_t n,
                          const turns_t *turns)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "caller", n);
    cJSON_AddStringToObject(json, "number", result->number);
    add_text(json, "call_id", result->call_id);
    cJSON_AddStringToObject(json, "outcome", result->detail[0] ? "failed" : "completed");
    add_text(json, "detail", result->detail);
    cJSON_AddBoolToObject(json, "answered", result->up);
    add_ms(json, "answered_after_ms",
           result->up ? (int64_t)(result->up_ms - result->started_ms) : -1);
    add_ms(json, "duration_ms", result->up ? (int64_t)(result->ended_ms - result->up_ms) : -1);
    cJSON_AddStringToObject(json, "ended_by", result->remote ? "remote" : "caller");
    add_text(json, "codec", result->codec);
    add_text(json, "recording", result->recording);
    add_text(json, "keys_heard", result->keys);
    add_ms(json, "http_status", result->http_status ? result->http_status : -1);
    cJSON_AddNumberToObject(json, "transcript_lines", result->transcripts);
    cJSON_AddItemToObject(json, "sip", sip_json(result));
    cJSON_AddItemToObject(json, "rtp", rtp_json(&result->rtp));
    latency_t latency = turns_latency(turns);
    cJSON_AddItemToObject(json, "latency", latency_json(&latency, "ms"));
    cJSON *list = cJSON_AddArrayToObject(json, "turns");
    for (size_t i = 0; i < turns_count(turns); i++) {
        cJSON_AddItemToArray(list, turn_json(turns_at(turns, i)));
    }
    cJSON_AddItemToObject(json, "expect", expects_json(scenario, n));
    return json;
}
