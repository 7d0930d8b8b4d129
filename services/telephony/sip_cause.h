/* sip_cause.h - what a SIP outcome means for a leg, and back.
 *
 * Threads: none of its own. Source: RFC 3261 section 21.
 */
#ifndef PL_TELEPHONY_SIP_CAUSE_H
#define PL_TELEPHONY_SIP_CAUSE_H

#include "call.pb-c.h"
#include "common/err.h"

/* The end of a leg whose INVITE was answered with this final status (300 and above). */
Pl__LegEnd sip_cause_end(unsigned status);

typedef struct {
    unsigned status;
    const char *reason;
    unsigned retry_after_s; /* 0: none */
} sip_refusal_t;

/* How to refuse an INVITE when dialogue, or we, did not take the call because of err. */
sip_refusal_t sip_cause_refusal(pl_err_t err);

#endif
