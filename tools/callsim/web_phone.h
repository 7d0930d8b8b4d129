/* web_phone.h - a caller's side of the browser protocol: one WebSocket with 16 kHz audio.
 *
 * Threads: the loop's. Source: docs/protocol-browser.md.
 */
#ifndef CALLSIM_WEB_PHONE_H
#define CALLSIM_WEB_PHONE_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "common/err.h"
#include "common/loop.h"
#include "tools/callsim/turns.h"

/* libwebsockets, for all callers of a loop. */
typedef struct web_net web_net_t;
pl_err_t web_net_new(web_net_t **out, pl_loop_t *loop);
/* Closes all sockets; runs the loop for a moment, so call it outside of its callbacks. */
void web_net_destroy(web_net_t **self_p);

typedef struct web_phone web_phone_t;

typedef enum {
    WEB_CALL,       /* text: the call's id */
    WEB_UP,         /* answered: audio flows */
    WEB_TRANSCRIPT, /* text: a line of it, not a partial one */
    WEB_ENDED,      /* text: why; the last event */
} web_phone_event_t;

typedef void web_phone_sink_fn(void *arg, web_phone_event_t event, const char *text);

/* ticket: the answer to POST /phone/ticket at gateway_url. PL_INVALID: it is none. The sink is
 * never called inside this call. */
pl_err_t web_phone_new(web_phone_t **out, web_net_t *net, const char *gateway_url,
                       const cJSON *ticket, web_phone_sink_fn *sink, void *arg);
void web_phone_destroy(web_phone_t **self_p); /* hangs up; no event comes after it */

/* The next 20 ms of the bot's; false: silence now. */
bool web_phone_take(web_phone_t *self, int16_t pcm[TURNS_FRAME_SAMPLES]);
void web_phone_send(web_phone_t *self, const int16_t pcm[TURNS_FRAME_SAMPLES]);
void web_phone_keys(web_phone_t *self, const char *keys);

/* Where the ticket leads: its url, or the gateway's host with the ticket's port and "/phone".
 * False: the ticket names neither. Pure. */
typedef struct {
    bool tls;
    char host[128];
    uint16_t port;
    char path[128];
} web_address_t;
bool web_phone_address(const char *gateway_url, const cJSON *ticket, web_address_t *out);

#endif
