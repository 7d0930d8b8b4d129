#include "services/telephony/sip_registrar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "services/telephony/identity.h"

enum { NONCE_LIFE_S = 300, NONCE_TIME_CHARS = 16, SECRET_WORDS = 4 };

struct sip_registrar {
    sip_stack_t *stack;
    uint64_t secret[SECRET_WORDS]; /* makes our nonces; new at each start */
};

sip_registrar_t *sip_registrar_new(sip_stack_t *stack)
{
    sip_registrar_t *self = calloc(1, sizeof(*self));
    if (!self) abort();
    self->stack = stack;
    for (size_t i = 0; i < SECRET_WORDS; i++) self->secret[i] = rand_u64();
    return self;
}

void sip_registrar_destroy(sip_registrar_t **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

/* ---- who may ---- */

static bool is_private(const struct sa *address)
{
    if (sa_is_loopback(address)) return true;
    if (sa_af(address) == AF_INET6) {
        uint8_t bytes[16];
        sa_in6(address, bytes);
        return (bytes[0] & 0xfe) == 0xfc || (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80);
    }
    uint32_t ip = sa_in(address);
    return ip >> 24 == 10 || ip >> 20 == 0xac1 || ip >> 16 == 0xc0a8 || ip >> 16 == 0xa9fe;
}

/* Time and a digest that only we can make, bound to the phone's address. */
static void make_nonce(const sip_registrar_t *self, uint64_t now_s, const struct sa *peer,
                       char out[64])
{
    uint8_t digest[MD5_SIZE];
    (void)md5_printf(digest, "%w:%016llx:%j", self->secret, sizeof(self->secret), now_s, peer);
    (void)re_snprintf(out, 64, "%016llx%w", now_s, digest, sizeof(digest));
}

static bool nonce_good(const sip_registrar_t *self, const struct pl *nonce, const struct sa *peer)
{
    char text[NONCE_TIME_CHARS + 1] = "", expected[64];
    if (nonce->l <= NONCE_TIME_CHARS) return false;
    memcpy(text, nonce->p, NONCE_TIME_CHARS);
    uint64_t then_s = strtoull(text, NULL, 16), now_s = pl_clock_ms() / 1000;
    if (then_s > now_s || now_s - then_s > NONCE_LIFE_S) return false;
    make_nonce(self, then_s, peer, expected);
    return pl_strcmp(nonce, expected) == 0;
}

/* The password of the listed user, or NULL. */
static const char *password_of(const pl_config_t *cfg, const struct pl *user)
{
    size_t count = pl_config_count(cfg, "telephony.sip.registrar.users");
    for (size_t i = 0; i < count; i++) {
        const char *name = pl_config_item(cfg, "telephony.sip.registrar.users[%zu].name", i);
        if (pl_strcmp(user, name) == 0) {
            return pl_config_item(cfg, "telephony.sip.registrar.users[%zu].password", i);
        }
    }
    return NULL;
}

static void challenge(const sip_registrar_t *self, const struct sip_msg *msg, bool stale)
{
    char nonce[64];
    make_nonce(self, pl_clock_ms() / 1000, &msg->src, nonce);
    (void)sip_treplyf(NULL, NULL, self->stack->sip, msg, false, 401, "Unauthorized",
                      "WWW-Authenticate: Digest realm=\"%s\", nonce=\"%s\", qop=\"auth\", "
                      "algorithm=MD5%s\r\nContent-Length: 0\r\n\r\n",
                      pl_config_str(self->stack->cfg, "telephony.sip.registrar.realm"), nonce,
                      stale ? ", stale=true" : "");
}

/* Checks the request's digest; answers the request itself when it returns false. */
static bool authorised(const sip_registrar_t *self, const struct sip_msg *msg)
{
    const pl_config_t *cfg = self->stack->cfg;
    if (pl_config_count(cfg, "telephony.sip.registrar.users") == 0) {
        if (is_private(&msg->src)) return true;
        (void)sip_treply(NULL, self->stack->sip, msg, 403, "Forbidden");
        return false;
    }
    const struct sip_hdr *header = sip_msg_hdr(msg, SIP_HDR_AUTHORIZATION);
    struct httpauth_digest_resp response;
    if (!header || httpauth_digest_response_decode(&response, &header->val)) {
        challenge(self, msg, false);
        return false;
    }
    if (!nonce_good(self, &response.nonce, &msg->src)) {
        challenge(self, msg, true);
        return false;
    }
    const char *realm = pl_config_str(cfg, "telephony.sip.registrar.realm");
    const char *password = password_of(cfg, &response.username);
    uint8_t ha1[MD5_SIZE];
    (void)md5_printf(ha1, "%r:%s:%s", &response.username, realm, password ? password : "");
    bool good = password && pl_strcmp(&response.realm, realm) == 0 &&
                httpauth_digest_response_auth(&response, &msg->met, ha1) == 0;
    if (good && pl_cmp(&response.username, &msg->to.uri.user) == 0) return true;
    (void)sip_treply(NULL, self->stack->sip, msg, 403, "Forbidden");
    return false;
}

/* ---- contacts ---- */

typedef struct {
    sip_stack_t *stack;
    uint64_t now_ms;
    char number[IDENTITY_BYTES];
    char call_id[SIP_URI_BYTES];
    pl_err_t err;
} update_t;

static bool plain(const struct pl *text)
{
    for (size_t i = 0; i < text->l; i++) {
        if (text->p[i] <= ' ' || text->p[i] == 127 || strchr("<>\"", text->p[i])) return false;
    }
    return text->l > 0;
}

/* Where to ring a contact: its own address when the request came from there, otherwise (a phone
 * behind address translation, or one reached over its TCP connection) where it came from. */
static bool make_target(const struct uri *uri, const struct sip_msg *msg,
                        char out[REGISTRAR_URI_BYTES])
{
    struct sa address;
    bool same = sa_set(&address, &uri->host, uri->port ? uri->port : SIP_PORT) == 0 &&
                sa_cmp(&address, &msg->src, SA_ADDR) && msg->tp == SIP_TRANSP_UDP;
    if (!same) address = msg->src;
    struct pl none = PL("");
    return re_snprintf(out, REGISTRAR_URI_BYTES, "sip:%r%s%J%s",
                       pl_isset(&uri->user) ? &uri->user : &none, pl_isset(&uri->user) ? "@" : "",
                       &address, sip_transp_param(msg->tp)) > 0;
}

static uint32_t asked_expiry(const struct sip_msg *msg, const struct pl *params)
{
    struct pl value;
    if (msg_param_decode(params, "expires", &value) == 0) return pl_u32(&value);
    return pl_isset(&msg->expires) ? pl_u32(&msg->expires) : REGISTRAR_DEFAULT_S;
}

/* sip_hdr_h: returning true ends the walk. */
static bool on_contact(const struct sip_hdr *header, const struct sip_msg *msg, void *arg)
{
    update_t *update = arg;
    if (pl_strcmp(&header->val, "*") == 0) {
        bool removal = pl_isset(&msg->expires) && pl_u32(&msg->expires) == 0;
        if (removal) registrar_remove_all(update->stack->phones, update->number);
        update->err = removal ? PL_OK : PL_INVALID;
        return true;
    }
    struct sip_addr contact;
    char uri[REGISTRAR_URI_BYTES], target[REGISTRAR_URI_BYTES];
    if (sip_addr_decode(&contact, &header->val) || !plain(&contact.auri) ||
        contact.auri.l >= sizeof(uri) || pl_strcasecmp(&contact.uri.scheme, "sip") != 0 ||
        !make_target(&contact.uri, msg, target)) {
        update->err = PL_INVALID;
        return true;
    }
    (void)pl_strcpy(&contact.auri, uri, sizeof(uri));
    registrar_binding_t binding = {.number = update->number,
                                   .uri = uri,
                                   .target = target,
                                   .call_id = update->call_id,
                                   .cseq = msg->cseq.num,
                                   .expires_s = asked_expiry(msg, &contact.params)};
    update->err = registrar_set(update->stack->phones, update->now_ms, &binding);
    return update->err != PL_OK;
}

static void print_contact(void *arg, const char *uri, uint32_t expires_s)
{
    (void)mbuf_printf(arg, "Contact: <%s>;expires=%u\r\n", uri, expires_s);
}

static void reply_contacts(const update_t *update, const struct sip_msg *msg)
{
    struct mbuf *contacts = mbuf_alloc(512);
    if (!contacts) return;
    registrar_each(update->stack->phones, update->now_ms, update->number, print_contact, contacts);
    (void)sip_treplyf(NULL, NULL, update->stack->sip, msg, false, 200, "OK",
                      "%bContent-Length: 0\r\n\r\n", contacts->buf, contacts->end);
    mem_deref(contacts);
}

void sip_registrar_handle(sip_registrar_t *self, const struct sip_msg *msg)
{
    sip_stack_t *stack = self->stack;
    if (!authorised(self, msg)) return;
    update_t update = {.stack = stack, .now_ms = pl_clock_ms()};
    if (!identity_from_user(msg->to.uri.user.p ? msg->to.uri.user.p : "", msg->to.uri.user.l,
                            update.number)) {
        (void)sip_treply(NULL, stack->sip, msg, 404, "Not An E.164 Number");
        return;
    }
    if (pl_strcpy(&msg->callid, update.call_id, sizeof(update.call_id))) update.err = PL_INVALID;
    if (!update.err) {
        (void)sip_msg_hdr_apply(msg, true, SIP_HDR_CONTACT, on_contact, &update);
    }
    pl_metric_set(stack->registered, (double)registrar_count(stack->phones, update.now_ms));
    switch (update.err) {
    case PL_OK:
        reply_contacts(&update, msg);
        return;
    case PL_BUSY:
        (void)sip_treply(NULL, stack->sip, msg, 503, "Too Many Contacts");
        return;
    case PL_STALE:
        (void)sip_treply(NULL, stack->sip, msg, 500, "Older Than What Is Registered");
        return;
    default:
        (void)sip_treply(NULL, stack->sip, msg, 400, "Bad Contact");
        return;
    }
}
