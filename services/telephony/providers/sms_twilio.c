/* sms_twilio.c - text messages by Twilio's REST interface: one request a message.
 *
 * Twilio cannot tell a repetition by itself, so whatever may have reached it without an answer that
 * says what became of it ends with PL_TIMEOUT, and the desk sends it no second time. Its error texts
 * hold the number dialled; only their codes are logged.
 *
 * Source: twilio.com/docs/messaging/api/message-resource (2010-04-01); the form is the one that the
 * vendor's client for Python sends.
 */
#include <assert.h>
#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/telephony/sms_http.h"

enum {
    SETTING_BYTES_MAX = 200,
    URL_BYTES = 512,
    HEADER_BYTES = 640,
};

typedef struct {
    sms_http_t *http;
    char url[URL_BYTES];
    char authorization[HEADER_BYTES];
    const char *from; /* borrowed from the configuration */
} twilio_t;

/* ---- settings ---- */

static pl_err_t check_settings(const pl_config_t *cfg)
{
    static const char *const wanted[] = {
        "telephony.sms.twilio.url", "telephony.sms.twilio.account_sid",
        "telephony.sms.twilio.auth_token", "telephony.sms.twilio.from"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        size_t size = strlen(pl_config_str(cfg, wanted[i]));
        if (size == 0)
            return sms_http_wrong(cfg, wanted[i], "is wanted by telephony.sms.provider twilio");
        if (size > SETTING_BYTES_MAX) return sms_http_wrong(cfg, wanted[i], "is too long");
    }
    const char *account = pl_config_str(cfg, wanted[1]);
    const char *key = pl_config_str(cfg, "telephony.sms.twilio.key_sid");
    size_t plain =
        strspn(account, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    if (account[plain]) return sms_http_wrong(cfg, wanted[1], "holds more than letters and digits");
    if (strlen(key) > SETTING_BYTES_MAX || strchr(key, ':')) {
        return sms_http_wrong(cfg, "telephony.sms.twilio.key_sid", "is no key");
    }
    return PL_OK;
}

/* Basic authentication: a key of the account where one is given, else the account itself. */
static void authorize(twilio_t *self, const pl_config_t *cfg)
{
    unsigned char plain[2 * SETTING_BYTES_MAX + 2];
    unsigned char coded[4 * ((sizeof plain + 2) / 3) + 1];
    const char *user = pl_config_str(cfg, "telephony.sms.twilio.key_sid");
    if (!*user) user = pl_config_str(cfg, "telephony.sms.twilio.account_sid");
    int size = snprintf((char *)plain, sizeof plain, "%s:%s", user,
                        pl_config_str(cfg, "telephony.sms.twilio.auth_token"));
    (void)EVP_EncodeBlock(coded, plain, size);
    (void)snprintf(self->authorization, sizeof self->authorization, "Authorization: Basic %s",
                   (const char *)coded);
}

/* ---- answers ---- */

static const char *text_of(const cJSON *json, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    return text ? text : "";
}

static int code_in(const cJSON *json, const char *name)
{
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(json, name);
    return cJSON_IsNumber(number) ? number->valueint : 0;
}

/* A message that was taken: its name at Twilio and how far it has come. */
static pl_err_t read_taken(const cJSON *json, sms_outcome_t *outcome, int *code)
{
    *code = code_in(json, "error_code");
    const char *sid = text_of(json, "sid"), *status = text_of(json, "status");
    if (!*sid) return PL_TIMEOUT; /* somebody took it, and said nothing we know */
    bool lost = strcmp(status, "failed") == 0 || strcmp(status, "undelivered") == 0 ||
                strcmp(status, "canceled") == 0;
    if (lost) return PL_INVALID;
    outcome->delivered = true;
    (void)snprintf(outcome->detail, sizeof outcome->detail, "twilio %.40s %.20s", sid, status);
    return PL_OK;
}

static int read_refused(const cJSON *json)
{
    return code_in(json, "code");
}

static const sms_carrier_t carrier = {"twilio", read_taken, read_refused};

/* ---- life ---- */

static pl_err_t twilio_open(void **provider, pl_loop_t *loop, const pl_config_t *cfg)
{
    pl_err_t err = check_settings(cfg);
    if (err) return err;
    twilio_t *self = calloc(1, sizeof *self);
    assert(self);
    const char *base = pl_config_str(cfg, "telephony.sms.twilio.url");
    size_t size = strlen(base);
    (void)snprintf(self->url, sizeof self->url, "%.*s/2010-04-01/Accounts/%s/Messages.json",
                   (int)(base[size - 1] == '/' ? size - 1 : size), base,
                   pl_config_str(cfg, "telephony.sms.twilio.account_sid"));
    authorize(self, cfg);
    self->from = pl_config_str(cfg, "telephony.sms.twilio.from");
    self->http = sms_http_new(loop, &carrier);
    *provider = self;
    return PL_OK;
}

/* ---- sending ---- */

static size_t add_field(char *form, size_t used, const char *name, const char *value)
{
    char *coded = curl_easy_escape(NULL, value, (int)strlen(value));
    assert(coded);
    size_t size = strlen(name) + strlen(coded) + 2;
    (void)snprintf(form + used, size + 1, "%s%s=%s", used ? "&" : "", name, coded);
    curl_free(coded);
    return used + size - (used ? 0 : 1);
}

/* malloc'd. A sender "MG..." is a messaging service, which has numbers of its own. */
static char *form_of(const twilio_t *self, const sms_t *sms)
{
    size_t most = 3 * (strlen(sms->to) + strlen(self->from) + strlen(sms->text)) + 64;
    char *form = malloc(most);
    assert(form);
    bool service = strncmp(self->from, "MG", 2) == 0;
    size_t used = add_field(form, 0, "To", sms->to);
    used = add_field(form, used, service ? "MessagingServiceSid" : "From", self->from);
    used = add_field(form, used, "Body", sms->text);
    assert(used < most);
    return form;
}

static void twilio_send(void *provider, const sms_t *sms, sms_done_fn *done, void *arg)
{
    twilio_t *self = provider;
    char *form = form_of(self, sms);
    const char *const headers[] = {self->authorization,
                                   "Content-Type: application/x-www-form-urlencoded",
                                   "Accept: application/json", NULL};
    sms_http_post(self->http, sms->call_id, self->url, headers, form, done, arg);
    free(form);
}

static void twilio_close(void **provider)
{
    twilio_t *self = *provider;
    if (!self) return;
    *provider = NULL;
    sms_http_destroy(&self->http);
    free(self);
}

const sms_provider_t sms_twilio = {
    .name = "twilio",
    .idempotent = false,
    .open = twilio_open,
    .send = twilio_send,
    .close = twilio_close,
};
