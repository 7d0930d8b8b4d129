/* browser.h - browser legs: a WebSocket that carries 16 kHz PCM, and the tickets that open it.
 *
 * Protocol: docs/protocol-browser.md. GET /health on the same port is answered with 200. A page
 * that reads slowly loses audio older than a second; one that floods or breaks the protocol is
 * closed.
 *
 * Threads: the control thread, on whose loop libwebsockets runs.
 */
#ifndef PL_TELEPHONY_BROWSER_H
#define PL_TELEPHONY_BROWSER_H

#include <stdint.h>

#include "call.pb-c.h"
#include "common/config.h"
#include "common/lane.h"
#include "common/loop.h"
#include "services/telephony/ticket.h"

typedef struct browser browser_t;
typedef uint64_t browser_leg_t; /* handle, never reused; 0 is none */

typedef struct {
    void (*incoming)(void *arg, browser_leg_t leg, const char *from); /* its ticket was good */
    void (*audio)(void *arg, browser_leg_t leg, const uint8_t pcm[PL_FRAME_BYTES]);
    void (*dtmf)(void *arg, browser_leg_t leg, char digit);
    void (*ended)(void *arg, browser_leg_t leg); /* hung up or gone; not after browser_end */
    void *arg;
} browser_sink_t;

/* PL_UNAVAILABLE: the port is taken; PL_INVALID: a setting is wrong. Has said so. */
pl_err_t browser_new(browser_t **out, pl_loop_t *loop, const pl_config_t *cfg,
                     const browser_sink_t *sink);
/* Runs the loop for a moment to close its sockets; calls no sink. Call it outside of callbacks, and last:
 * libwebsockets 4.3 closes a descriptor of its own twice, and what another thread (ZeroMQ's, which
 * connects again and again) opened in between under the same number would be closed with it. */
void browser_destroy(browser_t **self_p);

uint16_t browser_port(const browser_t *self);
void browser_ticket(browser_t *self, const char *number, char token[TICKET_CHARS + 1]);

/* Commands for a leg that has ended are ignored. */
/* The call has this id; again: from now on it has that one. */
void browser_accepted(browser_t *self, browser_leg_t leg, const char *call_id);
void browser_ringing(browser_t *self, browser_leg_t leg);
void browser_answered(browser_t *self, browser_leg_t leg);
void browser_audio(browser_t *self, browser_leg_t leg, const uint8_t pcm[PL_FRAME_BYTES]);
void browser_flush(browser_t *self, browser_leg_t leg); /* the page drops what it has buffered */
void browser_transcript(browser_t *self, browser_leg_t leg, const Pl__LegTranscript *transcript);
void browser_end(browser_t *self, browser_leg_t leg, const char *reason); /* and closes */

#endif
