/* call_test.c - the call's machine: its beginnings and ends, races, time, and random events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/dialogue/by_hand.h"
#include "tests/unit/dialogue/conversation.h"

static const Pl__Message *newest(const conversation_t *c, Pl__Persona persona, Pl__Action action)
{
    for (size_t i = c->stored->n_messages; i-- > 0;) {
        const Pl__Message *m = c->stored->messages[i];
        if (m->persona == persona && m->action == action) return m;
    }
    return NULL;
}

static void the_record_is_stored_before_dialling(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    call_begin(c->call, c->now, &c->fx);
    assert_int_equal(c->fx.count, 1);
    assert_int_equal(c->fx.first->kind, FX_CREATE);
    assert_int_equal(call_state(c->call), CALL_CREATING);
    conversation_run(c);
    assert_int_equal(c->dials, 1);
    assert_int_equal(c->started, 1);
    assert_int_equal(call_state(c->call), CALL_RINGING);
    conversation_destroy(&c);
}

static void a_call_that_cannot_be_stored_is_refused(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    c->create_error = PL_UNAVAILABLE;
    call_begin(c->call, c->now, &c->fx);
    conversation_run(c);
    assert_int_equal(c->refused, PL_UNAVAILABLE);
    assert_int_equal(c->dials, 0);
    assert_int_equal(c->over, 1);
    conversation_destroy(&c);
}

static void a_silent_store_is_not_waited_for_for_ever(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    call_begin(c->call, c->now, &c->fx);
    fx_clear(&c->fx); /* the store never answers */
    conversation_tick(c, c->settings.create_ms);
    assert_int_equal(c->refused, PL_UNAVAILABLE);
    call_created(c->call, c->now, PL_OK, &c->fx); /* too late */
    conversation_run(c);
    assert_int_equal(c->dials, 0);
    assert_int_equal(c->over, 1);
    conversation_destroy(&c);
}

static void a_failed_dial_ends_the_record(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    c->dial_error = PL_NOT_FOUND;
    call_begin(c->call, c->now, &c->fx);
    conversation_run(c);
    assert_int_equal(c->refused, PL_NOT_FOUND);
    assert_int_equal(c->stored->ended, PL__LEG_END__LEG_UNREACHABLE);
    assert_int_equal(c->over, 1);
    assert_null(c->stored->synthesis);
    conversation_destroy(&c);
}

static void outcomes_without_answer_need_no_post_call_work(void **state)
{
    (void)state;
    static const Pl__LegEnd ends[] = {PL__LEG_END__LEG_BUSY, PL__LEG_END__LEG_NO_ANSWER,
                                      PL__LEG_END__LEG_DECLINED, PL__LEG_END__LEG_UNREACHABLE};
    for (size_t i = 0; i < 4; i++) {
        conversation_t *c = conversation_new(three_fields());
        call_begin(c->call, c->now, &c->fx);
        conversation_run(c);
        assert_int_equal(conversation_leg_ended(c, ends[i], "486 Busy Here"), PL_OK);
        assert_int_equal(c->stored->ended, ends[i]);
        assert_string_equal(c->stored->ended_detail, "486 Busy Here");
        assert_int_equal(c->stored->n_messages, 0);
        assert_false(c->stored->in_progress);
        assert_null(c->stored->synthesis);
        assert_null(c->stored->next);
        assert_int_equal(c->hangups, 0);
        assert_int_equal(c->over, 1);
        conversation_destroy(&c);
    }
}

static void an_answer_may_overtake_the_dial_reply(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    call_begin(c->call, c->now, &c->fx);
    fx_clear(&c->fx);
    call_created(c->call, c->now, PL_OK, &c->fx);
    fx_clear(&c->fx); /* the reply is still on its way */
    conversation_answered(c, "speech-0", PL__LEG_KIND__SIP);
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.sender = (char *)"telephony-0";
    call_reply(c->call, c->now, ASKED_DIAL, "", PL_OK, &env, &c->fx);
    conversation_run(c);
    assert_int_equal(c->started, 1);
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    conversation_destroy(&c);
}

static void ringing_ends_by_itself(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    call_begin(c->call, c->now, &c->fx);
    conversation_run(c);
    conversation_tick(c, c->settings.ring_ms + 10000);
    assert_int_equal(c->hangups, 1);
    assert_int_equal(c->stored->ended, PL__LEG_END__LEG_NO_ANSWER);
    assert_int_equal(call_state(c->call), CALL_ENDED);
    conversation_destroy(&c);
}

static void an_incoming_call_is_accepted_once_stored(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    call_t *call = call_new(call_record(c->call), "telephony-1", &c->settings, c->prompts);
    call_destroy(&c->call);
    c->call = call;
    call_begin(c->call, c->now, &c->fx);
    conversation_run(c);
    assert_int_equal(c->started, 1);
    assert_int_equal(c->dials, 0);
    assert_int_equal(call_state(c->call), CALL_RINGING);
    conversation_answered(c, "speech-0", PL__LEG_KIND__BROWSER);
    assert_true(c->transcripts > 0);
    assert_true(c->stored->in_progress);
    (void)conversation_leg_ended(c, PL__LEG_END__LEG_CANCELLED, "");
    assert_false(c->stored->in_progress);
    conversation_destroy(&c);
}

