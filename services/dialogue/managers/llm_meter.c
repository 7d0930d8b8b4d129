#include "services/dialogue/managers/llm_meter.h"

#include <stdio.h>

#include "common/metrics.h"

enum { BUCKETS = 12 };

static const double limits[BUCKETS] = {0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 0};

static const char *const answered_names[ANSWERED_COUNT] = {"model", "speculated", "script",
                                                           "filtered", "prompt"};

static const struct {
    const char *name, *help;
} counters[METER_COUNT] = {
    [METER_PASSES] = {"parley_dialogue_passes_total", "Requests to a model for an answer"},
    [METER_TAKEOVERS] = {"parley_dialogue_takeovers_total", "Calls the script took over"},
    [METER_HANDBACKS] = {"parley_dialogue_handbacks_total", "Calls the script gave back"},
    [METER_FILTERED] = {"parley_dialogue_filtered_total", "Answers a content filter refused"},
    [METER_BROKEN] = {"parley_dialogue_broken_total", "Answers that broke off after a few words"},
    [METER_EMPTY] = {"parley_dialogue_empty_total", "Answers without a word"},
    [METER_GUESSES] = {"parley_dialogue_speculations_total",
                       "Answers begun on a transcript that was not final"},
    [METER_GUESSED] = {"parley_dialogue_speculations_used_total", "Of them, those that were used"},
    [METER_SUMMARIES] = {"parley_dialogue_summaries_total", "Summaries of long calls"},
};

static pl_metric_t *buckets[ANSWERED_COUNT][BUCKETS];
static pl_metric_t *sums[ANSWERED_COUNT], *counts[ANSWERED_COUNT];
static pl_metric_t *made[METER_COUNT], *saved;

static void make_first(answered_t by)
{
    static const char help[] = "From the final transcript to the first sentence for speech";
    char label[64];
    for (int i = 0; i < BUCKETS; i++) {
        char limit[24] = "+Inf";
        if (limits[i] > 0) snprintf(limit, sizeof limit, "%g", limits[i]);
        snprintf(label, sizeof label, "outcome=\"%s\",le=\"%s\"", answered_names[by], limit);
        buckets[by][i] =
            pl_metric_counter("parley_dialogue_first_sentence_seconds_bucket", label, help);
    }
    snprintf(label, sizeof label, "outcome=\"%s\"", answered_names[by]);
    sums[by] = pl_metric_counter("parley_dialogue_first_sentence_seconds_sum", label, help);
    counts[by] = pl_metric_counter("parley_dialogue_first_sentence_seconds_count", label, help);
}

void meter_make(void)
{
    if (saved) return;
    for (int by = 0; by < ANSWERED_COUNT; by++) make_first((answered_t)by);
    for (int i = 0; i < METER_COUNT; i++) {
        made[i] = pl_metric_counter(counters[i].name, NULL, counters[i].help);
    }
    saved = pl_metric_counter("parley_dialogue_speculation_saved_seconds_total", NULL,
                              "What beginning early has saved callers of waiting");
}

void meter_first(answered_t by, uint64_t us)
{
    double seconds = (double)us / 1e6;
    for (int i = 0; i < BUCKETS; i++) {
        if (limits[i] == 0 || seconds <= limits[i]) pl_metric_add(buckets[by][i], 1);
    }
    pl_metric_add(sums[by], seconds);
    pl_metric_add(counts[by], 1);
}

void meter_add(meter_t what)
{
    pl_metric_add(made[what], 1);
}

void meter_saved(uint64_t us)
{
    pl_metric_add(saved, (double)us / 1e6);
}
