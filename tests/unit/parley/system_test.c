#include "tools/parley/system.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/parley/readiness.h"

static void only_names_whole_services(void **state)
{
    (void)state;
    assert_true(system_wanted(NULL, "speech"));
    assert_true(system_wanted("rag,speech", "speech"));
    assert_true(system_wanted("rag,speech", "rag"));
    assert_false(system_wanted("rag,speech", "gateway"));
    assert_false(system_wanted("speech2", "speech"));
    assert_false(system_wanted("spee", "speech"));
    char unknown[32];
    assert_false(system_unknown(NULL, unknown, sizeof unknown));
    assert_false(system_unknown("rag,speech", unknown, sizeof unknown));
    assert_true(system_unknown("rag,spech", unknown, sizeof unknown));
    assert_string_equal(unknown, "spech");
    assert_true(system_unknown("rag,,speech", unknown, sizeof unknown));
}

static void an_address_to_listen_on_becomes_one_to_reach(void **state)
{
    (void)state;
    char out[64];
    assert_string_equal(system_url("0.0.0.0:80", out, sizeof out), "http://127.0.0.1:80");
    assert_string_equal(system_url("127.0.0.1:8080", out, sizeof out), "http://127.0.0.1:8080");
    assert_string_equal(system_outside("127.0.0.1:5060", out, sizeof out), "127.0.0.1:5060");
    system_outside("0.0.0.0:5060", out, sizeof out);
    assert_null(strstr(out, "0.0.0.0"));
    assert_non_null(strstr(out, ":5060"));
}

static void failed_checks_are_named(void **state)
{
    (void)state;
    char why[64];
    readiness_why("{\"status\":\"fail\",\"checks\":[{\"id\":\"store\",\"status\":\"fail\"},"
                  "{\"id\":\"sms\",\"status\":\"ok\"},{\"id\":\"search\",\"status\":\"fail\"}]}",
                  why, sizeof why);
    assert_string_equal(why, "store, search");
    static const char *const odd[] = {
        "", "null", "[]", "{", "{\"checks\":{}}", "{\"checks\":[1,{}]}"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        readiness_why(odd[i], why, sizeof why);
        assert_string_equal(why, "");
    }
    char tight[6];
    readiness_why(
        "{\"checks\":[{\"id\":\"abc\",\"status\":\"x\"},{\"id\":\"def\",\"status\":\"x\"},"
        "{\"id\":\"g\",\"status\":\"x\"}]}",
        tight, sizeof tight);
    assert_string_equal(tight, "abc, ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_names_whole_services),
        cmocka_unit_test(an_address_to_listen_on_becomes_one_to_reach),
        cmocka_unit_test(failed_checks_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
