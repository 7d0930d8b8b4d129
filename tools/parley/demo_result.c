#include "tools/parley/demo_result.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/callsim/expect.h"
#include "tools/parley/term.h"
#include "tools/parley/transcript.h"

enum { NAME_COLUMNS = 20, INDENT = 25, MAX_REPORT_BYTES = 4 << 20 };

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : "";
}

static void print_item(const char *name, const char *text)
{
    printf("  %s%-*s%s   ", term(TERM_DIM), NAME_COLUMNS, name, term(TERM_PLAIN));
    transcript_wrap(text[0] ? text : "-", INDENT);
}

static void print_head(const char *name)
{
    printf("\n%s%s%s\n", term(TERM_BOLD), name, term(TERM_PLAIN));
}

static bool print_claim(const scenario_t *scenario, const cJSON *call)
{
    const cJSON *claim = cJSON_GetObjectItemCaseSensitive(call, "claim");
    expect_call_t about = {expect_iso_time(text_of(call, "created_at")),
                           text_of(call, "time_zone")};
    bool all = true;
    print_head("Claim");
    for (size_t i = 0; i < scenario->expect_count; i++) {
        const expectation_t *expect = &scenario->expects[i];
        char wanted[SCENARIO_TEXT_BYTES];
        (void)scenario_expand(expect->value, 1, wanted, sizeof wanted);
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(claim, expect->field);
        const char *stored = cJSON_GetStringValue(item);
        bool met = expect_met(expect->kind, wanted, stored, &about);
        printf("  %s%s%s %-*s ", term(met ? TERM_GREEN : TERM_RED), met ? "\u2713" : "\u2717",
               term(TERM_PLAIN), NAME_COLUMNS, expect->field);
        transcript_wrap(stored ? stored : "(not set)", INDENT);
        if (!met) printf("    %*s expected: %s\n", NAME_COLUMNS, "", wanted);
        all = all && met;
    }
    return all && scenario->expect_count > 0;
}

bool demo_result_print(const scenario_t *scenario, const cJSON *call)
{
    const cJSON *synthesis = cJSON_GetObjectItemCaseSensitive(call, "synthesis");
    const cJSON *next = cJSON_GetObjectItemCaseSensitive(call, "next");
    bool all = print_claim(scenario, call);
    print_head("Synthesis");
    print_item("short", text_of(synthesis, "short"));
    print_item("long", text_of(synthesis, "long"));
    print_item("satisfaction", text_of(synthesis, "satisfaction"));
    print_head("Next action");
    print_item("action", text_of(next, "action"));
    print_item("justification", text_of(next, "justification"));
    (void)fflush(stdout);
    return all;
}

static cJSON *read_json(const char *file)
{
    FILE *in = fopen(file, "re");
    if (!in) return NULL;
    char *text = calloc(1, MAX_REPORT_BYTES + 1);
    assert(text);
    size_t bytes = fread(text, 1, MAX_REPORT_BYTES, in);
    (void)fclose(in);
    cJSON *json = cJSON_ParseWithLength(text, bytes);
    free(text);
    return json;
}

bool demo_result_customer(const char *report_file)
{
    cJSON *report = read_json(report_file);
    const cJSON *call = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(report, "calls"), 0);
    const cJSON *latency = cJSON_GetObjectItemCaseSensitive(call, "latency");
    bool completed = strcmp(text_of(call, "outcome"), "completed") == 0;
    if (!report) term_bad("callsim left no report");
    if (report && !completed) term_bad("callsim: %s", text_of(call, "detail"));
    const cJSON *p50 = cJSON_GetObjectItemCaseSensitive(latency, "p50_ms");
    const cJSON *most = cJSON_GetObjectItemCaseSensitive(latency, "most_ms");
    if (cJSON_IsNumber(p50) && cJSON_IsNumber(most)) {
        print_head("Heard on the customer's side");
        char text[160];
        snprintf(text, sizeof text,
                 "%d ms at the median, %d ms at most, from the end of the customer's voice to "
                 "the start of the answer, measured in the audio",
                 p50->valueint, most->valueint);
        print_item("voice to voice", text);
        print_item("codec", text_of(call, "codec"));
    }
    cJSON_Delete(report);
    (void)fflush(stdout);
    return completed;
}
