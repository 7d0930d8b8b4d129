#include "services/telephony/sip_session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/telephony/dtmf_info.h"
#include "services/telephony/identity.h"
#include "services/telephony/sip_cause.h"

struct sip_session {
    struct le le; /* in stack->calls */
    sip_stack_t *stack;
    sip_call_t id;
    struct sipsess *sess;
    struct sipsub *refer;
    sip_sdp_t *sdp;
    char contact[SIP_URI_BYTES];
    bool inbound;
    bool offered;     /* the INVITE brought an offer, decoded already */
    bool established; /* 2xx and ACK */
    bool transferred; /* the transfer's outcome was told */
};

static const char extra_headers[] = "Allow: " SIP_ALLOW "\r\n";
static const char sdp_type[] = "application/sdp";

/* ---- events ---- */

static sip_event_t event_of(const sip_session_t *self, sip_event_kind_t kind)
{
    return (sip_event_t){.kind = kind, .call = self->id};
}

static void emit(const sip_session_t *self, const sip_event_t *event)
{
    self->stack->emit(self->stack->emit_arg, event);
}

static void emit_media(const sip_session_t *self)
{
    sip_event_t event = event_of(self, SIP_MEDIA);
    if (sip_sdp_agreed(self->sdp, &event.params)) emit(self, &event);
}

static void emit_ended(const sip_session_t *self, Pl__LegEnd end, const char *text)
{
    sip_event_t event = event_of(self, SIP_ENDED);
    event.end = end;
    snprintf(event.text, sizeof(event.text), "%s", text);
    emit(self, &event);
}

static void emit_transferred(sip_session_t *self, bool ok, const char *text)
{
    if (self->transferred) return;
    self->transferred = true;
    sip_event_t event = event_of(self, SIP_TRANSFERRED);
    event.ok = ok;
    snprintf(event.text, sizeof(event.text), "%s", text);
    emit(self, &event);
}

/* ---- life ---- */

static sip_session_t *session_new(sip_stack_t *stack, sip_call_t id, const struct sa *peer,
                                  enum sip_transp transport, uint16_t rtp_port)
{
    sip_session_t *self = calloc(1, sizeof(*self));
    if (!self) abort();
    self->stack = stack;
    self->id = id;
    struct sa local, media;
    sip_stack_local(stack, peer, &local);
    media = sa_isset(&stack->rtp_advertise, SA_ADDR) ? stack->rtp_advertise : local;
    sa_set_port(&media, 0);
    self->sdp = sip_sdp_new(&stack->codecs, &media, rtp_port);
    (void)re_snprintf(self->contact, sizeof(self->contact), "sip:%s@%J%s",
                      pl_config_str(stack->cfg, "telephony.sip.from_user"), &local,
                      sip_transp_param(transport));
    hash_append(stack->calls, (uint32_t)id, &self->le, self);
    return self;
}

/* libre goes on by itself with what is left to be said: CANCEL, BYE, a last ACK. */
static void session_free(sip_session_t *self)
{
    hash_unlink(&self->le);
    self->refer = mem_deref(self->refer);
    self->sess = mem_deref(self->sess);
    sip_sdp_destroy(&self->sdp);
    free(self);
}

static bool has_id(struct le *le, void *arg)
{
    const sip_session_t *session = le->data;
    return session->id == *(const sip_call_t *)arg;
}

sip_session_t *sip_session_find(sip_stack_t *stack, sip_call_t call)
{
    return list_ledata(hash_lookup(stack->calls, (uint32_t)call, has_id, &call));
}

static bool hang_up_each(struct le *le, void *arg)
{
    (void)arg;
    session_free(le->data);
    return false;
}

void sip_session_hangup_all(sip_stack_t *stack)
{
    (void)hash_apply(stack->calls, hang_up_each, NULL);
}

/* ---- what libre tells of a call ---- */

/* The peer offers anew (re-INVITE), or asks us to offer. */
static int on_offer(struct mbuf **out, const struct sip_msg *msg, void *arg)
{
    sip_session_t *self = arg;
    bool has_body = mbuf_get_left(msg->mb) > 0;
    pl_err_t err =
        has_body ? sip_sdp_answer(self->sdp, msg->mb, out) : sip_sdp_offer(self->sdp, out);
    if (err) return err == PL_INVALID ? EBADMSG : ENOTSUP;
    if (has_body) emit_media(self);
    return 0;
}

