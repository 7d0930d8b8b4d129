#include "tools/parley/jobs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/bus.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/record.h"
#include "tools/parley/config.h"
#include "tools/parley/jobs_options.h"
#include "tools/parley/jobs_view.h"

enum { UP_MS = 5000, LOOK_MS = 10, ASK_MS = 5000, PAGE = 1000 };

typedef struct {
    jobs_options_t options;
    pl_config_t *cfg;
    pl_loop_t *loop;
    pl_bus_t *bus;
    pl_err_t err; /* of the last question */
    Pl__Envelope *reply;
} jobs_t;

/* ---- asking ---- */

static void stop(void *arg)
{
    pl_loop_stop(arg);
}

static void run_ms(jobs_t *self, uint64_t ms)
{
    pl_timer_t *timer = pl_timer_start(self->loop, ms, 0, stop, self->loop);
    pl_loop_run(self->loop);
    pl_timer_stop(&timer);
}

static void on_reply(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    jobs_t *self = arg;
    self->err = err;
    if (reply) self->reply = (Pl__Envelope *)pl_message_copy(&reply->base);
    pl_loop_stop(self->loop);
}

static void forget(jobs_t *self)
{
    if (self->reply) pl__envelope__free_unpacked(self->reply, NULL);
    self->reply = NULL;
}

static pl_err_t ask(jobs_t *self, Pl__Envelope *env)
{
    forget(self);
    pl_bus_request(self->bus, "persistence", env, ASK_MS, on_reply, self);
    pl_loop_run(self->loop);
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

/* Any number of these may run beside the system: the socket is abstract, and named by the process. */
static pl_config_t *load_config(const jobs_options_t *options, int *status)
{
    char bind_to[64];
    const char *argv[2 * JOBS_SETTINGS_MAX + 8];
    int argc = 0;
    (void)snprintf(bind_to, sizeof bind_to, "bus.bind=ipc://@parley-jobs-%d", (int)getpid());
    argv[argc++] = "parley";
    if (options->config_file) {
        argv[argc++] = "--config";
        argv[argc++] = options->config_file;
    }
    for (size_t i = 0; i < options->setting_count; i++) {
        argv[argc++] = "--set";
        argv[argc++] = options->settings[i];
    }
    argv[argc++] = "--set";
    argv[argc++] = bind_to;
    argv[argc] = NULL;
    return pl_config_load("parley", parley_config_keys, argc, (char **)argv, status);
}

static bool find_store(jobs_t *self)
{
    pl_peer_t peer;
    uint64_t until_ms = pl_clock_ms() + UP_MS;
    while (!pl_bus_pick(self->bus, "persistence", &peer)) {
        if (pl_clock_ms() >= until_ms) return false;
        run_ms(self, LOOK_MS);
    }
    return true;
}

static int run_command(jobs_t *self)
{
    static const char *const peers[] = {"persistence", NULL};
    self->loop = pl_loop_new();
    int status = EXIT_FAILURE;
    if (pl_bus_new(&self->bus, self->loop, self->cfg, peers)) {
        (void)fprintf(stderr, "parley jobs: the control bus cannot be used\n");
    } else if (!find_store(self)) {
        (void)fprintf(stderr,
                      "parley jobs: persistence does not answer; is the system up, and is this its "
                      "configuration (bus.run_dir, bus.endpoints)?\n");
    } else if (self->options.command == JOBS_LIST) {
        status = list(self);
    } else if (self->options.command == JOBS_SHOW) {
        status = show(self);
    } else {
        status = self->options.dead ? retry_dead(self) : retry_keys(self);
    }
    forget(self);
    pl_bus_destroy(&self->bus);
    pl_loop_destroy(&self->loop);
    return status;
}

int jobs_run(int argc, char **argv)
{
    jobs_t self = {0};
    int status = EXIT_FAILURE;
    if (!jobs_options_read(&self.options, argc, argv, &status)) return status;
    self.cfg = load_config(&self.options, &status);
    if (!self.cfg) return status;
    pl_log_init("parley", PL_LOG_ERROR); /* what the bus does is not what was asked */
    status = run_command(&self);
    pl_config_destroy(&self.cfg);
    return status;
}
