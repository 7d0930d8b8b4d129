/* script_test.c - whole conversations as text: what the caller says, what the claim holds then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/dialogue/conversation.h"

static void assert_says(const char *reply, const char *part)
{
    if (!strstr(reply, part)) fail_msg("\"%s\" is not in \"%s\"", part, reply);
}

static void assert_not_says(const char *reply, const char *part)
{
    if (strstr(reply, part)) fail_msg("\"%s\" is in \"%s\"", part, reply);
}

static void the_opening_names_the_bot_and_asks(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    assert_says(c->reply, "Amelie");
    assert_says(c->reply, "virtual assistant of Contoso");
    assert_says(c->reply, "help you with your digital workplace");
    assert_says(c->reply, "hardware info");
    assert_int_equal(c->expect, PL__EXPECT__ANYTHING);
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    conversation_destroy(&c);
}

static void the_task_is_said_only_where_it_can_be(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"Help the customer with their IT support ticket. Be kind.",
         "I am here to help you with your IT support ticket."},
        {"Help callers with the claim", "I am here to help you with the claim."},
        {"Sell them a second insurance.", "I have a few short questions for you."},
        {"Help the customer with whatever they may want to say and ask of them for ever and ever",
         "I have a few short questions for you."},
        {"", "I have a few short questions for you."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        conversation_t *c = conversation_new(three_fields());
        char **task = &call_record(c->call)->initiate->task;
        free(*task);
        *task = strdup(rows[i][0]);
        conversation_open(c);
        assert_says(c->reply, rows[i][1]);
        conversation_destroy(&c);
    }
}

static void three_answers_fill_three_fields(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    assert_says(conversation_say(c, "um well it is a dell laptop and it does not turn on"),
                "When was it first seen?");
    assert_int_equal(c->expect, PL__EXPECT__DATE_TIME);
    assert_string_equal(conversation_value(c, "hardware_info"),
                        "dell laptop and it does not turn on");
    assert_says(conversation_say(c, "yesterday at nine in the morning"),
                "Saturday, November twenty-first, at nine in the morning. Is that right?");
    assert_int_equal(c->expect, PL__EXPECT__YES_NO);
    assert_false(conversation_confirmed(c, "first_seen"));
    assert_says(conversation_say(c, "yes"), "building location");
    assert_true(conversation_confirmed(c, "first_seen"));
    const char *reply = conversation_say(c, "building for second floor");
    assert_says(reply, "sum up");
    assert_says(reply, "uilding four, second floor");
    assert_says(reply, "Is there anything to correct");
    assert_says(conversation_say(c, "no that's all goodbye"), "oodbye");
    assert_int_equal(c->hangups, 1);
    assert_string_equal(conversation_value(c, "first_seen"), "2026-11-21T09:00:00");
    assert_string_equal(conversation_value(c, "building_location"), "building four, second floor");
    assert_true(conversation_confirmed(c, "hardware_info"));
    assert_true(conversation_confirmed(c, "building_location"));
    conversation_destroy(&c);
}

static void a_value_knows_the_message_it_came_from(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    (void)conversation_say(c, "a laptop");
    const Pl__ClaimValue *value = pl_record_claim(c->stored, "hardware_info");
    bool found = false;
    for (size_t i = 0; i < c->stored->n_messages; i++) {
        const Pl__Message *message = c->stored->messages[i];
        if (message->number != value->message) continue;
        found = true;
        assert_string_equal(message->content, "a laptop");
        assert_int_equal(message->persona, PL__PERSONA__HUMAN);
    }
    assert_true(found);
    conversation_destroy(&c);
}

static void what_is_volunteered_is_not_asked_for(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    const char *reply = conversation_say(c, "my laptop broke yesterday at nine in building four");
    assert_string_equal(conversation_value(c, "first_seen"), "2026-11-21T09:00:00");
    assert_string_equal(conversation_value(c, "building_location"), "building four");
    assert_string_equal(conversation_value(c, "hardware_info"), "my laptop broke");
    assert_says(reply, "sum up");
    conversation_destroy(&c);
}

static void a_volunteered_place_is_repaired_too(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    (void)conversation_say(c, "a printer in building for a second floor that smells");
    assert_string_equal(conversation_value(c, "building_location"), "building four, second floor");
    assert_string_equal(conversation_value(c, "hardware_info"), "a printer that smells");
    conversation_destroy(&c);
}

static void an_acknowledged_text_can_be_corrected(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    (void)conversation_say(c, "a dell laptop");
    assert_says(conversation_say(c, "no it is a lenovo laptop"), "changed that to a lenovo laptop");
    assert_string_equal(conversation_value(c, "hardware_info"), "a lenovo laptop");
    const Pl__ClaimValue *value = pl_record_claim(c->stored, "hardware_info");
    assert_int_equal(value->n_earlier, 1);
    assert_true(value->corrected);
    assert_string_equal(value->earlier[0]->value, "a dell laptop");
    assert_true(value->message > value->earlier[0]->message);
    assert_true(value->earlier[0]->message > 0);
    assert_says(c->reply, "first seen");
    conversation_destroy(&c);
}

static void a_moment_read_back_can_be_corrected(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    (void)conversation_say(c, "a laptop");
    (void)conversation_say(c, "last monday at half past two");
    (void)conversation_say(c, "no it was tuesday");
    assert_string_equal(conversation_value(c, "first_seen"), "2026-11-17T14:30:00");
    (void)conversation_say(c, "no at three in the afternoon");
    assert_string_equal(conversation_value(c, "first_seen"), "2026-11-17T15:00:00");
    assert_says(conversation_say(c, "no"), "When was it first seen?");
    assert_string_equal(conversation_value(c, "first_seen"), "");
    (void)conversation_say(c, "yesterday at noon");
    (void)conversation_say(c, "that is correct");
    assert_string_equal(conversation_value(c, "first_seen"), "2026-11-21T12:00:00");
    assert_true(conversation_confirmed(c, "first_seen"));
    conversation_destroy(&c);
}

static void the_summary_can_be_corrected(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    (void)conversation_say(c, "a laptop");
    (void)conversation_say(c, "yesterday at noon");
    (void)conversation_say(c, "yes");
    (void)conversation_say(c, "building four");
    assert_says(conversation_say(c, "no building five"), "uilding five");
    assert_string_equal(conversation_value(c, "building_location"), "building five");
    (void)conversation_say(c, "change the building location to building six");
    assert_string_equal(conversation_value(c, "building_location"), "building six");
    assert_says(conversation_say(c, "yes"), "What would you like to change?");
    assert_says(conversation_say(c, "the hardware info"), "hardware info");
    (void)conversation_say(c, "a desktop");
    assert_string_equal(conversation_value(c, "hardware_info"), "a desktop");
    (void)conversation_say(c, "no thank you");
    assert_int_equal(c->hangups, 1);
    conversation_destroy(&c);
}

static void a_phone_number_may_come_in_pieces(void **state)
{
    (void)state;
    static const field_t fields[] = {
        {"callback", PL__CLAIM_TYPE__PHONE_NUMBER, "phone of the user"}, {NULL, 0, NULL}};
    conversation_t *c = conversation_new(fields);
    conversation_open(c);
    assert_says(c->reply, "your phone");
    assert_int_equal(c->expect, PL__EXPECT__DIGITS);
    assert_says(conversation_say(c, "oh six one two three four"), "so far");
    assert_says(conversation_say(c, "five six seven eight"),
                "plus three three, six one two, three four five, six seven eight");
    assert_string_equal(conversation_value(c, "callback"), "+33612345678");
    (void)conversation_say(c, "yes");
    assert_true(conversation_confirmed(c, "callback"));
    conversation_destroy(&c);
}

static void the_number_of_the_call_can_be_taken(void **state)
{
    (void)state;
    static const field_t fields[] = {{"callback", PL__CLAIM_TYPE__PHONE_NUMBER, ""},
                                     {NULL, 0, NULL}};
    conversation_t *c = conversation_new(fields);
    conversation_open(c);
    (void)conversation_say(c, "the number i am calling from");
    assert_string_equal(conversation_value(c, "callback"), "+33699999999");
    conversation_destroy(&c);
}

static void an_address_is_spelled_and_read_back(void **state)
{
    (void)state;
    static const field_t fields[] = {{"contact", PL__CLAIM_TYPE__EMAIL, ""}, {NULL, 0, NULL}};
    conversation_t *c = conversation_new(fields);
    conversation_open(c);
    assert_int_equal(c->expect, PL__EXPECT__SPELLING);
    assert_says(conversation_say(c, "john dot smith at example dot com"),
                "john dot smith at example dot com. Is that right?");
    (void)conversation_say(c, "no jon smith j o n s m i t h at example dot com");
    assert_string_equal(conversation_value(c, "contact"), "jonsmith@example.com");
    (void)conversation_say(c, "yes");
    assert_true(conversation_confirmed(c, "contact"));
    conversation_destroy(&c);
}

static void questions_are_answered_from_the_knowledge_base(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    c->knowledge = "# Passwords\n\nPasswords expire. To **reset** your password, open the [portal]"
                   "(https://example.com) and choose *forgot password*. A link arrives by mail.";
    conversation_open(c);
    const char *reply = conversation_say(c, "how do i reset my password");
    assert_int_equal(c->searches, 1);
    assert_says(reply, "To reset your password, open the portal and choose forgot password.");
    assert_says(reply, "hardware info");
    assert_not_says(reply, "https");
    assert_says(conversation_say(c, "can you repeat that"), "forgot password");
    (void)conversation_say(c, "a laptop");
    assert_string_equal(conversation_value(c, "hardware_info"), "a laptop");
    conversation_destroy(&c);
}

static void the_passages_an_answer_was_made_with_are_noted(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    c->knowledge = "To reset your password, open the portal and choose forgot password.";
    conversation_open(c);
    (void)conversation_say(c, "how do i reset my password");
    const Pl__CallRecord *record = call_record(c->call);
    size_t noted = 0;
    for (size_t i = 0; i < record->n_messages; i++) {
        const Pl__Message *message = record->messages[i];
        noted += message->n_passages;
        if (message->n_passages == 0) continue;
        assert_int_equal(message->persona, PL__PERSONA__ASSISTANT);
        assert_string_equal(message->passages[0]->id, "p1");
        assert_string_equal(message->passages[0]->title, "Guide");
        assert_string_equal(message->passages[0]->source, "guide.md");
        assert_true(message->passages[0]->score > 3.9 && message->passages[0]->score < 4.1);
    }
    assert_int_equal(noted, 1);
    conversation_destroy(&c);
}

static void what_is_not_known_is_not_made_up(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    assert_says(conversation_say(c, "what is the meaning of life"), "do not know");
    assert_says(c->reply, "hardware info");
    c->knowledge = "Something else entirely.";
    c->score = 0.2;
    assert_says(conversation_say(c, "what is the meaning of life"), "do not know");
    c->search_error = PL_UNAVAILABLE;
    assert_says(conversation_say(c, "what is the meaning of life"), "do not know");
    conversation_destroy(&c);
}

static void who_is_calling_is_no_search(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    assert_says(conversation_say(c, "who is this"), "Amelie");
    assert_says(c->reply, "hardware info");
    assert_int_equal(c->searches, 0);
    conversation_destroy(&c);
}

static void a_human_is_reached_with_consent(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    assert_says(conversation_say(c, "i want to talk to a human"), "connect you with a colleague?");
    assert_int_equal(c->expect, PL__EXPECT__YES_NO);
    assert_int_equal(c->transfers, 0);
    assert_says(conversation_say(c, "yes please"), "transferring");
    assert_int_equal(c->transfers, 1);
    assert_int_equal(call_state(c->call), CALL_TRANSFERRING);
    conversation_destroy(&c);
}

static void a_refused_transfer_goes_on(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    (void)conversation_say(c, "a laptop");
    (void)conversation_say(c, "let me speak to an agent");
    assert_says(conversation_say(c, "no"), "first seen");
    assert_int_equal(c->transfers, 0);
    conversation_destroy(&c);
}

static void a_failed_transfer_apologises_and_goes_on(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    (void)conversation_say(c, "a laptop");
    (void)conversation_say(c, "let me speak to an agent");
    (void)conversation_say(c, "yes");
    c->reply[0] = '\0';
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__LegTransferred body = PL__LEG_TRANSFERRED__INIT;
    env.body_case = PL__ENVELOPE__BODY_LEG_TRANSFERRED;
    env.leg_transferred = &body;
    assert_int_equal(conversation_event(c, &env), PL_OK);
    assert_says(c->reply, "sorry");
    assert_says(c->reply, "first seen");
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    conversation_destroy(&c);
}

static void speed_is_changed_within_bounds(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    assert_says(conversation_say(c, "slower please"), "slowly");
    assert_true(c->rate > 0.84 && c->rate < 0.86);
    for (int i = 0; i < 5; i++) (void)conversation_say(c, "slower please");
    assert_true(c->rate > 0.74 && c->rate < 0.76);
    for (int i = 0; i < 9; i++) (void)conversation_say(c, "faster please");
    assert_true(c->rate > 1.24 && c->rate < 1.26);
    assert_says(c->reply, "hardware info");
    conversation_destroy(&c);
}

static void what_is_not_known_is_skipped_for_good(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    assert_says(conversation_say(c, "i don't know"), "first seen");
    assert_says(conversation_say(c, "i'd rather not say"), "building location");
    const char *reply = conversation_say(c, "building two");
    assert_not_says(reply, "first seen");
    assert_says(reply, "anything");
    conversation_destroy(&c);
}

static void what_is_not_understood_is_asked_once_more_at_the_end(void **state)
{
    (void)state;
    static const field_t fields[] = {{"first_seen", PL__CLAIM_TYPE__DATETIME, ""},
                                     {"building_location", PL__CLAIM_TYPE__TEXT, ""},
                                     {NULL, 0, NULL}};
    conversation_t *c = conversation_new(fields);
    conversation_open(c);
    assert_says(conversation_say(c, "bla bla bla"), "for example");
    (void)conversation_say(c, "foo bar baz");
    assert_says(conversation_say(c, "foo bar baz"), "connect you with a colleague");
    assert_says(conversation_say(c, "no"), "first seen");
    for (int i = 0; i < 3; i++) (void)conversation_say(c, "foo bar baz");
    assert_says(c->reply, "building location");
    assert_says(conversation_say(c, "building one"), "first seen");
    for (int i = 0; i < 3; i++) (void)conversation_say(c, "foo bar baz");
    assert_says(c->reply, "sum up");
    conversation_destroy(&c);
}

static void a_voice_without_words_is_not_an_answer(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    size_t messages = c->stored->n_messages;
    assert_says(conversation_say(c, ""), "Sorry");
    assert_says(c->reply, "hardware info");
    assert_string_equal(conversation_value(c, "hardware_info"), "");
    assert_int_equal(c->stored->n_messages, messages + 1); /* the bot's only */
    assert_says(conversation_say(c, "hello"), "hardware info");
    assert_string_equal(conversation_value(c, "hardware_info"), "");
    conversation_destroy(&c);
}

