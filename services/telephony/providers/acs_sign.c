#include "services/telephony/providers/acs_sign.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* base64 without and with its NUL, as EVP_EncodeBlock writes it */
#define CODED_CHARS(bytes) (((size_t)(bytes) + 2) / 3 * 4)
#define CODED_BYTES(bytes) (CODED_CHARS(bytes) + 1)

enum { DIGEST_BYTES = 32 };

/* ---- the account ---- */

static bool set_endpoint(acs_account_t *self, const char *url, size_t length)
{
    const char *scheme = strncasecmp(url, "https://", 8) == 0  ? "https://"
                         : strncasecmp(url, "http://", 7) == 0 ? "http://"
                                                               : NULL;
    if (!scheme || length >= sizeof(self->endpoint)) return false;
    size_t skip = strlen(scheme);
    while (length > skip && url[length - 1] == '/') length--;
    const char *host = url + skip;
    size_t host_bytes = length - skip;
    if (host_bytes == 0 || strcspn(host, "/?#@ \t\r\n") < host_bytes) return false;
    const char *usual = skip == 8 ? ":443" : ":80"; /* curl leaves it out of Host */
    size_t usual_bytes = strlen(usual);
    if (host_bytes > usual_bytes &&
        memcmp(host + host_bytes - usual_bytes, usual, usual_bytes) == 0) {
        host_bytes -= usual_bytes;
    }
    snprintf(self->endpoint, sizeof(self->endpoint), "%s%.*s", scheme, (int)host_bytes, host);
    self->host = self->endpoint + skip;
    return true;
}

/* OpenSSL's decoder passes over blanks and odd ends: a key is good when it is coded as it came. */
static bool set_key(acs_account_t *self, const char *text, size_t chars)
{
    uint8_t key[CODED_BYTES(ACS_KEY_BYTES)];
    uint8_t again[CODED_BYTES(ACS_KEY_BYTES)];
    size_t padding = 0;
    while (padding < 2 && padding < chars && text[chars - 1 - padding] == '=') padding++;
    if (chars == 0 || chars > CODED_CHARS(ACS_KEY_BYTES)) return false;
    int bytes = EVP_DecodeBlock(key, (const uint8_t *)text, (int)chars) - (int)padding;
    bool good = bytes > 0 && bytes <= ACS_KEY_BYTES &&
                (size_t)EVP_EncodeBlock(again, key, bytes) == chars &&
                memcmp(again, text, chars) == 0;
    if (good) {
        memcpy(self->key, key, (size_t)bytes);
        self->key_bytes = (size_t)bytes;
    }
    explicit_bzero(key, sizeof(key));
    explicit_bzero(again, sizeof(again));
    return good;
}

static const char *read_part(acs_account_t *self, const char *part, size_t length)
{
    const char *equals = memchr(part, '=', length); /* the first: the key has its own at the end */
    if (!equals) return length == 0 ? NULL : "a part without \"=\"";
    const char *value = equals + 1;
    size_t name_bytes = (size_t)(equals - part), value_bytes = length - name_bytes - 1;
    if (name_bytes == 8 && strncasecmp(part, "endpoint", 8) == 0) {
        return set_endpoint(self, value, value_bytes) ? NULL : "endpoint is not an https URL";
    }
    if (name_bytes == 9 && strncasecmp(part, "accesskey", 9) == 0) {
        return set_key(self, value, value_bytes) ? NULL : "accesskey is not base64";
    }
    return NULL;
}

pl_err_t acs_account_read(acs_account_t *out, const char *connection_string, const char **why)
{
    *out = (acs_account_t){.host = NULL};
    *why = NULL;
    for (const char *at = connection_string; !*why; at++) {
        size_t length = strcspn(at, ";");
        *why = read_part(out, at, length);
        at += length;
        if (*at == '\0') break;
    }
    if (!*why && !out->host) *why = "no endpoint";
    if (!*why) return PL_OK;
    acs_account_wipe(out);
    return PL_INVALID;
}

void acs_account_wipe(acs_account_t *self)
{
    explicit_bzero(self, sizeof(*self));
}

/* ---- the signature ---- */

void acs_date(int64_t unix_s, char out[ACS_DATE_BYTES])
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t at = (time_t)unix_s;
    struct tm tm;
    if (!gmtime_r(&at, &tm)) abort(); /* a clock beyond the year 2^31 */
    snprintf(out, ACS_DATE_BYTES, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3L * tm.tm_wday,
             tm.tm_mday, months + 3L * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
             tm.tm_sec);
}

void acs_sign(const acs_account_t *account, const char *method, const char *target, int64_t unix_s,
              const void *body, size_t bytes, acs_signature_t *out)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    uint8_t hash[CODED_BYTES(DIGEST_BYTES)], signature[CODED_BYTES(DIGEST_BYTES)];
    char date[ACS_DATE_BYTES];
    if (!EVP_Digest(body ? body : "", bytes, digest, &length, EVP_sha256(), NULL)) abort();
    (void)EVP_EncodeBlock(hash, digest, DIGEST_BYTES);
    acs_date(unix_s, date);
    char *text = NULL;
    int text_bytes = asprintf(&text, "%s\n%s\n%s;%s;%s", method, target, date, account->host,
                              (const char *)hash);
    if (text_bytes < 0) abort();
    if (!HMAC(EVP_sha256(), account->key, (int)account->key_bytes, (const uint8_t *)text,
              (size_t)text_bytes, digest, &length)) {
        abort();
    }
    free(text);
    (void)EVP_EncodeBlock(signature, digest, DIGEST_BYTES);
    snprintf(out->date, sizeof(out->date), "x-ms-date: %s", date);
    snprintf(out->content, sizeof(out->content), "x-ms-content-sha256: %s", (const char *)hash);
    snprintf(out->authorization, sizeof(out->authorization),
             "Authorization: HMAC-SHA256 "
             "SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=%s",
             (const char *)signature);
}
