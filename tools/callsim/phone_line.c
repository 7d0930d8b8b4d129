#include "tools/callsim/phone_line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/log.h"
#include "services/telephony/codec.h"

enum { REGISTER_S = 300, DTMF_PT = 101, DYNAMIC_PT = 97 };

/* ---- telling ---- */

static void copy_pl(char *out, size_t out_bytes, const struct pl *text)
{
    out[0] = '\0';
    if (pl_isset(text)) (void)pl_strcpy(text, out, out_bytes);
}

static void tell(const line_t *self, phone_event_kind_t kind, const struct sip_msg *msg, int err)
{
    phone_event_t event = {.kind = kind, .line = self->number};
    if (msg && !msg->req) {
        event.status = msg->scode;
        copy_pl(event.reason, sizeof event.reason, &msg->reason);
    } else if (msg) {
        copy_pl(event.reason, sizeof event.reason, &msg->met);
    } else if (err) {
        char why[64];
        (void)re_snprintf(event.reason, sizeof event.reason, "%s",
                          strerror_r(err, why, sizeof why));
    }
    if (msg) copy_pl(event.peer, sizeof event.peer, &msg->from.auri);
    event.remote = kind == PHONE_ENDED && (msg || err);
    self->stack->tell(self->stack->arg, &event);
}

/* ---- audio ---- */

static void add_format(struct sdp_media *media, const char *name, int *dynamic)
{
    const codec_info_t *info = NULL;
    for (int kind = 0; kind < CODEC_KINDS; kind++) {
        if (strcasecmp(codec_info((codec_kind_t)kind)->name, name) == 0) {
            info = codec_info((codec_kind_t)kind);
        }
    }
    if (!info) {
        log_warn("callsim.codec_unknown", "name=%s", name);
        return;
    }
    char id[16];
    snprintf(id, sizeof id, "%d", info->static_pt == 0xff ? (*dynamic)++ : info->static_pt);
    (void)sdp_format_add(NULL, media, false, id, info->name, info->rtp_hz, info->sdp_channels, NULL,
                         NULL, NULL, false, info->fmtp ? "%s" : NULL, info->fmtp);
}

static int make_sdp(line_t *self, uint16_t rtp_port)
{
    self->sdp = mem_deref(self->sdp);
    self->media = NULL;
    int err = sdp_session_alloc(&self->sdp, &self->stack->address);
    if (!err) err = sdp_media_add(&self->media, self->sdp, "audio", rtp_port, "RTP/AVP");
    if (err) return err;
    char codecs[sizeof self->codecs];
    snprintf(codecs, sizeof codecs, "%s", self->codecs);
    int dynamic = DYNAMIC_PT;
    char *rest = NULL;
    for (char *name = strtok_r(codecs, ", ", &rest); name; name = strtok_r(NULL, ", ", &rest)) {
        add_format(self->media, name, &dynamic);
    }
    char id[16];
    snprintf(id, sizeof id, "%d", DTMF_PT);
    err = sdp_format_add(NULL, self->media, false, id, "telephone-event", 8000, 1, NULL, NULL, NULL,
                         false, "0-15");
    (void)sdp_media_set_lattr(self->media, true, "ptime", "20");
    return err;
}

static bool take_codec(const struct sdp_media *media, phone_event_t *event)
{
    const struct le *le = NULL;
    for (le = list_head(sdp_media_format_lst(media, false)); le; le = le->next) {
        const struct sdp_format *format = le->data;
        const codec_info_t *info =
            format->sup && format->name ? codec_find(format->name, format->srate) : NULL;
        if (!info) continue;
        event->params.codec = info->kind;
        event->params.pt = (uint8_t)format->pt;
        snprintf(event->codec, sizeof event->codec, "%s/%u", info->name, info->rtp_hz);
        return true;
    }
    return false;
}

