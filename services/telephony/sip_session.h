/* sip_session.h - one SIP call on the SIP thread. Inside the SIP agent only. */
#ifndef PL_TELEPHONY_SIP_SESSION_H
#define PL_TELEPHONY_SIP_SESSION_H

#include "services/telephony/sip_stack.h"

typedef struct sip_session sip_session_t;

void sip_session_incoming(const struct sip_msg *msg, void *stack); /* libre's sipsess_conn_h */
void sip_session_dial(sip_stack_t *stack, sip_call_t call, const char *number,
                      const char *from_name, uint16_t rtp_port);
sip_session_t *sip_session_find(sip_stack_t *stack, sip_call_t call);
void sip_session_answer(sip_session_t *self, uint16_t rtp_port);
void sip_session_refuse(sip_session_t *self, const sip_refusal_t *refusal);
void sip_session_hangup(sip_session_t *self);
void sip_session_transfer(sip_session_t *self, const char *number);
void sip_session_hangup_all(sip_stack_t *stack);

#endif
