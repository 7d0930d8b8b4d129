#include "tools/parley/ingest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/clock.h"
#include "tools/parley/client.h"
#include "tools/parley/ingest_options.h"
#include "tools/parley/ingest_session.h"

enum { INSTANCES_MAX = 64, INSTANCE_BYTES = 128, LABEL_BYTES = 512 };

typedef struct {
    ingest_options_t options;
    client_t *client;
    ingest_show_t show;
    char instances[INSTANCES_MAX][INSTANCE_BYTES];
    size_t instance_count;
    bool failed;
} ingest_t;

static unsigned terminal_width(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0) return 0;
    return size.ws_col;
}

static void find_instances(ingest_t *self)
{
    pl_peer_t peers[INSTANCES_MAX];
    size_t count = pl_bus_peers(client_bus(self->client), "rag", peers, INSTANCES_MAX);
    for (size_t i = 0; i < count && i < INSTANCES_MAX; i++) {
        if (!peers[i].up) continue;
        char *to = self->instances[self->instance_count++];
        (void)snprintf(to, INSTANCE_BYTES, "%s", peers[i].instance);
    }
}

/* The instance is told where there are several. */
static void label(const ingest_t *self, size_t instance, const char *name, char out[LABEL_BYTES])
{
    if (self->instance_count > 1)
        (void)snprintf(out, LABEL_BYTES, "%s, %s", name, self->instances[instance]);
    else
        (void)snprintf(out, LABEL_BYTES, "%s", name);
}

static void take_files(ingest_t *self, ingest_files_t *files)
{
    for (size_t i = 0; i < files->files.count; i++) {
        ingest_show_progress(&self->show, pl_clock_ms(), "reading", i, files->files.count, "files");
        ingest_files_hash(files, i);
        const folder_file_t *file = &files->files.files[i];
        if (!file->problem) continue;
        ingest_show_line(&self->show, "  failed   %s: %s", file->path, file->problem);
        self->failed = true;
    }
    if (files->files.others > 0)
        ingest_show_line(&self->show, "%s: %zu file%s of other formats left out", files->name,
                         files->files.others, files->files.others == 1 ? "" : "s");
    for (size_t i = 0; i < self->instance_count; i++) {
        char text[LABEL_BYTES];
        ingest_session_t session;
        label(self, i, files->name, text);
        ingest_session_begin(&session, self->client, &self->show, self->instances[i], text);
        if (ingest_session_send(&session, files, self->options.replace))
            (void)ingest_session_follow(&session, self->options.leave);
        self->failed |= session.failed;
    }
}

static void take_path(ingest_t *self, const char *path)
{
    ingest_files_t files;
    char why[FOLDER_PATH_BYTES];
    if (ingest_files_list(&files, path, self->options.name, why)) {
        take_files(self, &files);
    } else {
        ingest_show_line(&self->show, "  failed   %s", why);
        self->failed = true;
    }
    ingest_files_free(&files);
}

static void take_out(ingest_t *self, const char *name)
{
    for (size_t i = 0; i < self->instance_count; i++) {
        char text[LABEL_BYTES];
        ingest_session_t session;
        label(self, i, name, text);
        ingest_session_begin(&session, self->client, &self->show, self->instances[i], text);
        if (ingest_session_remove(&session, name)) {
            (void)ingest_session_follow(&session, true);
        }
        self->failed |= session.failed;
    }
}

int ingest_command(int argc, char **argv)
{
    ingest_t *self = calloc(1, sizeof *self);
    int status = EXIT_FAILURE;
    if (!self || !ingest_options_read(&self->options, argc, argv, &status)) {
        free(self);
        return status;
    }
    client_opts_t opts = {
        .command = "ingest",
        .service = "rag",
        .config_file = self->options.config_file,
        .settings = self->options.settings,
        .setting_count = self->options.setting_count,
    };
    self->client = client_open(&opts, &status);
    if (self->client) {
        self->show = (ingest_show_t){.out = stdout, .columns = terminal_width()};
        find_instances(self);
        for (size_t i = 0; i < self->options.path_count; i++) {
            if (self->options.remove)
                take_out(self, self->options.paths[i]);
            else
                take_path(self, self->options.paths[i]);
        }
        ingest_show_clear(&self->show);
        client_close(&self->client);
        status = self->failed ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    free(self);
    return status;
}
