/* entra.h - access tokens of Microsoft Entra ID: asked for once, shared, renewed before they end.
 *
 * Three ways, the first whose settings are there when the method is auto: a client secret, a
 * workload's federated token (Kubernetes), a managed identity (App Service and Container Apps, else
 * a virtual machine's metadata service).
 *
 * Threads: all on the loop's. Secrets and tokens are never logged.
 * Source: Microsoft identity platform, client credentials grant v2.0; managed identities.
 */
#ifndef PL_COMMON_ENTRA_H
#define PL_COMMON_ENTRA_H

#include "common/config.h"
#include "common/err.h"
#include "common/http.h"
#include "common/loop.h"

typedef struct pl_entra pl_entra_t;
typedef struct pl_entra_wait pl_entra_wait_t;

/* Reads entra.*; what is not set there comes from the environment, under the names Azure gives it
 * (AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_FEDERATED_TOKEN_FILE,
 * AZURE_AUTHORITY_HOST, IDENTITY_ENDPOINT, IDENTITY_HEADER). PL_INVALID: a setting is wrong or
 * missing, said on standard error. Borrows loop and http. */
pl_err_t pl_entra_new(pl_entra_t **out, pl_loop_t *loop, pl_http_t *http, const pl_config_t *cfg);
void pl_entra_destroy(pl_entra_t **self_p); /* who waits is not called any more */

/* A token for the scope ("https://cognitiveservices.azure.com/.default") that is good for a while
 * yet; NULL when there is none at hand. Borrowed until the next call. */
const char *pl_entra_token(pl_entra_t *self, const char *scope);

/* Calls fn once with a token, or with NULL and the reason; never from within this call. Whoever asks
 * while a request is under way shares its answer. The wait is gone then. */
typedef void pl_entra_fn(void *arg, pl_err_t err, const char *token, const char *detail);
pl_entra_wait_t *pl_entra_ask(pl_entra_t *self, const char *scope, pl_entra_fn *fn, void *arg);
void pl_entra_cancel(pl_entra_wait_t **wait_p); /* NULL is fine */

/* A token was refused (401): the next ask fetches a new one. */
void pl_entra_forget(pl_entra_t *self, const char *scope);

#endif
