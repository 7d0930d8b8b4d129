/* process_test.c - the real rag process, driven over the bus, its folder changing under it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/process.h"

enum { NOTICED_MS = 10000 };

static process_t process;

static const char *in_folder(const char *name)
{
    static char paths[2][PROCESS_PATH_BYTES];
    static unsigned turn;
    char *path = paths[turn++ % 2];
    (void)snprintf(path, PROCESS_PATH_BYTES, "%s/examples/knowledge/%s", process.folder, name);
    return path;
}

static int setup(void **state)
{
    (void)state;
    pl_signals_init();
    process_make_folder(&process, "rag");
    process.settings[0] = "bus.heartbeat_ms=50";
    char examples[PROCESS_PATH_BYTES];
    (void)snprintf(examples, sizeof examples, "%s/examples", process.folder);
    if (mkdir(examples, 0700) < 0 || mkdir(in_folder(""), 0700) < 0) return -1;
    process_connect(&process);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    process_clean_up(&process);
    return 0;
}

static void put(const char *name, const char *text)
{
    FILE *out = fopen(in_folder(name), "w");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static Pl__SearchResult *search_with(const char *text, uint32_t top_n, double strictness,
                                     Pl__Envelope **reply)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__SearchQuery query = PL__SEARCH_QUERY__INIT;
    query.text = (char *)text;
    query.lang = "en-US";
    query.top_n = top_n;
    query.strictness = strictness;
    env.body_case = PL__ENVELOPE__BODY_SEARCH_QUERY;
    env.search_query = &query;
    pl_err_t err = PL_OK;
    uint64_t until_ms = pl_clock_ms() + PROCESS_UP_MS;
    while ((err = process_ask(&process, &env, reply)) == PL_BUSY) { /* the first scan */
        pl__envelope__free_unpacked(*reply, NULL);
        assert_true(pl_clock_ms() < until_ms);
        process_run_ms(&process, 10);
    }
    if (err) fail_msg("%s: %s", pl_err_name(err), pl_bus_error_detail(err, *reply));
    assert_int_equal((*reply)->body_case, PL__ENVELOPE__BODY_SEARCH_RESULT);
    return (*reply)->search_result;
}

/* How many passages are found. */
static size_t found(const char *text)
{
    Pl__Envelope *reply = NULL;
    size_t count = search_with(text, 0, 0, &reply)->n_passages;
    pl__envelope__free_unpacked(reply, NULL);
    return count;
}

static uint64_t version(void)
{
    Pl__Envelope *reply = NULL;
    uint64_t now = search_with("x", 0, 0, &reply)->index_version;
    pl__envelope__free_unpacked(reply, NULL);
    return now;
}

static void await_found(const char *text, size_t expected)
{
    uint64_t until_ms = pl_clock_ms() + NOTICED_MS;
    while (found(text) != expected) {
        if (pl_clock_ms() > until_ms)
            fail_msg("\"%s\": %zu found, not %zu: %s", text, found(text), expected,
                     process_log(&process));
        process_run_ms(&process, 20);
    }
}

static void start(void)
{
    process_start(&process, NULL);
    process_await_up(&process);
}

static void a_question_is_answered_from_the_folder(void **state)
{
    (void)state;
    put("hours.md", "# Opening hours\n\nMonday to Friday from 7 to 8.\n");
    start();
    Pl__Envelope *reply = NULL;
    const Pl__SearchResult *result = search_with("what are your opening hours?", 0, 2, &reply);
    assert_int_equal(result->n_passages, 1);
    assert_string_equal(result->passages[0]->title, "Opening hours");
    assert_string_equal(result->passages[0]->content, "Monday to Friday from 7 to 8.");
    assert_string_equal(result->passages[0]->source, "hours.md");
    assert_true(result->passages[0]->score >= 2 && result->passages[0]->score <= 5);
    assert_int_equal(result->documents, 1);
    assert_true(result->index_version > 0);
    pl__envelope__free_unpacked(reply, NULL);
}

static void changes_in_the_folder_are_noticed(void **state)
{
    (void)state;
    put("a.md", "alpha");
    start();
    await_found("alpha", 1);
    uint64_t before = version();
    put("b.txt", "alpha too");
    await_found("alpha", 2);
    assert_true(version() > before);
    put("a.md", "something else");
    await_found("alpha", 1);
    assert_int_equal(rename(in_folder("b.txt"), in_folder("b.bin")), 0);
    await_found("alpha", 0);
    assert_int_equal(mkdir(in_folder("sub"), 0700), 0);
    process_run_ms(&process, 600); /* so that the new folder itself is watched */
    put("sub/c.md", "alpha below");
    await_found("alpha", 1);
    assert_int_equal(unlink(in_folder("sub/c.md")), 0);
    await_found("alpha", 0);
}

static void a_file_being_written_is_taken_when_it_is_whole(void **state)
{
    (void)state;
    put("a.md", "alpha");
    start();
    await_found("alpha", 1);
    FILE *out = fopen(in_folder("slow.md"), "w");
    assert_non_null(out);
    for (int i = 0; i < 10; i++) { /* faster than the quiet time, slower than one scan */
        assert_true(fprintf(out, "# Part %d\nbeta %d\n", i, i) > 0);
        assert_int_equal(fflush(out), 0);
        process_run_ms(&process, 50);
        assert_int_equal(found("beta"), 0);
    }
    assert_int_equal(fclose(out), 0);
    Pl__Envelope *reply = NULL;
    await_found("beta", 5); /* top_n_documents */
    assert_int_equal(search_with("beta", 50, 0, &reply)->n_passages, 10);
    pl__envelope__free_unpacked(reply, NULL);
}

