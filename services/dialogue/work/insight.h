/* insight.h - what a conversation came to, as jobs: kinds synthesis and next.
 *
 * By the slow model where there is one. While it is out of reach the job is tried again later; the
 * result by rule (postcall.h) stands meanwhile, and for good where no right answer was to be had.
 *
 * Threads: all on the loop's thread.
 */
#ifndef DIALOGUE_WORK_INSIGHT_H
#define DIALOGUE_WORK_INSIGHT_H

#include "services/dialogue/work/work.h"

extern const work_kind_t work_synthesis, work_next;

#endif