/* Tells where the other side wants its audio; PHONE_UP, or false when no codec is common. */
static bool tell_up(line_t *self, const struct sip_msg *msg)
{
    phone_event_t event = {.kind = PHONE_UP, .line = self->number};
    if (msg && !msg->req) event.status = msg->scode;
    if (!take_codec(self->media, &event)) return false;
    const struct sdp_format *keys = sdp_media_rformat(self->media, "telephone-event");
    if (keys) {
        event.params.dtmf_pt = (uint8_t)keys->pt;
        event.params.dtmf_hz = keys->srate;
    }
    struct sa rtcp;
    const struct sa *rtp = sdp_media_raddr(self->media);
    sdp_media_raddr_rtcp(self->media, &rtcp);
    memcpy(&event.params.remote, &rtp->u.sa, rtp->len);
    memcpy(&event.params.remote_rtcp, &rtcp.u.sa, rtcp.len);
    enum sdp_dir direction = sdp_media_dir(self->media);
    event.params.send = direction & SDP_SENDONLY;
    event.params.receive = direction & SDP_RECVONLY;
    self->stack->tell(self->stack->arg, &event);
    return true;
}

/* ---- the session's handlers ---- */

static void end_session(line_t *self)
{
    self->session = mem_deref(self->session);
    self->sdp = mem_deref(self->sdp);
    self->media = NULL;
    self->up = self->called = self->offered = false;
}

static int on_offer(struct mbuf **descp, const struct sip_msg *msg, void *arg)
{
    line_t *self = arg;
    if (mbuf_get_left(msg->mb)) {
        int err = sdp_decode(self->sdp, msg->mb, true);
        if (err) return err;
        if (!tell_up(self, NULL)) return EPROTO;
    }
    return sdp_encode(descp, self->sdp, !mbuf_get_left(msg->mb));
}

static int on_answer(const struct sip_msg *msg, void *arg)
{
    line_t *self = arg;
    int err = sdp_decode(self->sdp, msg->mb, false);
    if (err) return err;
    return self->up && !tell_up(self, msg) ? EPROTO : 0;
}

static void on_progress(const struct sip_msg *msg, void *arg)
{
    tell(arg, PHONE_PROGRESS, msg, 0);
}

static void on_established(const struct sip_msg *msg, void *arg)
{
    line_t *self = arg;
    self->up = true;
    if (tell_up(self, msg)) return;
    log_warn("callsim.no_codec", "line=%u", self->number);
    end_session(self);
    tell(self, PHONE_ENDED, NULL, EPROTO);
}

static void on_close(int err, const struct sip_msg *msg, void *arg)
{
    line_t *self = arg;
    bool up = self->up;
    end_session(self);
    if (msg || (err && err != ECONNRESET)) {
        tell(self, PHONE_ENDED, msg, err);
        return;
    }
    /* No message, and a reset or no error: the other side said BYE or CANCEL. */
    phone_event_t event = {.kind = PHONE_ENDED, .line = self->number, .remote = true};
    snprintf(event.reason, sizeof event.reason, "%s", up ? "BYE" : "CANCEL");
    self->stack->tell(self->stack->arg, &event);
}

static int on_auth(char **user, char **password, const char *realm, void *arg)
{
    (void)realm;
    line_t *self = arg;
    int err = str_dup(user, self->user);
    return err ? err : str_dup(password, self->password);
}

/* ---- what a line does ---- */

static void destroy(void *arg)
{
    line_t *self = arg;
    list_unlink(&self->le);
    mem_deref(self->session);
    mem_deref(self->sdp);
    mem_deref(self->registration);
}

line_t *line_alloc(phone_stack_t *stack, uint32_t number, const phone_line_t *opts)
{
    line_t *self = mem_zalloc(sizeof *self, destroy);
    if (!self) return NULL;
    self->stack = stack;
    self->number = number;
    snprintf(self->user, sizeof self->user, "%s", opts->user);
    snprintf(self->password, sizeof self->password, "%s", opts->password ? opts->password : "");
    snprintf(self->domain, sizeof self->domain, "%s", opts->domain);
    snprintf(self->codecs, sizeof self->codecs, "%s", opts->codecs);
    return self;
}

