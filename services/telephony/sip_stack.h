/* sip_stack.h - the SIP thread's own: libre's stack, routes, and what its parts share.
 *
 * Inside the SIP agent only. Everything here belongs to the SIP thread.
 */
#ifndef PL_TELEPHONY_SIP_STACK_H
#define PL_TELEPHONY_SIP_STACK_H

#include <stdatomic.h>

#include "common/config.h"
#include "common/metrics.h"
#include "services/telephony/libre.h"
#include "services/telephony/registrar.h"
#include "services/telephony/sip_agent.h"
#include "services/telephony/sip_sdp.h"

enum { SIP_URI_BYTES = 256, SIP_ADDRESSES = 16 };
#define SIP_ALLOW "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, NOTIFY, REGISTER"

typedef struct sip_registrar sip_registrar_t;

typedef struct {
    const pl_config_t *cfg;
    sip_codecs_t codecs;
    struct sa sip_advertise;   /* the same for Contact and From, with its port */
    struct sa rtp_advertise;   /* unset: the address that reaches the peer */
    uint16_t port;             /* of SIP, UDP and TCP */
    char trunk[SIP_URI_BYTES]; /* "host:port;params", "": none */

    struct sip *sip;
    struct dnsc *dns;
    struct sipsess_sock *sessions;
    struct sipevent_sock *events;
    struct sip_lsnr *requests, *responses;
    struct {
        void *sock;
        struct udp_helper *helper; /* sees the socket's datagrams first */
    } filters[SIP_ADDRESSES];
    struct hash *calls; /* sip_session_t by handle */
    registrar_t *phones;
    sip_registrar_t *registrar;

    atomic_bool accepting;
    atomic_uint_fast64_t next_call;
    pl_metric_t *malformed, *registered;

    void (*emit)(void *arg, const sip_event_t *event); /* copies the event to the control loop */
    void *emit_arg;
} sip_stack_t;

/* Reads the settings, opens libre's stack and binds. text tells a failure, with key and value. */
pl_err_t sip_stack_open(sip_stack_t *stack, const pl_config_t *cfg, char text[SIP_URI_BYTES]);
void sip_stack_close(sip_stack_t *stack); /* calls are gone by now */

/* Our address as that peer sees it, with SIP's port. */
void sip_stack_local(const sip_stack_t *stack, const struct sa *peer, struct sa *out);

/* The URI that rings number: a registered phone, else the carrier. NOT_FOUND: neither. */
pl_err_t sip_stack_route(sip_stack_t *stack, const char *number, char uri[SIP_URI_BYTES]);

/* The carrier's digest user and password, for libre. */
int sip_stack_auth(char **user, char **password, const char *realm, void *arg);

#endif
