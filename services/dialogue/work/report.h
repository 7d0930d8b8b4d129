/* report.h - the SMS that a caller gets after a call, as a job: kind sms_report.
 *
 * To the number of who was on the line. With dialogue.sms_report.to_stated a second one goes to a
 * different number that the caller has merely stated as the policyholder's. In the call's language,
 * in a model's words where one answers within a few attempts, else in those of notices.h.
 *
 * Threads: all on the loop's thread.
 */
#ifndef DIALOGUE_WORK_REPORT_H
#define DIALOGUE_WORK_REPORT_H

#include "services/dialogue/work/work.h"

extern const work_kind_t work_sms_report;

#endif
