/* callsim - simulated callers for Parley: over SIP or the browser's protocol, one or many. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "services/speech/providers/flite_voice.h"
#include "services/speech/providers/sphinx.h"
#include "tools/callsim/fleet.h"
#include "tools/callsim/mark.h"
#include "tools/callsim/pattern.h"
#include "tools/callsim/text_fleet.h"
#include "tools/callsim/wav.h"

enum { EXIT_USAGE = 64, EXIT_CONFIG = 78, ERROR_BYTES = 2048 };

/* Audio as it is put together. */
typedef struct {
    int16_t *pcm;
    size_t samples;
} take_t;

static void append(take_t *take, const int16_t *pcm, size_t samples)
{
    take->pcm = realloc(take->pcm, (take->samples + samples + 1) * sizeof *take->pcm);
    if (!take->pcm) abort();
    for (size_t i = 0; i < samples; i++) take->pcm[take->samples + i] = pcm ? pcm[i] : 0;
    take->samples += samples;
}

typedef struct {
    const char *voice, *out;
    double rate;
    take_t take;
    bool any; /* something is said */
} say_t;

/* One option of "say"; false after a complaint. */
static bool say_option(say_t *self, int option)
{
    if (option == 'v') self->voice = optarg;
    if (option == 'r') self->rate = strtod(optarg, NULL);
    if (option == 'o') self->out = optarg;
    if (option == 'p') {
        append(&self->take, NULL, (size_t)strtoul(optarg, NULL, 10) % 3600000 * WAV_HZ / 1000);
    }
    if (option != 't') return option != '?';
    int16_t *pcm = NULL;
    size_t samples = 0;
    pl_err_t err = flite_voice_say(self->voice, self->rate, optarg, &pcm, &samples);
    if (err) fprintf(stderr, "callsim say: voice %s: %s\n", self->voice, pl_err_text(err));
    if (!err) append(&self->take, pcm, samples);
    free(pcm);
    self->any = true;
    return !err;
}