static void on_registered(int err, const struct sip_msg *msg, void *arg)
{
    bool ok = !err && msg && msg->scode >= 200 && msg->scode < 300;
    bool provisional = !err && msg && msg->scode < 200;
    if (!provisional) tell(arg, ok ? PHONE_REGISTERED : PHONE_REGISTER_FAILED, msg, err);
}

void line_register(line_t *self)
{
    char registrar[160];
    char address[256];
    snprintf(registrar, sizeof registrar, "sip:%s", self->domain);
    snprintf(address, sizeof address, "sip:%s@%s", self->user, self->domain);
    self->registration = mem_deref(self->registration);
    int err = sipreg_register(&self->registration, self->stack->sip, registrar, address, NULL,
                              address, REGISTER_S, self->user, NULL, 0, 0, on_auth, self, false,
                              on_registered, self, NULL, NULL);
    if (err) tell(self, PHONE_REGISTER_FAILED, NULL, err);
}

void line_call(line_t *self, const char *uri, uint16_t rtp_port)
{
    char from[256];
    snprintf(from, sizeof from, "sip:%s@%s", self->user, self->domain);
    struct mbuf *offer = NULL;
    int err = make_sdp(self, rtp_port);
    if (!err) err = sdp_encode(&offer, self->sdp, true);
    if (!err) {
        self->called = true;
        err = sipsess_connect(&self->session, self->stack->sessions, uri, NULL, from, self->user,
                              NULL, 0, "application/sdp", offer, on_auth, self, false, on_offer,
                              on_answer, on_progress, on_established, NULL, NULL, on_close, self,
                              NULL);
    }
    mem_deref(offer);
    if (!err) return;
    end_session(self);
    tell(self, PHONE_ENDED, NULL, err);
}

void line_invited(line_t *self, const struct sip_msg *msg)
{
    if (self->session) {
        (void)sip_treply(NULL, self->stack->sip, msg, 486, "Busy Here");
        return;
    }
    /* The port is not known yet; the description is made anew when the call is taken. */
    int err = make_sdp(self, 9);
    self->offered = mbuf_get_left(msg->mb) > 0;
    if (!err && self->offered) err = sdp_decode(self->sdp, msg->mb, true);
    if (!err) {
        err = sipsess_accept(&self->session, self->stack->sessions, msg, 180, "Ringing", self->user,
                             "application/sdp", NULL, on_auth, self, false, on_offer, on_answer,
                             on_established, NULL, NULL, on_close, self, NULL);
    }
    if (err) {
        log_warn("callsim.invite_refused", "line=%u err=%d", self->number, err);
        end_session(self);
        (void)sip_treply(NULL, self->stack->sip, msg, 488, "Not Acceptable Here");
        return;
    }
    tell(self, PHONE_RINGS, msg, 0);
}

void line_answer(line_t *self, uint16_t rtp_port)
{
    if (!self->session || self->called || self->up) return;
    struct mbuf *answer = NULL;
    sdp_media_set_lport(self->media, rtp_port);
    int err = sdp_encode(&answer, self->sdp, !self->offered);
    if (!err) err = sipsess_answer(self->session, 200, "OK", answer, NULL);
    mem_deref(answer);
    if (!err) return;
    end_session(self);
    tell(self, PHONE_ENDED, NULL, err);
}

void line_reject(line_t *self, uint16_t status, const char *reason)
{
    if (!self->session || self->called || self->up) return;
    (void)sipsess_reject(self->session, status, reason, NULL);
    end_session(self);
    phone_event_t event = {.kind = PHONE_ENDED, .line = self->number, .status = status};
    snprintf(event.reason, sizeof event.reason, "%s", reason);
    self->stack->tell(self->stack->arg, &event);
}

void line_hang_up(line_t *self)
{
    if (!self->session) return;
    if (!self->called && !self->up) {
        line_reject(self, 480, "Temporarily Unavailable");
        return;
    }
    end_session(self); /* sends BYE or CANCEL */
    tell(self, PHONE_ENDED, NULL, 0);
}
