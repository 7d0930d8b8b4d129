/* sqlite_power_test.c - the power fails while the write-ahead log is being written: whatever part of it has
 * reached the disk, and whatever stands behind that, every write whose commit is there is kept, nothing is
 * there by half, and the file is sound.
 *
 * By default the log is cut at the borders of its frames, a byte before and behind them, and at every 997th byte;
 * with PARLEY_POWER_CUT=every at each byte (minutes).
 */
#include "tests/unit/persistence/sqlite_fixture.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/record.h"
#include "tests/unit/persistence/requests.h"

enum { WRITES = 12, WAL_HEAD = 32, FRAME_HEAD = 24, PAGE = 4096, STRIDE = 997 };

typedef struct {
    uint8_t *bytes;
    size_t size;
} content_t;

static content_t database, wal;
static size_t
    acknowledged_at[WRITES + 1]; /* size of the log when so many writes were acknowledged */

static content_t read_file(const char *suffix)
{
    char path[160];
    struct stat info;
    (void)snprintf(path, sizeof path, "%s%s", file, suffix);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &info) == 0);
    content_t content = {malloc((size_t)info.st_size + 1), (size_t)info.st_size};
    assert_non_null(content.bytes);
    assert_int_equal(read(fd, content.bytes, content.size), (ssize_t)content.size);
    (void)close(fd);
    return content;
}

static void write_file(const char *suffix, const uint8_t *bytes, size_t size)
{
    char path[160];
    (void)snprintf(path, sizeof path, "%s%s", file, suffix);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    (void)close(fd);
}

static void write_one(const Pl__Envelope *env)
{
    store_stats_t stats = {0};
    write_t *write = NULL;
    char detail[STORE_DETAIL_BYTES] = "";
    assert_int_equal(write_new(&write, env, 1000, detail), PL_OK);
    provider->write(store, &write, 1, &stats);
    assert_int_equal(write->err, PL_OK);
    write_destroy(&write);
}

/* A call of some writes, and what was on the disk when the last of them was acknowledged. */
static void write_all(void)
{
    create_t create;
    apply_t apply;
    struct stat info;
    char path[160];
    (void)snprintf(path, sizeof path, "%s-wal", file);
    open_store();
    write_one(make_create(&create, CALL_1, "+15550100", 5000));
    for (uint64_t i = 1; i <= WRITES; i++) {
        assert_int_equal(stat(path, &info), 0);
        acknowledged_at[i - 1] = (size_t)info.st_size;
        write_one(make_message(&apply, CALL_1, 1, i, "said"));
    }
    database = read_file("");
    wal = read_file("-wal");
    acknowledged_at[WRITES] = wal.size;
    provider->close(&store);
}

static size_t kept_of(size_t size)
{
    size_t kept = 0;
    while (kept < WRITES && acknowledged_at[kept + 1] <= size) kept++;
    return kept;
}

/* The power failed when so much of the log was written. garbage: the blocks behind it had been given to
 * the file, and hold anything. */
static void cut_at(size_t size, bool garbage)
{
    uint8_t *log = malloc(wal.size);
    assert_non_null(log);
    memcpy(log, wal.bytes, size);
    memset(log + size, 0xa5, wal.size - size);
    char shared[160];
    (void)snprintf(shared, sizeof shared, "%s-shm", file);
    (void)unlink(shared);
    write_file("", database.bytes, database.size);
    write_file("-wal", log, garbage ? wal.size : size);
    free(log);
    open_store(); /* which looks for damage */
    Pl__StoreGet query = PL__STORE_GET__INIT;
    Pl__CallRecord *record = NULL;
    char detail[STORE_DETAIL_BYTES] = "";
    assert_int_equal(provider->get(store, CALL_1, &query, &record, detail), PL_OK);
    if (record->n_messages != kept_of(size) || record->version != kept_of(size) + 1)
        fail_msg("cut at %zu of %zu: %zu messages, not %zu", size, wal.size, record->n_messages,
                 kept_of(size));
    pl_record_free(&record);
    provider->close(&store);
}

static bool is_looked_at(size_t size)
{
    const char *every = getenv("PARLEY_POWER_CUT");
    if (every && strcmp(every, "every") == 0) return true;
    size_t in_frame = (size - WAL_HEAD) % (FRAME_HEAD + PAGE);
    return in_frame <= 1 || in_frame == FRAME_HEAD + PAGE - 1 || size % STRIDE == 0;
}

static void what_was_acknowledged_survives_a_power_cut(void **state)
{
    (void)state;
    unsigned cuts = 0;
    write_all();
    assert_int_equal((wal.size - WAL_HEAD) % (FRAME_HEAD + PAGE), 0);
    for (size_t size = acknowledged_at[0]; size <= wal.size; size++) {
        if (!is_looked_at(size)) continue;
        cut_at(size, false);
        cut_at(size, true);
        cuts++;
    }
    assert_true(cuts > 100);
    free(database.bytes);
    free(wal.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        what_was_acknowledged_survives_a_power_cut, setup, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
