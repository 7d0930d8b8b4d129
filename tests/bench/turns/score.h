/* score.h - what became of the turns of one condition, in counts and percentiles, as JSON and a row.
 *
 * Threads: none; pure.
 */
#ifndef BENCH_SCORE_H
#define BENCH_SCORE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { SCORE_VALUES = 512 };

typedef struct {
    uint32_t values[SCORE_VALUES];
    size_t count;
} series_t;

typedef struct {
    const char *name;
    unsigned interruptions, missed;  /* with words; the bot went on to its end, or for 2 s */
    unsigned quiet_turns, disturbed; /* nobody spoke over them; they were cut all the same */
    unsigned coughs, coughed;        /* 200 ms; that cost a reply */
    unsigned backchannels, yielded;  /* "mhm"; that cost a reply */
    unsigned numbers, cut_numbers;   /* spoken in groups; ended before the last digit */
    unsigned sentences, cut_sentences;
    unsigned words, lost; /* of interruptions and answers */
    series_t stop_ms;     /* from the decision to silence on the wire */
    series_t take_ms;     /* from the caller's first sound to the decision */
    series_t end_ms;      /* from the caller's last sound to the decision that it was the last */
    double cpu_s, audio_s;
} score_t;

void series_add(series_t *self, double value);
uint32_t series_percentile(series_t *self, unsigned percent); /* sorts; 0 when empty */

/* How many of the reference's words are not in what was heard, in order. */
unsigned score_lost(const char *reference, const char *heard, unsigned *words);

void score_json(score_t *self, FILE *out); /* one object, no line's end */
void score_head(FILE *out);
void score_row(score_t *self, FILE *out);

#endif