static void without_inotify_the_periodic_scan_finds_changes(void **state)
{
    (void)state;
    process.settings[1] = "rag.rescan_s=1";
    start(); /* the folder is a link that is turned to another one: no event tells of that */
    put("a.md", "alpha");
    await_found("alpha", 1);
    char other[PROCESS_PATH_BYTES];
    char own[PROCESS_PATH_BYTES];
    (void)snprintf(own, sizeof own, "%s/examples", process.folder);
    (void)snprintf(other, sizeof other, "%s/elsewhere", process.folder);
    assert_int_equal(rename(own, other), 0);
    assert_int_equal(mkdir(own, 0700), 0);
    process_run_ms(&process, 1500);
    assert_int_equal(found("alpha"), 1); /* the folder is gone: what is known stays */
    assert_non_null(strstr(process_log(&process), "ingest.failed"));
    assert_int_equal(mkdir(in_folder(""), 0700), 0);
    put("b.md", "beta");
    await_found("beta", 1);
    assert_int_equal(found("alpha"), 0);
}

static void limits_of_a_query_are_kept(void **state)
{
    (void)state;
    process.settings[1] = "rag.top_n_documents=3";
    process.settings[2] = "rag.strictness=5";
    char text[8192] = "";
    for (int i = 0; i < 60; i++) {
        char part[64];
        (void)snprintf(part, sizeof part, "# Part %d\nalpha word%d\n", i, i);
        strcat(text, part);
    }
    put("a.md", text);
    start();
    const struct {
        uint32_t top_n;
        double strictness;
        size_t expected;
    } cases[] = {{0, 0, 3},    {1, 0, 1},   {50, 0, 50},       {UINT32_MAX, 0, 50},
                 {10, 5.5, 0}, {10, -1, 0}, {10, 0.0 / 0.0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Pl__Envelope *reply = NULL;
        const Pl__SearchResult *result =
            search_with("alpha", cases[i].top_n, cases[i].strictness, &reply);
        assert_int_equal(result->n_passages, cases[i].expected);
        pl__envelope__free_unpacked(reply, NULL);
    }
}

static void hostile_queries_are_answered(void **state)
{
    (void)state;
    put("a.md", "alpha");
    start();
    const char *hostile[] = {"",
                             "\"",
                             "NEAR(alpha",
                             "alpha AND",
                             "* OR \"",
                             "\xf0\x9f\x98\x80",
                             "\xff\xff\xff",
                             "'; DROP TABLE passages; --"};
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) (void)found(hostile[i]);
    enum { BYTES = 100 * 1024 };
    char *text = malloc(BYTES + 1);
    assert_non_null(text);
    static const char piece[] = "\"alpha\" NEAR/2 (\xf0\x9f\x98\x80* ";
    for (size_t i = 0; i < BYTES; i++) text[i] = piece[i % (sizeof piece - 1)];
    text[BYTES] = '\0';
    assert_int_equal(found(text), 1);
    free(text);
    assert_int_equal(found("alpha"), 1);
}

static void killed_it_comes_back_with_what_it_knew(void **state)
{
    (void)state;
    put("a.md", "alpha");
    start();
    await_found("alpha", 1);
    uint64_t before = version();
    for (int i = 0; i < 5; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "n%d.md", i);
        put(name, "beta");
        process_run_ms(&process, (uint64_t)i * 90); /* at another moment of the scan each time */
        assert_int_equal(process_stop(&process, SIGKILL), 256 + SIGKILL);
        start();
    }
    await_found("alpha", 1);
    await_found("beta", 5);
    assert_true(version() > before);
    assert_int_equal(process_stop(&process, SIGTERM), 0);
}

static void wrong_settings_end_the_start_by_name(void **state)
{
    (void)state;
    put("a.md", "alpha");
    const struct {
        const char *setting;
        int status;
        const char *said;
    } cases[] = {
        {"rag.folder=nowhere", 78, "rag.folder: nowhere: No such file or directory"},
        {"rag.folder=examples/knowledge/a.md", 78,
         "rag.folder: examples/knowledge/a.md: not a folder"},
        {"rag.index_file=", 78, "rag.index_file"},
        {"rag.index_file=/proc/x/index.db", 1, "/proc/x"},
        {"rag.index_file=examples/knowledge/a.md", 1, "not an index of Parley"},
        {"rag.strictness=6", 78, "rag.strictness"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        process.settings[0] = cases[i].setting;
        process_start(&process, NULL);
        assert_int_equal(process_wait(&process), cases[i].status);
        if (!strstr(process_log(&process), cases[i].said))
            fail_msg("\"%s\" not in: %s", cases[i].said, process_log(&process));
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_question_is_answered_from_the_folder),
        TEST(changes_in_the_folder_are_noticed),
        TEST(a_file_being_written_is_taken_when_it_is_whole),
        TEST(without_inotify_the_periodic_scan_finds_changes),
        TEST(limits_of_a_query_are_kept),
        TEST(hostile_queries_are_answered),
        TEST(killed_it_comes_back_with_what_it_knew),
        TEST(wrong_settings_end_the_start_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
