/* report_talk.h - the conversation of a call as HTML: who said what, when, how fast. */
#ifndef GATEWAY_REPORT_TALK_H
#define GATEWAY_REPORT_TALK_H

#include "call.pb-c.h"
#include "services/gateway/text.h"

void report_talk(text_t *out, const Pl__CallRecord *call);

#endif
