/* language_test.c - the language menu by words and keys, changes of language, keys as digits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/dialogue/menu.h"
#include "services/dialogue/nlu/tongue.h"
#include "tests/unit/dialogue/by_hand.h"
#include "tests/unit/dialogue/conversation.h"

typedef struct {
    const char *code;
    const char *names[4];
} lang_t;

static const lang_t three[] = {{"en-US", {"English", "EN", "United States"}},
                               {"fr-FR", {"French", "FR", "France"}},
                               {"zh-CN", {"Chinese", "ZH", "China"}},
                               {NULL, {NULL}}};

static void add_language(Pl__Initiate *initiate, const lang_t *from)
{
    size_t n = initiate->n_lang_available;
    initiate->lang_available = realloc(initiate->lang_available, (n + 1) * sizeof(Pl__Language *));
    Pl__Language *lang = malloc(sizeof *lang);
    assert_true(lang && initiate->lang_available);
    pl__language__init(lang);
    lang->short_code = strdup(from->code);
    lang->voice = strdup(from->code); /* told from another's in the tests */
    for (size_t i = 0; i < 4 && from->names[i]; i++) {
        lang->pronunciations_en = realloc(lang->pronunciations_en, (i + 1) * sizeof(char *));
        lang->pronunciations_en[i] = strdup(from->names[i]);
        lang->n_pronunciations_en++;
    }
    initiate->lang_available[n] = lang;
    initiate->n_lang_available = n + 1;
}

/* A call with these languages, all of them configured. */
static conversation_t *conversation_in(const lang_t *langs)
{
    conversation_t *c = conversation_new(three_fields());
    Pl__CallRecord *record = pl_record_copy(call_record(c->call));
    for (; langs->code; langs++) add_language(record->initiate, langs);
    record->initiate->lang_menu = true;
    call_destroy(&c->call);
    c->settings.language_menu = true;
    c->call = call_new(record, "", &c->settings, c->prompts);
    pl_record_free(&c->stored);
    c->stored = record;
    return c;
}

static pl_err_t press(conversation_t *c, const char *digit)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__LegDtmf dtmf = PL__LEG_DTMF__INIT;
    dtmf.digit = (char *)digit;
    env.body_case = PL__ENVELOPE__BODY_LEG_DTMF;
    env.leg_dtmf = &dtmf;
    return conversation_event(c, &env);
}

static void each_language_is_offered_in_itself(void **state)
{
    (void)state;
    conversation_t *c = conversation_in(three);
    c->hold = true;
    conversation_open(c);
    assert_non_null(strstr(c->reply, "For English, press 1."));
    assert_non_null(strstr(c->reply, "Pour le français, tapez 2."));
    assert_non_null(strstr(c->reply, "中文请按3。"));
    assert_string_equal(c->voice, "zh-CN"); /* of the last sentence */
    assert_int_equal(c->thinks, 0);
    assert_int_equal(c->stored->n_messages, 1); /* the menu is no part of the conversation */
    conversation_destroy(&c);
}

static void a_key_chooses_at_once(void **state)
{
    (void)state;
    conversation_t *c = conversation_in(three);
    c->hold = true;
    conversation_open(c);
    c->reply[0] = '\0';
    assert_int_equal(press(c, "2"), PL_OK);
    assert_int_equal(c->stops, 1); /* the rest of the menu is not said */
    assert_string_equal(c->stored->lang_short_code, "fr-FR");
    assert_string_equal(c->listen_lang, "fr-FR");
    assert_non_null(strstr(c->reply, "Bonjour"));
    assert_string_equal(c->voice, "fr-FR");
    conversation_destroy(&c);
}