static int on_answer(const struct sip_msg *msg, void *arg)
{
    sip_session_t *self = arg;
    pl_err_t err = sip_sdp_answered(self->sdp, msg->mb);
    if (err) return err == PL_INVALID ? EBADMSG : ENOTSUP;
    emit_media(self);
    return 0;
}

static void on_progress(const struct sip_msg *msg, void *arg)
{
    enum { RINGING = 180 };
    if (msg->scode < RINGING) return;
    sip_event_t event = event_of(arg, SIP_RINGING);
    event.status = msg->scode;
    emit(arg, &event);
}

static void on_established(const struct sip_msg *msg, void *arg)
{
    (void)msg;
    sip_session_t *self = arg;
    self->established = true;
    sip_event_t event = event_of(self, SIP_CONNECTED);
    emit(self, &event);
}

/* Keys; without a body it only asks whether we are there (RFC 2976). */
static void on_info(struct sip *sip, const struct sip_msg *msg, void *arg)
{
    const char *body = (const char *)mbuf_buf(msg->mb);
    size_t bytes = mbuf_get_left(msg->mb);
    bool keys = msg_ctype_cmp(&msg->ctyp, "application", "dtmf-relay") ||
                msg_ctype_cmp(&msg->ctyp, "application", "dtmf");
    dtmf_info_t key = {0};
    if (bytes > 0 && !keys) {
        (void)sip_treplyf(NULL, NULL, sip, msg, false, 415, "Unsupported Media Type",
                          "Accept: application/dtmf-relay, application/dtmf\r\n"
                          "Content-Length: 0\r\n\r\n");
        return;
    }
    if (bytes > 0 && !dtmf_info_parse(body, bytes, &key)) {
        (void)sip_treply(NULL, sip, msg, 400, "Bad Signal");
        return;
    }
    (void)sip_treply(NULL, sip, msg, 200, "OK");
    if (bytes == 0) return;
    sip_event_t event = event_of(arg, SIP_DTMF);
    event.digit = key.digit;
    event.duration_ms = key.duration_ms;
    emit(arg, &event);
}

/* Where a call goes is the bot's to say. */
static void on_refer(struct sip *sip, const struct sip_msg *msg, void *arg)
{
    (void)arg;
    (void)sip_treplyf(NULL, NULL, sip, msg, false, 405, "Method Not Allowed",
                      "Allow: " SIP_ALLOW "\r\nContent-Length: 0\r\n\r\n");
}

static void on_close(int err, const struct sip_msg *msg, void *arg)
{
    sip_session_t *self = arg;
    char text[SIP_TEXT_BYTES];
    if (msg) {
        (void)re_snprintf(text, sizeof(text), "%u %r", msg->scode, &msg->reason);
        emit_ended(self, sip_cause_end(msg->scode), text);
    } else if (err == ECONNRESET && self->established) {
        emit_ended(self, PL__LEG_END__LEG_BYE_REMOTE, "BYE");
    } else if (err == ECONNRESET && self->inbound) {
        emit_ended(self, PL__LEG_END__LEG_CANCELLED, "CANCEL");
    } else if (err == ETIMEDOUT && self->inbound) {
        emit_ended(self, PL__LEG_END__LEG_FAILED, "our 200 was never acknowledged");
    } else if (err == EBADMSG || err == ENOTSUP || err == EPROTO) {
        emit_ended(self, PL__LEG_END__LEG_FAILED, "no audio could be agreed on");
    } else {
        (void)re_snprintf(text, sizeof(text), "%m", err);
        emit_ended(self, PL__LEG_END__LEG_UNREACHABLE, text);
    }
    session_free(self);
}

/* ---- calls in ---- */

static void caller_of(const struct sip_msg *msg, char out[IDENTITY_BYTES])
{
    const struct sip_hdr *asserted = sip_msg_hdr(msg, SIP_HDR_P_ASSERTED_IDENTITY);
    if (asserted && identity_from_header(asserted->val.p, asserted->val.l, out)) return;
    const struct pl *user = &msg->from.uri.user;
    if (pl_isset(user) && identity_from_user(user->p, user->l, out)) return;
    snprintf(out, IDENTITY_BYTES, "anonymous");
}

