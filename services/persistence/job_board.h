/* job_board.h - what the service tells of jobs: metrics, and hints that wake workers at once.
 *
 * The hint goes to every dialogue instance that is up: a worker that gets it asks, and who asks
 * first has the job. Without it (a worker just started, a message lost) workers ask by themselves
 * every few seconds.
 *
 * Threads: all on the loop's thread.
 */
#ifndef PERSISTENCE_JOB_BOARD_H
#define PERSISTENCE_JOB_BOARD_H

#include "common/bus.h"
#include "services/persistence/write.h"

typedef struct job_board job_board_t;

job_board_t *job_board_new(void);
void job_board_destroy(job_board_t **self_p);

/* A committed write that was not repeated. */
void job_board_written(job_board_t *self, const write_t *write);
/* After a batch: sends the hints. */
void job_board_wake(job_board_t *self, pl_bus_t *bus);
/* How many there are by kind and state. */
void job_board_counted(job_board_t *self, const Pl__Jobs *jobs);

#endif
