#include "tools/parley/demo.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/http.h"
#include "common/loop.h"
#include "tools/callsim/api.h"
#include "tools/parley/demo_place.h"
#include "tools/parley/demo_result.h"
#include "tools/parley/launch.h"
#include "tools/parley/process.h"
#include "tools/parley/term.h"
#include "tools/parley/transcript.h"

enum {
    LOOK_MS = 200,        /* between looks at the call and the customer */
    DEMO_MS = 170 * 1000, /* of the whole demo */
    REGISTER_MS = 15000,
    MAX_BODY_BYTES = 1 << 20,
    PATH_BYTES = 600,
    TAIL_LINES = 6,
};

typedef enum { STARTING, REGISTERING, CALLING, TALKING, SETTLED, OVER } state_t;

typedef struct {
    options_t *options;
    const pl_config_t *config;
    place_t place;
    scenario_t *scenario;
    char *body;
    char number[64];
    char scenario_file[PATH_BYTES], url[160];
    pl_loop_t *loop;
    pl_http_t *http;
    launch_t *launch;
    pl_timer_t *timer; /* looks at what is going on */
    pl_timer_t *deadline;
    state_t state;
    pid_t customer;       /* 0: not running */
    uint64_t customer_ms; /* its start */
    bool asking, customer_over, failed, stayed;
    char call_id[64];
    transcript_t transcript;
    cJSON *call; /* its last answer once it is settled */
    int status;
} demo_t;

/* ---- the end ---- */

static void stop(demo_t *self)
{
    pl_timer_stop(&self->timer);
    pl_timer_stop(&self->deadline);
    self->state = OVER;
    if (self->customer > 0) (void)kill(self->customer, SIGTERM);
    launch_stop(self->launch);
}

/* The logs' tails of the services that have errors or warnings to show. */
static void show_logs(const demo_t *self)
{
    for (size_t i = 0; i < SYSTEM_SERVICES; i++) {
        char file[PATH_BYTES];
        snprintf(file, sizeof file, "%s/%s.log", self->options->system.log_dir, system_services[i]);
        term_say("  %s%s%s", term(TERM_BOLD), file, term(TERM_PLAIN));
        term_tail(file, TAIL_LINES);
    }
}

static void fail(demo_t *self, const char *who, const char *why)
{
    if (self->failed || self->state == OVER) return;
    self->failed = true;
    self->status = EXIT_FAILURE;
    term_bad("%s%s%s: %s", term(TERM_BOLD), who, term(TERM_PLAIN), why);
    show_logs(self);
    stop(self);
}

static void on_deadline(void *arg)
{
    static const char *const doing[] = {
        "the system was starting", "the customer was registering", "the call was being started",
        "the call went on",        "the call was being worked up", "it was over"};
    demo_t *self = arg;
    char why[128];
    snprintf(why, sizeof why, "not over after %d s; %s", DEMO_MS / 1000, doing[self->state]);
    fail(self, "demo", why);
}

static void on_report(void *arg, pl_err_t err, const pl_http_answer_t *answer)
{
    demo_t *self = arg;
    if (self->state == OVER) return;
    char url[256];
    snprintf(url, sizeof url, "%s/report/%s", self->url, self->call_id);
    if (err || answer->status != 200) {
        char why[256];
        snprintf(why, sizeof why, "GET /report/%s: %s %ld", self->call_id,
                 err ? pl_err_text(err) : "HTTP", err ? 0L : answer->status);
        fail(self, "gateway", why);
        return;
    }
    printf("\n%sReport%s\n  %s%s\n\n", term(TERM_BOLD), term(TERM_PLAIN), url,
           self->options->stay ? "" : "  (while the system runs: parley demo --stay)");
    if (!self->failed) term_ok("the claim holds what the customer said");
    if (self->options->stay) {
        self->stayed = true;
        pl_timer_stop(&self->timer);
        pl_timer_stop(&self->deadline);
        term_say("%sThe system stays up. Ctrl-C stops it.%s", term(TERM_DIM), term(TERM_PLAIN));
        return;
    }
    stop(self);
}

