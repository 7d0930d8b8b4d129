/* parley-gateway: REST, report pages, the browser phone's page, health and metrics over HTTP. */
#include <stdlib.h>

#include "common/config.h"
#include "common/log.h"
#include "common/loop.h"
#include "services/gateway/config.h"
#include "services/gateway/server.h"

enum { EXIT_CONFIG = 78 };

int main(int argc, char **argv)
{
    pl_signals_init(); /* first: before any thread exists */
    int status = EXIT_SUCCESS;
    pl_config_t *cfg = pl_config_load("gateway", gateway_config_keys, argc, argv, &status);
    if (!cfg) return status; /* it has said why */

    server_t *server = NULL;
    pl_err_t err = server_new(&server, cfg);
    if (!err) {
        server_run(server);
    } else {
        log_error("gateway.failed", "err=%s", pl_err_name(err));
        status = err == PL_INVALID ? EXIT_CONFIG : EXIT_FAILURE;
    }
    server_destroy(&server);
    pl_config_destroy(&cfg);
    return status;
}