/* A call that cannot be, before anybody is bothered with it. Returns true when it was refused. */
static bool refused_at_once(sip_stack_t *stack, const struct sip_msg *msg)
{
    const struct sip_hdr *required = sip_msg_hdr(msg, SIP_HDR_REQUIRE);
    if (required) {
        (void)sip_treplyf(NULL, NULL, stack->sip, msg, false, 420, "Bad Extension",
                          "Unsupported: %r\r\nContent-Length: 0\r\n\r\n", &required->val);
        return true;
    }
    if (mbuf_get_left(msg->mb) > 0 && !msg_ctype_cmp(&msg->ctyp, "application", "sdp")) {
        (void)sip_treplyf(NULL, NULL, stack->sip, msg, false, 415, "Unsupported Media Type",
                          "Accept: application/sdp\r\nContent-Length: 0\r\n\r\n");
        return true;
    }
    if (!atomic_load(&stack->accepting)) {
        const sip_refusal_t full = sip_cause_refusal(PL_BUSY);
        (void)sip_treplyf(NULL, NULL, stack->sip, msg, false, (uint16_t)full.status, full.reason,
                          "Retry-After: %u\r\nContent-Length: 0\r\n\r\n", full.retry_after_s);
        return true;
    }
    return false;
}

void sip_session_incoming(const struct sip_msg *msg, void *arg)
{
    sip_stack_t *stack = arg;
    if (refused_at_once(stack, msg)) return;
    sip_call_t id = atomic_fetch_add(&stack->next_call, 1);
    sip_session_t *self = session_new(stack, id, &msg->src, msg->tp, 0);
    self->inbound = true;
    self->offered = mbuf_get_left(msg->mb) > 0;
    if (self->offered && sip_sdp_offered(self->sdp, msg->mb)) {
        (void)sip_treply(NULL, stack->sip, msg, 488, "Not Acceptable Here");
        session_free(self);
        return;
    }
    (void)sip_reply(stack->sip, msg, 100, "Trying");
    int err = sipsess_accept(&self->sess, stack->sessions, msg, 180, "Ringing", self->contact,
                             sdp_type, NULL, NULL, NULL, false, on_offer, on_answer, on_established,
                             on_info, on_refer, on_close, self, "%s", extra_headers);
    if (err) {
        (void)sip_treply(NULL, stack->sip, msg, 400, "Bad Request");
        session_free(self);
        return;
    }
    sip_event_t event = event_of(self, SIP_INCOMING);
    caller_of(msg, event.from);
    (void)re_snprintf(event.to, sizeof(event.to), "%r", &msg->uri.user);
    emit(self, &event);
}

void sip_session_answer(sip_session_t *self, uint16_t rtp_port)
{
    struct mbuf *description = NULL;
    sip_sdp_set_port(self->sdp, rtp_port);
    pl_err_t err = self->offered ? sip_sdp_answer_offered(self->sdp, &description)
                                 : sip_sdp_offer(self->sdp, &description);
    if (!err && sipsess_answer(self->sess, 200, "OK", description, "%s", extra_headers)) {
        err = PL_UNAVAILABLE;
    }
    mem_deref(description);
    if (!err) {
        if (self->offered) emit_media(self);
        return;
    }
    emit_ended(self, PL__LEG_END__LEG_FAILED, "the answer could not be sent");
    session_free(self);
}

void sip_session_refuse(sip_session_t *self, const sip_refusal_t *refusal)
{
    const char *format = refusal->retry_after_s ? "Retry-After: %u\r\nContent-Length: 0\r\n\r\n"
                                                : "Content-Length: 0\r\n\r\n";
    (void)sipsess_reject(self->sess, (uint16_t)refusal->status, refusal->reason, format,
                         refusal->retry_after_s);
    session_free(self);
}

void sip_session_hangup(sip_session_t *self)
{
    session_free(self);
}

/* ---- calls out ---- */

/* A display name goes between quotes into a header. */
static void clean_name(const char *name, char out[SIP_TEXT_BYTES])
{
    size_t used = 0;
    for (; *name != '\0' && used + 1 < SIP_TEXT_BYTES; name++) {
        if ((unsigned char)*name >= ' ' && *name != 127 && !strchr("\"\\", *name)) {
            out[used++] = *name;
        }
    }
    out[used] = '\0';
}

static void emit_dialled(const sip_stack_t *stack, sip_call_t call, pl_err_t err, const char *text)
{
    sip_event_t event = {.kind = SIP_DIALLED, .call = call, .err = err};
    snprintf(event.text, sizeof(event.text), "%s", text);
    stack->emit(stack->emit_arg, &event);
}

