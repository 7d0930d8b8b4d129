/* acs_sign.h - an Azure Communication Services resource and the signature of requests to it.
 *
 * Threads: none; pure, time is an argument. The access key is never logged.
 * Source: Azure Communication Services, "Sign an HTTP request with HMAC-SHA256".
 */
#ifndef PL_TELEPHONY_ACS_SIGN_H
#define PL_TELEPHONY_ACS_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { ACS_ENDPOINT_BYTES = 256, ACS_KEY_BYTES = 128, ACS_DATE_BYTES = 40 };

typedef struct {
    char endpoint
        [ACS_ENDPOINT_BYTES]; /* "https://contoso.communication.azure.com", no slash after */
    const char *host;         /* in endpoint, as curl writes the Host header */
    uint8_t key[ACS_KEY_BYTES];
    size_t key_bytes; /* 0: none, requests go by Entra token */
} acs_account_t;

/* "endpoint=https://...;accesskey=<base64>", members in any order and case; the key may be absent.
 * PL_INVALID: what is wrong is in *why, a literal that holds nothing of the secret. */
pl_err_t acs_account_read(acs_account_t *out, const char *connection_string, const char **why);
void acs_account_wipe(acs_account_t *self);

/* RFC 1123, always English and GMT. */
void acs_date(int64_t unix_s, char out[ACS_DATE_BYTES]);

/* Whole header lines, without line end. */
typedef struct {
    char date[64], content[80], authorization[160];
} acs_signature_t;

/* target: path and query exactly as sent. body may be NULL when bytes is 0. */
void acs_sign(const acs_account_t *account, const char *method, const char *target, int64_t unix_s,
              const void *body, size_t bytes, acs_signature_t *out);

#endif
