/* jobs.h - parley jobs: looks at the store's jobs and retries them, over the control bus.
 *
 * Threads: the caller's; runs a loop of its own until it has the answer.
 */
#ifndef PARLEY_JOBS_H
#define PARLEY_JOBS_H

/* argv[0] is "jobs". The process's exit status. */
int jobs_run(int argc, char **argv);

#endif
