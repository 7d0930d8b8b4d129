#include "tools/parley/jobs_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/parley/jobs_view.h"

enum { EXIT_USAGE = 64 };

const char jobs_usage[] =
    "usage: parley jobs [list] [options]     what work waits, is under way, done or given up\n"
    "       parley jobs show KEY             all that is known of one\n"
    "       parley jobs retry KEY...         give a dead one all its attempts again; run a "
    "waiting\n"
    "                                        one now\n"
    "       parley jobs retry --dead [--kind K]    all that were given up\n"
    "\n"
    "  --state S          only waiting, leased, done or dead ones; repeatable, or with commas\n"
    "  --kind K           only of that kind: synthesis, next, sms_report, reminder, ...\n"
    "  --call ID          only of that call\n"
    "  --limit N          at most so many (20; up to 1000), newest change first\n"
    "  --offset N         leave the first N out\n"
    "  --json             one JSON object a job, one a line\n"
    "  --config FILE      the system's configuration (config/parley.yaml when it exists)\n"
    "  --set PATH=VALUE   one setting, over the file's; repeatable\n"
    "  --help\n"
    "\n"
    "Asks persistence over the control bus, so it needs the configuration that the system runs "
    "with.\n"
    "Exit status: 0, 1 when something could not be done, 64 for a wrong option, 78 for a wrong\n"
    "configuration.\n";

static const struct option longs[] = {
    {"state", required_argument, NULL, 's'},
    {"kind", required_argument, NULL, 'k'},
    {"call", required_argument, NULL, 'c'},
    {"limit", required_argument, NULL, 'l'},
    {"offset", required_argument, NULL, 'o'},
    {"json", no_argument, NULL, 'j'},
    {"dead", no_argument, NULL, 'd'},
    {"config", required_argument, NULL, 'f'},
    {"set", required_argument, NULL, 'p'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static bool wrong(int *status, const char *what, const char *value)
{
    (void)fprintf(stderr, "parley jobs: %s \"%s\" (see parley jobs --help)\n", what, value);
    *status = EXIT_USAGE;
    return false;
}

/* ---- values ---- */

static bool take_state(jobs_options_t *out, const char *name, size_t size, int *status)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%.*s", (int)(size < 31 ? size : 31), name);
    Pl__JobState state = PL__JOB_STATE__JOB_WAITING;
    if (!jobs_state(text, &state))
        return wrong(status, "--state: neither waiting, leased, done nor dead:", text);
    for (size_t i = 0; i < out->state_count; i++) {
        if (out->states[i] == state) return true;
    }
    out->states[out->state_count++] = state;
    return true;
}

static bool take_states(jobs_options_t *out, const char *list, int *status)
{
    for (;;) {
        size_t size = strcspn(list, ",");
        if (!take_state(out, list, size, status)) return false;
        if (!list[size]) return true;
        list += size + 1;
    }
}

static bool take_number(uint32_t *out, const char *option, const char *text, uint32_t least,
                        uint32_t most, int *status)
{
    char *end = NULL;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    bool number = *text >= '0' && *text <= '9' && end && !*end && errno == 0;
    if (!number || value < least || value > most) {
        char what[96];
        (void)snprintf(what, sizeof what, "%s: not a number from %u to %u:", option, least, most);
        return wrong(status, what, text);
    }
    *out = (uint32_t)value;
    return true;
}

static bool take(jobs_options_t *out, int option, int *status)
{
    switch (option) {
    case 's':
        return take_states(out, optarg, status);
    case 'k':
        out->kind = optarg;
        return true;
    case 'c':
        out->call_id = optarg;
        return true;
    case 'l':
        return take_number(&out->limit, "--limit", optarg, 1, JOBS_LIMIT_MAX, status);
    case 'o':
        return take_number(&out->offset, "--offset", optarg, 0, INT32_MAX, status);
    case 'j':
        out->json = true;
        return true;
    case 'd':
        out->dead = true;
        return true;
    case 'f':
        out->config_file = optarg;
        return true;
    default: /* 'p' */
        break;
    }
    if (out->setting_count == JOBS_SETTINGS_MAX)
        return wrong(status, "too many --set, from", optarg);
    out->settings[out->setting_count++] = optarg;
    return true;
}

/* ---- the whole ---- */

static bool take_words(jobs_options_t *out, int argc, char **argv, int *status)
{
    int at = optind;
    const char *command = at < argc ? argv[at++] : "list";
    if (strcmp(command, "list") == 0)
        out->command = JOBS_LIST;
    else if (strcmp(command, "show") == 0)
        out->command = JOBS_SHOW;
    else if (strcmp(command, "retry") == 0)
        out->command = JOBS_RETRY;
    else
        return wrong(status, "neither list, show nor retry:", command);
    for (; at < argc; at++) {
        if (out->key_count == JOBS_KEYS_MAX) return wrong(status, "too many keys, from", argv[at]);
        out->keys[out->key_count++] = argv[at];
    }
    return true;
}

static bool check(const jobs_options_t *self, int *status)
{
    bool list = self->command == JOBS_LIST;
    if (list && self->key_count > 0)
        return wrong(status, "list takes no key; perhaps show:", self->keys[0]);
    if (self->command == JOBS_SHOW && self->key_count != 1)
        return wrong(status, "show takes one key, not", self->key_count ? "several" : "none");
    if (self->dead && (self->command != JOBS_RETRY || self->key_count > 0))
        return wrong(status, "--dead stands for the keys of", "retry");
    if (self->command == JOBS_RETRY && self->key_count == 0 && !self->dead)
        return wrong(status, "retry takes keys or", "--dead");
    return true;
}

bool jobs_options_read(jobs_options_t *out, int argc, char **argv, int *status)
{
    *out = (jobs_options_t){.kind = "", .call_id = "", .limit = 20};
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'h') (void)fputs(jobs_usage, stdout);
        if (c == 'h' || c == '?') {
            *status = c == '?' ? EXIT_USAGE : EXIT_SUCCESS;
            return false;
        }
        if (!take(out, c, status)) return false;
    }
    return take_words(out, argc, argv, status) && check(out, status);
}