static enum sip_transp transport_of(const struct uri *uri)
{
    struct pl name;
    bool tcp =
        msg_param_decode(&uri->params, "transport", &name) == 0 && pl_strcasecmp(&name, "tcp") == 0;
    return tcp ? SIP_TRANSP_TCP : SIP_TRANSP_UDP;
}

static int connect_session(sip_session_t *self, const char *uri, const char *from_name)
{
    struct mbuf *offer = NULL;
    if (sip_sdp_offer(self->sdp, &offer)) return ENOMEM;
    char name[SIP_TEXT_BYTES];
    clean_name(from_name, name);
    int err =
        sipsess_connect(&self->sess, self->stack->sessions, uri, name[0] ? name : NULL,
                        self->contact, self->contact, NULL, 0, sdp_type, offer, sip_stack_auth,
                        self->stack, false, on_offer, on_answer, on_progress, on_established,
                        on_info, on_refer, on_close, self, "%s", extra_headers);
    mem_deref(offer);
    return err;
}

void sip_session_dial(sip_stack_t *stack, sip_call_t call, const char *number,
                      const char *from_name, uint16_t rtp_port)
{
    char uri[SIP_URI_BYTES];
    if (sip_stack_route(stack, number, uri)) {
        emit_dialled(stack, call, PL_NOT_FOUND,
                     "no phone is registered with that number and telephony.sip.trunk.uri is not "
                     "set");
        return;
    }
    struct pl text;
    struct uri parts;
    struct sa peer;
    pl_set_str(&text, uri);
    if (uri_decode(&parts, &text)) {
        emit_dialled(stack, call, PL_INVALID, "the address to ring is not a SIP URI");
        return;
    }
    bool known = sa_set(&peer, &parts.host, parts.port ? parts.port : SIP_PORT) == 0;
    if (!known) sa_set_str(&peer, "192.0.2.1", SIP_PORT); /* a name: what our default route has */
    sip_session_t *self = session_new(stack, call, &peer, transport_of(&parts), rtp_port);
    int err = connect_session(self, uri, from_name);
    if (err) {
        char why[SIP_TEXT_BYTES];
        (void)re_snprintf(why, sizeof(why), "the INVITE could not be sent: %m", err);
        emit_dialled(stack, call, PL_UNAVAILABLE, why);
        session_free(self);
        return;
    }
    emit_dialled(stack, call, PL_OK, "");
}

/* ---- transfer ---- */

/* The transfer's progress as a message/sipfrag: "SIP/2.0 200 OK". */
static void on_notify(struct sip *sip, const struct sip_msg *msg, void *arg)
{
    sip_session_t *self = arg;
    struct pl status, reason;
    (void)sip_treply(NULL, sip, msg, 200, "OK");
    if (re_regex((const char *)mbuf_buf(msg->mb), mbuf_get_left(msg->mb), "SIP/2.0 [0-9]+ [^\r\n]*",
                 &status, &reason)) {
        return;
    }
    uint32_t code = pl_u32(&status);
    if (code < 200) return;
    char text[SIP_TEXT_BYTES];
    (void)re_snprintf(text, sizeof(text), "%u %r", code, &reason);
    emit_transferred(self, code < 300, text);
}

static void on_refer_closed(int err, const struct sip_msg *msg,
                            const struct sipevent_substate *state, void *arg)
{
    (void)state;
    sip_session_t *self = arg;
    char text[SIP_TEXT_BYTES];
    if (msg && msg->scode >= 300) {
        (void)re_snprintf(text, sizeof(text), "%u %r", msg->scode, &msg->reason);
    } else if (err) {
        (void)re_snprintf(text, sizeof(text), "%m", err);
    } else {
        snprintf(text, sizeof(text), "the other side ended it without an outcome");
    }
    emit_transferred(self, false, text);
    self->refer = mem_deref(self->refer);
}

void sip_session_transfer(sip_session_t *self, const char *number)
{
    char uri[SIP_URI_BYTES];
    self->transferred = false;
    self->refer = mem_deref(self->refer);
    if (sip_stack_route(self->stack, number, uri)) {
        emit_transferred(self, false,
                         "no phone is registered with that number and telephony.sip.trunk.uri is "
                         "not set");
        return;
    }
    int err = sipevent_drefer(&self->refer, self->stack->events, sipsess_dialog(self->sess),
                              self->contact, sip_stack_auth, self->stack, false, on_notify,
                              on_refer_closed, self, "Refer-To: <%s>\r\nReferred-By: <%s>\r\n", uri,
                              self->contact);
    if (err) emit_transferred(self, false, "the REFER could not be sent");
}
