/* phone.h - SIP phones for many callers on one user agent of libre, which has its own thread.
 *
 * A phone is named by its line, a number drawn by the caller of this header. A line registers, rings
 * others and is rung; it has one session at a time, and refuses a second call with 486 itself. What
 * happens is told through the sink. Media is not here: it says where to send RTP and how.
 *
 * Threads: call everything from the loop's thread; the sink runs there too. libre runs on a thread
 * of its own that only this file and phone_line.c touch.
 * Sources: RFC 3261 (SIP), RFC 3264 (offer and answer), RFC 4733 (telephone-event).
 */
#ifndef CALLSIM_PHONE_H
#define CALLSIM_PHONE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/loop.h"
#include "services/telephony/rtp_leg.h"

typedef struct phone phone_t;

typedef enum {
    PHONE_REGISTERED,      /* status 200 */
    PHONE_REGISTER_FAILED, /* status and reason */
    PHONE_RINGS,           /* somebody calls this line: peer; accept or reject it */
    PHONE_PROGRESS,        /* of a call made: status 100 to 199 */
    PHONE_UP,              /* both ways: the audio is in params. Again after a re-INVITE */
    PHONE_ENDED,           /* the session is over, also after hang_up: status, reason, remote */
} phone_event_kind_t;

typedef struct {
    phone_event_kind_t kind;
    uint32_t line;
    uint16_t status; /* SIP's; 0: none */
    bool remote;     /* the other side ended it (BYE, CANCEL or a refusal) */
    char reason[64];
    char peer[128]; /* URI of the other side */
    char codec[32]; /* "G722/8000" */
    rtp_params_t params;
} phone_event_t;

typedef void phone_sink_fn(void *arg, const phone_event_t *event);

/* listen: "ADDRESS:PORT", port 0: any. PL_UNAVAILABLE: cannot be bound; has said why on the log. */
pl_err_t phone_new(phone_t **out, pl_loop_t *loop, const char *listen, phone_sink_fn *sink,
                   void *arg);
/* Ends all sessions and registrations, waits at most 2 s; no event comes after it. */
void phone_destroy(phone_t **self_p);

/* The address libre is bound to. */
void phone_address(const phone_t *self, struct sockaddr_storage *out);

typedef struct {
    const char *user;     /* user part: "+11234567890" */
    const char *password; /* "" or NULL: none */
    const char *domain;   /* "127.0.0.1:5060": the registrar, or the callee's host */
    const char *codecs;   /* "G722,PCMU": the best first */
} phone_line_t;

/* Makes the line known; copies. */
void phone_line(phone_t *self, uint32_t line, const phone_line_t *opts);
void phone_register(phone_t *self, uint32_t line); /* kept up until destroy */
/* Rings uri ("sip:parley@127.0.0.1:5060"); audio is wanted on rtp_port. */
void phone_call(phone_t *self, uint32_t line, const char *uri, uint16_t rtp_port);
void phone_answer(phone_t *self, uint32_t line, uint16_t rtp_port);
void phone_reject(phone_t *self, uint32_t line, uint16_t status, const char *reason);
void phone_hang_up(phone_t *self, uint32_t line); /* BYE, CANCEL, or 480 while ringing */

#endif
