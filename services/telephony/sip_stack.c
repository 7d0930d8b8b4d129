#include "services/telephony/sip_stack.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "services/telephony/sip_registrar.h"
#include "services/telephony/sip_session.h"

/* Of a network for documents (RFC 5737): what its route has, the default route has. */
#define TEST_ADDRESS "192.0.2.1"
enum { HASH_SIZE = 256, UDP_BUFFER_BYTES = 1 << 20, DNS_SERVERS = 8 };

/* ---- settings ---- */

static pl_err_t wrong(char text[SIP_URI_BYTES], const char *key, const char *value, const char *why)
{
    snprintf(text, SIP_URI_BYTES, "%s: \"%s\": %s", key, value, why);
    return PL_INVALID;
}

/* "sip:carrier.example:5060;transport=tcp" -> the part behind the user. */
static pl_err_t read_trunk(sip_stack_t *stack, char text[SIP_URI_BYTES])
{
    static const char key[] = "telephony.sip.trunk.uri";
    const char *value = pl_config_str(stack->cfg, key);
    if (value[0] == '\0') return PL_OK;
    struct pl all;
    struct uri uri;
    pl_set_str(&all, value);
    if (strncmp(value, "sip:", 4) != 0 || uri_decode(&uri, &all) || !pl_isset(&uri.host)) {
        return wrong(text, key, value, "not a URI like sip:carrier.example:5060");
    }
    const char *host = strchr(value, '@');
    int length = snprintf(stack->trunk, sizeof(stack->trunk), "%s", host ? host + 1 : value + 4);
    if (length >= SIP_URI_BYTES - 64) return wrong(text, key, "...", "too long");
    return PL_OK;
}

/* An address with or without a port; SIP's own when it has none. */
static pl_err_t read_address(const sip_stack_t *stack, const char *key, struct sa *out,
                             char text[SIP_URI_BYTES])
{
    const char *value = pl_config_str(stack->cfg, key);
    sa_init(out, AF_UNSPEC);
    if (value[0] == '\0') return PL_OK;
    if (sa_set_str(out, value, stack->port) && sa_decode(out, value, strlen(value))) {
        return wrong(text, key, value, "not an IP address");
    }
    if (sa_port(out) == 0) sa_set_port(out, stack->port);
    return PL_OK;
}

static pl_err_t read_settings(sip_stack_t *stack, struct sa *listen, char text[SIP_URI_BYTES])
{
    static const char listen_key[] = "telephony.sip.listen";
    const char *value = pl_config_str(stack->cfg, listen_key);
    if (sa_decode(listen, value, strlen(value)) || sa_port(listen) == 0) {
        return wrong(text, listen_key, value, "not an address and port like 0.0.0.0:5060");
    }
    stack->port = sa_port(listen);
    value = pl_config_str(stack->cfg, "telephony.sip.codecs");
    if (sip_codecs_parse(value, &stack->codecs)) {
        return wrong(text, "telephony.sip.codecs", value,
                     "not a list of different codecs out of G722, opus, L16, PCMU, PCMA");
    }
    pl_err_t err = read_address(stack, "telephony.rtp.advertise", &stack->rtp_advertise, text);
    if (!err) err = read_address(stack, "telephony.sip.advertise", &stack->sip_advertise, text);
    return err ? err : read_trunk(stack, text);
}

/* ---- addresses and routes ---- */

/* Asks the kernel which address it would send from; no packet is sent. */
static bool source_address(const struct sa *peer, struct sa *out)
{
    int fd = socket(sa_af(peer), SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    out->len = sizeof(out->u);
    bool ok =
        connect(fd, &peer->u.sa, peer->len) == 0 && getsockname(fd, &out->u.sa, &out->len) == 0;
    close(fd);
    return ok;
}

void sip_stack_local(const sip_stack_t *stack, const struct sa *peer, struct sa *out)
{
    if (sa_isset(&stack->sip_advertise, SA_ADDR)) {
        *out = stack->sip_advertise;
        return;
    }
    struct sa found;
    bool known = peer && sa_isset(peer, SA_ADDR);
    if (!known || !source_address(peer, &found)) sa_set_str(&found, "127.0.0.1", 0);
    sa_set_port(&found, stack->port);
    *out = found;
}

pl_err_t sip_stack_route(sip_stack_t *stack, const char *number, char uri[SIP_URI_BYTES])
{
    const char *target = registrar_find(stack->phones, pl_clock_ms(), number);
    if (target) {
        snprintf(uri, SIP_URI_BYTES, "%s", target);
        return PL_OK;
    }
    if (stack->trunk[0] == '\0') return PL_NOT_FOUND;
    int length = snprintf(uri, SIP_URI_BYTES, "sip:%s@%s", number, stack->trunk);
    return length < SIP_URI_BYTES ? PL_OK : PL_INVALID;
}

int sip_stack_auth(char **user, char **password, const char *realm, void *arg)
{
    (void)realm;
    const sip_stack_t *stack = arg;
    const char *name = pl_config_str(stack->cfg, "telephony.sip.trunk.user");
    if (name[0] == '\0') return EAUTH;
    int err = str_dup(user, name);
    return err ? err : str_dup(password, pl_config_str(stack->cfg, "telephony.sip.trunk.password"));
}

/* ---- requests outside of calls ---- */

static bool known_method(const struct pl *method)
{
    static const char *const known[] = {"SUBSCRIBE", "PUBLISH", "MESSAGE", "UPDATE",
                                        "PRACK",     "REFER",   "NOTIFY"};
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (pl_strcmp(method, known[i]) == 0) return true;
    }
    return false;
}

