/* sqlite_test.c - the SQLite provider on real files: the contract of every store, and what is its own: the
 * file, its place, its damage, a full disk. */
#include "tests/unit/persistence/sqlite_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/persistence/contract_calls.h"

/* ---- what goes wrong ---- */

static void settings_that_make_no_sense_are_named(void **state)
{
    (void)state;
    char detail[STORE_DETAIL_BYTES];
    assert_int_equal(open_file(file, "    synchronous: off\n", detail), PL_INVALID);
    assert_non_null(strstr(detail, "persistence.sqlite.synchronous"));
    assert_int_equal(open_file("\"\"", "", detail), PL_INVALID);
    assert_non_null(strstr(detail, "persistence.sqlite.file"));
    assert_null(store);
    assert_int_equal(access(file, F_OK), -1);
}

static void a_second_process_is_kept_out(void **state)
{
    (void)state;
    open_store();
    void *mine = store;
    char detail[STORE_DETAIL_BYTES];
    store = NULL;
    assert_int_equal(open_file(file, "", detail), PL_UNAVAILABLE);
    assert_non_null(strstr(detail, file));
    assert_non_null(strstr(detail, "another process"));
    assert_null(store);
    store = mine;
    create(CALL_1, "+15550100", 5000); /* and the first is none the worse */
}

static void put(const char *path, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    (void)close(fd);
}

static void files_that_are_not_ours_are_refused_by_name_and_left_alone(void **state)
{
    (void)state;
    char detail[STORE_DETAIL_BYTES];
    (void)snprintf(file, sizeof file, "%s/other.db", folder);
    char text[8192];
    memset(text, 't', sizeof text);
    put(file, text, sizeof text);
    assert_int_equal(open_file(file, "", detail), PL_UNAVAILABLE);
    assert_non_null(strstr(detail, "other.db"));
    struct stat info;
    assert_int_equal(stat(file, &info), 0);
    assert_int_equal(info.st_size, sizeof text);

    assert_int_equal(unlink(file), 0); /* a database, but somebody else's */
    execute("CREATE TABLE photos (id)");
    assert_int_equal(open_file(file, "", detail), PL_UNAVAILABLE);
    assert_non_null(strstr(detail, "not a store of Parley"));
    assert_int_equal(query_int("SELECT count(*) FROM sqlite_master"), 1);
}

static void a_file_of_a_newer_version_is_refused_and_left_alone(void **state)
{
    (void)state;
    open_store();
    create(CALL_1, "+15550100", 5000);
    provider->close(&store);
    execute("PRAGMA user_version = 77");
    char detail[STORE_DETAIL_BYTES];
    assert_int_equal(open_file(file, "", detail), PL_UNAVAILABLE);
    assert_non_null(strstr(detail, file));
    assert_non_null(strstr(detail, "newer Parley (schema 77"));
    assert_int_equal(query_int("PRAGMA user_version"), 77);
}

static void a_damaged_file_is_refused_by_name(void **state)
{
    (void)state;
    open_store();
    for (int i = 0; i < 40; i++) {
        char id[64];
        (void)snprintf(id, sizeof id, "00000000-0000-4000-8000-0000000000%02d", i);
        create(id, "+15550100", 1000 + i);
    }
    provider->close(&store);
    int fd = open(file, O_WRONLY);
    assert_true(fd >= 0);
    char garbage[512];
    memset(garbage, 0xa5, sizeof garbage);
    for (off_t page = 4096; page < 12 * 4096; page += 4096)
        assert_int_equal(pwrite(fd, garbage, sizeof garbage, page), sizeof garbage);
    (void)close(fd);
    char detail[STORE_DETAIL_BYTES];
    assert_int_equal(open_file(file, "", detail), PL_UNAVAILABLE);
    assert_non_null(strstr(detail, file));
}

static void places_that_cannot_be_written_are_named(void **state)
{
    (void)state;
    char detail[STORE_DETAIL_BYTES];
    assert_int_equal(open_file("/proc/parley/parley.db", "", detail), PL_UNAVAILABLE);
    assert_non_null(strstr(detail, "/proc/parley"));
    char blocked[128];
    (void)snprintf(blocked, sizeof blocked, "%s/file", folder);
    put(blocked, "x", 1);
    (void)snprintf(file, sizeof file, "%s/file/parley.db",
                   folder); /* a file where a folder is due */
    assert_int_equal(open_file(file, "", detail), PL_UNAVAILABLE);
    assert_non_null(strstr(detail, "/file"));
    assert_int_equal(open_file(folder, "", detail), PL_UNAVAILABLE); /* a folder, not a file */
    assert_non_null(strstr(detail, folder));
}

/* In a child, which cannot make files grow beyond a limit: what a full disk looks like. */
static void fill_up(void)
{
    open_store();
    create(CALL_1, "+15550100", 5000);
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) < 0) _exit(10);
    rlim_t former = limit.rlim_cur;
    limit.rlim_cur = 400 * 1024;
    if (setrlimit(RLIMIT_FSIZE, &limit) < 0) _exit(11);
    static char text[20000];
    memset(text, 'x', sizeof text - 1);
    uint64_t id = 1;
    apply_t apply;
    char detail[STORE_DETAIL_BYTES] = "";
    pl_err_t err = PL_OK;
    for (; id < 200 && !err; id++)
        err = write_one(make_message(&apply, CALL_1, 1, id, text), NULL, detail);
    if (err != PL_UNAVAILABLE || !strstr(detail, file)) _exit(12);
    uint64_t failed = id - 1;
    Pl__CallRecord *record = by_id(CALL_1); /* reads go on */
    if (record->n_messages != failed - 1) _exit(13);
    pl_record_free(&record);
    for (int i = 0; i < 5; i++) { /* and it goes on failing cleanly */
        if (say(CALL_1, failed, text) != PL_UNAVAILABLE) _exit(14);
    }
    limit.rlim_cur = former; /* somebody makes room */
    if (setrlimit(RLIMIT_FSIZE, &limit) < 0) _exit(15);
    if (say(CALL_1, failed, text) != PL_OK) _exit(16);
    record = by_id(CALL_1);
    if (record->n_messages != failed || record->version != failed + 1) _exit(17);
    pl_record_free(&record);
    provider->close(&store);
    _exit(0);
}

static void a_full_disk_is_answered_and_does_no_damage(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) fill_up();
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    open_store();
    Pl__CallRecord *record = by_id(CALL_1);
    assert_true(record->n_messages > 1);
    assert_int_equal(record->version, record->n_messages + 1);
    pl_record_free(&record);
    provider->close(&store);
    assert_int_equal(query_int("SELECT count(*) FROM pragma_integrity_check WHERE"
                               " integrity_check <> 'ok'"),
                     0);
}

static void the_file_is_the_owners_alone(void **state)
{
    (void)state;
    open_store();
    create(CALL_1, "+15550100", 5000);
    const char *suffixes[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < 4; i++) {
        char path[160];
        struct stat info;
        (void)snprintf(path, sizeof path, "%s%s", file, suffixes[i]);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_mode & 077, 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CONTRACT_CALLS(TEST),
        TEST(settings_that_make_no_sense_are_named),
        TEST(a_second_process_is_kept_out),
        TEST(files_that_are_not_ours_are_refused_by_name_and_left_alone),
        TEST(a_file_of_a_newer_version_is_refused_and_left_alone),
        TEST(a_damaged_file_is_refused_by_name),
        TEST(places_that_cannot_be_written_are_named),
        TEST(a_full_disk_is_answered_and_does_no_damage),
        TEST(the_file_is_the_owners_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
