/* records.h - for tests: a call's record with something in every field. Include after cmocka.h. */
#ifndef TESTS_UNIT_GATEWAY_RECORDS_H
#define TESTS_UNIT_GATEWAY_RECORDS_H

#include <stdlib.h>
#include <string.h>

#include "call.pb-c.h"

/* Everything hangs on static memory: one record at a time, nothing to free. */
typedef struct {
    Pl__CallRecord call;
    Pl__Initiate initiate;
    Pl__ClaimField fields[2], *field_list[2];
    Pl__Language language, *language_list[1];
    Pl__ClaimValue values[3], *value_list[3];
    Pl__Message messages[4], *message_list[4];
    Pl__ToolCall tool, *tool_list[1];
    Pl__PassageUsed passage, *passage_list[1];
    Pl__Reminder reminders[2], *reminder_list[2];
    Pl__Next next;
    Pl__Synthesis synthesis;
    Pl__LegStats voice;
    Pl__Recording recordings[2], *recording_list[2];
    Pl__ClaimEarlier earlier, *earlier_list[1];
    char *pronunciations[1], *former[1];
} record_t;

/* text stands wherever a caller, a client or a model may put words. */
static inline Pl__CallRecord *record_with(record_t *r, char *text)
{
    memset(r, 0, sizeof *r);
    pl__call_record__init(&r->call);
    pl__initiate__init(&r->initiate);
    pl__language__init(&r->language);
    pl__tool_call__init(&r->tool);
    pl__passage_used__init(&r->passage);
    pl__claim_earlier__init(&r->earlier);
    pl__next__init(&r->next);
    pl__synthesis__init(&r->synthesis);
    for (int i = 0; i < 2; i++) {
        pl__recording__init(&r->recordings[i]);
        r->recording_list[i] = &r->recordings[i];
        r->recordings[i].instance = "telephony-0";
        r->recordings[i].started_at_ms = 1772528699500;
    }
    r->recordings[0].number = 1;
    r->recordings[0].duration_ms = 61000;
    r->recordings[1].failure = text;
    r->call.recordings = r->recording_list;
    r->call.n_recordings = 2;
    pl__leg_stats__init(&r->voice);
    r->call.voice = &r->voice;
    r->voice.rtp_received = 1500;
    r->voice.rtp_lost = 12;
    r->voice.underruns = 3;
    r->voice.jitter_us = 4200;
    r->voice.mos_heard = 417;
    r->voice.echo_heard = true;
    r->voice.echo_delay_ms = 130;
    r->voice.echo_return_loss_cb = 147;
    r->voice.echo_enhancement_cb = 255;
    for (int i = 0; i < 2; i++) {
        pl__claim_field__init(&r->fields[i]);
        pl__reminder__init(&r->reminders[i]);
        r->field_list[i] = &r->fields[i];
        r->reminder_list[i] = &r->reminders[i];
        r->reminders[i].title = r->reminders[i].description = r->reminders[i].owner = text;
        r->reminders[i].due_date_time = text;
        r->reminders[i].created_at_ms = 1772528700000;
    }
    for (int i = 0; i < 3; i++) {
        pl__claim_value__init(&r->values[i]);
        r->value_list[i] = &r->values[i];
        r->values[i].value = text;
        r->values[i].set_at_ms = 1772528800000;
    }
    for (int i = 0; i < 4; i++) {
        pl__message__init(&r->messages[i]);
        r->message_list[i] = &r->messages[i];
        r->messages[i].number = (uint32_t)i + 1;
        r->messages[i].created_at_ms = 1772528700000 + i * 1000;
        r->messages[i].content = text;
    }
    r->former[0] = r->pronunciations[0] = text;
    r->fields[0].name = r->values[0].name = "first_seen";
    r->fields[0].type = PL__CLAIM_TYPE__DATETIME;
    r->fields[0].description = text;
    r->fields[1].name = r->values[1].name = "contact";
    r->fields[1].type = PL__CLAIM_TYPE__EMAIL;
    r->values[0].n_former = 1;
    r->values[0].former = r->former;
    r->earlier.value = text;
    r->earlier.message = 2;
    r->earlier.set_at_ms = 1772528750000;
    r->earlier.confirmed = 1;
    r->earlier_list[0] = &r->earlier;
    r->values[0].n_earlier = 1;
    r->values[0].earlier = r->earlier_list;
    r->values[0].corrected = 1;
    r->values[0].message = 3;
    r->values[0].confirmed = 1;
    r->values[2].name = "policyholder_name";
    r->language.short_code = "en-US";
    r->language.voice = text;
    r->language.n_pronunciations_en = 1;
    r->language.pronunciations_en = r->pronunciations;
    r->language_list[0] = &r->language;
    r->tool.tool_id = "t1";
    r->tool.function_name = r->tool.function_arguments = r->tool.content = text;
    r->tool_list[0] = &r->tool;
    r->messages[0].action = PL__ACTION__CALL;
    r->messages[1].persona = PL__PERSONA__ASSISTANT;
    r->messages[1].interrupted = 1;
    r->messages[1].turn = 1;
    r->messages[1].answer_latency_ms = 812;
    r->messages[1].endpointing_ms = 500;
    r->messages[1].n_tool_calls = 1;
    r->messages[1].tool_calls = r->tool_list;
    r->passage.id = "p1";
    r->passage.title = r->passage.source = text;
    r->passage.score = 3.25;
    r->passage_list[0] = &r->passage;
    r->messages[1].n_passages = 1;
    r->messages[1].passages = r->passage_list;
    r->messages[3].action = PL__ACTION__HANGUP;
    r->initiate.phone_number = "+33612345678";
    r->initiate.agent_phone_number = "+33687654321";
    r->initiate.bot_name = r->initiate.bot_company = r->initiate.task = text;
    r->initiate.n_claim = 2;
    r->initiate.claim = r->field_list;
    r->initiate.lang_default = "en-US";
    r->initiate.n_lang_available = 1;
    r->initiate.lang_available = r->language_list;
    r->initiate.prosody_rate = 1.0;
    r->next.action = PL__NEXT_ACTION__HIGH_PRIORITY;
    r->next.justification = text;
    r->synthesis.brief = r->synthesis.detail = r->synthesis.improvement_suggestions = text;
    r->synthesis.satisfaction = PL__SATISFACTION__UNKNOW;
    r->call.call_id = "2f1c6a9e-0f0c-4a5e-9d53-0b7f5b2a7c11";
    r->call.created_at_ms = 1772528700000; /* 2026-03-03T09:05:00Z */
    r->call.initiate = &r->initiate;
    r->call.n_claim = 3;
    r->call.claim = r->value_list;
    r->call.n_messages = 4;
    r->call.messages = r->message_list;
    r->call.n_reminders = 2;
    r->call.reminders = r->reminder_list;
    r->call.next = &r->next;
    r->call.synthesis = &r->synthesis;
    r->call.ended = PL__LEG_END__LEG_BYE_LOCAL;
    r->call.ended_detail = text;
    r->call.outbound = 1;
    return &r->call;
}

#endif
