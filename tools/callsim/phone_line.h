/* phone_line.h - one line of a phone: its registration and its session. Private to phone.c.
 *
 * Threads: libre's.
 */
#ifndef CALLSIM_PHONE_LINE_H
#define CALLSIM_PHONE_LINE_H

#include "services/telephony/libre.h"

#include "tools/callsim/phone.h"

/* Owned by phone.c. */
typedef struct {
    struct sip *sip;
    struct sipsess_sock *sessions;
    struct sa address;                                   /* told in SDP and Contact */
    void (*tell)(void *arg, const phone_event_t *event); /* copies */
    void *arg;
} phone_stack_t;

typedef struct {
    struct le le; /* in the phone's list */
    phone_stack_t *stack;
    uint32_t number;
    char user[64], password[64], domain[128], codecs[64];
    struct sipreg *registration;
    struct sipsess *session;
    struct sdp_session *sdp;
    struct sdp_media *media; /* owned by sdp */
    bool called, up, offered;
} line_t;

/* A libre object; free with mem_deref, which also ends session and registration. */
line_t *line_alloc(phone_stack_t *stack, uint32_t number, const phone_line_t *opts);

void line_register(line_t *self);
void line_call(line_t *self, const char *uri, uint16_t rtp_port);
void line_answer(line_t *self, uint16_t rtp_port);
void line_reject(line_t *self, uint16_t status, const char *reason);
void line_hang_up(line_t *self);
/* An INVITE for this line: rings, or refuses it when the line is busy. */
void line_invited(line_t *self, const struct sip_msg *msg);

#endif
