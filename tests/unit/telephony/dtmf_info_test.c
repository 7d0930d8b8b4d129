#include "services/telephony/dtmf_info.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void what_phones_send_is_a_key(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        char digit;
        uint32_t duration_ms;
    } cases[] = {
        {"Signal=5\r\nDuration=160\r\n", '5', 160},
        {"Signal= 5\r\nDuration= 160\r\n", '5', 160},
        {"signal = *\nduration = 99999999999\n", '*', 60000},
        {"Duration=80\r\nSignal=d", 'D', 80},
        {"Signal=11", '#', 0},
        {"Signal=10\r\n", '*', 0},
        {"0", '0', 0},
        {" 9\r\n", '9', 0},
        {"12", 'A', 0},
        {"#", '#', 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dtmf_info_t key;
        assert_true(dtmf_info_parse(cases[i].body, strlen(cases[i].body), &key));
        assert_int_equal(key.digit, cases[i].digit);
        assert_int_equal(key.duration_ms, cases[i].duration_ms);
    }
}

static void what_names_no_key_is_none(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "\r\n",
        "Signal=\r\n",
        "Signal=E",
        "Signal=16",
        "Signal=55",
        "Signal=1\r\nSignal=2",
        "Duration=160",
        "hookflash",
        "!",
        "555",
    };
    char key_and_zero[] = {'5', '\0', '5'};
    dtmf_info_t key = {'x', 7};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        assert_false(dtmf_info_parse(bodies[i], strlen(bodies[i]), &key));
    }
    assert_false(dtmf_info_parse(key_and_zero, sizeof key_and_zero, &key));
    char long_body[4096];
    memset(long_body, '5', sizeof long_body);
    assert_false(dtmf_info_parse(long_body, sizeof long_body, &key));
    assert_int_equal(key.digit, 'x'); /* untouched */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_phones_send_is_a_key),
        cmocka_unit_test(what_names_no_key_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