static void the_record_tells_the_whole_call(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    assert_true(c->stored->in_progress);
    assert_int_equal(c->stored->messages[0]->action, PL__ACTION__CALL);
    assert_int_equal(c->stored->messages[0]->persona, PL__PERSONA__HUMAN);
    (void)conversation_say(c, "a laptop");
    const Pl__Message *answer = newest(c, PL__PERSONA__ASSISTANT, PL__ACTION__TALK);
    assert_int_equal(answer->answer_latency_ms, 650);
    assert_int_equal(answer->endpointing_ms, 500);
    assert_int_equal(answer->recognition_ms, 20);
    assert_int_equal(answer->synthesis_ms, 40);
    assert_true(answer->turn > 0);
    assert_int_equal(answer->n_tool_calls, 1);
    assert_string_equal(answer->tool_calls[0]->function_name, "updated_claim");
    assert_non_null(strstr(answer->tool_calls[0]->content, "Updated hardware_info"));
    (void)conversation_leg_ended(c, PL__LEG_END__LEG_BYE_REMOTE, "");
    assert_false(c->stored->in_progress);
    const Pl__Message *last = c->stored->messages[c->stored->n_messages - 1];
    assert_int_equal(last->action, PL__ACTION__HANGUP);
    for (size_t i = 0; i < c->stored->n_messages; i++) {
        assert_int_equal(c->stored->messages[i]->number, i + 1);
    }
    assert_int_equal(c->stored->voice->rtp_received, 4711);
    assert_int_equal(c->stored->n_recordings, 1);
    assert_non_null(c->stored->synthesis);
    assert_non_null(c->stored->next);
    assert_int_equal(c->over, 1);
    conversation_destroy(&c);
}

static void a_leg_hung_up_in_silence_is_no_interaction(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    (void)conversation_leg_ended(c, PL__LEG_END__LEG_BYE_REMOTE, "");
    assert_null(c->stored->synthesis);
    assert_null(c->stored->next);
    conversation_destroy(&c);
}

static void an_interrupted_answer_is_cut_where_it_was_heard(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    c->hold = true;
    (void)conversation_say(c, "a laptop");
    conversation_turn_started(c);
    assert_int_equal(call_state(c->call), CALL_SPEAKING);
    assert_int_equal(conversation_barge_in(c, c->turn - 1), PL_STALE); /* about an older turn */
    assert_int_equal(call_state(c->call), CALL_SPEAKING);
    assert_int_equal(conversation_barge_in(c, c->turn), PL_OK);
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    conversation_spoken(c, true, "A laptop.");
    const Pl__Message *answer = newest(c, PL__PERSONA__ASSISTANT, PL__ACTION__TALK);
    assert_true(answer->interrupted);
    assert_string_equal(answer->content, "A laptop.");
    assert_int_equal(conversation_barge_in(c, c->turn), PL_STALE); /* twice */
    conversation_destroy(&c);
}

static void what_the_bot_had_not_asked_yet_is_not_answered(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    (void)conversation_say(c, "a laptop");
    (void)conversation_say(c, "yesterday at nine");
    (void)conversation_say(c, "yes");
    c->hold = true;
    (void)conversation_say(c, "building four");
    conversation_turn_started(c);
    (void)conversation_barge_in(c, c->turn);
    conversation_spoken(c, true, "Building");
    c->hold = false;
    (void)conversation_say(c, "second floor"); /* goes on with the answer */
    assert_string_equal(conversation_value(c, "building_location"), "building four, second floor");
    conversation_destroy(&c);
}

static void an_interrupted_answer_in_the_making_is_made_no_further(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__Utterance utterance = PL__UTTERANCE__INIT;
    utterance.text = (char *)"something";
    env.epoch = 1;
    env.body_case = PL__ENVELOPE__BODY_UTTERANCE;
    env.utterance = &utterance;
    assert_int_equal(call_handle(c->call, c->now, &env, &c->fx), PL_OK);
    uint32_t thought = 0;
    for (const effect_t *e = c->fx.first; e; e = e->next) {
        if (e->kind == FX_THINK) thought = e->think;
    }
    fx_clear(&c->fx); /* a manager that streams: one sentence, the thought goes on */
    assert_int_equal(call_sentence(c->call, c->now, thought, "One.", 0, &c->fx), PL_OK);
    conversation_run(c);
    conversation_turn_started(c);
    conversation_spoken(c, true, "On");
    assert_int_equal(c->cancels, 1);
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    assert_int_equal(call_sentence(c->call, c->now, thought, "Two.", 0, &c->fx), PL_STALE);
    assert_int_equal(call_thought(c->call, c->now, thought, PL_OK, &c->fx), PL_STALE);
    assert_string_equal(newest(c, PL__PERSONA__ASSISTANT, PL__ACTION__TALK)->content, "On");
    conversation_destroy(&c);
}

