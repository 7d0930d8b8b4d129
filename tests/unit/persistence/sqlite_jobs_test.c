/* sqlite_jobs_test.c - jobs in the SQLite provider. */
#include "tests/unit/persistence/sqlite_fixture.h"

#include "tests/unit/persistence/contract_jobs.h"

static void a_file_of_the_former_schema_gains_the_jobs(void **state)
{
    (void)state;
    create_call();
    provider->close(&store);
    execute("DROP TABLE jobs; DROP TABLE reminders; PRAGMA user_version = 1");
    open_store();
    assert_int_equal(messages(), 0); /* the call is still there */
    put("a", "report", 0);
    assert_int_equal(taken("report", 1, NOW), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_jobs, close_jobs)
    const struct CMUnitTest tests[] = {CONTRACT_JOBS(TEST),
                                       TEST(a_file_of_the_former_schema_gains_the_jobs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
