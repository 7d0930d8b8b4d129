/* nlu_test.c - understanding by type, phrase by phrase. The clock: Sunday 2026-11-22 10:30. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "services/dialogue/nlu/email.h"
#include "services/dialogue/nlu/intent.h"
#include "services/dialogue/nlu/number.h"
#include "services/dialogue/nlu/phone.h"
#include "services/dialogue/nlu/spelling.h"
#include "services/dialogue/nlu/text.h"
#include "services/dialogue/nlu/when.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const civil_t sunday = {2026, 11, 22, 10, 30, 0};

static void read_when(const char *text, bool expected, bool future, char out[CIVIL_ISO_BYTES])
{
    words_t w;
    when_t when;
    when_opts_t opts = {.now = sunday, .expected = expected, .future = future};
    words_split(&w, text);
    if (when_find(&w, &opts, &when)) {
        civil_iso(&when.at, when.has_time, out);
    } else {
        strcpy(out, "-");
    }
}

static int check_when(const char *text, bool expected, bool future, const char *want)
{
    char got[CIVIL_ISO_BYTES];
    read_when(text, expected, future, got);
    if (strcmp(got, want) == 0) return 0;
    print_error("\"%s\": got %s, want %s\n", text, got, want);
    return 1;
}

static void moments_are_understood_as_people_say_them(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"yesterday at nine in the morning", "2026-11-21T09:00:00"},
        {"Yesterday, at 9 in the morning.", "2026-11-21T09:00:00"},
        {"it was yesterday at nine", "2026-11-21T09:00:00"},
        {"at nine in the morning yesterday", "2026-11-21T09:00:00"},
        {"yesterday morning", "2026-11-21T09:00:00"},
        {"yesterday morning at eight thirty", "2026-11-21T08:30:00"},
        {"yesterday evening", "2026-11-21T19:00:00"},
        {"yesterday afternoon at two", "2026-11-21T14:00:00"},
        {"yesterday", "2026-11-21"},
        {"the day before yesterday", "2026-11-20"},
        {"the day before yesterday at noon", "2026-11-20T12:00:00"},
        {"today", "2026-11-22"},
        {"today at nine", "2026-11-22T09:00:00"},
        {"this morning", "2026-11-22T09:00:00"},
        {"this morning at ten to nine", "2026-11-22T08:50:00"},
        {"last night", "2026-11-21T22:00:00"},
        {"last night at eleven", "2026-11-21T23:00:00"},
        {"last night at two", "2026-11-22T02:00:00"},
        {"last monday", "2026-11-16"},
        {"monday", "2026-11-16"},
        {"on tuesday", "2026-11-17"},
        {"since tuesday", "2026-11-17"},
        {"last sunday", "2026-11-15"},
        {"friday at half past two", "2026-11-20T14:30:00"},
        {"on friday at a quarter to nine in the morning", "2026-11-20T08:45:00"},
        {"monday last week", "2026-11-09"},
        {"wednesday last week at four", "2026-11-11T16:00:00"},
        {"two hours ago", "2026-11-22T08:30:00"},
        {"an hour ago", "2026-11-22T09:30:00"},
        {"half an hour ago", "2026-11-22T10:00:00"},
        {"an hour and a half ago", "2026-11-22T09:00:00"},
        {"about twenty minutes ago", "2026-11-22T10:10:00"},
        {"two days ago", "2026-11-20"},
        {"two days ago at three p m", "2026-11-20T15:00:00"},
        {"a couple of days ago", "2026-11-20"},
        {"three weeks ago", "2026-11-01"},
        {"a week ago", "2026-11-15"},
        {"a month ago", "2026-10-22"},
        {"two years ago", "2024-11-22"},
        {"for two days", "2026-11-20"},
        {"last week", "2026-11-15"},
        {"last month", "2026-10-22"},
        {"on the third of march at half past two", "2026-03-03T14:30:00"},
        {"march third", "2026-03-03"},
        {"march the third", "2026-03-03"},
        {"the third of march twenty twenty five", "2025-03-03"},
        {"november twentieth twenty twenty six", "2026-11-20"},
        {"november twenty first", "2026-11-21"},
        {"december first", "2025-12-01"},
        {"the thirty first of january", "2026-01-31"},
        {"twenty fifth of december two thousand and twenty four", "2024-12-25"},
        {"june 5th 2026", "2026-06-05"},
        {"on the third", "2026-11-03"},
        {"on the thirtieth", "2026-10-30"},
        {"on the third at nine thirty a m", "2026-11-03T09:30:00"},
        {"nine thirty a m", "2026-11-22T09:30:00"},
        {"nine thirty", "2026-11-22T09:30:00"},
        {"at nine", "2026-11-22T09:00:00"},
        {"at nine o'clock", "2026-11-22T09:00:00"},
        {"at ate in the morning", "2026-11-22T08:00:00"},
        {"at for thirty in the afternoon yesterday", "2026-11-21T16:30:00"},
        {"yesterday at to", "2026-11-21T14:00:00"},
        {"nine p m", "2026-11-21T21:00:00"},
        {"at eleven at night", "2026-11-21T23:00:00"},
        {"noon", "2026-11-21T12:00:00"},
        {"yesterday at noon", "2026-11-21T12:00:00"},
        {"yesterday at midday", "2026-11-21T12:00:00"},
        {"at midnight", "2026-11-22T00:00:00"},
        {"yesterday at fourteen thirty", "2026-11-21T14:30:00"},
        {"yesterday at fifteen hundred hours", "2026-11-21T15:00:00"},
        {"yesterday at 9:30", "2026-11-21T09:30:00"},
        {"yesterday at 09:05", "2026-11-21T09:05:00"},
        {"yesterday at 9:30 pm", "2026-11-21T21:30:00"},
        {"yesterday at 5pm", "2026-11-21T17:00:00"},
        {"yesterday at nine oh five", "2026-11-21T09:05:00"},
        {"yesterday at twenty past ten", "2026-11-21T10:20:00"},
        {"yesterday at ten to nine", "2026-11-21T08:50:00"},
        {"a quarter past eight yesterday", "2026-11-21T08:15:00"},
        {"yesterday at three", "2026-11-21T15:00:00"},
        {"yesterday at seven", "2026-11-21T07:00:00"},
        {"just now", "2026-11-22T10:30:00"},
        {"right now", "2026-11-22T10:30:00"},
        {"now", "2026-11-22T10:30:00"},
        {"2026-11-21", "2026-11-21"},
        {"i think it was um yesterday around nine", "2026-11-21T09:00:00"},
        {"well the first time was on monday at about ten in the morning", "2026-11-16T10:00:00"},
        {"february twenty ninth twenty twenty four", "2024-02-29"},
        {"february thirtieth", "-"},
        {"i do not know", "-"},
        {"it broke", "-"},
        {"second floor", "-"},
        {"", "-"},
    };
    int wrong = 0;
    for (size_t i = 0; i < COUNT(rows); i++)
        wrong += check_when(rows[i].text, true, false, rows[i].want);
    assert_int_equal(wrong, 0);
}

static void moments_ahead_lie_ahead(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"tomorrow at nine", "2026-11-23T09:00:00"},
        {"monday", "2026-11-23"},
        {"next monday at two", "2026-11-23T14:00:00"},
        {"the day after tomorrow", "2026-11-24"},
        {"in two days", "2026-11-24"},
        {"in an hour", "2026-11-22T11:30:00"},
        {"at nine", "2026-11-23T09:00:00"},
        {"at eleven", "2026-11-22T11:00:00"},
        {"next week", "2026-11-29"},
        {"march third", "2027-03-03"},
        {"on the third", "2026-12-03"},
        {"this evening", "2026-11-22T19:00:00"},
        {"tonight at eight", "2026-11-22T20:00:00"},
    };
    int wrong = 0;
    for (size_t i = 0; i < COUNT(rows); i++)
        wrong += check_when(rows[i].text, true, true, rows[i].want);
    assert_int_equal(wrong, 0);
}

static void a_text_without_moment_gives_none_unasked(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "a dell laptop with sixteen gigabytes",
        "building four second floor",
        "room twelve",
        "it has two screens",
        "the second one on the left",
        "i may need help",
        "error code nine thirty",
        "good morning",
        "version ten",
        "march on",
        "i have two to three of them",
    };
    int wrong = 0;
    for (size_t i = 0; i < COUNT(texts); i++) wrong += check_when(texts[i], false, false, "-");
    assert_int_equal(wrong, 0);
}

static void a_moment_in_a_text_names_its_words(void **state)
{
    (void)state;
    words_t w;
    when_t when;
    when_opts_t opts = {.now = sunday};
    char rest[128];
    words_split(&w, "my laptop broke yesterday at nine and smells");
    assert_true(when_find(&w, &opts, &when));
    words_cut(&w, when.from, when.to);
    assert_string_equal(words_join(&w, 0, w.count, rest, sizeof rest),
                        "my laptop broke and smells");
}

static void moments_are_read_back(void **state)
{
    (void)state;
    char out[256];
    civil_t at = {2026, 11, 21, 9, 0, 0};
    assert_string_equal(when_say(&at, true, &sunday, out, sizeof out),
                        "yesterday, Saturday, November twenty-first, at nine in the morning");
    at = (civil_t){2025, 3, 3, 14, 5, 0};
    assert_string_equal(when_say(&at, true, &sunday, out, sizeof out),
                        "Monday, March third 2025, at two oh five in the afternoon");
    at = (civil_t){2026, 11, 22, 0, 0, 0};
    assert_string_equal(when_say(&at, false, &sunday, out, sizeof out),
                        "today, Sunday, November twenty-second");
}

static void phone_numbers_become_e164(void **state)
{
    (void)state;
    static const struct {
        const char *text, *country;
        phone_found_t found;
        const char *want;
    } rows[] = {
        {"plus three three six one two three four five six seven eight", "33", PHONE_FOUND,
         "+33612345678"},
        {"oh six one two three four five six seven eight", "33", PHONE_FOUND, "+33612345678"},
        {"zero six twelve thirty four fifty six seventy eight", "33", PHONE_FOUND, "+33612345678"},
        {"o six one two three for five six seven ate", "33", PHONE_FOUND, "+33612345678"},
        {"six one two three four five six seven eight", "33", PHONE_FOUND, "+33612345678"},
        {"three three six one two three four five six seven eight", "33", PHONE_FOUND,
         "+33612345678"},
        {"zero zero three three six one two three four five six seven eight", "44", PHONE_FOUND,
         "+33612345678"},
        {"my number is oh six double five twelve thirty four fifty six", "33", PHONE_FOUND,
         "+33655123456"},
        {"one two three four five six seven eight nine oh", "1", PHONE_FOUND, "+11234567890"},
        {"plus one one two three four five six seven eight nine zero", "", PHONE_FOUND,
         "+11234567890"},
        {"plus one, 123 456 7890", "", PHONE_FOUND, "+11234567890"},
        {"five five five um one two three uh four five six seven", "1", PHONE_FOUND,
         "+15551234567"},
        {"eight hundred five five five one two three four", "1", PHONE_FOUND, "+18005551234"},
        {"+33 6 12 34 56 78", "1", PHONE_FOUND, "+33612345678"},
        {"0612345678", "33", PHONE_FOUND, "+33612345678"},
        {"06.12.34.56.78", "33", PHONE_FOUND, "+33612345678"},
        {"oh seven triple nine one two three four five six", "44", PHONE_FOUND, "+447999123456"},
        {"triple one two two three three four four five five", "", PHONE_NATIONAL, "11122334455"},
        {"four four seven nine one one one two three four five six", "44", PHONE_FOUND,
         "+447911123456"},
        {"oh six twelve thirty four", "33", PHONE_PARTIAL, "061234"},
        {"five five five one two three four", "1", PHONE_PARTIAL, "5551234"},
        {"oh six one two three four five six seven eight", "", PHONE_NATIONAL, "0612345678"},
        {"i have no number", "33", PHONE_NONE, ""},
        {"one", "33", PHONE_NONE, NULL},
        {"", "33", PHONE_NONE, ""},
        {"plus", "33", PHONE_NONE, ""},
        {"plus plus plus one one", "33", PHONE_PARTIAL, NULL},
        {"1234567890123456789012345678901234567890", "33", PHONE_NONE, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        words_t w;
        phone_t phone;
        words_split(&w, rows[i].text);
        phone_found_t found = phone_find(&w, rows[i].country, &phone);
        if (found != rows[i].found || (rows[i].want && strcmp(phone.number, rows[i].want) != 0)) {
            fail_msg("\"%s\": got %d %s, want %d %s", rows[i].text, found, phone.number,
                     rows[i].found, rows[i].want ? rows[i].want : "");
        }
    }
}

static void countries_come_from_the_number(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"+33612345678", "33"},  {"+11234567890", "1"},
                                          {"+447911123456", "44"}, {"+351912345678", "351"},
                                          {"+79161234567", "7"},   {"0612345678", ""},
                                          {"anonymous", ""},       {"", ""}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char code[4];
        phone_country(rows[i][0], code);
        assert_string_equal(code, rows[i][1]);
    }
    char out[256];
    assert_string_equal(phone_say("+33612345678", out, sizeof out),
                        "plus three three, six one two, three four five, six seven eight");
    assert_string_equal(phone_say("+11234567890", out, sizeof out),
                        "plus one, one two three, four five six, seven eight nine zero");
}

static void e164_is_syntactic(void **state)
{
    (void)state;
    assert_true(phone_valid("+11234567890"));
    assert_true(phone_valid("+1234567"));
    assert_false(phone_valid("+123456"));
    assert_false(phone_valid("+0123456789"));
    assert_false(phone_valid("+1234567890123456"));
    assert_false(phone_valid("+3361234567a"));
    assert_false(phone_valid("33612345678"));
    assert_false(phone_valid(""));
}

static void addresses_are_assembled_from_words(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"john dot smith at example dot com", "john.smith@example.com"},
        {"it is john dot smith at example dot com", "john.smith@example.com"},
        {"my email address is john smith at gmail dot com", "johnsmith@gmail.com"},
        {"John.Smith@Example.com", "john.smith@example.com"},
        {"yes it's john.smith@example.com.", "john.smith@example.com"},
        {"j o h n at example dot com", "john@example.com"},
        {"j o h n dot s m i t h at example dot org", "john.smith@example.org"},
        {"jane underscore doe at hot mail dot com", "jane_doe@hotmail.com"},
        {"jane dash doe at my company dot co dot u k", "jane-doe@mycompany.co.uk"},
        {"jane hyphen doe at example dot co dot uk", "jane-doe@example.co.uk"},
        {"support plus tickets at example dot net", "support+tickets@example.net"},
        {"anna twenty three at example dot com", "anna23@example.com"},
        {"anna four two at example dot com", "anna42@example.com"},
        {"a as in alpha b as in bravo at example dot com", "ab@example.com"},
        {"b for bravo o for oscar b for bravo at example dot com", "bob@example.com"},
        {"juliet oscar echo at example dot com", "joe@example.com"},
        {"smith s m y t h at example dot com", "smyth@example.com"},
        {"jon smith j o n s m i t h at gmail dot com", "jonsmith@gmail.com"},
        {"a double n a at example dot com", "anna@example.com"},
        {"double u i l l at example dot com", "will@example.com"},
        {"john at example dot calm", "john@example.com"},
        {"john at example dot f r", "john@example.fr"},
        {"john at g mail dot com please", "john@gmail.com"},
        {"look at john at example dot com", "lookatjohn@example.com"},
        {"i look at the screen", NULL},
        {"at home", NULL},
        {"at dot com", NULL},
        {"john at example", NULL},
        {"at at at dot dot", NULL},
        {"john dot at example dot com", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        words_t w;
        email_t email = {0};
        words_split(&w, rows[i][0]);
        bool found = email_find(&w, &email);
        bool loose = i == 23; /* any valid address is as good as another here */
        if (loose && found) continue;
        if (found != (rows[i][1] != NULL) || (found && strcmp(email.address, rows[i][1]) != 0)) {
            fail_msg("\"%s\": got %s", rows[i][0], found ? email.address : "-");
        }
    }
}

