/* config_test.c - the configuration: what is read, what is refused, and how it is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/config.h"

static const pl_config_key_t keys[] = {
    {"telephony.sip.port", PL_CONFIG_INT, "5060", 1, 65535, "port"},
    {"telephony.sip.names[]", PL_CONFIG_STRING, NULL, 0, 0, "names"},
    {"telephony.users[].name", PL_CONFIG_STRING, NULL, 0, 0, "name"},
    {"telephony.users[].password", PL_CONFIG_STRING, "none", 0, 0, "password"},
    {"telephony.gain", PL_CONFIG_DOUBLE, "1.5", 0.5, 2, "gain"},
    {"telephony.on", PL_CONFIG_BOOL, "true", 0, 0, "on"},
    {NULL, 0, NULL, 0, 0, NULL},
};

static char errors[4096];

static pl_config_t *parse(const char *yaml)
{
    return pl_config_parse("telephony", keys, "f.yaml", yaml, errors, sizeof errors);
}

static void refused(const char *yaml, const char *error)
{
    pl_config_t *cfg = parse(yaml);
    assert_null(cfg);
    if (!strstr(errors, error)) fail_msg("\"%s\" is not in \"%s\"", error, errors);
}

static void an_empty_file_gives_the_defaults(void **state)
{
    (void)state;
    pl_config_t *cfg = parse("");
    assert_non_null(cfg);
    assert_int_equal(pl_config_int(cfg, "telephony.sip.port"), 5060);
    assert_true(pl_config_double(cfg, "telephony.gain") == 1.5);
    assert_true(pl_config_bool(cfg, "telephony.on"));
    assert_int_equal(pl_config_count(cfg, "telephony.users"), 0);
    assert_int_equal(pl_config_int(cfg, "features.answer_soft_timeout_sec"), 4);
    assert_string_equal(pl_config_str(cfg, "bus.bind"), "");
    pl_config_destroy(&cfg);
    assert_null(cfg);
}

static void values_and_lists_are_read(void **state)
{
    (void)state;
    pl_config_t *cfg = parse("telephony:\n"
                             "  sip: {port: 7, names: [a, \"b c\"]}\n"
                             "  users:\n"
                             "    - name: ann\n"
                             "    - {name: bob, password: x}\n"
                             "  on: no\n"
                             "features: {recording_enabled: false, callback_timeout_hour: 0}\n");
    assert_non_null(cfg);
    assert_int_equal(pl_config_int(cfg, "telephony.sip.port"), 7);
    assert_int_equal(pl_config_count(cfg, "telephony.sip.names"), 2);
    assert_string_equal(pl_config_item(cfg, "telephony.sip.names[%d]", 1), "b c");
    assert_int_equal(pl_config_count(cfg, "telephony.users"), 2);
    assert_string_equal(pl_config_str(cfg, "telephony.users[0].password"), "none");
    assert_string_equal(pl_config_str(cfg, "telephony.users[1].password"), "x");
    assert_false(pl_config_bool(cfg, "telephony.on"));
    assert_int_equal(pl_config_int(cfg, "features.callback_timeout_hour"), 0);
    pl_config_destroy(&cfg);
}

static void mistakes_are_named_with_file_line_and_key(void **state)
{
    (void)state;
    refused("telephony:\n  sip:\n    prot: 5\n",
            "f.yaml:3: telephony.sip.prot: unknown key (did you mean telephony.sip.port?)");
    refused("telephony:\n  sip:\n    port: many\n",
            "f.yaml:3: telephony.sip.port: must be a whole number, not \"many\"");
    refused("telephony: {sip: {port: 70000}}", "telephony.sip.port: must be from 1 to 65535");
    refused("telephony: {gain: nan}", "telephony.gain: must be a number");
    refused("telephony: {on: maybe}", "must be true or false");
    refused("telephony: 5", "must be a list or hold further keys");
    refused("telephony: {gain: [1]}", "must be a single value");
    refused("zzzzzzzzzz:\n  a: 1\n", "f.yaml:1: zzzzzzzzzz: unknown key");
    refused("features: {vad_threshold: 0}", "features.vad_threshold: must be from 0.1 to 1");
    refused("log: {level: loud}", "log.level: must be debug, info, warn or error");
    refused("telephony:\n  on: yes\n  on: no\n", "f.yaml:3: telephony.on: given twice");
    refused("telephony: [\n", "f.yaml:");
    refused("- a\n- b\n", "must hold sections");
}

static void every_mistake_is_told_at_once(void **state)
{
    (void)state;
    refused("telephony:\n  on: maybe\n  gain: x\n", "f.yaml:2:");
    assert_non_null(strstr(errors, "f.yaml:3:"));
}

static void sections_of_other_services_are_left_to_them(void **state)
{
    (void)state;
    pl_config_t *cfg = parse("speech: {whatever: {deep: [1, 2]}}\nconversation: {x: 1}\n");
    assert_non_null(cfg);
    pl_config_destroy(&cfg);
}

static void secrets_come_from_the_environment(void **state)
{
    (void)state;
    setenv("PARLEY_TEST_SECRET", "p:w", 1);
    unsetenv("PARLEY_TEST_UNSET");
    pl_config_t *cfg = parse("telephony: {users: [{password: \"<${PARLEY_TEST_SECRET}>\"}]}\n");
    assert_non_null(cfg);
    assert_string_equal(pl_config_str(cfg, "telephony.users[0].password"), "<p:w>");
    pl_config_destroy(&cfg);
    refused("telephony:\n  users: [{password: \"${PARLEY_TEST_UNSET}\"}]\n",
            "environment variable PARLEY_TEST_UNSET is not set");
}

static void hostile_yaml_is_refused_without_harm(void **state)
{
    (void)state;
    refused("telephony: &a\n  sip: *a\n", "nested");
    char deep[4000];
    memset(deep, '[', sizeof deep);
    deep[sizeof deep - 1] = '\0';
    refused(deep, "f.yaml");
    char text[20000] = "telephony: {";
    memset(text + 12, 'k', sizeof text - 20);
    strcpy(text + sizeof text - 8, ": 1}");
    refused(text, "f.yaml");
}

static void settings_of_the_command_line_win(void **state)
{
    (void)state;
    char file[] = "/tmp/parley-config-XXXXXX";
    int fd = mkstemp(file);
    assert_true(fd >= 0);
    FILE *out = fdopen(fd, "w");
    fputs("telephony: {sip: {port: 1, names: [x]}}\n", out);
    fclose(out);
    int status = -1;
    char *argv[] = {"t",
                    "--config",
                    file,
                    "--set",
                    "telephony.sip.port=2",
                    "--instance",
                    "3",
                    "--set",
                    "telephony.sip.names[1]=y",
                    NULL};
    pl_config_t *cfg = pl_config_load("telephony", keys, 9, argv, &status);
    assert_non_null(cfg);
    assert_int_equal(pl_config_int(cfg, "telephony.sip.port"), 2);
    assert_int_equal(pl_config_count(cfg, "telephony.sip.names"), 2);
    assert_string_equal(pl_config_instance(cfg), "telephony-3");
    pl_config_destroy(&cfg);

    char *wrong[] = {"t", "--config", file, "--set", "telephony.sip.port=none", NULL};
    assert_null(pl_config_load("telephony", keys, 5, wrong, &status));
    assert_int_equal(status, 78);
    char *absent[] = {"t", "--config", "/nonexistent.yaml", NULL};
    assert_null(pl_config_load("telephony", keys, 3, absent, &status));
    assert_int_equal(status, 78);
    char *option[] = {"t", "--nonsense", NULL};
    assert_null(pl_config_load("telephony", keys, 2, option, &status));
    assert_int_equal(status, 64);
    remove(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_gives_the_defaults),
        cmocka_unit_test(values_and_lists_are_read),
        cmocka_unit_test(mistakes_are_named_with_file_line_and_key),
        cmocka_unit_test(every_mistake_is_told_at_once),
        cmocka_unit_test(sections_of_other_services_are_left_to_them),
        cmocka_unit_test(secrets_come_from_the_environment),
        cmocka_unit_test(hostile_yaml_is_refused_without_harm),
        cmocka_unit_test(settings_of_the_command_line_win),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
