#include "tools/parley/up.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/http.h"
#include "common/loop.h"
#include "tools/parley/launch.h"
#include "tools/parley/process.h"
#include "tools/parley/term.h"

typedef struct {
    const options_t *options;
    const pl_config_t *config;
    pl_loop_t *loop;
    launch_t *launch;
    int status;
} up_t;

static void print_processes(const up_t *self)
{
    const supervisor_t *supervisor = launch_supervisor(self->launch);
    printf("  %s", term(TERM_DIM));
    for (size_t i = 0; i < supervisor_count(supervisor); i++) {
        const child_t *child = supervisor_at(supervisor, i);
        printf("%s%s %d", i ? ", " : "", child->name, (int)child->pid);
    }
    printf("%s\n", term(TERM_PLAIN));
}

static void print_addresses(const up_t *self)
{
    char url[160];
    char sip[160];
    const char *bold = term(TERM_BOLD);
    const char *plain = term(TERM_PLAIN);
    if (system_wanted(self->options->system.only, "gateway")) {
        system_url(pl_config_str(self->config, "gateway.http.listen"), url, sizeof url);
        term_say("  API        %s%s/call%s", bold, url, plain);
        term_say("  reports    %s%s/report%s", bold, url, plain);
        term_say("  browser    %s%s/phone%s", bold, url, plain);
    }
    if (system_wanted(self->options->system.only, "telephony")) {
        system_outside(pl_config_str(self->config, "telephony.sip.listen"), sip, sizeof sip);
        term_say("  SIP phone  ring %ssip:parley@%s%s; to be rung, register as", bold, sip, plain);
        term_say("             %ssip:+12345678901@%s%s (any number in E.164)", bold, sip, plain);
    }
    term_say("%sCtrl-C stops it.%s", term(TERM_DIM), plain);
}

static void on_ready(void *arg, unsigned took_ms)
{
    up_t *self = arg;
    bool gateway = system_wanted(self->options->system.only, "gateway");
    term_ok("%s in %u ms", gateway ? "ready" : "started", took_ms);
    print_processes(self);
    print_addresses(self);
}

static void on_failed(void *arg, int status)
{
    up_t *self = arg;
    self->status = status;
}

static void on_stopped(void *arg)
{
    up_t *self = arg;
    pl_loop_stop(self->loop);
}

static void on_terminate(void *arg, unsigned count)
{
    up_t *self = arg;
    term_say(count == 1 ? "stopping" : "killing");
    launch_stop(self->launch);
}

int up_run(const options_t *options)
{
    up_t self = {.options = options};
    pl_config_t *config = options_config(options, &self.status);
    if (!config) return self.status;
    if (options->system.log_dir) (void)mkdir(options->system.log_dir, 0755);
    self.config = config;
    self.loop = pl_loop_new();
    pl_http_t *http = pl_http_new(self.loop);
    launch_sink_t sink = {
        .ready = on_ready, .failed = on_failed, .stopped = on_stopped, .arg = &self};
    pl_loop_on_terminate(self.loop, on_terminate, &self);
    self.launch = launch_new(self.loop, http, &options->system, config, &sink);
    pl_loop_run(self.loop);
    launch_destroy(&self.launch);
    pl_http_destroy(&http);
    pl_loop_destroy(&self.loop);
    pl_config_destroy(&config);
    return self.status;
}

/* Runs one service with --check; true when it found the configuration right. */
static bool check_service(const options_t *options, const char *service)
{
    char program[600];
    const char *argv[2 * SYSTEM_MAX_SETTINGS + 8];
    size_t argc = 0;
    snprintf(program, sizeof program, "%s/parley-%s", options->bin_dir, service);
    argv[argc++] = program;
    argv[argc++] = "--check";
    if (options->system.config_file) {
        argv[argc++] = "--config";
        argv[argc++] = options->system.config_file;
    }
    for (size_t i = 0; i < options->system.setting_count; i++) {
        argv[argc++] = "--set";
        argv[argc++] = options->system.settings[i];
    }
    argv[argc] = NULL;
    pid_t pid = 0;
    int status = 0;
    pl_err_t err = process_start(&pid, argv, NULL);
    if (!err && waitpid(pid, &status, 0) == pid) return status == 0;
    term_bad("%s cannot be run: %s", program, pl_err_text(err));
    return false;
}

int check_run(const options_t *options)
{
    int status = EXIT_SUCCESS;
    pl_config_t *config = options_config(options, &status);
    if (!config) return status;
    pl_config_destroy(&config);
    for (size_t i = 0; i < SYSTEM_SERVICES; i++) {
        if (!system_wanted(options->system.only, system_services[i])) continue;
        if (!check_service(options, system_services[i])) status = 78;
    }
    return status;
}
