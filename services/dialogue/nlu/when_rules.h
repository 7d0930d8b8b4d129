/* when_rules.h - inside of when.c: what the words gave so far, and the two sets of rules.
 *
 * A rule looks at word i, takes what it understands into the scan and returns how many words it
 * used; 0 and an untouched scan when it does not apply.
 */
#ifndef DIALOGUE_NLU_WHEN_RULES_H
#define DIALOGUE_NLU_WHEN_RULES_H

#include "services/dialogue/nlu/when.h"

typedef enum { PART_NONE, PART_MORNING, PART_AFTERNOON, PART_EVENING, PART_NIGHT } part_t;
typedef enum { MERIDIEM_NONE, MERIDIEM_AM, MERIDIEM_PM, MERIDIEM_24H } meridiem_t;

typedef struct {
    const words_t *w;
    const when_opts_t *opts;
    civil_t date; /* its hour and minute count only when instant */
    bool has_date;
    bool instant; /* date is an exact moment: "two hours ago" */
    bool has_clock;
    int hour, minute;
    meridiem_t meridiem;
    part_t part;
} when_scan_t;

size_t when_date_rule(when_scan_t *s, size_t i);
size_t when_clock_rule(when_scan_t *s, size_t i);
size_t when_part_rule(when_scan_t *s, size_t i);

#endif