/* callsim say: lines and pauses, in the order given, as a WAV file. */
static int say(int argc, char **argv)
{
    static const struct option longs[] = {
        {"voice", required_argument, NULL, 'v'}, {"rate", required_argument, NULL, 'r'},
        {"text", required_argument, NULL, 't'},  {"pause", required_argument, NULL, 'p'},
        {"out", required_argument, NULL, 'o'},   {NULL, 0, NULL, 0}};
    say_t self = {.voice = "rms", .rate = 1.0};
    bool ok = true;
    for (int c; ok && (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        ok = say_option(&self, c);
    }
    int status = EXIT_FAILURE;
    if (ok && (!self.any || !self.out || optind < argc)) {
        fputs("usage: callsim say [--voice V] [--rate R] {[--pause MS] --text TEXT}... --out "
              "FILE.wav\n",
              stderr);
        status = EXIT_USAGE;
    } else if (ok) {
        pl_err_t err = wav_save(self.out, self.take.pcm, self.take.samples);
        if (err) fprintf(stderr, "callsim say: %s: %s\n", self.out, pl_err_text(err));
        status = err ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    free(self.take.pcm);
    return status;
}

/* callsim hear: what the recogniser makes of WAV files, to choose lines that it understands. */
static int hear(int argc, char **argv)
{
    sphinx_t *sphinx = NULL;
    if (argc < 2) {
        fputs("usage: callsim hear FILE.wav...\n", stderr);
        return EXIT_USAGE;
    }
    int status = sphinx_new(&sphinx, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
    for (int i = 1; i < argc && status == EXIT_SUCCESS; i++) {
        int16_t *pcm = NULL;
        size_t samples = 0;
        pl_err_t err = wav_load(argv[i], &pcm, &samples);
        if (!err) err = sphinx_begin(sphinx, PL__EXPECT__ANYTHING, NULL, false);
        if (!err) err = sphinx_feed(sphinx, pcm, samples);
        if (!err) printf("%s: %s\n", argv[i], sphinx_end(sphinx, NULL));
        if (err) fprintf(stderr, "callsim hear: %s: %s\n", argv[i], pl_err_text(err));
        if (err) status = EXIT_FAILURE;
        free(pcm);
    }
    sphinx_destroy(&sphinx);
    return status;
}

/* callsim marks: whose voices are in stereo recordings, a line of JSON each. */
static int marks(int argc, char **argv)
{
    if (argc < 2) {
        fputs("usage: callsim marks FILE.wav...\n", stderr);
        return EXIT_USAGE;
    }
    for (int i = 1; i < argc; i++) {
        int16_t *pcm = NULL;
        size_t samples = 0;
        pl_err_t err = wav_load_stereo(argv[i], &pcm, &samples);
        if (err) {
            fprintf(stderr, "callsim marks: %s: %s\n", argv[i], pl_err_text(err));
            return EXIT_FAILURE;
        }
        marks_t left;
        marks_t right;
        mark_find(pcm, samples, 2, &left);
        mark_find(pcm + 1, samples, 2, &right);
        free(pcm);
        cJSON *line = cJSON_CreateObject();
        cJSON_AddStringToObject(line, "file", argv[i]);
        cJSON_AddNumberToObject(line, "ms", (double)samples * 1000 / WAV_HZ);
        cJSON_AddItemToObject(line, "left", mark_json(&left));
        cJSON_AddItemToObject(line, "right", mark_json(&right));
        char *text = cJSON_PrintUnformatted(line);
        puts(text);
        free(text);
        cJSON_Delete(line);
    }
    return EXIT_SUCCESS;
}

static int check(int argc, char **argv)
{
    int status = argc > 1 ? EXIT_SUCCESS : EXIT_USAGE;
    for (int i = 1; i < argc; i++) {
        scenario_t *scenario = NULL;
        char why[ERROR_BYTES];
        if (scenario_load(&scenario, argv[i], why, sizeof why)) {
            fprintf(stderr, "%s%s", why, strchr(why, '\n') ? "" : "\n");
            status = EXIT_CONFIG;
            continue;
        }
        printf("%s: right, %zu steps\n", argv[i], scenario->step_count);
        scenario_destroy(&scenario);
    }
    return status;
}

/* callsim system: what a scenario wants of the system under test, for who starts it. */
static int system_of(int argc, char **argv)
{
    scenario_t *scenario = NULL;
    char why[ERROR_BYTES];
    if (argc != 2) {
        fputs("usage: callsim system SCENARIO\n", stderr);
        return EXIT_USAGE;
    }
    if (scenario_load(&scenario, argv[1], why, sizeof why)) {
        fprintf(stderr, "%s%s", why, strchr(why, '\n') ? "" : "\n");
        return EXIT_CONFIG;
    }
    scenario_print_system(scenario, stdout);
    scenario_destroy(&scenario);
    return EXIT_SUCCESS;
}

static bool write_report(const cJSON *json, const char *file)
{
    char *text = cJSON_Print(json);
    FILE *out = file ? fopen(file, "we") : stdout;
    bool ok = text && out && fprintf(out, "%s\n", text) > 0;
    if (out && out != stdout && fclose(out) != 0) ok = false;
    free(text);
    if (!ok) fprintf(stderr, "callsim: %s cannot be written\n", file ? file : "the report");
    return ok;
}

int main(int argc, char **argv)
{
    pl_signals_init();
    pl_log_init("callsim", PL_LOG_WARN);
    pattern_init();
    if (argc > 1 && strcmp(argv[1], "say") == 0) return say(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "hear") == 0) return hear(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "marks") == 0) return marks(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "check") == 0) return check(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "system") == 0) return system_of(argc - 1, argv + 1);

    options_t options;
    int status = EXIT_FAILURE;
    if (!options_read(&options, argc, argv, &status)) return status;
    scenario_t *scenario = NULL;
    char why[ERROR_BYTES];
    if (scenario_load(&scenario, options.scenario, why, sizeof why)) {
        fprintf(stderr, "%s%s", why, strchr(why, '\n') ? "" : "\n");
        return EXIT_CONFIG;
    }
    bool text = options.reach == REACH_TEXT;
    const char *unfit = text ? NULL : scenario_text_only(scenario);
    if (unfit) {
        fprintf(stderr, "%s: %s is for --text only\n", options.scenario, unfit);
        scenario_destroy(&scenario);
        return EXIT_CONFIG;
    }
    unsigned failed = 0;
    cJSON *report =
        text ? text_fleet_run(&options, scenario, &failed) : fleet_run(&options, scenario, &failed);
    bool ok = report && write_report(report, options.json) && failed == 0;
    cJSON_Delete(report);
    scenario_destroy(&scenario);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
