#include "services/dialogue/signature.h"

#include <assert.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *signature_of(const char *secret, int64_t unix_s, const char *body, size_t bytes,
                   char out[SIGNATURE_BYTES])
{
    char time[32];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    size_t n = (size_t)snprintf(time, sizeof time, "%" PRId64 ".", unix_s);
    unsigned char *text = malloc(n + bytes);
    assert(text);
    memcpy(text, time, n);
    memcpy(text + n, body, bytes);
    const unsigned char *made =
        HMAC(EVP_sha256(), secret, (int)strlen(secret), text, n + bytes, digest, &length);
    assert(made && length == 32);
    free(text);
    for (unsigned i = 0; i < length; i++) snprintf(out + 2 * (size_t)i, 3, "%02x", digest[i]);
    return out;
}
