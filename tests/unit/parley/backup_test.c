/* backup_test.c - parley backup beside a real persistence process that goes on writing, and the copy put in the
 * store's place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/process.h"
#include "tests/unit/persistence/requests.h"

static process_t process;
static char output[4096];

static int setup(void **state)
{
    (void)state;
    process_make_folder(&process, "persistence");
    process.settings[0] = "persistence.sqlite.file=calls.db";
    process_start(&process, NULL);
    process_connect(&process);
    process_await_up(&process);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    process_clean_up(&process);
    return 0;
}

static FILE *start_parley(const char *arguments)
{
    char binary[PROCESS_PATH_BYTES];
    char command[4 * PROCESS_PATH_BYTES];
    process_binary("persistence", binary);
    *strrchr(binary, '-') = '\0'; /* <build>/bin/parley */
    (void)snprintf(command, sizeof command, "cd %s && %s backup %s 2>&1", process.folder, binary,
                   arguments);
    FILE *pipe = popen(command, "r");  // NOLINT(cert-env33-c): our own words
    assert_non_null(pipe);
    return pipe;
}

static int end_parley(FILE *pipe)
{
    size_t size = fread(output, 1, sizeof output - 1, pipe);
    output[size] = '\0';
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int run_parley(const char *arguments)
{
    return end_parley(start_parley(arguments));
}

static void say(uint64_t number)
{
    static char text[2000];
    memset(text, 'x', sizeof text - 1);
    apply_t apply;
    assert_int_equal(process_ask(&process, make_message(&apply, CALL_1, 1, number, text), NULL),
                     PL_OK);
}

static bool there(const char *name)
{
    char path[PROCESS_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", process.folder, name);
    return access(path, F_OK) == 0;
}

static void put_back(const char *copy)
{
    char command[2 * PROCESS_PATH_BYTES];
    (void)snprintf(command, sizeof command, "cd %s && rm -f calls.db* && cp %s calls.db",
                   process.folder, copy);
    assert_int_equal(system(command), 0);  // NOLINT(cert-env33-c): our own words
}

static void what_was_acknowledged_before_is_in_the_copy(void **state)
{
    (void)state;
    create_t create;
    uint64_t said = 0;
    assert_int_equal(process_ask(&process, make_create(&create, CALL_1, "+15550100", 5000), NULL),
                     PL_OK);
    while (said < 200) say(++said);
    uint64_t before = said;
    FILE *running = start_parley("copy.db --set persistence.sqlite.file=calls.db");
    while (said < 400) say(++said); /* goes on meanwhile */
    if (end_parley(running) != 0) fail_msg("%s", output);
    assert_non_null(strstr(output, "copy.db: 1 calls"));
    assert_false(there("copy.db.part"));
    struct stat info;
    char path[PROCESS_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/copy.db", process.folder);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 077, 0);

    assert_int_equal(process_stop(&process, SIGTERM), 0);
    put_back("copy.db");
    process_start(&process, NULL);
    process_await_up(&process);
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__StoreGet get = PL__STORE_GET__INIT;
    Pl__Envelope *reply = NULL;
    env.call_id = CALL_1;
    env.body_case = PL__ENVELOPE__BODY_STORE_GET;
    env.store_get = &get;
    assert_int_equal(process_ask(&process, &env, &reply), PL_OK);
    size_t kept = reply->store_call->call->n_messages;
    assert_true(kept >= before && kept <= said);
    assert_int_equal(reply->store_call->call->version, kept + 1);
    pl__envelope__free_unpacked(reply, NULL);
    say(kept + 1); /* and the call goes on */
}

static void what_cannot_be_done_is_told_and_leaves_nothing(void **state)
{
    (void)state;
    assert_int_equal(run_parley("--help"), 0);
    assert_non_null(strstr(output, "To restore"));
    assert_int_equal(run_parley(""), 64);
    assert_int_equal(run_parley("a b"), 64);
    assert_int_equal(run_parley("--nonsense a"), 64);
    assert_int_equal(run_parley("x.db --set persistence.provider=postgresql"), 78);
    assert_non_null(strstr(output, "pg_dump"));
    assert_int_equal(run_parley("x.db --set persistence.sqlite.file=nowhere.db"), 1);
    assert_non_null(strstr(output, "nowhere.db"));
    assert_int_equal(run_parley("x.db --set persistence.sqlite.file=log"), 1); /* not a database */
    assert_int_equal(run_parley("none/x.db --set persistence.sqlite.file=calls.db"), 1);
    assert_non_null(strstr(output, "none/x.db"));
    assert_false(there("x.db") || there("x.db.part") || there("nowhere.db"));
    assert_int_equal(run_parley("x.db --set persistence.sqlite.file=calls.db"), 0);
    assert_int_equal(run_parley("x.db --set persistence.sqlite.file=calls.db"), 1);
    assert_non_null(strstr(output, "is there already"));
    assert_true(there("x.db"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(what_was_acknowledged_before_is_in_the_copy),
                                       TEST(what_cannot_be_done_is_told_and_leaves_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
