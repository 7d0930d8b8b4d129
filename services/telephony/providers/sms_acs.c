/* sms_acs.c - text messages by Azure Communication Services: one signed request a message.
 *
 * Each carries a repeatability id made of its key, so that the service knows the same request when
 * it comes again; one that is asked for anew after a failure is a message of its own all the same.
 * The access key is not logged.
 *
 * Source: Azure Communication Services SMS, Send (2021-03-07, which @azure/communication-sms 1.1
 * speaks); its signature in acs_sign.h.
 */
#include <assert.h>
#include <cjson/cJSON.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "services/telephony/providers/acs_sign.h"
#include "services/telephony/sms_http.h"

enum { TEXT_CHARS_MAX = 2048, UUID_BYTES = 16, UUID_CHARS = 36, URL_BYTES = 512 };
static const char target[] = "/sms?api-version=2021-03-07";
static const char connection[] = "telephony.sms.acs.connection_string";
static const char sender[] = "telephony.sms.acs.from";

typedef struct {
    sms_http_t *http;
    acs_account_t account;
    char url[URL_BYTES];
    const char *from; /* borrowed from the configuration */
} acs_t;

/* ---- answers ---- */

/* The request was taken; of the message itself its item tells. */
static pl_err_t read_taken(const cJSON *json, sms_outcome_t *outcome, int *code)
{
    const cJSON *item = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(json, "value"), 0);
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(item, "httpStatusCode");
    const cJSON *successful = cJSON_GetObjectItemCaseSensitive(item, "successful");
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "messageId"));
    if (cJSON_IsTrue(successful)) {
        outcome->delivered = true;
        (void)snprintf(outcome->detail, sizeof outcome->detail, "acs %.80s", id ? id : "");
        return PL_OK;
    }
    if (!cJSON_IsFalse(successful) || !cJSON_IsNumber(status)) return PL_TIMEOUT;
    *code = status->valueint;
    bool for_good = *code >= 400 && *code < 500 && *code != 408 && *code != 429;
    return for_good ? PL_INVALID : PL_UNAVAILABLE;
}

static const sms_carrier_t carrier = {"acs", read_taken, NULL}; /* its codes are words */

/* ---- life ---- */

static pl_err_t acs_open(void **provider, pl_loop_t *loop, const pl_config_t *cfg)
{
    const char *from = pl_config_str(cfg, sender);
    if (!*pl_config_str(cfg, connection))
        return sms_http_wrong(cfg, connection, "is wanted by telephony.sms.provider acs");
    if (!*from) return sms_http_wrong(cfg, sender, "is wanted by telephony.sms.provider acs");
    acs_t *self = calloc(1, sizeof *self);
    assert(self);
    const char *why = NULL;
    (void)acs_account_read(&self->account, pl_config_str(cfg, connection), &why);
    if (!why && !self->account.key_bytes) why = "has no accesskey";
    if (why) {
        free(self); /* nothing secret is left in it, or was */
        return sms_http_wrong(cfg, connection, why);
    }
    self->from = from;
    (void)snprintf(self->url, sizeof self->url, "%s%s", self->account.endpoint, target);
    self->http = sms_http_new(loop, &carrier);
    *provider = self;
    return PL_OK;
}

static void acs_close(void **provider)
{
    acs_t *self = *provider;
    if (!self) return;
    *provider = NULL;
    sms_http_destroy(&self->http);
    acs_account_wipe(&self->account);
    free(self);
}

/* ---- sending ---- */

/* The same of the same key; of none a random one. Version 8 (RFC 9562): made in our own way. */
static void name_of(const char *key, char out[UUID_CHARS + 1])
{
    uint8_t b[EVP_MAX_MD_SIZE];
    bool made = *key ? EVP_Digest(key, strlen(key), b, NULL, EVP_sha256(), NULL) == 1
                     : getrandom(b, UUID_BYTES, 0) == UUID_BYTES;
    if (!made) abort();
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x80);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    (void)snprintf(out, UUID_CHARS + 1,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
                   b[14], b[15]);
}

/* malloc'd. */
static char *body_of(const acs_t *self, const sms_t *sms, const char *date)
{
    char name[UUID_CHARS + 1];
    name_of(sms->key, name);
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "from", self->from);
    cJSON *recipient = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_AddArrayToObject(body, "smsRecipients"), recipient);
    cJSON_AddStringToObject(recipient, "to", sms->to);
    cJSON_AddStringToObject(recipient, "repeatabilityRequestId", name);
    cJSON_AddStringToObject(recipient, "repeatabilityFirstSent", date);
    cJSON_AddStringToObject(body, "message", sms->text);
    cJSON_AddBoolToObject(cJSON_AddObjectToObject(body, "smsSendOptions"), "enableDeliveryReport",
                          false);
    char *text = cJSON_PrintUnformatted(body);
    assert(text);
    cJSON_Delete(body);
    return text;
}

static size_t characters(const char *utf8)
{
    size_t count = 0;
    for (; *utf8; utf8++) count += ((unsigned char)*utf8 & 0xc0) != 0x80;
    return count;
}

static void acs_send(void *provider, const sms_t *sms, sms_done_fn *done, void *arg)
{
    acs_t *self = provider;
    if (characters(sms->text) > TEXT_CHARS_MAX) {
        done(arg, PL_INVALID, NULL);
        return;
    }
    time_t now = time(NULL);
    char date[ACS_DATE_BYTES];
    acs_date(now, date);
    char *body = body_of(self, sms, date);
    acs_signature_t signature;
    acs_sign(&self->account, "POST", target, now, body, strlen(body), &signature);
    const char *const headers[] = {signature.date,
                                   signature.content,
                                   signature.authorization,
                                   "Content-Type: application/json",
                                   "Accept: application/json",
                                   NULL};
    sms_http_post(self->http, sms->call_id, self->url, headers, body, done, arg);
    free(body);
}

const sms_provider_t sms_acs = {
    .name = "acs",
    .idempotent = false,
    .open = acs_open,
    .send = acs_send,
    .close = acs_close,
};
