#include "tools/callsim/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/callsim/scenario.h"

enum { EXIT_USAGE = 64, MAX_CALLS = 10000 };

static const char usage[] =
    "usage: callsim --register HOST:PORT [options] SCENARIO    a phone that is rung\n"
    "       callsim --call sip:USER@HOST:PORT [options] SCENARIO    rings by SIP\n"
    "       callsim --browser URL [options] SCENARIO    rings as the page /phone does\n"
    "       callsim --answer ADDRESS:PORT [options] SCENARIO    is rung there, unregistered\n"
    "       callsim --text [options] SCENARIO    rings by text, without sound\n"
    "       callsim say [--voice V] [--rate R] {[--pause MS] --text TEXT}... --out F.wav\n"
    "       callsim hear FILE.wav...    what the recogniser makes of it (16 kHz mono)\n"
    "       callsim marks FILE.wav...   whose voices are in stereo recordings (caller.marked)\n"
    "       callsim check SCENARIO...    reads scenarios and says whether they are right\n"
    "       callsim system SCENARIO    the system it wants, a line each: key value\n"
    "\n"
    "Callers:\n"
    "  --scenario FILE      instead of the last argument\n"
    "  --api URL            the gateway's, e.g. http://127.0.0.1:8080\n"
    "  --body FILE          with --register and --api: POST /call with this JSON, the number\n"
    "                       replaced by the caller's, and {n}, {n4}, {s4} in texts filled in\n"
    "  --verify             with --api: read each call back and compare its claim with the\n"
    "                       scenario's \"expect\"; by text also its \"checks\"\n"
    "  --number N           the caller's number, with placeholders ({n4}: caller 7 is 0007)\n"
    "  --voice V            rms, awb, kal16 or slt\n"
    "  --codecs LIST        e.g. PCMU or L16,G722\n"
    "  --recognise, --no-recognise   hear the bot's words (cues), or take the steps in order\n"
    "  --deadline S         of each call\n"
    "  --wait S             to be rung, from the registration (60; 0: for ever)\n"
    "  --ready FILE         made once all callers can be rung\n"
    "By text (--text):\n"
    "  callsim joins the bus in the place of telephony-N and speech-N, and hands words over where\n"
    "  those recognise and speak. The other processes are real; they and callsim read the same\n"
    "  configuration. It waits for them (--wait) until --api tells they are ready.\n"
    "  --config FILE, --set PATH=VALUE, --instance N   as the services take them\n"
    "  --speed X            times faster than people speak, over the scenario's\n"
    "  --manager NAME       who talks, for checks meant for one manager\n"
    "Load:\n"
    "  --calls N            callers (1)\n"
    "  --rate R             new callers a second (all at once)\n"
    "  --concurrent M       at most so many at a time\n"
    "Network:\n"
    "  --listen ADDRESS[:PORT]   of SIP and RTP (the address that reaches the target)\n"
    "  --rtp-ports MIN-MAX  (40000-49998)\n"
    "Results:\n"
    "  --json FILE          the report (standard output)\n"
    "  --wav FILE           recording of a single caller; left: caller, right: bot\n"
    "  --record DIR         a recording of each caller: DIR/caller-N.wav\n"
    "  --quiet              no lines about the course of the calls\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 when every caller came to the end of the scenario (and found its claim, with\n"
    "--verify), 1 when one did not, 64 for a wrong option, 78 for a wrong scenario.\n"
    "\n"
    "Keys of a scenario [default]:\n";

static void print_help(void)
{
    fputs(usage, stdout);
    for (const pl_config_key_t *key = scenario_keys; key->path; key++) {
        bool shown = key->fallback && *key->fallback;
        printf("  %-28s %s%s%s%s\n", key->path, key->help, shown ? " [" : "",
               shown ? key->fallback : "", shown ? "]" : "");
    }
}

static bool wrong(int *status, const char *what, const char *value)
{
    fprintf(stderr, "callsim: %s%s%s (see --help)\n", what, value ? ": " : "", value ? value : "");
    *status = EXIT_USAGE;
    return false;
}

static bool number_in(const char *text, double least, double most, double *out)
{
    char *end = NULL;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out >= least && *out <= most;
}

static bool ports_of(const char *text, options_t *out)
{
    char *end = NULL;
    unsigned long low = strtoul(text, &end, 10);
    if (end == text || *end != '-') return false;
    unsigned long high = strtoul(end + 1, &end, 10);
    if (*end || low < 1024 || high > 65535 || low >= high) return false;
    out->rtp_min = (uint16_t)low;
    out->rtp_max = (uint16_t)high;
    return true;
}

static const struct option longs[] = {
    {"register", required_argument, NULL, 'r'}, {"call", required_argument, NULL, 'c'},
    {"browser", required_argument, NULL, 'b'},  {"answer", required_argument, NULL, 'A'},
    {"text", no_argument, NULL, 't'},           {"config", required_argument, NULL, 'f'},
    {"set", required_argument, NULL, 'S'},      {"instance", required_argument, NULL, 'i'},
    {"speed", required_argument, NULL, 'x'},    {"manager", required_argument, NULL, 'm'},
    {"scenario", required_argument, NULL, 's'}, {"api", required_argument, NULL, 'a'},
    {"body", required_argument, NULL, 'y'},     {"verify", no_argument, NULL, 'V'},
    {"number", required_argument, NULL, 'n'},   {"voice", required_argument, NULL, 'v'},
    {"codecs", required_argument, NULL, 'C'},   {"recognise", no_argument, NULL, 'H'},
    {"no-recognise", no_argument, NULL, 'D'},   {"deadline", required_argument, NULL, 'd'},
    {"wait", required_argument, NULL, 'w'},     {"calls", required_argument, NULL, 'N'},
    {"rate", required_argument, NULL, 'R'},     {"concurrent", required_argument, NULL, 'M'},
    {"listen", required_argument, NULL, 'l'},   {"rtp-ports", required_argument, NULL, 'p'},
    {"ready", required_argument, NULL, 'e'},    {"json", required_argument, NULL, 'j'},
    {"wav", required_argument, NULL, 'W'},      {"record", required_argument, NULL, 'O'},
    {"quiet", no_argument, NULL, 'q'},          {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'z'},        {NULL, 0, NULL, 0},
};