/* Sees each datagram before libre does, which would print what it cannot read. */
static bool on_datagram(struct sa *src, struct mbuf *mb, void *arg)
{
    (void)src;
    sip_stack_t *stack = arg;
    enum { KEEPALIVE_BYTES = 4, STUN_TYPES = 2 };
    if (mbuf_get_left(mb) <= KEEPALIVE_BYTES || mbuf_buf(mb)[0] < STUN_TYPES) return false;
    struct sip_msg *msg = NULL;
    size_t pos = mb->pos;
    int err = sip_msg_decode(&msg, mb);
    mb->pos = pos;
    mem_deref(msg);
    if (err) pl_metric_add(stack->malformed, 1);
    return err != 0;
}

static void watch_datagrams(sip_stack_t *stack, const struct sip_msg *msg)
{
    if (msg->tp != SIP_TRANSP_UDP) return;
    size_t i = 0;
    while (i < SIP_ADDRESSES && stack->filters[i].helper && stack->filters[i].sock != msg->sock)
        i++;
    if (i == SIP_ADDRESSES || stack->filters[i].helper) return;
    stack->filters[i].sock = msg->sock;
    (void)udp_sockbuf_set(msg->sock, UDP_BUFFER_BYTES);
    (void)udp_register_helper(&stack->filters[i].helper, msg->sock, 0, NULL, on_datagram, stack);
}

/* libre's own last resort prints the request with its number: nothing must get that far. */
static bool on_request(const struct sip_msg *msg, void *arg)
{
    sip_stack_t *stack = arg;
    watch_datagrams(stack, msg);
    if (pl_strcmp(&msg->met, "OPTIONS") == 0) {
        (void)sip_treplyf(NULL, NULL, stack->sip, msg, false, 200, "OK",
                          "Allow: " SIP_ALLOW "\r\nAccept: application/sdp\r\n"
                          "Content-Length: 0\r\n\r\n");
    } else if (pl_strcmp(&msg->met, "REGISTER") == 0) {
        sip_registrar_handle(stack->registrar, msg);
    } else if (pl_strcmp(&msg->met, "CANCEL") == 0) {
        (void)sip_reply(stack->sip, msg, 481, "Transaction Does Not Exist");
    } else if (known_method(&msg->met)) {
        (void)sip_treplyf(NULL, NULL, stack->sip, msg, false, 405, "Method Not Allowed",
                          "Allow: " SIP_ALLOW "\r\nContent-Length: 0\r\n\r\n");
    } else if (pl_strcmp(&msg->met, "ACK") != 0) {
        (void)sip_treply(NULL, stack->sip, msg, 501, "Not Implemented");
    }
    return true;
}

static bool on_response(const struct sip_msg *msg, void *arg)
{
    (void)msg;
    (void)arg;
    return true; /* of a transaction that is over */
}

/* libre keeps its UDP socket to itself, but shows it with each message: an OPTIONS to ourselves
 * brings it, so that the filter is there before the first stranger's datagram. */
static void probe(const struct sa *to)
{
    struct mbuf *mb = mbuf_alloc(512);
    if (!mb) return;
    (void)mbuf_printf(mb,
                      "OPTIONS sip:%J SIP/2.0\r\nVia: SIP/2.0/UDP %J;branch=z9hG4bK%08x;rport\r\n"
                      "To: <sip:%J>\r\nFrom: <sip:probe@%J>;tag=%08x\r\nCall-ID: %08x\r\n"
                      "CSeq: 1 OPTIONS\r\nMax-Forwards: 1\r\nContent-Length: 0\r\n\r\n",
                      to, to, rand_u32(), to, to, rand_u32(), rand_u32());
    mb->pos = 0;
    (void)udp_send_anon(to, mb);
    mem_deref(mb);
}

/* ---- life ---- */

