/* jobs_view.h - jobs as a person, or a program, reads them.
 *
 * Threads: none; writes to the stream it is given.
 */
#ifndef PARLEY_JOBS_VIEW_H
#define PARLEY_JOBS_VIEW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "job.pb-c.h"

const char *jobs_state_name(Pl__JobState state);      /* "waiting" */
bool jobs_state(const char *name, Pl__JobState *out); /* false: no such state */

/* One line a job; the key is never cut, the error may be, to width columns (0: not at all). */
void jobs_table(FILE *out, const Pl__Jobs *jobs, uint32_t offset, int64_t now_ms, unsigned width);
void jobs_details(FILE *out, const Pl__Job *job, int64_t now_ms);
void jobs_json(FILE *out, const Pl__Job *job); /* one line */

/* "now", "in 5 min", "3 d ago" of at_ms. Returns out. */
#define JOBS_SPAN_BYTES 48
char *jobs_span(int64_t at_ms, int64_t now_ms, char out[JOBS_SPAN_BYTES]);

#endif
