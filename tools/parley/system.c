#include "tools/parley/system.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TEXT_BYTES = 512 };

const char *const system_services[SYSTEM_SERVICES] = {"persistence", "rag",       "speech",
                                                      "dialogue",    "telephony", "gateway"};

bool system_wanted(const char *only, const char *service)
{
    if (!only) return true;
    size_t length = strlen(service);
    for (const char *at = only; *at; at += strcspn(at, ","), at += *at == ',') {
        if (strcspn(at, ",") == length && strncmp(at, service, length) == 0) return true;
    }
    return false;
}

bool system_unknown(const char *only, char *out, size_t out_bytes)
{
    for (const char *at = only ? only : ""; *at; at += strcspn(at, ","), at += *at == ',') {
        snprintf(out, out_bytes, "%.*s", (int)strcspn(at, ","), at);
        bool known = false;
        for (size_t i = 0; i < SYSTEM_SERVICES; i++) {
            if (strcmp(out, system_services[i]) == 0) known = true;
        }
        if (!known) return true;
    }
    return false;
}

static long instances_of(const pl_config_t *config, const char *service)
{
    char path[64];
    snprintf(path, sizeof path, "up.instances.%s", service);
    return (long)pl_config_int(config, path);
}

/* The arguments of a process, as they are put together. */
typedef struct {
    const char *argv[SUPERVISOR_MAX_ARGS];
    size_t count;
    char texts[SUPERVISOR_MAX_ARGS][TEXT_BYTES]; /* those made here */
    size_t made;
} arguments_t;

static void add(arguments_t *self, const char *text)
{
    assert(self->count + 1 < SUPERVISOR_MAX_ARGS);
    self->argv[self->count++] = text;
}

static char *make(arguments_t *self)
{
    assert(self->made < SUPERVISOR_MAX_ARGS);
    return self->texts[self->made++];
}

/* Several instances of a service must be found by the others: unless the configuration lists them,
 * each gets a path in the run folder. */
static void add_endpoints(arguments_t *self, const pl_config_t *config)
{
    for (size_t s = 0; s < SYSTEM_SERVICES; s++) {
        const char *service = system_services[s];
        char path[64];
        snprintf(path, sizeof path, "bus.endpoints.%s", service);
        long count = instances_of(config, service);
        if (count < 2 || pl_config_count(config, path) > 0) continue;
        for (long i = 0; i < count; i++) {
            char *setting = make(self);
            snprintf(setting, TEXT_BYTES, "%s[%ld]=ipc://%s/%s-%ld.ipc", path, i,
                     pl_config_str(config, "bus.run_dir"), service, i);
            add(self, "--set");
            add(self, setting);
        }
    }
}

static void add_instance(supervisor_t *supervisor, const system_opts_t *opts,
                         const pl_config_t *config, const char *service, long number)
{
    arguments_t *args = calloc(1, sizeof *args);
    assert(args);
    char name[64];
    char log_file[TEXT_BYTES];
    snprintf(name, sizeof name, number ? "%s-%ld" : "%s", service, number);
    char *program = make(args);
    snprintf(program, TEXT_BYTES, "%s/parley-%s", opts->bin_dir, service);
    char *instance = make(args);
    snprintf(instance, TEXT_BYTES, "%ld", number);
    add(args, program);
    add(args, "--instance");
    add(args, instance);
    if (opts->config_file) {
        add(args, "--config");
        add(args, opts->config_file);
    }
    add_endpoints(args, config);
    for (size_t i = 0; i < opts->setting_count; i++) {
        add(args, "--set");
        add(args, opts->settings[i]);
    }
    if (opts->log_dir) snprintf(log_file, sizeof log_file, "%s/%s.log", opts->log_dir, name);
    supervisor_add(supervisor, name, args->argv, opts->log_dir ? log_file : NULL);
    free(args);
}

void system_add(supervisor_t *supervisor, const system_opts_t *opts, const pl_config_t *config)
{
    for (size_t s = 0; s < SYSTEM_SERVICES; s++) {
        if (!system_wanted(opts->only, system_services[s])) continue;
        long count = instances_of(config, system_services[s]);
        for (long i = 0; i < count; i++)
            add_instance(supervisor, opts, config, system_services[s], i);
    }
}

/* ---- where it is reached ---- */

static bool is_any(const char *listen)
{
    return strncmp(listen, "0.0.0.0:", 8) == 0 || listen[0] == ':';
}

static const char *port_of(const char *listen)
{
    const char *colon = strrchr(listen, ':');
    return colon ? colon + 1 : listen;
}

char *system_url(const char *listen, char *out, size_t out_bytes)
{
    if (is_any(listen)) {
        snprintf(out, out_bytes, "http://127.0.0.1:%s", port_of(listen));
    } else {
        snprintf(out, out_bytes, "http://%s", listen);
    }
    return out;
}

/* The first IPv4 address that is not loopback; "127.0.0.1" when there is none. */
static void own_address(char out[INET_ADDRSTRLEN])
{
    struct ifaddrs *all = NULL;
    snprintf(out, INET_ADDRSTRLEN, "127.0.0.1");
    if (getifaddrs(&all) != 0) return;
    for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
        bool usable = one->ifa_addr && one->ifa_addr->sa_family == AF_INET &&
                      (one->ifa_flags & IFF_UP) && !(one->ifa_flags & IFF_LOOPBACK);
        if (!usable) continue;
        struct sockaddr_in address;
        memcpy(&address, one->ifa_addr, sizeof address);
        (void)inet_ntop(AF_INET, &address.sin_addr, out, INET_ADDRSTRLEN);
        break;
    }
    freeifaddrs(all);
}

char *system_outside(const char *listen, char *out, size_t out_bytes)
{
    char address[INET_ADDRSTRLEN];
    if (is_any(listen)) {
        own_address(address);
        snprintf(out, out_bytes, "%s:%s", address, port_of(listen));
    } else {
        snprintf(out, out_bytes, "%s", listen);
    }
    return out;
}

bool system_answers(const char *listen)
{
    char host[INET_ADDRSTRLEN] = "127.0.0.1";
    struct sockaddr_in address = {.sin_family = AF_INET};
    size_t length = strcspn(listen, ":");
    if (!is_any(listen) && length < sizeof host) {
        snprintf(host, sizeof host, "%.*s", (int)length, listen);
    }
    address.sin_port = htons((uint16_t)strtoul(port_of(listen), NULL, 10));
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) return false; /* the service will say */
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    bool answers = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return answers;
}