static void goodbye_ends_at_any_time(void **state)
{
    (void)state;
    static const char *const before[] = {"", "a laptop", "yesterday", "yes", "building four"};
    for (size_t n = 0; n < 5; n++) {
        conversation_t *c = conversation_new(three_fields());
        conversation_open(c);
        for (size_t i = 1; i <= n; i++) (void)conversation_say(c, before[i]);
        assert_says(conversation_say(c, "goodbye"), "oodbye");
        assert_int_equal(c->hangups, 1);
        assert_int_equal(call_state(c->call), CALL_ENDING);
        conversation_destroy(&c);
    }
}

static void repeat_says_the_question_again(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    (void)conversation_say(c, "a laptop");
    assert_says(conversation_say(c, "pardon"), "When was it first seen?");
    (void)conversation_say(c, "yesterday");
    assert_says(conversation_say(c, "what did you say"), "Is that right?");
    conversation_destroy(&c);
}

static void swearing_is_answered_politely(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    assert_says(conversation_say(c, "fuck this"), "frustrating");
    assert_says(conversation_say(c, "fuck you, this is bullshit"), "frustrating");
    assert_string_equal(conversation_value(c, "hardware_info"), "");
    (void)conversation_say(c, "my fucking laptop is dead");
    assert_string_equal(conversation_value(c, "hardware_info"), "my laptop is dead");
    conversation_destroy(&c);
}

