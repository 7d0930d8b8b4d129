/* parley - runs Parley on one machine: up, demo, check, jobs, backup, ingest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "tools/parley/backup.h"
#include "tools/parley/demo.h"
#include "tools/parley/ingest.h"
#include "tools/parley/jobs.h"
#include "tools/parley/up.h"

enum { EXIT_USAGE = 64 };

int main(int argc, char **argv)
{
    pl_signals_init();
    const char *command = argc > 1 ? argv[1] : "";
    if (strcmp(command, "jobs") == 0) return jobs_run(argc - 1, argv + 1);
    if (strcmp(command, "backup") == 0) return backup_run(argc - 1, argv + 1);
    if (strcmp(command, "ingest") == 0) return ingest_command(argc - 1, argv + 1);
    bool up = strcmp(command, "up") == 0;
    bool demo = strcmp(command, "demo") == 0;
    bool check = strcmp(command, "check") == 0;
    bool help = strcmp(command, "--help") == 0 || strcmp(command, "help") == 0;
    if (strcmp(command, "--version") == 0) {
        options_t version;
        int ended = EXIT_SUCCESS;
        (void)options_read(&version, argc, argv, &ended);
        return ended;
    }
    if (!up && !demo && !check) {
        fputs(options_usage, help ? stdout : stderr);
        return help ? EXIT_SUCCESS : EXIT_USAGE;
    }
    options_t options;
    int status = EXIT_FAILURE;
    if (!options_read(&options, argc - 1, argv + 1, &status)) return status;
    if (up) return up_run(&options);
    if (check) return check_run(&options);
    return demo_run(&options);
}
