/* browser_message.h - the text messages of the browser's protocol (docs/protocol-browser.md).
 *
 * Threads: none of its own. Memory that is returned is malloc's.
 */
#ifndef PL_TELEPHONY_BROWSER_MESSAGE_H
#define PL_TELEPHONY_BROWSER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "call.pb-c.h"

enum { BROWSER_TEXT_MAX_BYTES = 1024, BROWSER_TOKEN_BYTES = 64 };

typedef enum {
    BROWSER_MALFORMED, /* not JSON, or a field of the wrong type */
    BROWSER_UNKNOWN,   /* an event of a later version: to be ignored */
    BROWSER_TOKEN,
    BROWSER_DTMF,
    BROWSER_HANGUP,
} browser_message_kind_t;

typedef struct {
    browser_message_kind_t kind;
    char token[BROWSER_TOKEN_BYTES];
    char digit;
} browser_message_t;

/* text needs no NUL. */
browser_message_t browser_message_parse(const char *text, size_t bytes);

/* JSON texts to the page; free() them. */
char *browser_message_accepted(const char *call_id);
char *browser_message_event(const char *event); /* "ringing", "answered", "flush" */
char *browser_message_transcript(Pl__Persona persona, const char *text, bool partial,
                                 uint32_t number);
char *browser_message_ended(const char *reason);

#endif
