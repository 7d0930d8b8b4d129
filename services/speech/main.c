/* parley-speech: recognition, turn-taking, synthesis. See README.md. */
#include <stdlib.h>
#include <sysexits.h>

#include "common/config.h"
#include "common/loop.h"
#include "services/speech/config.h"
#include "services/speech/server.h"

int main(int argc, char **argv)
{
    pl_signals_init();
    int status = EXIT_FAILURE;
    pl_config_t *cfg = pl_config_load("speech", speech_config_keys, argc, argv, &status);
    if (!cfg) return status;

    server_t *server = NULL;
    pl_err_t err = server_new(&server, cfg);
    if (!err) err = server_run(server);
    server_destroy(&server);
    pl_config_destroy(&cfg);
    if (err) return err == PL_INVALID ? EX_CONFIG : EXIT_FAILURE;
    return EXIT_SUCCESS;
}