/* Options whose value is a text kept as it is. */
static bool take_text(options_t *out, int option)
{
    const struct {
        int option;
        const char **to;
    } texts[] = {{'s', &out->scenario}, {'a', &out->api},   {'y', &out->body},
                 {'n', &out->number},   {'v', &out->voice}, {'C', &out->codecs},
                 {'l', &out->listen},   {'j', &out->json},  {'W', &out->wav},
                 {'O', &out->record},   {'e', &out->ready}, {'m', &out->manager}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i].option == option) {
            *texts[i].to = optarg;
            return true;
        }
    }
    return false;
}

static bool take_reach(options_t *out, int option)
{
    static const char letters[] = {'r', 'c', 'b', 'A'};
    for (int i = 0; i < 4; i++) {
        if (letters[i] != option) continue;
        out->reach = (reach_t)i;
        out->target = optarg;
        return true;
    }
    return false;
}

/* What is passed on to the bus as the services take it; false: it is no such option. */
static bool take_setting(options_t *out, int option, int *status)
{
    static const char *const names[] = {"--config", "--set", "--instance"};
    const char *at = strchr("fSi", option);
    if (!at) return false;
    if (out->setting_count + 2 > OPTIONS_MAX_SETTINGS) {
        return wrong(status, "too many settings", NULL);
    }
    out->settings[out->setting_count++] = names[at - strchr("fSi", 'f')];
    out->settings[out->setting_count++] = optarg;
    return true;
}

/* Options with a number; false: not in its range. */
static bool take_number(options_t *out, int option)
{
    double value = 0;
    if (option == 'p') return ports_of(optarg, out);
    if (option == 'x') return number_in(optarg, 0.1, 1000, &out->speed);
    if (option == 'R') return number_in(optarg, 0, 1000, &out->rate);
    if (!number_in(optarg, option == 'N' || option == 'd', option == 'N' ? MAX_CALLS : 1e6,
                   &value)) {
        return false;
    }
    if (option == 'N') out->calls = (uint32_t)value;
    if (option == 'M') out->concurrent = (uint32_t)value;
    if (option == 'd') out->deadline_s = (uint32_t)value;
    if (option == 'w') out->wait_s = (uint32_t)value;
    return true;
}

static void take_flag(options_t *out, int option)
{
    if (option == 'V') out->verify = true;
    if (option == 'H') out->recognise = 1;
    if (option == 'D') out->recognise = 0;
    if (option == 'q') out->quiet = true;
    if (option == 't') out->reach = REACH_TEXT;
    if (option == 't') out->target = "text";
}

/* --help, --version, and what getopt has complained about. */
static bool inform(int option, int *status)
{
    if (option == 'h') print_help();
    if (option == 'z') printf("callsim %s\n", PARLEY_VERSION);
    *status = option == '?' ? EXIT_USAGE : EXIT_SUCCESS;
    return false;
}

static bool consistent(const options_t *out, int *status)
{
    if (!out->target)
        return wrong(status, "one of --register, --call, --browser, --answer, --text is needed",
                     NULL);
    if (!out->scenario) return wrong(status, "a scenario is needed", NULL);
    if (out->body && (!out->api || (out->reach != REACH_REGISTER && out->reach != REACH_TEXT))) {
        return wrong(status, "--body goes with --api and --register or --text", NULL);
    }
    if (out->reach != REACH_TEXT && (out->setting_count || out->speed > 0)) {
        return wrong(status, "--config, --set, --instance and --speed go with --text", NULL);
    }
    if (out->verify && !out->api) return wrong(status, "--verify needs --api", NULL);
    if (out->wav && out->calls != 1) {
        return wrong(status, "--wav is for one caller; use --record", NULL);
    }
    return true;
}

bool options_read(options_t *out, int argc, char **argv, int *status)
{
    *out =
        (options_t){.calls = 1, .wait_s = 60, .rtp_min = 40000, .rtp_max = 49998, .recognise = -1};
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (strchr("hz?", c)) return inform(c, status);
        if (strchr("VHDqt", c)) {
            take_flag(out, c);
        } else if (!take_text(out, c) && !take_reach(out, c) && !take_setting(out, c, status) &&
                   !take_number(out, c)) {
            return wrong(status, "not a value it can have", argv[optind - 1]);
        }
    }
    if (optind < argc && !out->scenario) out->scenario = argv[optind++];
    if (optind < argc) return wrong(status, "unexpected argument", argv[optind]);
    if (!out->api && out->reach == REACH_BROWSER) out->api = out->target;
    if (out->reach == REACH_ANSWER) out->listen = out->target;
    return consistent(out, status);
}
