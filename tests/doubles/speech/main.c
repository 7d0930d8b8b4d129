/* main.c - speech-double: a server that speaks OpenAI's audio protocol with real words. For tests
 * only. See README.md.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/doubles/llm/journal.h"
#include "tests/doubles/llm/serve.h"
#include "tests/doubles/speech/routes.h"
#include "tests/doubles/speech/sound.h"

enum { EXIT_USAGE = 64 };

typedef struct {
    const char *host, *log, *port_file, *api_key, *marked;
    int port;
} options_t;

static void usage(FILE *to)
{
    fputs("speech-double [--host 127.0.0.1] [--port N] [--log FILE] [--port-file FILE]\n"
          "              [--api-key KEY] [--marked WORD]\n"
          "Port 0, the default, takes a free one; it is printed, and written to --port-file.\n",
          to);
}

/* -1 to go on, else the status to end with. */
static int read_options(int argc, char **argv, options_t *out)
{
    static const struct option known[] = {
        {"host", required_argument, NULL, 'H'},    {"port", required_argument, NULL, 'p'},
        {"log", required_argument, NULL, 'l'},     {"port-file", required_argument, NULL, 'f'},
        {"api-key", required_argument, NULL, 'k'}, {"marked", required_argument, NULL, 'm'},
        {"help", no_argument, NULL, 'h'},          {0},
    };
    *out = (options_t){.host = "127.0.0.1"};
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (option == 'H') out->host = optarg;
        if (option == 'p') out->port = atoi(optarg);
        if (option == 'l') out->log = optarg;
        if (option == 'f') out->port_file = optarg;
        if (option == 'k') out->api_key = optarg;
        if (option == 'm') out->marked = optarg;
        if (option == 'h' || option == '?') {
            usage(option == 'h' ? stdout : stderr);
            return option == 'h' ? EXIT_SUCCESS : EXIT_USAGE;
        }
    }
    if (optind == argc && out->port >= 0 && out->port < 65536) return -1;
    usage(stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    options_t options;
    int status = read_options(argc, argv, &options);
    if (status >= 0) return status;
    if (!sound_load()) return EXIT_FAILURE;
    journal_t *journal = journal_open(options.log);
    routes_t *routes = speech_routes_new(journal, options.api_key, options.marked);
    serve_opts_t opts = {"speech-double", options.host, options.port, options.port_file};
    status = journal ? serve(&opts, routes, journal) : EXIT_FAILURE;
    routes_destroy(&routes);
    journal_close(&journal);
    sound_unload();
    return status;
}