static int open_libre(sip_stack_t *stack)
{
    struct sa servers[DNS_SERVERS];
    uint32_t count = DNS_SERVERS;
    if (dns_srv_get(NULL, 0, servers, &count) == 0) {
        (void)dnsc_alloc(&stack->dns, NULL, servers, count); /* without: addresses only */
    }
    int err =
        sip_alloc(&stack->sip, stack->dns, HASH_SIZE, HASH_SIZE, HASH_SIZE, "parley", NULL, NULL);
    if (!err)
        err = sipsess_listen(&stack->sessions, stack->sip, HASH_SIZE, sip_session_incoming, stack);
    if (!err) err = sipevent_listen(&stack->events, stack->sip, HASH_SIZE, HASH_SIZE, NULL, NULL);
    if (!err) err = sip_listen(&stack->requests, stack->sip, true, on_request, stack);
    if (!err) err = sip_listen(&stack->responses, stack->sip, false, on_response, stack);
    if (!err) err = hash_alloc(&stack->calls, HASH_SIZE);
    return err;
}

/* All addresses of this host, the one of the default route first: libre takes no wildcard, and
 * sends from the first it has. Loopback is last, because from there the world cannot be reached,
 * while loopback can be reached from everywhere here. */
static size_t own_addresses(const struct sa *any, struct sa out[SIP_ADDRESSES])
{
    struct sa world, loopback;
    size_t count = 0;
    sa_set_str(&world, TEST_ADDRESS, SIP_PORT);
    sa_set_str(&loopback, "127.0.0.1", 0);
    if (source_address(&world, &out[0])) count = 1;
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) != 0) all = NULL;
    for (const struct ifaddrs *one = all; one && count + 1 < SIP_ADDRESSES; one = one->ifa_next) {
        struct sa address;
        bool usable = one->ifa_addr && one->ifa_addr->sa_family == AF_INET &&
                      sa_set_sa(&address, one->ifa_addr) == 0 && !sa_is_loopback(&address) &&
                      !(count > 0 && sa_cmp(&address, &out[0], SA_ADDR));
        if (usable) out[count++] = address;
    }
    if (all) freeifaddrs(all);
    out[count++] = loopback;
    for (size_t i = 0; i < count; i++) sa_set_port(&out[i], sa_port(any));
    return count;
}

static pl_err_t bind_address(sip_stack_t *stack, const struct sa *address, char text[SIP_URI_BYTES])
{
    int err = sip_transp_add(stack->sip, SIP_TRANSP_UDP, address);
    const char *transport = err ? "UDP" : "TCP";
    if (!err) err = sip_transp_add(stack->sip, SIP_TRANSP_TCP, address);
    if (!err) {
        probe(address);
        return PL_OK;
    }
    (void)re_snprintf(text, SIP_URI_BYTES, "telephony.sip.listen: \"%s\": cannot bind %s %J: %m",
                      pl_config_str(stack->cfg, "telephony.sip.listen"), transport, address, err);
    return PL_UNAVAILABLE;
}

pl_err_t sip_stack_open(sip_stack_t *stack, const pl_config_t *cfg, char text[SIP_URI_BYTES])
{
    stack->cfg = cfg;
    struct sa listen;
    pl_err_t result = read_settings(stack, &listen, text);
    if (result) return result;
    stack->phones =
        registrar_new((size_t)pl_config_int(cfg, "telephony.sip.registrar.max_contacts"));
    stack->registrar = sip_registrar_new(stack);
    int err = open_libre(stack);
    if (err) {
        snprintf(text, SIP_URI_BYTES, "libre does not start: %s", strerror(err));
        return PL_INTERNAL;
    }
    struct sa addresses[SIP_ADDRESSES] = {listen};
    size_t count = sa_is_any(&listen) ? own_addresses(&listen, addresses) : 1;
    for (size_t i = 0; i < count; i++) {
        result = bind_address(stack, &addresses[i], text);
        if (result) return result;
    }
    return PL_OK;
}

void sip_stack_close(sip_stack_t *stack)
{
    for (size_t i = 0; i < SIP_ADDRESSES; i++) {
        stack->filters[i].helper = mem_deref(stack->filters[i].helper);
    }
    stack->requests = mem_deref(stack->requests);
    stack->responses = mem_deref(stack->responses);
    stack->events = mem_deref(stack->events);
    stack->sessions = mem_deref(stack->sessions);
    sip_transp_flush(stack->sip);
    sip_close(stack->sip, true);
    stack->sip = mem_deref(stack->sip);
    stack->dns = mem_deref(stack->dns);
    stack->calls = mem_deref(stack->calls);
    sip_registrar_destroy(&stack->registrar);
    registrar_destroy(&stack->phones);
}
