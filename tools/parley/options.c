#include "tools/parley/options.h"

#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/parley/config.h"
#include "tools/parley/process.h"

enum { EXIT_USAGE = 64 };

const char options_usage[] =
    "usage: parley up [options]      start the six services and keep them up until Ctrl-C\n"
    "       parley demo [options]    start them, let a simulated customer be rung, show the call\n"
    "       parley check [options]   is the configuration right?\n"
    "       parley jobs ...          post-call work, reminders: see parley jobs --help\n"
    "       parley backup FILE       a copy of the store: see parley backup --help\n"
    "       parley ingest PATH...    documents into the knowledge base: see parley ingest --help\n"
    "\n"
    "  --config FILE      YAML configuration (config/parley.yaml when it exists)\n"
    "  --set PATH=VALUE   one setting, over the file's; repeatable\n"
    "  --only A,B         only these of persistence, rag, speech, dialogue, telephony, gateway\n"
    "  --log-dir DIR      each service's log to DIR/<service>.log instead of standard error\n"
    "  --bin-dir DIR      where the services' programs are (the folder of this one)\n"
    "demo:\n"
    "  --body FILE        what is sent to POST /call (examples/call.json)\n"
    "  --scenario FILE    what the customer says (tests/scenarios/demo.yaml)\n"
    "  --keep             leave the logs, records and the recording (they stay after a failure)\n"
    "  --stay             keep the system up after the call, until Ctrl-C\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 when all went well, 1 when not, 64 for a wrong option, 78 for a wrong\n"
    "configuration.\n";

static const struct option longs[] = {
    {"config", required_argument, NULL, 'c'},   {"set", required_argument, NULL, 's'},
    {"only", required_argument, NULL, 'o'},     {"log-dir", required_argument, NULL, 'l'},
    {"bin-dir", required_argument, NULL, 'b'},  {"body", required_argument, NULL, 'y'},
    {"scenario", required_argument, NULL, 'n'}, {"keep", no_argument, NULL, 'k'},
    {"stay", no_argument, NULL, 'S'},           {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'v'},        {NULL, 0, NULL, 0},
};

static bool wrong(int *status, const char *what, const char *value)
{
    fprintf(stderr, "parley: %s \"%s\" (see parley --help)\n", what, value);
    *status = EXIT_USAGE;
    return false;
}

static bool take(options_t *out, int option, int *status)
{
    system_opts_t *system = &out->system;
    if (option == 'c') system->config_file = optarg;
    if (option == 'o') system->only = optarg;
    if (option == 'l') system->log_dir = optarg;
    if (option == 'y') out->body = optarg;
    if (option == 'n') out->scenario = optarg;
    if (option == 'k') out->keep = true;
    if (option == 'S') out->stay = true;
    if (option == 'b') snprintf(out->bin_dir, sizeof out->bin_dir, "%s", optarg);
    if (option != 's') return true;
    /* demo adds settings of its own */
    if (system->setting_count >= SYSTEM_MAX_SETTINGS / 2) {
        return wrong(status, "too many --set, from", optarg);
    }
    system->settings[system->setting_count++] = optarg;
    return true;
}

bool options_read(options_t *out, int argc, char **argv, int *status)
{
    *out = (options_t){0};
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'h') fputs(options_usage, stdout);
        if (c == 'v') printf("parley %s\n", PARLEY_VERSION);
        if (c == 'h' || c == 'v' || c == '?') {
            *status = c == '?' ? EXIT_USAGE : EXIT_SUCCESS;
            return false;
        }
        if (!take(out, c, status)) return false;
    }
    if (optind < argc) return wrong(status, "unexpected argument", argv[optind]);
    char unknown[64];
    if (system_unknown(out->system.only, unknown, sizeof unknown)) {
        return wrong(status, "--only: no service is called", unknown);
    }
    if (!out->bin_dir[0] && process_own_folder(out->bin_dir, sizeof out->bin_dir)) {
        return wrong(status, "the own folder cannot be found, use", "--bin-dir");
    }
    out->system.bin_dir = out->bin_dir;
    return true;
}

pl_config_t *options_config(const options_t *self, int *status)
{
    static char name[] = "parley";
    char *argv[2 * SYSTEM_MAX_SETTINGS + 8];
    static char config_option[] = "--config";
    static char set_option[] = "--set";
    int argc = 0;
    argv[argc++] = name;
    if (self->system.config_file) {
        argv[argc++] = config_option;
        argv[argc++] = (char *)self->system.config_file;
    }
    for (size_t i = 0; i < self->system.setting_count; i++) {
        argv[argc++] = set_option;
        argv[argc++] = (char *)self->system.settings[i];
    }
    argv[argc] = NULL;
    return pl_config_load("parley", parley_config_keys, argc, argv, status);
}
