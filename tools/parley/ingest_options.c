#include "tools/parley/ingest_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_USAGE = 64 };

static const char usage[] =
    "usage: parley ingest PATH...            bring documents into the knowledge base\n"
    "       parley ingest --remove NAME...   take collections out of it again\n"
    "\n"
    "PATH is a folder or a file: Markdown, text, HTML, PDF, CSV, or an index as JSON or JSON "
    "lines.\n"
    "Each becomes a collection of its own name, in every rag instance that is up; doing it again\n"
    "brings the collection up to date: what is unchanged is not sent, and what a folder does not\n"
    "hold any more is removed.\n"
    "\n"
    "  --name NAME        name of the collection, for one PATH\n"
    "  --replace          also one of that name that came from elsewhere\n"
    "  --no-wait          do not wait until the passages have their vectors\n"
    "  --config FILE      the system's configuration (config/parley.yaml when it exists)\n"
    "  --set PATH=VALUE   one setting, over the file's; repeatable\n"
    "  --help\n"
    "\n"
    "Exit status: 0 when all can be found, 1 when something cannot, 64 for a wrong option, 78 for "
    "a\n"
    "wrong configuration.\n";

static const struct option longs[] = {
    {"name", required_argument, NULL, 'n'},   {"replace", no_argument, NULL, 'r'},
    {"remove", no_argument, NULL, 'd'},       {"no-wait", no_argument, NULL, 'w'},
    {"config", required_argument, NULL, 'f'}, {"set", required_argument, NULL, 'p'},
    {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
};

static bool wrong(int *status, const char *what)
{
    (void)fprintf(stderr, "parley ingest: %s (see parley ingest --help)\n", what);
    *status = EXIT_USAGE;
    return false;
}

static bool take(ingest_options_t *out, int option, int *status)
{
    if (option == 'n') out->name = optarg;
    if (option == 'r') out->replace = true;
    if (option == 'd') out->remove = true;
    if (option == 'w') out->leave = true;
    if (option == 'f') out->config_file = optarg;
    if (option == 'p' && out->setting_count == INGEST_SETTINGS_MAX)
        return wrong(status, "too many --set");
    if (option == 'p') out->settings[out->setting_count++] = optarg;
    if (option == 'h') {
        fputs(usage, stdout);
        *status = EXIT_SUCCESS;
        return false;
    }
    return option != '?' || wrong(status, "no such option, or without its value");
}

bool ingest_options_read(ingest_options_t *out, int argc, char **argv, int *status)
{
    *out = (ingest_options_t){0};
    optind = 1;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (!take(out, option, status)) return false;
    }
    for (; optind < argc; optind++) {
        if (out->path_count == INGEST_PATHS_MAX) return wrong(status, "too many paths");
        out->paths[out->path_count++] = argv[optind];
    }
    if (out->path_count == 0)
        return wrong(status, out->remove ? "which collections?" : "which documents?");
    if (out->name && (out->remove || out->path_count > 1))
        return wrong(status, "--name is for one path");
    return true;
}
