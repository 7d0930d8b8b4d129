/* postgresql_jobs_test.c - jobs in the PostgreSQL provider. */
#include "tests/unit/persistence/postgresql_fixture.h"

#include "tests/unit/persistence/contract_jobs.h"

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_jobs, close_jobs)
    const struct CMUnitTest tests[] = {CONTRACT_JOBS(TEST)};
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
