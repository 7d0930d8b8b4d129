/* postgresql_test.c - the PostgreSQL provider on a real server: the contract of every store. */
#include "tests/unit/persistence/postgresql_fixture.h"

#include "tests/unit/persistence/contract_calls.h"

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CONTRACT_CALLS(TEST),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
