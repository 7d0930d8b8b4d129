/* sip_sdp.h - what a SIP leg's two ends agree on: codec, addresses, direction.
 *
 * As answerer we choose one codec, by our own order of preference (wideband first), so that both
 * ends know what to expect; as offerer we take the first codec of the answer. Telephone events
 * follow the chosen codec's clock where the peer offers that.
 *
 * Threads: the SIP thread (libre's memory is not shared between threads).
 * Sources: RFC 3264 (offer/answer), RFC 8866 (SDP), RFC 3551 (static types), RFC 4733.
 */
#ifndef PL_TELEPHONY_SIP_SDP_H
#define PL_TELEPHONY_SIP_SDP_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "services/telephony/rtp_leg.h"

struct mbuf;
struct sa;

typedef struct {
    codec_kind_t kinds[CODEC_KINDS]; /* the best first */
    size_t count;
} sip_codecs_t;

/* "G722,L16,PCMU": PL_INVALID for an unknown or repeated name, or none at all. */
pl_err_t sip_codecs_parse(const char *list, sip_codecs_t *out);

typedef struct sip_sdp sip_sdp_t;

/* local is the address told to the peer, port its RTP port. Never NULL. */
sip_sdp_t *sip_sdp_new(const sip_codecs_t *codecs, const struct sa *local, uint16_t port);
void sip_sdp_destroy(sip_sdp_t **self_p);

/* A description of ours to be sent first. The caller derefs *out. */
pl_err_t sip_sdp_offer(sip_sdp_t *self, struct mbuf **out);
/* The peer's offer, and our answer to it. PL_INVALID: malformed. PL_UNSUPPORTED: no audio stream
 * or no codec in common (488). */
pl_err_t sip_sdp_answer(sip_sdp_t *self, struct mbuf *offer, struct mbuf **out);
/* The same in two steps, for a call that is answered later; the port may be set between them. */
pl_err_t sip_sdp_offered(sip_sdp_t *self, struct mbuf *offer);
void sip_sdp_set_port(sip_sdp_t *self, uint16_t port);
pl_err_t sip_sdp_answer_offered(sip_sdp_t *self, struct mbuf **out);
/* The peer's answer to our offer. Same errors. */
pl_err_t sip_sdp_answered(sip_sdp_t *self, struct mbuf *answer);

/* What was agreed; false before that. Fills codec, types, addresses and direction only. */
bool sip_sdp_agreed(const sip_sdp_t *self, rtp_params_t *out);

#endif
