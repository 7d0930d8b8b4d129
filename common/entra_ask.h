/* entra_ask.h - how a token is asked for, and what the answer says. Part of entra.
 *
 * Threads: none. Reads the environment and the federated token's file; sends nothing.
 */
#ifndef PL_COMMON_ENTRA_ASK_H
#define PL_COMMON_ENTRA_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "common/err.h"
#include "common/http.h"

typedef enum { ENTRA_CLIENT_SECRET, ENTRA_WORKLOAD, ENTRA_APP_SERVICE, ENTRA_METADATA } entra_way_t;

/* All borrowed from the configuration or the environment. */
typedef struct {
    entra_way_t way;
    const char *tenant, *client, *secret, *file, *authority;
    const char *identity_endpoint, *identity_header, *metadata_endpoint;
} entra_ask_t;

/* PL_INVALID: said on standard error. */
pl_err_t entra_ask_read(entra_ask_t *out, const pl_config_t *cfg);

typedef struct {
    pl_http_opts_t opts; /* points into what follows */
    char *url, *body, *header;
    const char *headers[3];
} entra_request_t;

/* PL_NOT_FOUND: the federated token's file cannot be read. Free it in any case. */
pl_err_t entra_request_make(entra_request_t *out, const entra_ask_t *ask, const char *scope);
void entra_request_free(entra_request_t *self); /* wipes what is secret */

typedef struct {
    char *token; /* NULL: there is none */
    uint32_t life_s;
    bool again; /* it may be there in a moment */
    char detail[256];
} entra_answer_t;

void entra_answer_read(entra_answer_t *out, long status, const char *body);
void entra_answer_free(entra_answer_t *self);

#endif
