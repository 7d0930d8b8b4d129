/* sip_registrar.h - REGISTER requests: who may, and what is answered. SIP thread only.
 *
 * With telephony.sip.registrar.users[] each request needs a digest (RFC 2617, MD5) of the user
 * whose number is registered; with none, only loopback and private addresses may register.
 */
#ifndef PL_TELEPHONY_SIP_REGISTRAR_H
#define PL_TELEPHONY_SIP_REGISTRAR_H

#include "services/telephony/sip_stack.h"

sip_registrar_t *sip_registrar_new(sip_stack_t *stack); /* never NULL */
void sip_registrar_destroy(sip_registrar_t **self_p);
void sip_registrar_handle(sip_registrar_t *self, const struct sip_msg *msg); /* answers it */

#endif
