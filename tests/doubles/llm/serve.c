#include "tests/doubles/llm/serve.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "tests/doubles/llm/server.h"

static void say_port(const serve_opts_t *opts, const server_t *server)
{
    printf("%s: listening on http://%s:%d\n", opts->name, opts->host, server_port(server));
    (void)fflush(stdout);
    if (!opts->port_file) return;
    char fresh[4096];
    (void)snprintf(fresh, sizeof fresh, "%s.new", opts->port_file);
    FILE *file = fopen(fresh, "we");
    if (!file || fprintf(file, "%d\n", server_port(server)) < 0 || fclose(file) != 0 ||
        rename(fresh, opts->port_file) != 0) {
        fprintf(stderr, "%s: %s: %s\n", opts->name, opts->port_file, strerror(errno));
    }
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    server_close(handle->data);
    uv_close((uv_handle_t *)handle, NULL);
}

int serve(const serve_opts_t *opts, routes_t *routes, journal_t *journal)
{
    (void)signal(SIGPIPE, SIG_IGN);
    sigset_t terminated; /* whoever starts us may have it blocked */
    sigemptyset(&terminated);
    sigaddset(&terminated, SIGTERM);
    sigprocmask(SIG_UNBLOCK, &terminated, NULL);
    uv_loop_t loop;
    int made = uv_loop_init(&loop);
    assert(made == 0);
    (void)made;
    server_t *server = server_new(&loop, opts->host, opts->port, routes, journal);
    if (server) {
        uv_signal_t terminate;
        uv_signal_init(&loop, &terminate);
        terminate.data = server;
        uv_signal_start(&terminate, on_signal, SIGTERM);
        say_port(opts, server);
        uv_run(&loop, UV_RUN_DEFAULT);
    }
    int status = server ? EXIT_SUCCESS : EXIT_FAILURE;
    server_free(&server);
    uv_loop_close(&loop);
    return status;
}
