#include "tests/bench/turns/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/callsim/words.h"

enum { TEXT_BYTES = 1024, WORDS_MAX = 64 };

void series_add(series_t *self, double value)
{
    if (self->count < SCORE_VALUES)
        self->values[self->count++] = value > 0 ? (uint32_t)lrint(value) : 0;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

uint32_t series_percentile(series_t *self, unsigned percent)
{
    if (self->count == 0) return 0;
    qsort(self->values, self->count, sizeof *self->values, by_size);
    return self->values[(self->count * percent + 99) / 100 - 1];
}

static size_t split(char *text, char *words[WORDS_MAX])
{
    size_t count = 0;
    char *rest = NULL;
    for (char *w = strtok_r(text, " ", &rest); w && count < WORDS_MAX;
         w = strtok_r(NULL, " ", &rest))
        words[count++] = w;
    return count;
}

/* The longest common subsequence of words. */
unsigned score_lost(const char *reference, const char *heard, unsigned *words)
{
    char a[TEXT_BYTES];
    char b[TEXT_BYTES];
    char *x[WORDS_MAX];
    char *y[WORDS_MAX];
    size_t n = split(words_normal(reference, a, sizeof a), x);
    size_t m = split(words_normal(heard, b, sizeof b), y);
    unsigned row[WORDS_MAX + 1] = {0};
    for (size_t i = 0; i < n; i++) {
        unsigned before = 0; /* the row above, one to the left */
        for (size_t k = 0; k < m; k++) {
            unsigned above = row[k + 1];
            bool same = strcmp(x[i], y[k]) == 0;
            unsigned best = row[k] > above ? row[k] : above;
            row[k + 1] = same ? before + 1 : best;
            before = above;
        }
    }
    *words += (unsigned)n;
    return (unsigned)n - row[m];
}

static double share(unsigned part, unsigned all)
{
    return all ? 100.0 * part / all : 0;
}

static unsigned falses(const score_t *s)
{
    return s->disturbed + s->coughed + s->yielded;
}

static unsigned occasions(const score_t *s)
{
    return s->quiet_turns + s->coughs + s->backchannels;
}

static void percentiles(series_t *s, const char *name, FILE *out)
{
    (void)fprintf(out, ",\"%s\":{\"count\":%zu,\"p50\":%u,\"p95\":%u,\"max\":%u}", name, s->count,
                  series_percentile(s, 50), series_percentile(s, 95), series_percentile(s, 100));
}

void score_json(score_t *s, FILE *out)
{
    (void)fprintf(out,
                  "{\"condition\":\"%s\",\"interruptions\":%u,\"missed\":%u,\"missed_pct\":%.1f,"
                  "\"occasions\":%u,\"false\":%u,\"false_pct\":%.1f,"
                  "\"quiet_turns\":%u,\"disturbed\":%u,\"coughs\":%u,\"coughed\":%u,"
                  "\"backchannels\":%u,\"yielded\":%u,"
                  "\"numbers\":%u,\"cut_numbers\":%u,\"sentences\":%u,\"cut_sentences\":%u,"
                  "\"words\":%u,\"words_lost\":%u,\"words_lost_pct\":%.1f",
                  s->name, s->interruptions, s->missed, share(s->missed, s->interruptions),
                  occasions(s), falses(s), share(falses(s), occasions(s)), s->quiet_turns,
                  s->disturbed, s->coughs, s->coughed, s->backchannels, s->yielded, s->numbers,
                  s->cut_numbers, s->sentences, s->cut_sentences, s->words, s->lost,
                  share(s->lost, s->words));
    percentiles(&s->stop_ms, "stop_ms", out);
    percentiles(&s->take_ms, "take_ms", out);
    percentiles(&s->end_ms, "endpointing_ms", out);
    (void)fprintf(out, ",\"audio_s\":%.0f,\"cpu_s\":%.1f}", s->audio_s, s->cpu_s);
}

void score_head(FILE *out)
{
    (void)fprintf(out, "%-22s %9s %9s %9s %9s %9s %11s %11s %8s %8s\n", "condition", "missed",
                  "false", "coughs", "mhm", "stop ms", "take ms", "end ms", "cut", "words");
    (void)fprintf(out, "%-22s %9s %9s %9s %9s %9s %11s %11s %8s %8s\n", "", "%", "%", "cost",
                  "cost", "p50/p95", "p50/p95", "p50/p95", "numbers", "lost %");
}

static void pair(series_t *s, int width, FILE *out)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%u/%u", series_percentile(s, 50), series_percentile(s, 95));
    (void)fprintf(out, " %*s", width, text);
}

static void of(unsigned part, unsigned all, int width, FILE *out)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%u/%u", part, all);
    (void)fprintf(out, " %*s", width, text);
}

void score_row(score_t *s, FILE *out)
{
    (void)fprintf(out, "%-22s %9.1f %9.1f", s->name, share(s->missed, s->interruptions),
                  share(falses(s), occasions(s)));
    of(s->coughed, s->coughs, 9, out);
    of(s->yielded, s->backchannels, 9, out);
    pair(&s->stop_ms, 9, out);
    pair(&s->take_ms, 11, out);
    pair(&s->end_ms, 11, out);
    of(s->cut_numbers, s->numbers, 8, out);
    (void)fprintf(out, " %8.1f\n", share(s->lost, s->words));
    (void)fflush(out);
}