static void waiting_is_granted(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    assert_says(conversation_say(c, "hold on a second"), "take your time");
    (void)conversation_say(c, "a laptop");
    assert_string_equal(conversation_value(c, "hardware_info"), "a laptop");
    conversation_destroy(&c);
}

static void a_call_without_fields_asks_how_to_help(void **state)
{
    (void)state;
    static const field_t none[] = {{NULL, 0, NULL}};
    conversation_t *c = conversation_new(none);
    conversation_open(c);
    assert_says(c->reply, "How can I help you?");
    assert_says(conversation_say(c, "my screen is black"), "noted");
    (void)conversation_say(c, "no thanks");
    assert_int_equal(c->hangups, 1);
    conversation_destroy(&c);
}

static void questions_come_from_descriptions(void **state)
{
    (void)state;
    static const struct {
        field_t field;
        const char *want;
    } rows[] = {
        {{"hw", PL__CLAIM_TYPE__TEXT, "Hardware info of the user"}, "your hardware info"},
        {{"x", PL__CLAIM_TYPE__TEXT, "What exactly happened?"}, "What exactly happened?"},
        {{"x", PL__CLAIM_TYPE__TEXT, "Describe the damage."}, "Describe the damage."},
        {{"x", PL__CLAIM_TYPE__TEXT, "where the car is parked now"}, "where the car is parked now"},
        {{"incident_datetime", PL__CLAIM_TYPE__DATETIME, ""}, "date and time of the incident"},
        {{"firstSeen", PL__CLAIM_TYPE__DATETIME, ""}, "When was it first seen?"},
        {{"policyholder_phone", PL__CLAIM_TYPE__PHONE_NUMBER, ""}, "your phone number"},
        {{"policyholder_email", PL__CLAIM_TYPE__EMAIL, ""}, "your e-mail address"},
        {{"policy_number", PL__CLAIM_TYPE__TEXT, ""}, "the policy number"},
        {{"x_y", PL__CLAIM_TYPE__TEXT,
          "A very long explanation of what this field is good for, why it exists and how to fill "
          "it"},
         "the x y"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        field_t fields[] = {rows[i].field, {NULL, 0, NULL}};
        conversation_t *c = conversation_new(fields);
        conversation_open(c);
        assert_says(c->reply, rows[i].want);
        conversation_destroy(&c);
    }
}

static void what_was_cut_off_is_joined(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    (void)conversation_say(c, "a laptop");
    (void)conversation_say(c, "yesterday at nine");
    (void)conversation_say(c, "yes");
    c->hold = true; /* the answer is not heard: the caller only took a breath */
    (void)conversation_say(c, "building four");
    c->hold = false;
    c->pending = false;
    (void)conversation_say(c, "second floor");
    assert_string_equal(conversation_value(c, "building_location"), "building four, second floor");
    assert_says(c->reply, "sum up");
    conversation_destroy(&c);
}

static void calls_are_held_in_the_language_of_the_call(void **state)
{
    (void)state;
    static const struct {
        const char *lang, *hello, *asks, *answer, *goodbye, *farewell;
    } rows[] = {
        {"fr-FR", "Bonjour", "Pouvez-vous", "je ne sais pas", "au revoir", "Au revoir"},
        {"de-DE", "Guten Tag", "Können Sie mir", "keine Ahnung", "auf Wiederhören",
         "Auf Wiederhören"},
        {"es-ES", "Buenos días", "¿Puede decirme", "no lo sé", "adiós", "Adiós"},
        {"zh-CN", "您好", "请告诉我", "我不知道", "再见。", "再见"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        conversation_t *c = conversation_new(three_fields());
        Pl__CallChange change = PL__CALL_CHANGE__INIT;
        change.change_case = PL__CALL_CHANGE__CHANGE_LANG_SHORT_CODE;
        change.lang_short_code = (char *)rows[i].lang;
        (void)pl_record_apply((Pl__CallRecord *)call_record(c->call), &change);
        conversation_open(c);
        assert_says(c->reply, rows[i].hello);
        assert_says(c->reply, rows[i].asks);
        const char *reply = conversation_say(c, rows[i].answer);
        assert_string_equal(conversation_value(c, "hardware_info"), "");
        assert_non_null(reply);
        assert_says(conversation_say(c, rows[i].goodbye), rows[i].farewell);
        assert_int_equal(c->hangups, 1);
        conversation_destroy(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_opening_names_the_bot_and_asks),
        cmocka_unit_test(the_task_is_said_only_where_it_can_be),
        cmocka_unit_test(three_answers_fill_three_fields),
        cmocka_unit_test(a_value_knows_the_message_it_came_from),
        cmocka_unit_test(what_is_volunteered_is_not_asked_for),
        cmocka_unit_test(a_volunteered_place_is_repaired_too),
        cmocka_unit_test(an_acknowledged_text_can_be_corrected),
        cmocka_unit_test(a_moment_read_back_can_be_corrected),
        cmocka_unit_test(the_summary_can_be_corrected),
        cmocka_unit_test(a_phone_number_may_come_in_pieces),
        cmocka_unit_test(the_number_of_the_call_can_be_taken),
        cmocka_unit_test(an_address_is_spelled_and_read_back),
        cmocka_unit_test(questions_are_answered_from_the_knowledge_base),
        cmocka_unit_test(the_passages_an_answer_was_made_with_are_noted),
        cmocka_unit_test(what_is_not_known_is_not_made_up),
        cmocka_unit_test(who_is_calling_is_no_search),
        cmocka_unit_test(a_human_is_reached_with_consent),
        cmocka_unit_test(a_refused_transfer_goes_on),
        cmocka_unit_test(a_failed_transfer_apologises_and_goes_on),
        cmocka_unit_test(speed_is_changed_within_bounds),
        cmocka_unit_test(what_is_not_known_is_skipped_for_good),
        cmocka_unit_test(what_is_not_understood_is_asked_once_more_at_the_end),
        cmocka_unit_test(a_voice_without_words_is_not_an_answer),
        cmocka_unit_test(goodbye_ends_at_any_time),
        cmocka_unit_test(repeat_says_the_question_again),
        cmocka_unit_test(swearing_is_answered_politely),
        cmocka_unit_test(waiting_is_granted),
        cmocka_unit_test(a_call_without_fields_asks_how_to_help),
        cmocka_unit_test(questions_come_from_descriptions),
        cmocka_unit_test(what_was_cut_off_is_joined),
        cmocka_unit_test(calls_are_held_in_the_language_of_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