static void a_late_report_still_cuts_the_right_message(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    c->hold = true;
    (void)conversation_say(c, "a laptop");
    conversation_turn_started(c);
    uint32_t first = c->turn;
    const Pl__Message *answer = newest(c, PL__PERSONA__ASSISTANT, PL__ACTION__TALK);
    uint32_t number = answer->number;
    (void)conversation_say(c, "no it is a printer"); /* talks over it */
    assert_int_equal(c->stops, 1);
    assert_true(c->turn > first);
    uint32_t second = c->turn;
    c->turn = first;
    conversation_spoken(c, true, "A lap");
    for (size_t i = 0; i < c->stored->n_messages; i++) {
        if (c->stored->messages[i]->number != number) continue;
        assert_string_equal(c->stored->messages[i]->content, "A lap");
    }
    assert_int_equal(call_state(c->call), CALL_SPEAKING);
    c->turn = second;
    conversation_spoken(c, false, "");
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    conversation_destroy(&c);
}

static void listening_along_does_not_take_the_floor(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    c->hold = true;
    (void)conversation_say(c, "a laptop");
    conversation_turn_started(c);
    int thinks = c->thinks;
    (void)conversation_say(c, "mhm okay");
    assert_int_equal(c->thinks, thinks);
    assert_int_equal(c->stops, 0);
    assert_int_equal(call_state(c->call), CALL_SPEAKING);
    conversation_destroy(&c);
}

static void after_two_cut_replies_the_third_is_finished(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    c->hold = true;
    for (int i = 0; i < 2; i++) {
        (void)conversation_say(c, "what can you do for me");
        conversation_turn_started(c);
        assert_false(c->firm);
        assert_int_equal(conversation_barge_in(c, c->turn), PL_OK);
        conversation_spoken(c, true, "I");
    }
    (void)conversation_say(c, "a laptop");
    conversation_turn_started(c);
    assert_true(c->firm);
    int thinks = c->thinks;
    int stops = c->stops;
    (void)conversation_say(c, "yesterday"); /* over it */
    (void)conversation_say(c, "at nine");
    assert_int_equal(c->stops, stops);
    assert_int_equal(c->thinks, thinks);
    c->hold = false;
    conversation_spoken(c, false, "");
    assert_int_equal(c->thinks, thinks + 1); /* what they said is answered now */
    assert_non_null(conversation_value(c, "first_seen"));
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    (void)conversation_say(c, "yes");
    assert_false(c->firm);
    conversation_destroy(&c);
}

static void a_reply_cut_before_it_is_heard_counts_too(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    c->hold = true;
    (void)conversation_say(c, "a laptop");
    (void)conversation_say(c, "a new one");
    (void)conversation_say(c, "of this year");
    int thinks = c->thinks;
    (void)conversation_say(c, "from dell");
    assert_int_equal(c->thinks, thinks);
    assert_true(c->firm);
    conversation_destroy(&c);
}

static void a_reply_heard_to_its_end_starts_the_count_anew(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    for (int i = 0; i < 4; i++) {
        c->hold = true;
        (void)conversation_say(c, "what can you do for me");
        conversation_turn_started(c);
        assert_false(c->firm);
        assert_int_equal(conversation_barge_in(c, c->turn), PL_OK);
        conversation_spoken(c, true, "I");
        c->hold = false;
        (void)conversation_say(c, "what can you do for me");
    }
    conversation_destroy(&c);
}

static void a_cough_is_not_asked_back_about(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    int thinks = c->thinks;
    c->speech_ms = 320;
    (void)conversation_say(c, "");
    assert_int_equal(c->thinks, thinks);
    c->speech_ms = 1500;
    (void)conversation_say(c, ""); /* that long it was somebody speaking */
    assert_int_equal(c->thinks, thinks + 1);
    conversation_destroy(&c);
}

static void words_while_thinking_join_in(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    c->hold_search = true;
    conversation_open(c);
    (void)conversation_say(c, "how do i reset my password");
    assert_int_equal(call_state(c->call), CALL_THINKING);
    (void)conversation_say(c, "a dell laptop");
    assert_int_equal(c->cancels, 1);
    assert_string_equal(conversation_value(c, "hardware_info"), "a dell laptop");
    char tool[64];
    snprintf(tool, sizeof tool, "%s", c->search_tool);
    conversation_answer_search(c, tool); /* the answer nobody waits for any more */
    c->reply[0] = '\0';
    conversation_run(c);
    assert_string_equal(c->reply, "");
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    conversation_destroy(&c);
}

static void long_thinking_is_bridged_and_then_given_up(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    c->hold_search = true;
    conversation_open(c);
    (void)conversation_say(c, "how do i reset my password");
    size_t messages = c->stored->n_messages;
    c->reply[0] = '\0';
    conversation_tick(c, c->settings.soft_ms);
    assert_non_null(strstr(c->reply, "moment"));
    assert_int_equal(c->stored->n_messages, messages); /* not stored */
    assert_int_equal(call_state(c->call), CALL_THINKING);
    c->reply[0] = '\0';
    conversation_tick(c, c->settings.hard_ms);
    assert_non_null(strstr(c->reply, "sorry"));
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    assert_int_equal(c->cancels, 1);
    conversation_destroy(&c);
}

