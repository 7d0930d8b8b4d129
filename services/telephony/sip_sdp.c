#include "services/telephony/sip_sdp.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "services/telephony/libre.h"

enum {
    L16_PT = 96,
    OPUS_PT = 97,
    EVENT_8000_PT = 101,
    EVENT_16000_PT = 102,
    EVENT_48000_PT = 103,
    STATIC_PT_END = 96,
};

struct sip_sdp {
    sip_codecs_t codecs;
    struct sdp_session *session;
    struct sdp_media *media;
    bool agreed;
    rtp_params_t params;
};

/* ---- codecs of the configuration ---- */

static bool codec_by_name(const char *name, size_t bytes, codec_kind_t *out)
{
    for (int kind = 0; kind < CODEC_KINDS; kind++) {
        const char *known = codec_info((codec_kind_t)kind)->name;
        if (strlen(known) == bytes && strncasecmp(known, name, bytes) == 0) {
            *out = (codec_kind_t)kind;
            return true;
        }
    }
    return false;
}

pl_err_t sip_codecs_parse(const char *list, sip_codecs_t *out)
{
    sip_codecs_t found = {.count = 0};
    while (*list != '\0') {
        size_t bytes = strcspn(list, ", ");
        if (bytes > 0) {
            codec_kind_t kind;
            if (!codec_by_name(list, bytes, &kind)) return PL_INVALID;
            for (size_t i = 0; i < found.count; i++) {
                if (found.kinds[i] == kind) return PL_INVALID;
            }
            found.kinds[found.count++] = kind;
        }
        list += bytes;
        list += strspn(list, ", ");
    }
    if (found.count == 0) return PL_INVALID;
    *out = found;
    return PL_OK;
}

/* ---- local description ---- */

/* data of a format is its codec's info; telephone events have none. */
static int add_format(struct sdp_media *media, const codec_info_t *info)
{
    char pt[4];
    unsigned number = info->kind == CODEC_OPUS ? OPUS_PT : L16_PT;
    if (info->static_pt < STATIC_PT_END) number = info->static_pt;
    if (re_snprintf(pt, sizeof(pt), "%u", number) < 0) return EINVAL;
    if (!info->fmtp) {
        return sdp_format_add(NULL, media, false, pt, info->name, info->rtp_hz, info->sdp_channels,
                              NULL, NULL, (void *)info, false, NULL);
    }
    return sdp_format_add(NULL, media, false, pt, info->name, info->rtp_hz, info->sdp_channels,
                          NULL, NULL, (void *)info, false, "%s", info->fmtp);
}

static int add_event(struct sdp_media *media, unsigned pt, uint32_t clock_hz)
{
    char text[4];
    if (re_snprintf(text, sizeof(text), "%u", pt) < 0) return EINVAL;
    return sdp_format_add(NULL, media, false, text, "telephone-event", clock_hz, 1, NULL, NULL,
                          NULL, false, "0-15");
}

static bool wants_clock(const sip_codecs_t *codecs, uint32_t rtp_hz)
{
    for (size_t i = 0; i < codecs->count; i++) {
        if (codec_info(codecs->kinds[i])->rtp_hz == rtp_hz) return true;
    }
    return false;
}

sip_sdp_t *sip_sdp_new(const sip_codecs_t *codecs, const struct sa *local, uint16_t port)
{
    sip_sdp_t *self = calloc(1, sizeof(*self));
    if (!self) abort();
    self->codecs = *codecs;
    int err = sdp_session_alloc(&self->session, local);
    err |= sdp_media_add(&self->media, self->session, sdp_media_audio, port, sdp_proto_rtpavp);
    for (size_t i = 0; i < codecs->count; i++) {
        err |= add_format(self->media, codec_info(codecs->kinds[i]));
    }
    err |= add_event(self->media, EVENT_8000_PT, 8000);
    if (wants_clock(codecs, 16000)) err |= add_event(self->media, EVENT_16000_PT, 16000);
    if (wants_clock(codecs, 48000)) err |= add_event(self->media, EVENT_48000_PT, 48000);
    err |= sdp_media_set_lattr(self->media, true, "ptime", "20");
    err |= sdp_media_set_lattr(self->media, true, "maxptime", "20");
    if (err) abort(); /* only out of memory */
    return self;
}

void sip_sdp_destroy(sip_sdp_t **self_p)
{
    sip_sdp_t *self = *self_p;
    if (!self) return;
    mem_deref(self->session); /* frees its media lines */
    free(self);
    *self_p = NULL;
}

/* ---- agreement ---- */

/* First supported format of the peer's list that carries info, or any codec when info is NULL. */
static const struct sdp_format *find_codec(const struct sdp_media *media, const codec_info_t *info)
{
    const struct list *formats = sdp_media_format_lst(media, false);
    for (const struct le *le = formats->head; le; le = le->next) {
        const struct sdp_format *format = le->data;
        if (!format->sup || !format->data) continue;
        if (!info || format->data == info) return format;
    }
    return NULL;
}

