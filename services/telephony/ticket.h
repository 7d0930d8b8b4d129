/* ticket.h - single-use rights to open the browser's media WebSocket.
 *
 * A ticket is 32 bytes of getrandom(2) in URL-safe base64; it is good once, for 60 s. The table is
 * bounded: when full, the oldest ticket goes. Pure but for the random bytes: time is an argument.
 * Threads: owned by the control thread.
 */
#ifndef PL_TELEPHONY_TICKET_H
#define PL_TELEPHONY_TICKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/telephony/identity.h"

enum { TICKET_CHARS = 43, TICKET_LIFE_MS = 60000 };

typedef struct tickets tickets_t;

tickets_t *tickets_new(size_t max); /* never NULL */
void tickets_destroy(tickets_t **self_p);

/* Draws one for the caller of that number ("" or "anonymous": none shown). */
void tickets_issue(tickets_t *self, uint64_t now_ms, const char *number,
                   char token[TICKET_CHARS + 1]);
/* Takes it, once. False: unknown, used or expired; the time taken does not tell which bytes
 * matched. */
bool tickets_redeem(tickets_t *self, uint64_t now_ms, const char *token,
                    char number[IDENTITY_BYTES]);

#endif