static void an_answer_after_the_bridge_is_still_said(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    c->hold_search = true;
    c->knowledge = "Open the portal to reset it.";
    conversation_open(c);
    (void)conversation_say(c, "how do i reset my password");
    c->hold = true;
    conversation_tick(c, c->settings.soft_ms); /* "one moment" is being said */
    c->hold = false;
    c->pending = false;
    conversation_answer_search(c, c->search_tool);
    conversation_run(c);
    assert_non_null(strstr(c->reply, "Open the portal"));
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    conversation_destroy(&c);
}

static void silence_is_asked_about_and_then_ends_the_call(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    size_t messages = c->stored->n_messages;
    for (unsigned i = 1; i <= c->settings.retry_max; i++) {
        c->reply[0] = '\0';
        conversation_tick(c, c->settings.silence_ms);
        assert_non_null(strstr(c->reply, "still there"));
        assert_int_equal(c->stored->recognition_retry, i);
        assert_int_equal(c->stored->n_messages, messages);
    }
    c->reply[0] = '\0';
    conversation_tick(c, c->settings.silence_ms);
    assert_non_null(strstr(c->reply, "oodbye"));
    assert_int_equal(c->hangups, 1);
    conversation_destroy(&c);
}

static void any_sound_puts_the_silence_off(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__SpeechStarted body = PL__SPEECH_STARTED__INIT;
    c->now.mono_ms += c->settings.silence_ms - 1000;
    env.sender = (char *)"speech-0";
    env.body_case = PL__ENVELOPE__BODY_SPEECH_STARTED;
    env.speech_started = &body;
    (void)conversation_event(c, &env);
    Pl__Utterance noise = PL__UTTERANCE__INIT;
    noise.speech_ms = 200;
    env.body_case = PL__ENVELOPE__BODY_UTTERANCE;
    env.utterance = &noise;
    (void)conversation_event(c, &env);
    c->reply[0] = '\0';
    conversation_tick(c, 1000);
    assert_string_equal(c->reply, "");
    assert_true(call_deadline(c->call) > c->now.mono_ms);
    conversation_tick(c, c->settings.silence_ms);
    assert_non_null(strstr(c->reply, "still there"));
    (void)conversation_say(c, "a laptop");
    assert_int_equal(c->stored->recognition_retry, 0); /* a word starts the count anew */
    conversation_destroy(&c);
}

static void hold(conversation_t *c, bool held)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__LegHeld body = PL__LEG_HELD__INIT;
    body.held = held;
    env.sender = (char *)"telephony-0";
    env.body_case = PL__ENVELOPE__BODY_LEG_HELD;
    env.leg_held = &body;
    assert_int_equal(conversation_event(c, &env), PL_OK);
}

static void on_hold_silence_means_nothing(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    c->reply[0] = '\0';
    hold(c, true);
    for (int i = 0; i < 10; i++) conversation_tick(c, c->settings.silence_ms);
    assert_string_equal(c->reply, "");
    assert_int_equal(c->stored->recognition_retry, 0);
    assert_int_equal(c->hangups, 0);
    hold(c, false);
    assert_int_equal(call_deadline(c->call), c->now.mono_ms + c->settings.silence_ms);
    conversation_tick(c, c->settings.silence_ms - 1);
    assert_string_equal(c->reply, "");
    conversation_tick(c, 1); /* back, and as silent as before */
    assert_non_null(strstr(c->reply, "still there"));
    (void)conversation_say(c, "a laptop");
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    conversation_destroy(&c);
}

static void speech_event(conversation_t *c, Pl__Envelope__BodyCase kind, void *body)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.sender = (char *)"speech-0";
    env.body_case = kind;
    if (kind == PL__ENVELOPE__BODY_SPEECH_STARTED) env.speech_started = body;
    if (kind == PL__ENVELOPE__BODY_PARTIAL) env.partial = body;
    if (kind == PL__ENVELOPE__BODY_UTTERANCE) env.utterance = body;
    (void)conversation_event(c, &env);
}

/* A cough whose silence was waited for and whose text came late: the time counts from the cough. */
static void the_silence_counts_from_the_last_sound_not_from_its_text(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    Pl__SpeechStarted started = PL__SPEECH_STARTED__INIT;
    Pl__Utterance cough = PL__UTTERANCE__INIT;
    cough.speech_ms = 320;
    cough.endpointing_ms = 500;
    cough.recognition_ms = 1200;
    c->now.mono_ms += 5000;
    speech_event(c, PL__ENVELOPE__BODY_SPEECH_STARTED, &started);
    c->now.mono_ms += 200;
    uint64_t last_sound_ms = c->now.mono_ms;
    c->now.mono_ms += cough.endpointing_ms + cough.recognition_ms;
    speech_event(c, PL__ENVELOPE__BODY_UTTERANCE, &cough);
    assert_int_equal(call_deadline(c->call), last_sound_ms + c->settings.silence_ms);
    c->reply[0] = '\0';
    conversation_tick(c, c->settings.silence_ms - 1701);
    assert_string_equal(c->reply, "");
    conversation_tick(c, 1);
    assert_non_null(strstr(c->reply, "still there"));
    conversation_destroy(&c);
}

