#include "tools/parley/demo_place.h"

#include <ftw.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/parley/process.h"
#include "tools/parley/term.h"

enum { LEVELS_UP = 6, RTP_PORTS = 40, FIRST_RTP = 20000, LAST_RTP = 29000 };

/* Can port (0: any) be bound on loopback for both TCP and UDP? Returns it, or 0. */
static uint16_t try_port(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    socklen_t size = sizeof address;
    int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = tcp >= 0 && udp >= 0 && bind(tcp, (struct sockaddr *)&address, size) == 0 &&
              getsockname(tcp, (struct sockaddr *)&address, &size) == 0 &&
              bind(udp, (struct sockaddr *)&address, size) == 0;
    if (tcp >= 0) close(tcp);
    if (udp >= 0) close(udp);
    return ok ? ntohs(address.sin_port) : 0;
}

static uint16_t free_port(void)
{
    uint16_t port = 0;
    for (int tries = 0; tries < 50 && !port; tries++) port = try_port(0);
    return port;
}

/* A run of ports none of which is taken, first looked for where the process's number points. */
static uint16_t free_range(uint16_t from)
{
    for (uint32_t base = from; base + RTP_PORTS <= LAST_RTP; base += RTP_PORTS) {
        uint16_t used = 0;
        while (used < RTP_PORTS && try_port((uint16_t)(base + used))) used++;
        if (used == RTP_PORTS) return (uint16_t)base;
    }
    return 0;
}

static void set(place_t *self, options_t *options, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void set(place_t *self, options_t *options, const char *fmt, ...)
{
    if (self->setting_count == PLACE_SETTINGS) abort();
    char *text = self->settings[self->setting_count++];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, PLACE_TEXT_BYTES, fmt, args);
    va_end(args);
    /* In front of the user's own: the last one wins. */
    system_opts_t *system = &options->system;
    memmove(system->settings + 1, system->settings,
            system->setting_count * sizeof *system->settings);
    system->settings[0] = text;
    system->setting_count++;
}

static bool find_ports(place_t *self)
{
    self->http = free_port();
    self->sip = free_port();
    self->browser = free_port();
    uint16_t from = (uint16_t)(FIRST_RTP + (getpid() % 100) * RTP_PORTS);
    self->rtp_min = free_range(from);
    self->customer_min = free_range((uint16_t)(self->rtp_min + RTP_PORTS));
    self->rtp_max = (uint16_t)(self->rtp_min + RTP_PORTS - 1);
    self->customer_max = (uint16_t)(self->customer_min + RTP_PORTS - 1);
    return self->http && self->sip && self->browser && self->rtp_min && self->customer_min;
}

pl_err_t place_make(place_t *self, options_t *options)
{
    *self = (place_t){.folder = "/tmp/parley-demo-XXXXXX"};
    if (!mkdtemp(self->folder)) {
        term_bad("no folder can be made in /tmp");
        return PL_UNAVAILABLE;
    }
    if (!find_ports(self)) {
        term_bad("no free ports on this machine");
        return PL_UNAVAILABLE;
    }
    set(self, options, "gateway.http.listen=127.0.0.1:%u", self->http);
    set(self, options, "telephony.sip.listen=127.0.0.1:%u", self->sip);
    set(self, options, "telephony.browser.listen=127.0.0.1:%u", self->browser);
    set(self, options, "telephony.rtp.listen=127.0.0.1");
    set(self, options, "telephony.rtp.port_min=%u", self->rtp_min);
    set(self, options, "telephony.rtp.port_max=%u", self->rtp_max);
    set(self, options, "bus.run_dir=%s/run", self->folder);
    set(self, options, "persistence.sqlite.file=%s/data/parley.db", self->folder);
    set(self, options, "rag.index_file=%s/data/knowledge.db", self->folder);
    char knowledge[PLACE_TEXT_BYTES];
    if (!place_find("examples/knowledge", knowledge, sizeof knowledge - 16)) {
        set(self, options, "rag.folder=%s", knowledge);
    }
    if (!options->system.log_dir) options->system.log_dir = self->folder;
    (void)mkdir(options->system.log_dir, 0755);
    return PL_OK;
}

char *place_file(const place_t *self, const char *name, char *out, size_t out_bytes)
{
    snprintf(out, out_bytes, "%s/%s", self->folder, name);
    return out;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    (void)remove(path);
    return 0;
}

void place_remove(const place_t *self)
{
    (void)nftw(self->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

pl_err_t place_find(const char *name, char *out, size_t out_bytes)
{
    snprintf(out, out_bytes, "%s", name);
    if (access(out, R_OK) == 0) return PL_OK;
    char folder[512];
    if (name[0] == '/' || process_own_folder(folder, sizeof folder)) return PL_NOT_FOUND;
    for (int level = 0; level < LEVELS_UP; level++) {
        snprintf(out, out_bytes, "%s/%s", folder, name);
        if (access(out, R_OK) == 0) return PL_OK;
        char *slash = strrchr(folder, '/');
        if (!slash) break;
        *slash = '\0';
    }
    return PL_NOT_FOUND;
}
