/* insight.h - what a conversation came to, as jobs: kinds synthesis and next.
 *
 * Without a model by rule (postcall.h).
 *
 * Threads: all on the loop's thread.
 */
#ifndef DIALOGUE_WORK_INSIGHT_H
#define DIALOGUE_WORK_INSIGHT_H

#include "services/dialogue/work/work.h"

extern const work_kind_t work_synthesis, work_next;

#endif