static void the_bots_own_voice_is_a_sound(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    c->hold = true;
    (void)conversation_say(c, "a laptop");
    conversation_turn_started(c);
    c->now.mono_ms += 7000; /* a long answer */
    c->hold = false;
    conversation_spoken(c, false, "");
    uint64_t due = c->now.mono_ms + c->settings.silence_ms;
    assert_int_equal(call_deadline(c->call), due);
    Pl__Utterance cough = PL__UTTERANCE__INIT; /* during it, its text only now */
    cough.speech_ms = 200;
    cough.endpointing_ms = 500;
    cough.recognition_ms = 3000;
    speech_event(c, PL__ENVELOPE__BODY_UTTERANCE, &cough);
    assert_int_equal(call_deadline(c->call), due);
    conversation_destroy(&c);
}

static void who_speaks_for_long_is_not_asked_whether_they_are_there(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    Pl__SpeechStarted started = PL__SPEECH_STARTED__INIT;
    c->now.mono_ms += 10000;
    speech_event(c, PL__ENVELOPE__BODY_SPEECH_STARTED, &started);
    c->reply[0] = '\0';
    for (int s = 0; s < 50; s++) conversation_tick(c, 1000);
    assert_string_equal(c->reply, "");
    for (int s = 0; s < 30; s++) conversation_tick(c, 1000); /* its end was lost */
    assert_non_null(strstr(c->reply, "still there"));
    conversation_destroy(&c);
}

static void hanging_up_while_thinking_ends_cleanly(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    c->hold_search = true;
    conversation_open(c);
    (void)conversation_say(c, "how do i reset my password");
    int says = c->says;
    assert_int_equal(conversation_leg_ended(c, PL__LEG_END__LEG_BYE_REMOTE, ""), PL_OK);
    assert_int_equal(call_state(c->call), CALL_ENDED);
    assert_int_equal(c->cancels, 1);
    conversation_answer_search(c, c->search_tool);
    conversation_run(c);
    assert_int_equal(conversation_utter(c, "hello"), PL_STALE);
    assert_int_equal(conversation_leg_ended(c, PL__LEG_END__LEG_BYE_REMOTE, ""), PL_STALE);
    assert_int_equal(c->says, says);
    assert_int_equal(c->hangups, 0);
    assert_int_equal(c->over, 1);
    conversation_destroy(&c);
}

static void a_goodbye_that_is_never_reported_still_hangs_up(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    c->hold = true;
    (void)conversation_say(c, "goodbye");
    assert_int_equal(call_state(c->call), CALL_ENDING);
    assert_int_equal(c->hangups, 0);
    conversation_tick(c, 60000);
    assert_int_equal(c->hangups, 1);
    conversation_tick(c, c->settings.hangup_ms); /* nor does the leg's end come */
    assert_int_equal(call_state(c->call), CALL_ENDED);
    assert_int_equal(c->stored->ended, PL__LEG_END__LEG_BYE_LOCAL);
    assert_int_equal(c->hangups, 1);
    conversation_destroy(&c);
}

static void a_turn_that_is_never_reported_is_not_waited_for(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    c->hold = true;
    (void)conversation_say(c, "a laptop");
    assert_int_equal(call_state(c->call), CALL_SPEAKING);
    conversation_tick(c, 120000);
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    conversation_destroy(&c);
}

static void a_moved_stream_hears_the_pending_sentence_again(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    c->hold = true;
    (void)conversation_say(c, "a laptop");
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__StreamLost lost = PL__STREAM_LOST__INIT;
    env.sender = (char *)"speech-0";
    env.body_case = PL__ENVELOPE__BODY_STREAM_LOST;
    env.stream_lost = &lost;
    assert_int_equal(conversation_event(c, &env), PL_OK);
    size_t messages = c->stored->n_messages;
    uint32_t turn = c->turn;
    c->reply[0] = '\0';
    c->hold = false;
    c->pending = false;
    conversation_answered(c, "speech-1", PL__LEG_KIND__SIP);
    assert_non_null(strstr(c->reply, "first seen"));
    assert_true(c->turn > turn);
    assert_int_equal(c->stored->n_messages, messages);
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    env.sender = (char *)"speech-0"; /* the former stream is nobody's concern now */
    assert_int_equal(conversation_event(c, &env), PL_STALE);
    c->reply[0] = '\0';
    conversation_answered(c, "speech-2", PL__LEG_KIND__SIP); /* moved while listening */
    assert_non_null(strstr(c->reply, "interrupted"));
    assert_non_null(strstr(c->reply, "first seen"));
    conversation_destroy(&c);
}

