/* callsim - simulated callers for Parley: over SIP or the browser's protocol, one or many. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "services/speech/providers/flite_voice.h"
#include "tools/callsim/fleet.h"
#include "tools/callsim/wav.h"

enum { EXIT_USAGE = 64, EXIT_CONFIG = 78, ERROR_BYTES = 2048 };

/* callsim say: a line as a WAV file. */
static int say(int argc, char **argv)
{
    static const struct option longs[] = {{"voice", required_argument, NULL, 'v'},
                                          {"rate", required_argument, NULL, 'r'},
                                          {"text", required_argument, NULL, 't'},
                                          {"out", required_argument, NULL, 'o'},
                                          {NULL, 0, NULL, 0}};
    const char *voice = "rms";
    const char *text = NULL;
    const char *out = NULL;
    double rate = 1.0;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'v') voice = optarg;
        if (c == 'r') rate = strtod(optarg, NULL);
        if (c == 't') text = optarg;
        if (c == 'o') out = optarg;
    }
    if (!text || !out || optind < argc) {
        fputs("usage: callsim say [--voice V] [--rate R] --text TEXT --out FILE.wav\n", stderr);
        return EXIT_USAGE;
    }
    int16_t *pcm = NULL;
    size_t samples = 0;
    pl_err_t err = flite_voice_say(voice, rate, text, &pcm, &samples);
    if (!err) err = wav_save(out, pcm, samples);
    free(pcm);
    if (err) fprintf(stderr, "callsim say: %s, %s: %s\n", voice, out, pl_err_text(err));
    return err ? EXIT_FAILURE : EXIT_SUCCESS;
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
    if (argc > 1 && strcmp(argv[1], "say") == 0) return say(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "check") == 0) return check(argc - 1, argv + 1);

    options_t options;
    int status = EXIT_FAILURE;
    if (!options_read(&options, argc, argv, &status)) return status;
    scenario_t *scenario = NULL;
    char why[ERROR_BYTES];
    if (scenario_load(&scenario, options.scenario, why, sizeof why)) {
        fprintf(stderr, "%s%s", why, strchr(why, '\n') ? "" : "\n");
        return EXIT_CONFIG;
    }
    unsigned failed = 0;
    cJSON *report = fleet_run(&options, scenario, &failed);
    bool ok = report && write_report(report, options.json) && failed == 0;
    cJSON_Delete(report);
    scenario_destroy(&scenario);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
