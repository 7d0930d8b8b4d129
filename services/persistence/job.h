/* job.h - what a request does to a job: the rules, pure and the same for every store provider.
 *
 *   (none) -put-> WAITING -take-> LEASED -done-> DONE
 *                    ^               |  \-fail, last attempt; or the lease of it ran out-> DEAD
 *                    \-fail, release-/                                       DEAD -retry-> WAITING
 *
 * A lease that ran out is not the end of it: as long as nobody has taken the job since, the worker
 * that had it may still report. Whoever takes a job gets a higher lease number, and only the newest
 * is accepted.
 *
 * Units: _ms of a job are wall clock since the epoch; now_ms is an argument.
 * Threads: none; values only. All memory is malloc's.
 */
#ifndef PERSISTENCE_JOB_H
#define PERSISTENCE_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "job.pb-c.h"
#include "store.pb-c.h"

enum {
    JOB_KEY_BYTES_MAX = 200,
    JOB_KIND_BYTES_MAX = 32,
    JOB_PAYLOAD_BYTES_MAX = 64 * 1024,
    JOB_REASON_BYTES_MAX = 1000, /* a longer one is cut */
    JOB_ATTEMPTS = 5,
    JOB_ATTEMPTS_MAX = 100,
    JOB_LEASE_MS_MIN = 1000,
    JOB_LEASE_MS_MAX = 3600 * 1000,
    JOB_PAUSE_FIRST_MS = 1000,
    JOB_PAUSE_MAX_MS = 10 * 60 * 1000,
    JOB_DETAIL_BYTES = 256,
};

/* PL_INVALID: detail says which field. */
pl_err_t job_check(const Pl__JobSpec *spec, char detail[JOB_DETAIL_BYTES]);

void job_free(Pl__Job **job_p);

/* Puts spec (checked) of that call ("" for none) over *job_p (NULL: none of its key; it is made).
 * *changed: there is something to store. PL_INVALID: the key belongs to other work. */
pl_err_t job_put(Pl__Job **job_p, const Pl__JobSpec *spec, const char *call_id, int64_t now_ms,
                 bool *changed, char detail[JOB_DETAIL_BYTES]);

/* From when on it may be taken; INT64_MAX: not at all. */
int64_t job_due_ms(const Pl__Job *job);

/* Takes a job that is due. False when its last attempt was never reported: it is dead now. */
bool job_take(Pl__Job *job, const char *worker, uint32_t lease_ms, int64_t now_ms);

/* PL_STALE: the lease is not the job's present one. */
pl_err_t job_renew(Pl__Job *job, const Pl__JobRenew *renew, int64_t now_ms,
                   char detail[JOB_DETAIL_BYTES]);
/* *repeated: it was done under that lease already; nothing changed. */
pl_err_t job_done(Pl__Job *job, uint64_t lease, int64_t now_ms, bool *repeated,
                  char detail[JOB_DETAIL_BYTES]);
pl_err_t job_fail(Pl__Job *job, const Pl__JobFail *fail, int64_t now_ms,
                  char detail[JOB_DETAIL_BYTES]);
/* PL_INVALID: it is done or under way. */
pl_err_t job_retry(Pl__Job *job, int64_t now_ms, char detail[JOB_DETAIL_BYTES]);

/* The pause after that many attempts: doubled each time, at most JOB_PAUSE_MAX_MS, of which chance
 * (any number) takes up to a half, so that what failed together does not come back together. */
uint32_t job_pause_ms(uint32_t attempts, uint64_t chance);

const char *job_state_name(Pl__JobState state); /* "waiting" */

#endif
