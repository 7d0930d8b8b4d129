/* parley-dialogue: owns the calls. See README.md. */
#include <stdlib.h>
#include <sysexits.h>

#include "common/config.h"
#include "common/log.h"
#include "common/loop.h"
#include "services/dialogue/config.h"
#include "services/dialogue/server.h"

int main(int argc, char **argv)
{
    pl_signals_init(); /* first: before any thread exists */
    int status = EXIT_FAILURE;
    pl_config_t *cfg = pl_config_load("dialogue", dialogue_config_keys, argc, argv, &status);
    if (!cfg) return status; /* it has said why */

    server_t *server = NULL;
    pl_err_t err = server_new(&server, cfg);
    if (!err) err = server_run(server);
    if (err) log_error("service.failed", "err=%s", pl_err_name(err));
    server_destroy(&server);
    pl_config_destroy(&cfg);
    if (err == PL_INVALID) return EX_CONFIG;
    return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