static void addresses_are_checked(void **state)
{
    (void)state;
    static const char *const good[] = {"a@b.co", "john.smith+tag@mail.example.org",
                                       "x_y-z@a-b.com"};
    static const char *const bad[] = {
        "",        "@",         "a@",       "@b.co", "a@b",     "a@.co",  "a@b..co",  ".a@b.co",
        "a.@b.co", "a..b@c.de", "a b@c.de", "a@b.c", "a@-b.co", "a@b.12", "a@b@c.de", "a\n@b.co"};
    for (size_t i = 0; i < COUNT(good); i++) assert_true(email_valid(good[i]));
    for (size_t i = 0; i < COUNT(bad); i++) assert_false(email_valid(bad[i]));
    char out[256];
    assert_string_equal(email_say("john.smith@example.com", out, sizeof out),
                        "john dot smith at example dot com");
}

static void yes_and_no_are_heard_with_what_follows(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        polarity_t want;
        size_t used;
    } rows[] = {
        {"yes", POLARITY_YES, 1},
        {"Yes, that's right.", POLARITY_YES, 3},
        {"yeah", POLARITY_YES, 1},
        {"um yes", POLARITY_YES, 2},
        {"correct", POLARITY_YES, 1},
        {"that is correct", POLARITY_YES, 3},
        {"exactly", POLARITY_YES, 1},
        {"sure go ahead", POLARITY_YES, 1},
        {"yes please", POLARITY_YES, 2},
        {"of course", POLARITY_YES, 2},
        {"right", POLARITY_YES, 1},
        {"it is", POLARITY_YES, 2},
        {"no", POLARITY_NO, 1},
        {"know", POLARITY_NO, 1},
        {"nope", POLARITY_NO, 1},
        {"no it was ten", POLARITY_NO, 1},
        {"that's not right", POLARITY_NO, 3},
        {"that is wrong", POLARITY_NO, 3},
        {"not really", POLARITY_NO, 2},
        {"no that's not correct", POLARITY_NO, 4},
        {"wrong", POLARITY_NO, 1},
        {"right now", POLARITY_NONE, 0},
        {"good morning", POLARITY_NONE, 0},
        {"it is a laptop", POLARITY_NONE, 0},
        {"building four", POLARITY_NONE, 0},
        {"know the building", POLARITY_NONE, 0},
        {"", POLARITY_NONE, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        words_t w;
        size_t used = 99;
        words_split(&w, rows[i].text);
        polarity_t got = intent_polarity(&w, "en-US", &used);
        if (got != rows[i].want || used != rows[i].used) {
            fail_msg("\"%s\": got %d after %zu words", rows[i].text, got, used);
        }
    }
    words_t w;
    size_t used = 0;
    words_split(&w, "oui");
    assert_int_equal(intent_polarity(&w, "fr-FR", &used), POLARITY_YES);
    words_split(&w, "non merci");
    assert_int_equal(intent_polarity(&w, "fr-FR", &used), POLARITY_NO);
}