/* Both are there: the call's final record and the customer's own report. */
static void conclude(demo_t *self)
{
    char file[PATH_BYTES];
    char url[256];
    pl_timer_stop(&self->timer);
    bool claim = demo_result_print(self->scenario, self->call);
    bool customer =
        demo_result_customer(place_file(&self->place, "customer.json", file, sizeof file));
    if (!claim) {
        fail(self, "dialogue", "the claim does not hold what the customer said");
        return;
    }
    if (!customer) {
        fail(self, "callsim", "the customer did not come to the end of the scenario");
        return;
    }
    snprintf(url, sizeof url, "%s/report/%s", self->url, self->call_id);
    pl_http_opts_t opts = {.url = url, .timeout_ms = 5000};
    (void)pl_http_send(self->http, &opts, on_report, self);
}

/* ---- the call ---- */

static void on_call(void *arg, long status, const cJSON *call, const char *why)
{
    demo_t *self = arg;
    self->asking = false;
    if (self->state != TALKING) return;
    if (why || status != 200) {
        fail(self, "gateway", why ? why : "GET /call is refused");
        return;
    }
    transcript_look(&self->transcript, call);
    if (!api_call_settled(call)) return;
    self->state = SETTLED;
    self->call = cJSON_Duplicate(call, true);
}

static void on_started(void *arg, long status, const cJSON *call, const char *why)
{
    demo_t *self = arg;
    if (self->state != CALLING) return;
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(call, "call_id"));
    if (why || status != 201 || !id) {
        fail(self, "gateway", why ? why : "POST /call was not answered with 201 and a call_id");
        return;
    }
    snprintf(self->call_id, sizeof self->call_id, "%s", id);
    term_ok("POST /call: 201, call %s", self->call_id);
    term_say(" ");
    self->state = TALKING;
}

/* ---- the customer ---- */

static void start_customer(demo_t *self)
{
    char program[PATH_BYTES];
    char registrar[64];
    char ports[32];
    char json[PATH_BYTES];
    char wav[PATH_BYTES];
    char ready[PATH_BYTES];
    char log[PATH_BYTES];
    snprintf(program, sizeof program, "%s/callsim", self->options->bin_dir);
    snprintf(registrar, sizeof registrar, "127.0.0.1:%u", self->place.sip);
    snprintf(ports, sizeof ports, "%u-%u", self->place.customer_min, self->place.customer_max);
    const char *argv[] = {program,
                          "--register",
                          registrar,
                          "--number",
                          self->number,
                          "--rtp-ports",
                          ports,
                          "--json",
                          place_file(&self->place, "customer.json", json, sizeof json),
                          "--wav",
                          place_file(&self->place, "call.wav", wav, sizeof wav),
                          "--ready",
                          place_file(&self->place, "customer.ready", ready, sizeof ready),
                          self->scenario_file,
                          NULL};
    pl_err_t err = process_start(&self->customer, argv,
                                 place_file(&self->place, "customer.log", log, sizeof log));
    if (err) {
        fail(self, "callsim", pl_err_text(err));
        return;
    }
    self->customer_ms = pl_clock_ms();
    self->state = REGISTERING;
}

static void customer_failed(demo_t *self, const char *why)
{
    char log[PATH_BYTES];
    char text[PATH_BYTES + 160];
    snprintf(text, sizeof text, "%s; its log:", why);
    term_bad("%scallsim%s: %s", term(TERM_BOLD), term(TERM_PLAIN), text);
    term_tail(place_file(&self->place, "customer.log", log, sizeof log), TAIL_LINES);
    fail(self, "demo", "there is no customer to ring");
}

static void look_at_customer(demo_t *self)
{
    int status = 0;
    if (self->customer > 0 && waitpid(self->customer, &status, WNOHANG) == self->customer) {
        self->customer = 0;
        self->customer_over = true;
        char why[96];
        if (self->state == REGISTERING) {
            customer_failed(self, process_status_text(status, why, sizeof why));
        }
    }
    char ready[PATH_BYTES];
    if (self->state != REGISTERING) return;
    if (access(place_file(&self->place, "customer.ready", ready, sizeof ready), F_OK) == 0) {
        term_ok("a simulated customer is registered as %s", self->number);
        self->state = CALLING;
        api_start_call(self->http, self->url, self->body, 0, self->number, on_started, self);
    } else if (pl_clock_ms() - self->customer_ms > REGISTER_MS) {
        customer_failed(self, "not registered after 15 s");
    }
}

static void look(void *arg)
{
    demo_t *self = arg;
    look_at_customer(self);
    if (self->state == TALKING && !self->asking) {
        self->asking = true;
        api_get_call(self->http, self->url, self->call_id, on_call, self);
    }
    if (self->state == SETTLED && self->customer_over) conclude(self);
}

