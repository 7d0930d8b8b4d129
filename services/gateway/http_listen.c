#include "services/gateway/http_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool parse_port(const char *text, int *port)
{
    char *end = NULL;
    if (*text < '0' || *text > '9') return false;
    long value = strtol(text, &end, 10);
    if (*end || value > 65535) return false;
    *port = (int)value;
    return true;
}

pl_err_t http_listen_parse(const char *address, http_listen_t *out)
{
    http_listen_t at = {0};
    const char *colon = strrchr(address, ':');
    size_t size = colon ? (size_t)(colon - address) : 0;
    const char *host = address;
    if (size >= 2 && host[0] == '[' && host[size - 1] == ']') {
        at.ipv6 = true;
        host++;
        size -= 2;
    }
    unsigned char binary[sizeof(struct in6_addr)];
    if (size > 0 && size < sizeof at.host && parse_port(colon + 1, &at.port)) {
        memcpy(at.host, host, size);
        if (inet_pton(at.ipv6 ? AF_INET6 : AF_INET, at.host, binary) == 1) {
            at.any = strcmp(at.host, "0.0.0.0") == 0 || strcmp(at.host, "::") == 0;
            *out = at;
            return PL_OK;
        }
    }
    fprintf(stderr,
            "gateway.http.listen: \"%s\" is not a numeric address and port, "
            "e.g. 127.0.0.1:8080 or [::]:8080\n",
            address);
    return PL_INVALID;
}

pl_err_t http_listen_probe(const char *address, const http_listen_t *at)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)at->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)at->port)};
    const struct sockaddr *sa = at->ipv6 ? (const void *)&v6 : (const void *)&v4;
    socklen_t size = at->ipv6 ? sizeof v6 : sizeof v4;
    int on = 1, fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0;
    if (at->ipv6) {
        ok = ok && inet_pton(AF_INET6, at->host, &v6.sin6_addr) == 1;
    } else {
        ok = ok && inet_pton(AF_INET, at->host, &v4.sin_addr) == 1;
    }
    ok = ok && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
         bind(fd, sa, size) == 0 && listen(fd, 1) == 0;
    if (!ok) fprintf(stderr, "gateway.http.listen: %s: %s\n", address, strerror(errno));
    if (fd >= 0) close(fd);
    return ok ? PL_OK : PL_UNAVAILABLE;
}