static void wishes_are_noticed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        intent_t want;
    } rows[] = {
        {"goodbye", INTENT_GOODBYE},
        {"thank you goodbye", INTENT_GOODBYE},
        {"ok bye bye", INTENT_GOODBYE},
        {"no that's all goodbye", INTENT_GOODBYE},
        {"i have to go", INTENT_GOODBYE},
        {"please hang up", INTENT_GOODBYE},
        {"good bye", INTENT_GOODBYE},
        {"that's all", INTENT_DONE},
        {"no thanks", INTENT_DONE},
        {"nothing else thank you", INTENT_DONE},
        {"i want to talk to a human", INTENT_HUMAN},
        {"can i speak to an agent please", INTENT_HUMAN},
        {"could you put me through to someone", INTENT_HUMAN},
        {"transfer me to a real person", INTENT_HUMAN},
        {"agent", INTENT_HUMAN},
        {"a human please", INTENT_HUMAN},
        {"i would like to speak with somebody", INTENT_HUMAN},
        {"can you repeat that", INTENT_REPEAT},
        {"pardon", INTENT_REPEAT},
        {"sorry", INTENT_REPEAT},
        {"what", INTENT_REPEAT},
        {"could you say that again", INTENT_REPEAT},
        {"i didn't catch that", INTENT_REPEAT},
        {"what was the question", INTENT_REPEAT},
        {"slower please", INTENT_SLOWER},
        {"you speak too fast", INTENT_SLOWER},
        {"could you slow down", INTENT_SLOWER},
        {"speak faster", INTENT_FASTER},
        {"you are too slow", INTENT_FASTER},
        {"wait a moment please", INTENT_WAIT},
        {"hold on", INTENT_WAIT},
        {"just a second", INTENT_WAIT},
        {"i don't know", INTENT_SKIP},
        {"I do not know that.", INTENT_SKIP},
        {"i'd rather not say", INTENT_SKIP},
        {"I will not tell you that", INTENT_SKIP},
        {"no idea", INTENT_SKIP},
        {"skip", INTENT_SKIP},
        {"i can't remember", INTENT_SKIP},
        {"the agent license on my laptop has expired since the last update", INTENT_NONE},
        {"one minute ago", INTENT_NONE},
        {"building four", INTENT_NONE},
        {"my screen is slow", INTENT_NONE},
        {"", INTENT_NONE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        words_t w;
        words_split(&w, rows[i].text);
        intent_t got = intent_of(&w, "en-US");
        if (got != rows[i].want) {
            fail_msg("\"%s\": got %s, want %s", rows[i].text, intent_name(got),
                     intent_name(rows[i].want));
        }
    }
    words_t w;
    words_split(&w, "merci au revoir");
    assert_int_equal(intent_of(&w, "fr-FR"), INTENT_GOODBYE);
}

