/* main.c - parley-telephony: legs, and everything on the wire's 20 ms clock. */
#include <stdlib.h>

#include "common/log.h"
#include "common/loop.h"
#include "services/telephony/config.h"
#include "services/telephony/server.h"

enum { EXIT_CONFIG = 78 };

int main(int argc, char **argv)
{
    pl_signals_init();
    int status = EXIT_FAILURE;
    pl_config_t *cfg = pl_config_load("telephony", telephony_config_keys, argc, argv, &status);
    if (!cfg) return status;

    server_t *server = NULL;
    pl_err_t err = server_new(&server, cfg);
    if (!err) server_run(server);
    if (err) log_error("server.failed", "err=%s", pl_err_name(err));
    server_destroy(&server);
    pl_config_destroy(&cfg);
    if (err == PL_INVALID) return EXIT_CONFIG;
    return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