static const struct sdp_format *find_event(const struct sdp_media *media, uint32_t clock_hz)
{
    const struct sdp_format *other = NULL;
    const struct list *formats = sdp_media_format_lst(media, false);
    for (const struct le *le = formats->head; le; le = le->next) {
        const struct sdp_format *format = le->data;
        if (!format->sup || format->data) continue;
        if (format->srate == clock_hz) return format;
        other = format;
    }
    return other;
}

/* Leaves only these two in what our answer lists. */
static void restrict_to(struct sdp_media *media, const struct sdp_format *codec,
                        const struct sdp_format *event)
{
    const struct list *formats = sdp_media_format_lst(media, true);
    for (const struct le *le = formats->head; le; le = le->next) {
        struct sdp_format *format = le->data;
        bool chosen =
            strcmp(format->id, codec->id) == 0 || (event && strcmp(format->id, event->id) == 0);
        format->sup = format->sup && chosen;
    }
}

static const struct sdp_format *choose(const sip_sdp_t *self, bool by_our_order)
{
    if (!by_our_order) return find_codec(self->media, NULL);
    for (size_t i = 0; i < self->codecs.count; i++) {
        const struct sdp_format *format =
            find_codec(self->media, codec_info(self->codecs.kinds[i]));
        if (format) return format;
    }
    return NULL;
}

static bool pt_valid(const struct sdp_format *format)
{
    return format->pt >= 0 && format->pt <= 127 && strlen(format->id) <= 3;
}

static void take_address(struct sockaddr_storage *out, const struct sa *address)
{
    memset(out, 0, sizeof(*out));
    memcpy(out, &address->u, address->len <= sizeof(address->u) ? address->len : 0);
}

static pl_err_t agree(sip_sdp_t *self, bool by_our_order)
{
    const struct sa *remote = sdp_media_raddr(self->media);
    if (!sa_isset(remote, SA_PORT)) return PL_UNSUPPORTED;
    const struct sdp_format *codec = choose(self, by_our_order);
    if (!codec || !pt_valid(codec)) return PL_UNSUPPORTED;
    const codec_info_t *info = codec->data;
    const struct sdp_format *event = find_event(self->media, info->rtp_hz);
    if (event && !pt_valid(event)) event = NULL;
    restrict_to(self->media, codec, event);

    /* c=0.0.0.0 is how RFC 2543 put a call on hold */
    bool held = !sa_isset(remote, SA_ADDR);
    if (held && !self->agreed) return PL_INVALID;
    rtp_params_t params = self->params;
    params.codec = info->kind;
    params.pt = (uint8_t)codec->pt;
    params.dtmf_pt = event ? (uint8_t)event->pt : 0;
    params.dtmf_hz = event ? event->srate : 0;
    enum sdp_dir direction = sdp_media_dir(self->media);
    params.send = !held && (direction & SDP_SENDONLY) != 0;
    params.receive = (direction & SDP_RECVONLY) != 0;
    if (!held) {
        struct sa rtcp;
        sdp_media_raddr_rtcp(self->media, &rtcp);
        take_address(&params.remote, remote);
        take_address(&params.remote_rtcp, &rtcp);
    }
    self->params = params;
    self->agreed = true;
    return PL_OK;
}

static pl_err_t encode(sip_sdp_t *self, bool offer, struct mbuf **out)
{
    return sdp_encode(out, self->session, offer) ? PL_INTERNAL : PL_OK;
}

/* What was agreed on before narrowed the list: another phone may be there now. */
static void allow_all(struct sdp_media *media)
{
    const struct list *formats = sdp_media_format_lst(media, true);
    for (const struct le *le = formats->head; le; le = le->next) {
        struct sdp_format *format = le->data;
        format->sup = true;
    }
}

pl_err_t sip_sdp_offer(sip_sdp_t *self, struct mbuf **out)
{
    allow_all(self->media);
    return encode(self, true, out);
}

pl_err_t sip_sdp_offered(sip_sdp_t *self, struct mbuf *offer)
{
    if (sdp_decode(self->session, offer, true)) return PL_INVALID;
    return agree(self, true);
}

void sip_sdp_set_port(sip_sdp_t *self, uint16_t port)
{
    sdp_media_set_lport(self->media, port);
}

pl_err_t sip_sdp_answer_offered(sip_sdp_t *self, struct mbuf **out)
{
    return encode(self, false, out);
}

pl_err_t sip_sdp_answer(sip_sdp_t *self, struct mbuf *offer, struct mbuf **out)
{
    pl_err_t err = sip_sdp_offered(self, offer);
    return err ? err : encode(self, false, out);
}

pl_err_t sip_sdp_answered(sip_sdp_t *self, struct mbuf *answer)
{
    if (sdp_decode(self->session, answer, false)) return PL_INVALID;
    return agree(self, false);
}

bool sip_sdp_agreed(const sip_sdp_t *self, rtp_params_t *out)
{
    if (!self->agreed) return false;
    *out = self->params;
    return true;
}
