#include "tools/parley/jobs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/bus.h"
#include "common/clock.h"
#include "common/record.h"
#include "tools/parley/client.h"
#include "tools/parley/jobs_options.h"
#include "tools/parley/jobs_view.h"

enum { ASK_MS = 5000, PAGE = 1000 };

typedef struct {
    jobs_options_t options;
    client_t *client;
    pl_err_t err; /* of the last question */
    const Pl__Envelope *reply;
} jobs_t;

/* ---- asking ---- */

static pl_err_t ask(jobs_t *self, Pl__Envelope *env)
{
    self->err = client_ask(self->client, "persistence", env, ASK_MS, &self->reply);
    return self->err;
}

/* What was refused, and why, in the store's own words. */
static int say_error(const jobs_t *self, const char *what)
{
    (void)fprintf(stderr, "parley jobs: %s: %s\n", what,
                  pl_bus_error_detail(self->err, self->reply));
    return EXIT_FAILURE;
}

static pl_err_t ask_list(jobs_t *self, const char *key, uint32_t limit, uint32_t offset)
{
    const jobs_options_t *options = &self->options;
    Pl__JobList list = PL__JOB_LIST__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    list.key = (char *)key;
    list.kind = (char *)options->kind;
    list.call_id = (char *)options->call_id;
    list.states = (Pl__JobState *)options->states;
    list.n_states = options->state_count;
    list.limit = limit;
    list.offset = offset;
    env.body_case = PL__ENVELOPE__BODY_JOB_LIST;
    env.job_list = &list;
    pl_err_t err = ask(self, &env);
    if (!err && self->reply->body_case != PL__ENVELOPE__BODY_JOBS) err = self->err = PL_INTERNAL;
    return err;
}

static pl_err_t ask_retry(jobs_t *self, const char *key)
{
    Pl__JobRetry retry = PL__JOB_RETRY__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    retry.key = (char *)key;
    env.body_case = PL__ENVELOPE__BODY_JOB_RETRY;
    env.job_retry = &retry;
    return ask(self, &env);
}

/* ---- commands ---- */

static unsigned terminal_width(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0) return 0;
    return size.ws_col;
}

static int list(jobs_t *self)
{
    const jobs_options_t *options = &self->options;
    if (ask_list(self, "", options->limit, options->offset)) return say_error(self, "list");
    const Pl__Jobs *jobs = self->reply->jobs;
    if (!options->json) {
        jobs_table(stdout, jobs, options->offset, pl_clock_wall_ms(), terminal_width());
        return EXIT_SUCCESS;
    }
    for (size_t i = 0; i < jobs->n_jobs; i++) jobs_json(stdout, jobs->jobs[i]);
    return EXIT_SUCCESS;
}

static int show(jobs_t *self)
{
    const char *key = self->options.keys[0];
    if (ask_list(self, key, 1, 0)) return say_error(self, key);
    const Pl__Jobs *jobs = self->reply->jobs;
    if (jobs->n_jobs == 0) {
        (void)fprintf(stderr, "parley jobs: there is no job \"%s\"\n", key);
        return EXIT_FAILURE;
    }
    if (self->options.json)
        jobs_json(stdout, jobs->jobs[0]);
    else
        jobs_details(stdout, jobs->jobs[0], pl_clock_wall_ms());
    return EXIT_SUCCESS;
}

static int retry_keys(jobs_t *self)
{
    int status = EXIT_SUCCESS;
    for (size_t i = 0; i < self->options.key_count; i++) {
        const char *key = self->options.keys[i];
        if (ask_retry(self, key))
            status = say_error(self, key);
        else
            (void)printf("%s waits for a worker\n", key);
    }
    return status;
}

/* Those that are dead now, each once: one that dies again meanwhile is not tried for ever. */
static int retry_dead(jobs_t *self)
{
    uint32_t done = 0;
    int status = EXIT_SUCCESS;
    self->options.states[0] = PL__JOB_STATE__JOB_DEAD;
    self->options.state_count = 1;
    uint32_t left = UINT32_MAX;
    while (left > 0 && status == EXIT_SUCCESS) {
        if (ask_list(self, "", PAGE, 0)) return say_error(self, "list");
        Pl__Jobs *jobs = (Pl__Jobs *)pl_message_copy(&self->reply->jobs->base);
        if (left == UINT32_MAX) left = jobs->total;
        if (jobs->n_jobs == 0) left = 0;
        for (size_t i = 0; i < jobs->n_jobs && left > 0; i++, left--) {
            const char *key = jobs->jobs[i]->key;
            if (ask_retry(self, key))
                status = say_error(self, key);
            else
                done++;
        }
        pl__jobs__free_unpacked(jobs, NULL);
    }
    (void)printf("%" PRIu32 " wait for a worker\n", done);
    return status;
}

/* ---- the whole ---- */

static int run_command(jobs_t *self)
{
    switch (self->options.command) {
    case JOBS_LIST:
        return list(self);
    case JOBS_SHOW:
        return show(self);
    case JOBS_RETRY:
        break;
    }
    return self->options.dead ? retry_dead(self) : retry_keys(self);
}

int jobs_run(int argc, char **argv)
{
    jobs_t self = {0};
    int status = EXIT_FAILURE;
    if (!jobs_options_read(&self.options, argc, argv, &status)) return status;
    client_opts_t opts = {
        .command = "jobs",
        .service = "persistence",
        .config_file = self.options.config_file,
        .settings = self.options.settings,
        .setting_count = self.options.setting_count,
    };
    self.client = client_open(&opts, &status);
    if (!self.client) return status;
    status = run_command(&self);
    client_close(&self.client);
    return status;
}