static void a_call_without_stream_does_not_wait_for_ever(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    call_begin(c->call, c->now, &c->fx);
    conversation_run(c);
    conversation_answered(c, "", PL__LEG_KIND__SIP);
    assert_int_equal(call_state(c->call), CALL_GREETING);
    assert_int_equal(c->says, 0);
    conversation_answered(c, "speech-0", PL__LEG_KIND__SIP);
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    conversation_destroy(&c);

    c = conversation_new(three_fields());
    call_begin(c->call, c->now, &c->fx);
    conversation_run(c);
    conversation_answered(c, "", PL__LEG_KIND__SIP);
    conversation_tick(c, c->settings.stream_ms);
    assert_int_equal(c->hangups, 1);
    conversation_destroy(&c);
}

static void a_transfer_without_outcome_comes_back(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    (void)conversation_say(c, "talk to a human");
    (void)conversation_say(c, "yes");
    assert_int_equal(call_state(c->call), CALL_TRANSFERRING);
    c->reply[0] = '\0';
    conversation_tick(c, c->settings.transfer_ms);
    assert_non_null(strstr(c->reply, "sorry"));
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    conversation_destroy(&c);
}

static void the_goodbye_cannot_be_talked_over(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    c->hold = true;
    (void)conversation_say(c, "goodbye");
    assert_int_equal(conversation_barge_in(c, c->turn), PL_STALE);
    int thinks = c->thinks;
    (void)conversation_say(c, "bye bye");
    assert_int_equal(c->thinks, thinks);
    assert_string_equal(newest(c, PL__PERSONA__HUMAN, PL__ACTION__TALK)->content, "bye bye");
    conversation_spoken(c, false, "");
    assert_int_equal(c->hangups, 1);
    assert_int_equal(c->says_after_hangup, 0);
    conversation_destroy(&c);
}

static void older_epochs_and_strange_bodies_are_refused(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__Utterance utterance = PL__UTTERANCE__INIT;
    utterance.text = (char *)"a laptop";
    env.body_case = PL__ENVELOPE__BODY_UTTERANCE;
    env.utterance = &utterance;
    env.epoch = 0;
    assert_int_equal(call_handle(c->call, c->now, &env, &c->fx), PL_STALE);
    env.epoch = 1;
    env.body_case = PL__ENVELOPE__BODY_HEARTBEAT;
    assert_int_equal(call_handle(c->call, c->now, &env, &c->fx), PL_UNSUPPORTED);
    env.body_case = (Pl__Envelope__BodyCase)4711;
    assert_int_equal(call_handle(c->call, c->now, &env, &c->fx), PL_UNSUPPORTED);
    assert_int_equal(call_sentence(c->call, c->now, 99, "x", 0, &c->fx), PL_STALE);
    assert_int_equal(call_thought(c->call, c->now, 99, PL_OK, &c->fx), PL_STALE);
    conversation_destroy(&c);
}

static void a_lost_call_falls_silent(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    int says = c->says;
    int stores = c->stores;
    call_lost(c->call, &c->fx);
    conversation_run(c);
    assert_int_equal(call_state(c->call), CALL_ENDED);
    assert_int_equal(c->says, says);
    assert_int_equal(c->stores, stores);
    assert_int_equal(c->hangups, 0);
    assert_int_equal(c->over, 1);
    conversation_destroy(&c);
}

static void shutting_down_says_goodbye(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    c->reply[0] = '\0';
    call_shut_down(c->call, c->now, &c->fx);
    conversation_run(c);
    assert_non_null(strstr(c->reply, "end the call"));
    assert_int_equal(c->hangups, 1);
    call_abort(c->call, c->now, &c->fx);
    conversation_run(c);
    assert_int_equal(c->hangups, 1);
    assert_int_equal(call_state(c->call), CALL_ENDED);
    conversation_destroy(&c);
}

/* ---- any events in any order ---- */

static uint32_t seed_state;

static uint32_t draw(uint32_t below)
{
    seed_state = seed_state * 1664525U + 1013904223U;
    return (seed_state >> 8) % below;
}

