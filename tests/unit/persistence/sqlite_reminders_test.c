/* sqlite_reminders_test.c - reminders in the SQLite provider. */
#include "tests/unit/persistence/sqlite_fixture.h"

#include "tests/unit/persistence/contract_reminders.h"

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_reminders, teardown)
    const struct CMUnitTest tests[] = {CONTRACT_REMINDERS(TEST)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
