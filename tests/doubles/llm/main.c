/* main.c - llm-double: a server that speaks the chat-completions and embeddings protocol, and says
 * what a script tells it to. For tests only. See README.md.
 */
#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/doubles/llm/journal.h"
#include "tests/doubles/llm/routes.h"
#include "tests/doubles/llm/script.h"
#include "tests/doubles/llm/serve.h"

enum { EXIT_USAGE = 64, EXIT_CONFIG = 78, SCRIPT_MOST = 4 << 20, ERROR_BYTES = 8192 };

typedef struct {
    const char *host, *script, *log, *port_file;
    int port;
} options_t;

static void usage(FILE *to)
{
    fputs("llm-double [--host 127.0.0.1] [--port N] [--script FILE] [--log FILE]\n"
          "           [--port-file FILE]\n"
          "Port 0, the default, takes a free one; it is printed, and written to --port-file.\n",
          to);
}

/* -1 to go on, else the status to end with. */
static int read_options(int argc, char **argv, options_t *out)
{
    static const struct option known[] = {
        {"host", required_argument, NULL, 'H'},
        {"port", required_argument, NULL, 'p'},
        {"script", required_argument, NULL, 's'},
        {"log", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {"port-file", required_argument, NULL, 'f'},
        {0},
    };
    *out = (options_t){.host = "127.0.0.1"};
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (option == 'H') out->host = optarg;
        if (option == 'p') out->port = atoi(optarg);
        if (option == 's') out->script = optarg;
        if (option == 'l') out->log = optarg;
        if (option == 'f') out->port_file = optarg;
        if (option == 'h' || option == '?') {
            usage(option == 'h' ? stdout : stderr);
            return option == 'h' ? EXIT_SUCCESS : EXIT_USAGE;
        }
    }
    if (optind == argc && out->port >= 0 && out->port < 65536) return -1;
    usage(stderr);
    return EXIT_USAGE;
}

static script_t *load_script(const char *path)
{
    char *text = NULL;
    if (path) {
        FILE *file = fopen(path, "re");
        if (!file) {
            fprintf(stderr, "llm-double: %s: %s\n", path, strerror(errno));
            return NULL;
        }
        text = calloc(1, SCRIPT_MOST + 1);
        assert(text);
        size_t bytes = fread(text, 1, SCRIPT_MOST, file);
        text[bytes] = '\0';
        (void)fclose(file);
    }
    char error[ERROR_BYTES];
    script_t *script = script_read(path ? path : "built-in", text, error, sizeof error);
    if (!script) fputs(error, stderr);
    free(text);
    return script;
}

int main(int argc, char **argv)
{
    options_t options;
    int status = read_options(argc, argv, &options);
    if (status >= 0) return status;
    script_t *script = load_script(options.script);
    if (!script) return EXIT_CONFIG;
    journal_t *journal = journal_open(options.log);
    routes_t *routes = routes_new(script, journal);
    serve_opts_t opts = {"llm-double", options.host, options.port, options.port_file};
    status = journal ? serve(&opts, routes, journal) : EXIT_FAILURE;
    routes_destroy(&routes);
    journal_close(&journal);
    return status;
}