static void random_event(conversation_t *c)
{
    static const char *const texts[] = {
        "a laptop",        "yesterday at nine", "yes",    "no",
        "building four",   "goodbye",           "",       "how do i reset it",
        "talk to a human", "no it was ten",     "slower", "mhm",
        "i don't know"};
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__TurnSpoken spoken = PL__TURN_SPOKEN__INIT;
    Pl__TurnStarted started = PL__TURN_STARTED__INIT;
    Pl__StreamLost lost = PL__STREAM_LOST__INIT;
    Pl__LegTransferred transferred = PL__LEG_TRANSFERRED__INIT;
    c->pending = false;
    switch (draw(12)) {
    case 0:
    case 1:
    case 2:
        (void)conversation_utter(c, texts[draw(sizeof texts / sizeof texts[0])]);
        break;
    case 3:
    case 4:
        spoken.turn = c->turn - draw(2);
        spoken.interrupted = draw(3) == 0;
        spoken.heard_text = (char *)"something";
        env.body_case = PL__ENVELOPE__BODY_TURN_SPOKEN;
        env.turn_spoken = &spoken;
        (void)conversation_event(c, &env);
        break;
    case 5:
        started.turn = c->turn - draw(2);
        env.body_case = PL__ENVELOPE__BODY_TURN_STARTED;
        env.turn_started = &started;
        (void)conversation_event(c, &env);
        break;
    case 6:
        (void)conversation_barge_in(c, c->turn - draw(2));
        break;
    case 7:
        conversation_answered(c, draw(3) ? "speech-0" : "", PL__LEG_KIND__SIP);
        break;
    case 8:
        env.sender = (char *)"speech-0";
        env.body_case = PL__ENVELOPE__BODY_STREAM_LOST;
        env.stream_lost = &lost;
        (void)conversation_event(c, &env);
        break;
    case 9:
        transferred.ok = draw(2) != 0;
        env.body_case = PL__ENVELOPE__BODY_LEG_TRANSFERRED;
        env.leg_transferred = &transferred;
        (void)conversation_event(c, &env);
        break;
    case 10:
        if (draw(20) == 0) (void)conversation_leg_ended(c, PL__LEG_END__LEG_BYE_REMOTE, "");
        break;
    default:
        conversation_tick(c, draw(40000));
        break;
    }
}

static void assert_sane(const conversation_t *c)
{
    assert_true(c->hangups <= 1);
    assert_true(c->over <= 1);
    assert_int_equal(c->says_after_hangup, 0);
    bool ended = call_state(c->call) == CALL_ENDED;
    assert_int_equal(c->over, ended);
    assert_true(ended || call_deadline(c->call) != UINT64_MAX);
    assert_true(c->started + c->refusals <= 1);
}

static void every_state_has_an_exit_in_time_whatever_happens(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 400; seed++) {
        seed_state = seed;
        conversation_t *c = conversation_new(three_fields());
        c->hold = true;
        c->hold_search = draw(2);
        call_begin(c->call, c->now, &c->fx);
        conversation_run(c);
        if (draw(10)) conversation_answered(c, "speech-0", PL__LEG_KIND__SIP);
        for (int i = 0; i < 150; i++) {
            random_event(c);
            assert_sane(c);
        }
        /* Then nothing comes any more: time alone must end it, without a loop. */
        int ticks = 0;
        while (call_state(c->call) != CALL_ENDED) {
            uint64_t due = call_deadline(c->call);
            if (due > c->now.mono_ms) c->now.mono_ms = due;
            call_tick(c->call, c->now, &c->fx);
            c->pending = false;
            conversation_run(c);
            assert_sane(c);
            assert_true(++ticks < 60);
        }
        assert_false(c->stored->in_progress);
        conversation_destroy(&c);
    }
}

/* The same record again, as the store would give it after a change of owner. */
static void ring_back(conversation_t *c)
{
    Pl__CallRecord *record = pl_record_copy(c->stored);
    call_destroy(&c->call);
    c->call = call_new(record, "telephony-0", &c->settings, c->prompts);
    pl_record_free(&record);
    c->creates = c->started = 0;
    c->reply[0] = '\0';
    call_begin_again(c->call, c->now, "+33699999999", &c->fx);
    conversation_run(c);
}

static void a_call_gone_on_with_is_not_created_again(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    (void)conversation_say(c, "a laptop");
    (void)conversation_leg_ended(c, PL__LEG_END__LEG_MEDIA_LOST, "gone");
    uint32_t turn = c->turn;
    ring_back(c);
    assert_int_equal(c->creates, 0);
    assert_int_equal(c->started, 1);
    assert_int_equal(call_state(c->call), CALL_RINGING);
    assert_int_equal(c->stored->ended, PL__LEG_END__LEG_NOT_ENDED);
    assert_string_equal(c->stored->ended_detail, "");
    assert_false(call_leg_up(c->call)); /* telephony may not know it by this id yet */
    conversation_answered(c, "speech-0", PL__LEG_KIND__SIP);
    assert_true(call_leg_up(c->call));
    assert_true(c->turn > turn);
    assert_non_null(strstr(c->reply, "Welcome back"));
    assert_non_null(strstr(c->reply, "hardware info: a laptop"));
    assert_non_null(strstr(c->reply, "first seen")); /* and on with what is missing */
    (void)conversation_say(c, "yesterday at nine");
    assert_string_not_equal(conversation_value(c, "first_seen"), "");
    conversation_destroy(&c);
}

static void a_call_without_words_is_opened_as_a_new_one(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    call_begin(c->call, c->now, &c->fx);
    conversation_run(c);
    (void)conversation_leg_ended(c, PL__LEG_END__LEG_BUSY, "486");
    ring_back(c);
    conversation_answered(c, "speech-0", PL__LEG_KIND__SIP);
    assert_null(strstr(c->reply, "Welcome back"));
    assert_non_null(strstr(c->reply, "Hello"));
    conversation_destroy(&c);
}