static void questions_differ_from_answers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool want;
    } rows[] = {
        {"how do i reset my password", true},
        {"what are your opening hours", true},
        {"can you help me with my printer", true},
        {"where is the service desk", true},
        {"i would like to know when you open", true},
        {"do you repair phones", true},
        {"is there a spare laptop", true},
        {"how much does it cost", true},
        {"well what is the warranty", true},
        {"when i press the button it beeps", false},
        {"a laptop", false},
        {"is broken", false},
        {"can not start", false},
        {"what", false},
        {"building four second floor", false},
        {"", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        words_t w;
        words_split(&w, rows[i].text);
        if (intent_question(&w) != rows[i].want) fail_msg("\"%s\"", rows[i].text);
    }
}

static void texts_keep_the_callers_words(void **state)
{
    (void)state;
    static const struct {
        const char *label, *text, *want;
    } rows[] = {
        {"hardware info", "um well it is a dell laptop", "dell laptop"},
        {"hardware info", "It's a Dell Latitude 5420, and it doesn't turn on.",
         "Dell Latitude 5420, and it doesn't turn on"},
        {"hardware info", "the hardware info is a mac", "a mac"},
        {"hardware info", "my laptop does not turn on", "my laptop does not turn on"},
        {"hardware info", "a fucking printer", "a printer"},
        {"hardware info", "a laptop please", "a laptop"},
        {"hardware info", "um uh", ""},
        {"hardware info", "error code for the screen", "error code for the screen"},
        {"building location", "building for second floor", "building four, second floor"},
        {"building location", "Building 4, 2nd floor.", "Building 4, 2nd floor"},
        {"building location", "i am in building to", "building two"},
        {"building location", "it's building ate room twelve", "building eight, room twelve"},
        {"building location", "building won", "building one"},
        {"building location", "on the second floor of building three",
         "second floor of building three"},
        {"building location", "building for a second floor", "building four, second floor"},
        {"building location", "building for the people", "building for the people"},
        {"building location", "room for the meetings", "room for the meetings"},
        {"building location", "the building location is building nine", "building nine"},
        {"building location", "forth floor", "fourth floor"},
        {"name of the user", "my name is john smith", "John Smith"},
        {"name", "john smith s m y t h", "John Smyth"},
        {"company name", "contoso", "contoso"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        words_t w;
        char out[256];
        words_split(&w, rows[i].text);
        text_clean(rows[i].text, &w, text_kind_of(rows[i].label), rows[i].label, out, sizeof out);
        if (strcmp(out, rows[i].want) != 0) {
            fail_msg("\"%s\": got \"%s\", want \"%s\"", rows[i].text, out, rows[i].want);
        }
    }
}

static void numbers_are_read_and_said(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        long want;
    } rows[] = {{"zero", 0},
                {"twenty one", 21},
                {"a hundred", 100},
                {"two hundred and five", 205},
                {"two thousand twenty six", 2026},
                {"twelve", 12},
                {"42", 42},
                {"one thousand and one", 1001},
                {"nine hundred ninety nine thousand nine hundred ninety nine", 999999}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        words_t w;
        long value = -1;
        words_split(&w, rows[i].text);
        assert_int_equal(number_cardinal(&w, 0, &value), w.count);
        assert_int_equal(value, rows[i].want);
    }
    char out[64];
    assert_string_equal(number_say(42, out, sizeof out), "forty-two");
    assert_string_equal(number_say(1205, out, sizeof out), "one thousand two hundred five");
    assert_string_equal(number_say_ordinal(31, out, sizeof out), "thirty-first");
}