/* ---- the system ---- */

static void on_ready(void *arg, unsigned took_ms)
{
    demo_t *self = arg;
    term_ok("six processes are ready in %u ms", took_ms);
    start_customer(self);
    if (self->failed) return;
    self->timer = pl_timer_start(self->loop, 0, LOOK_MS, look, self);
}

static void on_launch_failed(void *arg, int status)
{
    demo_t *self = arg;
    self->failed = true;
    self->status = status;
    self->state = OVER;
}

static void on_died(void *arg, const char *name)
{
    demo_t *self = arg;
    if (!self->stayed) fail(self, name, "it died during the demo");
}

static void on_stopped(void *arg)
{
    demo_t *self = arg;
    pl_loop_stop(self->loop);
}

static void on_terminate(void *arg, unsigned count)
{
    (void)count;
    demo_t *self = arg;
    if (!self->stayed) self->status = EXIT_FAILURE;
    stop(self);
}

/* ---- a demo ---- */

static char *read_text(const char *file)
{
    FILE *in = fopen(file, "re");
    if (!in) return NULL;
    char *text = calloc(1, MAX_BODY_BYTES + 1);
    if (!text) abort();
    (void)fread(text, 1, MAX_BODY_BYTES, in);
    (void)fclose(in);
    return text;
}

/* Reads what is to be sent and said; false after a complaint. */
static bool read_files(demo_t *self)
{
    const char *body_name = self->options->body ? self->options->body : "examples/call.json";
    const char *scenario_name =
        self->options->scenario ? self->options->scenario : "tests/scenarios/demo.yaml";
    char file[PATH_BYTES];
    char why[1024];
    if (!place_find(body_name, file, sizeof file)) self->body = read_text(file);
    cJSON *json = self->body ? cJSON_Parse(self->body) : NULL;
    const char *number =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "phone_number"));
    snprintf(self->number, sizeof self->number, "%s", number ? number : "");
    cJSON_Delete(json);
    if (!self->number[0]) {
        term_bad("%s: no JSON object with a phone_number", body_name);
        return false;
    }
    if (place_find(scenario_name, self->scenario_file, sizeof self->scenario_file)) {
        term_bad("%s: there is no such file", scenario_name);
        return false;
    }
    if (scenario_load(&self->scenario, self->scenario_file, why, sizeof why)) {
        term_bad("%s", why);
        return false;
    }
    return true;
}

static void run(demo_t *self)
{
    self->loop = pl_loop_new();
    self->http = pl_http_new(self->loop);
    launch_sink_t sink = {.ready = on_ready,
                          .failed = on_launch_failed,
                          .died = on_died,
                          .stopped = on_stopped,
                          .arg = self};
    pl_loop_on_terminate(self->loop, on_terminate, self);
    self->launch = launch_new(self->loop, self->http, &self->options->system, self->config, &sink);
    self->deadline = pl_timer_start(self->loop, DEMO_MS, 0, on_deadline, self);
    pl_loop_run(self->loop);
    self->state = OVER;
    pl_timer_stop(&self->timer);
    pl_timer_stop(&self->deadline);
    if (self->customer > 0) {
        (void)kill(self->customer, SIGKILL);
        (void)waitpid(self->customer, NULL, 0);
    }
    launch_destroy(&self->launch);
    pl_http_destroy(&self->http);
    pl_loop_destroy(&self->loop);
}

int demo_run(options_t *options)
{
    demo_t *self = calloc(1, sizeof *self);
    if (!self) abort();
    self->options = options;
    self->status = EXIT_SUCCESS;
    pl_config_t *config = NULL;
    if (!read_files(self) || place_make(&self->place, options)) {
        self->status = EXIT_FAILURE;
    } else {
        config = options_config(options, &self->status);
        self->config = config;
    }
    if (config) {
        system_url(pl_config_str(config, "gateway.http.listen"), self->url, sizeof self->url);
        run(self);
    }
    int status = self->status;
    if (self->place.folder[0] && status == EXIT_SUCCESS && !options->keep) {
        place_remove(&self->place);
    } else if (self->place.folder[0]) {
        term_say("logs, records and the recording are in %s", self->place.folder);
    }
    pl_config_destroy(&config);
    cJSON_Delete(self->call);
    scenario_destroy(&self->scenario);
    free(self->body);
    free(self);
    return status;
}