static void a_returning_caller_is_not_sent_away_by_the_welcome(void **state)
{
    (void)state;
    char result[512];
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    (void)conversation_say(c, "a laptop");
    (void)conversation_leg_ended(c, PL__LEG_END__LEG_MEDIA_LOST, "gone");
    ring_back(c);
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__LegAnswered answered = PL__LEG_ANSWERED__INIT;
    answered.speech = (char *)"speech-0";
    env.sender = (char *)"telephony-0";
    env.epoch = 1;
    env.body_case = PL__ENVELOPE__BODY_LEG_ANSWERED;
    env.leg_answered = &answered;
    assert_int_equal(call_handle(c->call, c->now, &env, &c->fx), PL_OK);
    uint32_t welcome = 0;
    for (const effect_t *e = c->fx.first; e; e = e->next) {
        if (e->kind != FX_THINK) continue;
        welcome = e->think;
        assert_int_equal(e->think_kind, THINK_RESUMED);
    }
    static const char *const barred[] = {"end_call", "talk_to_human"};
    for (size_t i = 0; i < 2; i++) {
        fx_clear(&c->fx);
        (void)call_tool(c->call, c->now, welcome, barred[i], barred[i], "{}", &c->fx);
        run_by_hand(c, result, sizeof result);
        assert_non_null(strstr(result, "has just rung back"));
    }
    (void)call_thought(c->call, c->now, welcome, PL_OK, &c->fx);
    fx_clear(&c->fx);
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    uint32_t thought = begin_thought(c, "goodbye");
    (void)call_tool(c->call, c->now, thought, "t-9", "end_call", "{}", &c->fx);
    run_by_hand(c, result, sizeof result);
    assert_string_equal(result, "t-9=The call ends after this.");
    conversation_destroy(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_record_is_stored_before_dialling),
        cmocka_unit_test(a_call_that_cannot_be_stored_is_refused),
        cmocka_unit_test(a_silent_store_is_not_waited_for_for_ever),
        cmocka_unit_test(a_failed_dial_ends_the_record),
        cmocka_unit_test(outcomes_without_answer_need_no_post_call_work),
        cmocka_unit_test(an_answer_may_overtake_the_dial_reply),
        cmocka_unit_test(ringing_ends_by_itself),
        cmocka_unit_test(an_incoming_call_is_accepted_once_stored),
        cmocka_unit_test(the_record_tells_the_whole_call),
        cmocka_unit_test(a_leg_hung_up_in_silence_is_no_interaction),
        cmocka_unit_test(an_interrupted_answer_is_cut_where_it_was_heard),
        cmocka_unit_test(what_the_bot_had_not_asked_yet_is_not_answered),
        cmocka_unit_test(an_interrupted_answer_in_the_making_is_made_no_further),
        cmocka_unit_test(a_late_report_still_cuts_the_right_message),
        cmocka_unit_test(listening_along_does_not_take_the_floor),
        cmocka_unit_test(after_two_cut_replies_the_third_is_finished),
        cmocka_unit_test(a_reply_cut_before_it_is_heard_counts_too),
        cmocka_unit_test(a_reply_heard_to_its_end_starts_the_count_anew),
        cmocka_unit_test(a_cough_is_not_asked_back_about),
        cmocka_unit_test(words_while_thinking_join_in),
        cmocka_unit_test(long_thinking_is_bridged_and_then_given_up),
        cmocka_unit_test(an_answer_after_the_bridge_is_still_said),
        cmocka_unit_test(silence_is_asked_about_and_then_ends_the_call),
        cmocka_unit_test(any_sound_puts_the_silence_off),
        cmocka_unit_test(on_hold_silence_means_nothing),
        cmocka_unit_test(the_silence_counts_from_the_last_sound_not_from_its_text),
        cmocka_unit_test(the_bots_own_voice_is_a_sound),
        cmocka_unit_test(who_speaks_for_long_is_not_asked_whether_they_are_there),
        cmocka_unit_test(hanging_up_while_thinking_ends_cleanly),
        cmocka_unit_test(a_goodbye_that_is_never_reported_still_hangs_up),
        cmocka_unit_test(a_turn_that_is_never_reported_is_not_waited_for),
        cmocka_unit_test(a_moved_stream_hears_the_pending_sentence_again),
        cmocka_unit_test(a_call_without_stream_does_not_wait_for_ever),
        cmocka_unit_test(a_transfer_without_outcome_comes_back),
        cmocka_unit_test(the_goodbye_cannot_be_talked_over),
        cmocka_unit_test(older_epochs_and_strange_bodies_are_refused),
        cmocka_unit_test(a_lost_call_falls_silent),
        cmocka_unit_test(shutting_down_says_goodbye),
        cmocka_unit_test(every_state_has_an_exit_in_time_whatever_happens),
        cmocka_unit_test(a_call_gone_on_with_is_not_created_again),
        cmocka_unit_test(a_call_without_words_is_opened_as_a_new_one),
        cmocka_unit_test(a_returning_caller_is_not_sent_away_by_the_welcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