static void words_survive_anything(void **state)
{
    (void)state;
    words_t w;
    char long_text[70000];
    memset(long_text, 'a', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    words_split(&w, long_text);
    assert_int_equal(w.count, 1);
    for (size_t i = 1; i < sizeof long_text - 1; i += 2) long_text[i] = ' ';
    words_split(&w, long_text);
    assert_int_equal(w.count, WORDS_MAX);
    words_split(&w, "\xE2\x80");
    words_split(&w, "caf\xC3\xA9 d\xE2\x80\x99hiver twenty-one a.m. x@y 9:30");
    assert_string_equal(words_at(&w, 0), "caf\xC3\xA9");
    assert_string_equal(words_at(&w, 1), "dhiver");
    assert_true(words_match(&w, 2, "twenty one am") == 3);
    assert_string_equal(words_at(&w, 5), "x@y");
    assert_string_equal(words_at(&w, 6), "9:30");
    assert_string_equal(words_at(&w, 99), "");
}

static void the_calendar_is_right(void **state)
{
    (void)state;
    civil_t at = {2024, 2, 28, 23, 59, 59};
    civil_t next = civil_add(&at, 1);
    assert_int_equal(next.day, 29);
    at = (civil_t){2026, 1, 31, 0, 0, 0};
    assert_int_equal(civil_add_months(&at, 1).day, 28);
    assert_int_equal(civil_add_months(&at, -2).month, 11);
    assert_int_equal(civil_weekday(&sunday), 0);
    at = (civil_t){1970, 1, 1, 0, 0, 0};
    assert_int_equal(civil_seconds(&at), 0);
    assert_int_equal(civil_from_seconds(-1).year, 1969);
    bool timed = false;
    assert_true(civil_parse("2026-11-21 09:00", &at, &timed) && timed);
    assert_true(civil_parse("2026-11-21T09:00:00.5+02:00", &at, &timed) && timed);
    assert_true(civil_parse("2026-11-21", &at, &timed) && !timed);
    assert_false(civil_parse("2026-13-21", &at, &timed));
    assert_false(civil_parse("2026-02-29", &at, &timed));
    assert_false(civil_parse("2026-11-21T25:00:00", &at, &timed));
    assert_false(civil_parse("2026-11-21Tnine", &at, &timed));
    assert_false(civil_parse("", &at, &timed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_understood_as_people_say_them),
        cmocka_unit_test(moments_ahead_lie_ahead),
        cmocka_unit_test(a_text_without_moment_gives_none_unasked),
        cmocka_unit_test(a_moment_in_a_text_names_its_words),
        cmocka_unit_test(moments_are_read_back),
        cmocka_unit_test(phone_numbers_become_e164),
        cmocka_unit_test(countries_come_from_the_number),
        cmocka_unit_test(e164_is_syntactic),
        cmocka_unit_test(addresses_are_assembled_from_words),
        cmocka_unit_test(addresses_are_checked),
        cmocka_unit_test(yes_and_no_are_heard_with_what_follows),
        cmocka_unit_test(wishes_are_noticed),
        cmocka_unit_test(questions_differ_from_answers),
        cmocka_unit_test(texts_keep_the_callers_words),
        cmocka_unit_test(numbers_are_read_and_said),
        cmocka_unit_test(words_survive_anything),
        cmocka_unit_test(the_calendar_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
