/* sip_agent.h - the SIP user agent: libre on a thread of its own.
 *
 * Calls out and in, the registrar for local phones, OPTIONS, transfer. Media is not its concern:
 * it negotiates and tells the parameters.
 *
 * Threads: call everything from the control thread; nothing blocks but new and destroy. Events
 * run on the control loop. Commands for a call that is over are ignored: they cross its end.
 * Source: RFC 3261, RFC 3264, RFC 3515 (REFER).
 */
#ifndef PL_TELEPHONY_SIP_AGENT_H
#define PL_TELEPHONY_SIP_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "call.pb-c.h"
#include "common/config.h"
#include "common/err.h"
#include "common/loop.h"
#include "services/telephony/identity.h"
#include "services/telephony/rtp_leg.h"
#include "services/telephony/sip_cause.h"

typedef struct sip_agent sip_agent_t;
typedef uint64_t sip_call_t; /* handle, never reused; 0 is none */

enum { SIP_TEXT_BYTES = 128 };

typedef enum {
    SIP_INCOMING,    /* from ("anonymous" when not shown), to; rings already */
    SIP_DIALLED,     /* err; OK: the INVITE is on its way. Else the call never was; text */
    SIP_RINGING,     /* status */
    SIP_MEDIA,       /* params: agreed, or agreed anew */
    SIP_CONNECTED,   /* their 200, or their ACK of ours */
    SIP_DTMF,        /* digit, duration_ms: a key told by INFO */
    SIP_TRANSFERRED, /* ok, text */
    SIP_ENDED,       /* end, text: they, or the network, ended it. Not sent after hangup/refuse */
} sip_event_kind_t;

typedef struct {
    sip_event_kind_t kind;
    sip_call_t call;
    pl_err_t err;
    unsigned status;
    bool ok;
    Pl__LegEnd end;
    char digit;
    uint32_t duration_ms;
    rtp_params_t params;
    char from[IDENTITY_BYTES];
    char to[SIP_TEXT_BYTES];
    char text[SIP_TEXT_BYTES];
} sip_event_t;

typedef void sip_event_fn(void *arg, const sip_event_t *event);

/* Binds SIP's sockets. PL_UNAVAILABLE: an address is taken; PL_INVALID: a setting is wrong. Has
 * said so, with key and value. */
pl_err_t sip_agent_new(sip_agent_t **out, pl_loop_t *control, const pl_config_t *cfg,
                       sip_event_fn *on_event, void *arg);
/* Ends all calls, waits at most a second for the last messages and joins the thread. */
void sip_agent_destroy(sip_agent_t **self_p);

/* While false, calls in are refused with 503 at once. Starts as false. */
void sip_agent_accepting(sip_agent_t *self, bool accepting);

/* Rings number; ends in SIP_DIALLED. from_name may be "". */
sip_call_t sip_agent_dial(sip_agent_t *self, const char *number, const char *from_name,
                          uint16_t rtp_port);
void sip_agent_answer(sip_agent_t *self, sip_call_t call, uint16_t rtp_port);
void sip_agent_refuse(sip_agent_t *self, sip_call_t call, const sip_refusal_t *refusal);
void sip_agent_hangup(sip_agent_t *self, sip_call_t call); /* CANCEL or BYE */
void sip_agent_transfer(sip_agent_t *self, sip_call_t call, const char *number);

#endif
