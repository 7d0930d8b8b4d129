#include "common/bus_endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"

static const char *const ipc_prefix = "ipc://";
static const char *const tcp_prefix = "tcp://";

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static size_t listed(const pl_config_t *cfg, const char *service)
{
    char path[128];
    (void)snprintf(path, sizeof path, "bus.endpoints.%s", service);
    return pl_config_count(cfg, path);
}

static void default_path(const pl_config_t *cfg, const char *instance, char *out)
{
    (void)snprintf(out, BUS_ENDPOINT_BYTES, "ipc://%s/%s.ipc", pl_config_str(cfg, "bus.run_dir"),
                   instance);
}

/* The N of "speech-N"; false for an instance named otherwise (a pod's name). */
static bool own_number(const pl_config_t *cfg, size_t *number)
{
    const char *service = pl_config_service(cfg), *instance = pl_config_instance(cfg);
    size_t length = strlen(service);
    if (strncmp(instance, service, length) != 0 || instance[length] != '-') return false;
    const char *digits = instance + length + 1;
    if (*digits == '\0' || strspn(digits, "0123456789") != strlen(digits)) return false;
    *number = strtoul(digits, NULL, 10);
    return true;
}

void bus_endpoint_own(const pl_config_t *cfg, char out[BUS_ENDPOINT_BYTES])
{
    const char *bind_to = pl_config_str(cfg, "bus.bind");
    const char *service = pl_config_service(cfg);
    size_t number = 0;
    if (*bind_to) {
        (void)snprintf(out, BUS_ENDPOINT_BYTES, "%s", bind_to);
    } else if (own_number(cfg, &number) && number < listed(cfg, service)) {
        (void)snprintf(out, BUS_ENDPOINT_BYTES, "%s",
                       pl_config_item(cfg, "bus.endpoints.%s[%zu]", service, number));
    } else {
        default_path(cfg, pl_config_instance(cfg), out);
        if (listed(cfg, service) > 0) {
            log_warn("bus.unlisted", "endpoint=%s detail=\"not in bus.endpoints.%s\"", out,
                     service);
        }
    }
}

bool bus_endpoint_of(const pl_config_t *cfg, const char *service, size_t i,
                     char out[BUS_ENDPOINT_BYTES])
{
    size_t count = listed(cfg, service);
    if (count == 0 && i == 0) {
        char instance[128];
        (void)snprintf(instance, sizeof instance, "%s-0", service);
        default_path(cfg, instance, out);
        return true;
    }
    if (i >= count) return false;
    (void)snprintf(out, BUS_ENDPOINT_BYTES, "%s",
                   pl_config_item(cfg, "bus.endpoints.%s[%zu]", service, i));
    return true;
}

bool bus_endpoint_tcp(const char *endpoint, char host[BUS_ENDPOINT_BYTES],
                      char port[BUS_ENDPOINT_BYTES])
{
    if (!starts_with(endpoint, tcp_prefix)) return false;
    const char *at = endpoint + strlen(tcp_prefix);
    const char *colon = strrchr(at, ':');
    if (!colon || colon == at) return false;
    size_t length = (size_t)(colon - at);
    if (at[0] == '[' && at[length - 1] == ']') {
        at++;
        length -= 2;
    }
    (void)snprintf(host, BUS_ENDPOINT_BYTES, "%.*s", (int)length, at);
    (void)snprintf(port, BUS_ENDPOINT_BYTES, "%s", colon + 1);
    return true;
}

bool bus_endpoint_is_name(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    return inet_pton(AF_INET, host, &v4) != 1 && inet_pton(AF_INET6, host, &v6) != 1;
}

bool bus_endpoint_leaves_host(const char *endpoint)
{
    char host[BUS_ENDPOINT_BYTES], port[BUS_ENDPOINT_BYTES];
    if (!bus_endpoint_tcp(endpoint, host, port)) return false;
    return !starts_with(host, "127.") && strcmp(host, "localhost") != 0 && strcmp(host, "::1") != 0;
}

/* ---- the guard of an ipc path -------------------------------------------------------------- */

static const char *ipc_path(const char *endpoint)
{
    if (!starts_with(endpoint, ipc_prefix)) return NULL;
    const char *path = endpoint + strlen(ipc_prefix);
    return *path == '@' ? NULL : path; /* abstract names guard themselves */
}

static pl_err_t make_folder_of(const char *path)
{
    char folder[BUS_ENDPOINT_BYTES];
    (void)snprintf(folder, sizeof folder, "%s", path);
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
            log_error("bus.folder", "path=%s detail=\"%s\"", folder, strerror(errno));
            return PL_UNAVAILABLE;
        }
        *slash = '/';
    }
    return PL_OK;
}

static void say_taken(const char *endpoint, int fd)
{
    char owner[32] = "";
    ssize_t size = pread(fd, owner, sizeof owner - 1, 0);
    owner[size > 0 ? strspn(owner, "0123456789") : 0] = '\0';
    log_error("bus.taken", "endpoint=%s detail=\"endpoint %s is taken by pid %s\"", endpoint,
              endpoint, *owner ? owner : "?");
}

pl_err_t bus_endpoint_claim(const char *endpoint, int *fd)
{
    *fd = -1;
    const char *path = ipc_path(endpoint);
    if (!path) return PL_OK;
    pl_err_t err = make_folder_of(path);
    if (err) return err;

    char lock_path[BUS_ENDPOINT_BYTES + 8], pid[32];
    (void)snprintf(lock_path, sizeof lock_path, "%s.lock", path);
    int lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0) {
        log_error("bus.lock", "path=%s detail=\"%s\"", lock_path, strerror(errno));
        return PL_UNAVAILABLE;
    }
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        say_taken(endpoint, lock);
        close(lock);
        return PL_UNAVAILABLE;
    }
    int length = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
    if (ftruncate(lock, 0) != 0 || pwrite(lock, pid, (size_t)length, 0) != length) {
        log_warn("bus.lock", "path=%s detail=\"%s\"", lock_path, strerror(errno));
    }
    *fd = lock;
    return PL_OK;
}

void bus_endpoint_release(const char *endpoint, int *fd)
{
    if (*fd < 0) return;
    (void)unlink(ipc_path(endpoint)); /* under the lock, so it is ours; the lock's file stays */
    close(*fd);
    *fd = -1;
}