static void a_name_chooses(void **state)
{
    (void)state;
    static const struct {
        const char *said, *lang;
    } rows[] = {{"French", "fr-FR"},      {"french please", "fr-FR"},
                {"en français", "fr-FR"}, {"in English please", "en-US"},
                {"中文", "zh-CN"},        {"I'd like Chinese", "zh-CN"},
                {"FR", "fr-FR"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        conversation_t *c = conversation_in(three);
        conversation_open(c);
        (void)conversation_say(c, rows[i].said);
        assert_string_equal(c->stored->lang_short_code, rows[i].lang);
        assert_int_equal(c->thinks, 1);
        conversation_destroy(&c);
    }
}

static void who_names_none_is_asked_again_and_then_served_in_the_default(void **state)
{
    (void)state;
    conversation_t *c = conversation_in(three);
    conversation_open(c);
    for (unsigned i = 0; i < c->settings.retry_max; i++) {
        const char *reply = conversation_say(c, "hmm what");
        assert_non_null(strstr(reply, "press 1"));
        assert_int_equal(c->thinks, 0);
    }
    const char *reply = conversation_say(c, "hmm what");
    assert_non_null(strstr(reply, "Hello"));
    assert_string_equal(c->stored->lang_short_code, "en-US");
    assert_int_equal(c->hangups, 0);
    conversation_destroy(&c);
}

static void silence_in_the_menu_is_answered_by_it(void **state)
{
    (void)state;
    conversation_t *c = conversation_in(three);
    conversation_open(c);
    for (unsigned i = 0; i < c->settings.retry_max; i++) {
        c->reply[0] = '\0';
        conversation_tick(c, 8000);
        assert_non_null(strstr(c->reply, "press 1"));
    }
    c->reply[0] = '\0';
    conversation_tick(c, 8000);
    assert_non_null(strstr(c->reply, "Hello"));
    assert_int_equal(c->stored->recognition_retry, 0);
    conversation_destroy(&c);
}

static void hanging_up_in_the_menu_is_no_interaction(void **state)
{
    (void)state;
    conversation_t *c = conversation_in(three);
    conversation_open(c);
    (void)conversation_say(c, "what is that");
    (void)conversation_leg_ended(c, PL__LEG_END__LEG_BYE_REMOTE, "");
    assert_int_equal(c->jobs, 0);
    assert_null(c->stored->synthesis);
    conversation_destroy(&c);
}

static void a_wrong_key_asks_again(void **state)
{
    (void)state;
    conversation_t *c = conversation_in(three);
    conversation_open(c);
    c->reply[0] = '\0';
    assert_int_equal(press(c, "7"), PL_OK);
    assert_non_null(strstr(c->reply, "press 1"));
    assert_int_equal(press(c, "x"), PL_INVALID);
    assert_int_equal(press(c, "1"), PL_OK);
    assert_string_equal(c->stored->lang_short_code, "en-US");
    conversation_destroy(&c);
}

static void twelve_languages_take_two_keys(void **state)
{
    (void)state;
    static const lang_t twelve[] = {
        {"en-US", {"English"}}, {"fr-FR", {"French"}},  {"es-ES", {"Spanish"}},
        {"de-DE", {"German"}},  {"it-IT", {"Italian"}}, {"pt-PT", {"Portuguese"}},
        {"nl-NL", {"Dutch"}},   {"pl-PL", {"Polish"}},  {"sv-SE", {"Swedish"}},
        {"tr-TR", {"Turkish"}}, {"ru-RU", {"Russian"}}, {"ja-JP", {"Japanese"}},
        {NULL, {NULL}}};
    conversation_t *c = conversation_in(twelve);
    conversation_open(c);
    (void)press(c, "1");
    assert_string_equal(c->stored->lang_short_code, ""); /* 10, 11 or 12 may follow */
    (void)press(c, "2");
    assert_string_equal(c->stored->lang_short_code, "ja-JP");
    conversation_destroy(&c);

    c = conversation_in(twelve);
    conversation_open(c);
    (void)press(c, "1");
    conversation_tick(c, 2000);
    assert_string_equal(c->stored->lang_short_code, "en-US");
    conversation_destroy(&c);

    c = conversation_in(twelve);
    conversation_open(c);
    (void)press(c, "1");
    (void)press(c, "#");
    assert_string_equal(c->stored->lang_short_code, "en-US");
    conversation_destroy(&c);

    c = conversation_in(twelve);
    conversation_open(c);
    (void)press(c, "5");
    assert_string_equal(c->stored->lang_short_code, "it-IT");
    conversation_destroy(&c);
}

static void one_language_is_taken_silently(void **state)
{
    (void)state;
    static const lang_t one[] = {{"fr-FR", {"French"}}, {NULL, {NULL}}};
    conversation_t *c = conversation_in(one);
    conversation_open(c);
    assert_null(strstr(c->reply, "tapez"));
    assert_int_equal(c->thinks, 1);
    conversation_destroy(&c);
    c = conversation_in(three);
    c->settings.language_menu = false;
    conversation_open(c);
    assert_null(strstr(c->reply, "press 1"));
    conversation_destroy(&c);
}

static void who_rings_back_keeps_their_language(void **state)
{
    (void)state;
    conversation_t *c = conversation_in(three);
    conversation_open(c);
    (void)press(c, "2");
    (void)conversation_leg_ended(c, PL__LEG_END__LEG_MEDIA_LOST, "");
    Pl__CallRecord *record = pl_record_copy(c->stored);
    call_destroy(&c->call);
    c->call = call_new(record, "telephony-0", &c->settings, c->prompts);
    pl_record_free(&record);
    c->reply[0] = '\0';
    call_begin_again(c->call, c->now, "+33699999999", &c->fx);
    conversation_run(c);
    conversation_answered(c, "speech-0", PL__LEG_KIND__SIP);
    assert_null(strstr(c->reply, "press 1"));
    assert_non_null(strstr(c->reply, "Bonjour"));
    conversation_destroy(&c);
}

static void the_menu_is_said_again_on_another_stream(void **state)
{
    (void)state;
    conversation_t *c = conversation_in(three);
    c->hold = true;
    conversation_open(c);
    c->reply[0] = '\0';
    conversation_answered(c, "speech-1", PL__LEG_KIND__SIP);
    assert_non_null(strstr(c->reply, "Pour le français"));
    assert_string_equal(c->voice, "zh-CN");
    conversation_destroy(&c);
}

/* ---- changing ---- */

static void speech_lang_changes_ears_and_mouth_at_once(void **state)
{
    (void)state;
    char result[512];
    conversation_t *c = conversation_in(three);
    c->settings.language_menu = false;
    conversation_open(c);
    uint32_t thought = begin_thought(c, "do you speak French");
    (void)call_tool(c->call, c->now, thought, "t-1", "speech_lang",
                    "{\"customer_response\":\"Bien sûr.\",\"lang\":\"french\"}", &c->fx);
    run_by_hand(c, result, sizeof result);
    assert_string_equal(result, "t-1=Language set to fr-FR, was en-US.");
    assert_string_equal(c->listen_lang, "fr-FR");
    assert_string_equal(c->say_lang, "fr-FR");
    assert_string_equal(c->voice, "fr-FR");
    (void)call_tool(c->call, c->now, thought, "t-2", "speech_lang", "{\"lang\":\"Klingon\"}",
                    &c->fx);
    run_by_hand(c, result, sizeof result);
    assert_non_null(strstr(result, "not available. There are: en-US fr-FR zh-CN"));
    conversation_destroy(&c);
}

static void the_script_changes_to_a_language_that_it_has_sentences_in(void **state)
{
    (void)state;
    static const lang_t and_swedish[] = {
        {"en-US", {"English"}}, {"fr-FR", {"French"}}, {"sv-SE", {"Swedish"}}, {NULL, {NULL}}};
    conversation_t *c = conversation_in(and_swedish);
    c->settings.language_menu = false;
    conversation_open(c);
    const char *reply = conversation_say(c, "can we speak french please");
    assert_non_null(strstr(reply, "continuons en français"));
    assert_non_null(strstr(reply, "Pouvez-vous")); /* and asks again */
    assert_string_equal(c->stored->lang_short_code, "fr-FR");
    reply = conversation_say(c, "parlez-vous swedish");
    assert_non_null(strstr(reply, "je ne parle pas cette langue"));
    assert_string_equal(c->stored->lang_short_code, "fr-FR");
    conversation_destroy(&c);
}

static void a_languages_name_may_be_an_answer(void **state)
{
    (void)state;
    conversation_t *c = conversation_in(three);
    c->settings.language_menu = false;
    conversation_open(c);
    (void)conversation_say(c, "a French keyboard");
    assert_string_equal(conversation_value(c, "hardware_info"), "a French keyboard");
    assert_string_equal(c->stored->lang_short_code, "");
    conversation_destroy(&c);
}

/* ---- keys ---- */

static void keyed_digits_are_an_utterance(void **state)
{
    (void)state;
    static const field_t phone[] = {{"callback", PL__CLAIM_TYPE__PHONE_NUMBER, ""},
                                    {NULL, 0, NULL}};
    conversation_t *c = conversation_new(phone);
    conversation_open(c);
    for (const char *p = "0612345678"; *p; p++) {
        char key[2] = {*p, '\0'};
        assert_int_equal(press(c, key), PL_OK);
        c->now.mono_ms += 300;
    }
    assert_string_equal(conversation_value(c, "callback"), "");
    conversation_tick(c, 3000);
    assert_string_equal(conversation_value(c, "callback"), "+33612345678");
    conversation_destroy(&c);
}

static void the_hash_key_ends_the_number_and_the_star_takes_it_back(void **state)
{
    (void)state;
    static const field_t phone[] = {{"callback", PL__CLAIM_TYPE__PHONE_NUMBER, ""},
                                    {NULL, 0, NULL}};
    conversation_t *c = conversation_new(phone);
    conversation_open(c);
    (void)press(c, "9");
    (void)press(c, "*");
    for (const char *p = "0612345678#"; *p; p++) {
        char key[2] = {*p, '\0'};
        (void)press(c, key);
    }
    assert_string_equal(conversation_value(c, "callback"), "+33612345678");
    (void)press(c, "#"); /* nothing to end */
    conversation_destroy(&c);
}

static void a_key_takes_the_floor(void **state)
{
    (void)state;
    conversation_t *c = conversation_new(three_fields());
    conversation_open(c);
    c->hold = true;
    (void)conversation_say(c, "a laptop");
    conversation_turn_started(c);
    int stops = c->stops;
    (void)press(c, "4");
    assert_int_equal(c->stops, stops + 1);
    assert_int_equal(call_state(c->call), CALL_LISTENING);
    conversation_destroy(&c);
}

/* ---- names ---- */

static void arguments_name_languages_in_many_ways(void **state)
{
    (void)state;
    static const lang_t langs[] = {{"en-US", {"American English"}},
                                   {"en-GB", {"British English"}},
                                   {"pt-BR", {"Brazilian Portuguese"}},
                                   {"es-ES", {"Spanish", "ES"}},
                                   {NULL, {NULL}}};
    conversation_t *c = conversation_in(langs);
    const Pl__Initiate *initiate = call_record(c->call)->initiate;
    assert_int_equal(tongue_meant(initiate, "en-gb"), 1);
    assert_int_equal(tongue_meant(initiate, "pt_BR"), 2);
    assert_int_equal(tongue_meant(initiate, "pt"), 2);
    assert_int_equal(tongue_meant(initiate, "en"), TONGUE_NONE); /* which? */
    assert_int_equal(tongue_meant(initiate, "British English"), 1);
    assert_int_equal(tongue_meant(initiate, "español"), 3);
    assert_int_equal(tongue_meant(initiate, ""), TONGUE_NONE);
    assert_int_equal(tongue_named(initiate, "en español por favor"), 3);
    assert_int_equal(tongue_named(initiate, "es"), 3);
    assert_int_equal(tongue_named(initiate, "es que no"), TONGUE_NONE);
    conversation_destroy(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_language_is_offered_in_itself),
        cmocka_unit_test(a_key_chooses_at_once),
        cmocka_unit_test(a_name_chooses),
        cmocka_unit_test(who_names_none_is_asked_again_and_then_served_in_the_default),
        cmocka_unit_test(silence_in_the_menu_is_answered_by_it),
        cmocka_unit_test(hanging_up_in_the_menu_is_no_interaction),
        cmocka_unit_test(a_wrong_key_asks_again),
        cmocka_unit_test(twelve_languages_take_two_keys),
        cmocka_unit_test(one_language_is_taken_silently),
        cmocka_unit_test(who_rings_back_keeps_their_language),
        cmocka_unit_test(the_menu_is_said_again_on_another_stream),
        cmocka_unit_test(speech_lang_changes_ears_and_mouth_at_once),
        cmocka_unit_test(the_script_changes_to_a_language_that_it_has_sentences_in),
        cmocka_unit_test(a_languages_name_may_be_an_answer),
        cmocka_unit_test(keyed_digits_are_an_utterance),
        cmocka_unit_test(the_hash_key_ends_the_number_and_the_star_takes_it_back),
        cmocka_unit_test(a_key_takes_the_floor),
        cmocka_unit_test(arguments_name_languages_in_many_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
