/* library_test.c - collections that come in, file by file, and what must not happen on the way. */
#include "services/rag/library.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "services/rag/document.h"
#include "tests/support/folder.h"

static char base[64];
static char root[96];
static library_t *library;
static char detail[LIBRARY_DETAIL_BYTES];

static void open_library(void)
{
    library_limits_t limits = {.file_bytes = 1000, .session_bytes = 2000, .files = 5};
    if (library_new(&library, root, &limits, detail)) fail_msg("%s", detail);
}

static int setup(void **state)
{
    (void)state;
    (void)snprintf(base, sizeof base, "/tmp/parley-library-XXXXXX");
    if (!mkdtemp(base)) return -1;
    (void)snprintf(root, sizeof root, "%s/data/library", base);
    open_library();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    library_destroy(&library);
    return folder_remove(base);
}

static const char *in_root(const char *path)
{
    static char full[512];
    (void)snprintf(full, sizeof full, "%s/%s", root, path);
    return full;
}

static bool is_there(const char *path)
{
    struct stat info;
    return lstat(in_root(path), &info) == 0;
}

static void holds(const char *path, const char *text)
{
    char got[2048] = "";
    int fd = open(in_root(path), O_RDONLY);
    if (fd < 0) fail_msg("%s is not there", path);
    assert_true(read(fd, got, sizeof got - 1) >= 0);
    (void)close(fd);
    assert_string_equal(got, text);
}

static uint64_t hash_of(const char *text)
{
    return document_hash(DOCUMENT_HASH_SEED, text, strlen(text));
}

static pl_err_t begin(const char *session, const char *name)
{
    return library_begin(library, session, name, true, "host:/docs", false, 0, detail);
}

static library_answer_t offer(const char *session, const char *path, const char *text)
{
    library_answer_t answer = LIBRARY_REFUSED;
    const char *problem = NULL;
    if (library_offer(library, session, path, strlen(text), hash_of(text), 0, &answer, &problem,
                      detail))
        fail_msg("%s", detail);
    if (answer == LIBRARY_REFUSED) (void)snprintf(detail, sizeof detail, "%s", problem);
    return answer;
}

static pl_err_t send_text(const char *session, const char *path, const char *text)
{
    return library_data(library, session, path, 0, text, strlen(text), 0, detail);
}

static pl_err_t commit(const char *session)
{
    return library_commit(library, session, 0, detail);
}

/* "a.md" "text" pairs; NULL ends them. Returns how many were wanted. */
static int ingest(const char *session, const char *name, const char *const *pairs)
{
    int wanted = 0;
    assert_int_equal(begin(session, name), PL_OK);
    for (; *pairs; pairs += 2) {
        if (offer(session, pairs[0], pairs[1]) != LIBRARY_WANTED) continue;
        wanted++;
        assert_int_equal(send_text(session, pairs[0], pairs[1]), PL_OK);
    }
    if (commit(session)) fail_msg("%s", detail);
    return wanted;
}
#define INGEST(session, name, ...) ingest(session, name, (const char *const[]){__VA_ARGS__, NULL})

static void a_folder_comes_in_and_is_brought_up_to_date(void **state)
{
    (void)state;
    assert_int_equal(INGEST("s1", "docs", "a.md", "alpha", "sub/b.md", "beta", "empty.txt", ""), 3);
    holds("docs/a.md", "alpha");
    holds("docs/sub/b.md", "beta");
    holds("docs/empty.txt", "");
    assert_int_equal(INGEST("s2", "docs", "a.md", "alpha", "sub/b.md", "beta", "empty.txt", ""), 0);
    assert_int_equal(INGEST("s3", "docs", "a.md", "other", "c.md", "gamma"), 2);
    holds("docs/a.md", "other");
    assert_false(is_there("docs/sub")); /* gone with the last of its files */
    assert_false(is_there("docs/empty.txt"));
    assert_int_equal(INGEST("s4", "docs", NULL), 0);
    assert_false(is_there("docs"));
}

static void nothing_changes_before_the_commit(void **state)
{
    (void)state;
    (void)INGEST("s1", "docs", "a.md", "alpha");
    assert_int_equal(begin("s2", "docs"), PL_OK);
    assert_int_equal(offer("s2", "b.md", "beta"), LIBRARY_WANTED);
    assert_int_equal(commit("s2"), PL_INVALID); /* its bytes did not come */
    assert_non_null(strstr(detail, "b.md: did not come whole"));
    holds("docs/a.md", "alpha");
    assert_false(is_there("docs/b.md"));
    assert_int_equal(send_text("s2", "b.md", "betx"), PL_OK);
    assert_int_equal(commit("s2"), PL_INVALID); /* other bytes than were offered */
    library_destroy(&library);
    open_library(); /* a restart forgets it */
    assert_int_equal(commit("s2"), PL_NOT_FOUND);
    holds("docs/a.md", "alpha");
    assert_false(is_there(".incoming/s2"));
}

static void each_step_may_come_twice(void **state)
{
    (void)state;
    assert_int_equal(begin("s", "docs"), PL_OK);
    assert_int_equal(begin("s", "docs"), PL_OK);
    assert_int_equal(offer("s", "a.md", "alphabet"), LIBRARY_WANTED);
    assert_int_equal(offer("s", "a.md", "alphabet"), LIBRARY_WANTED);
    assert_int_equal(library_data(library, "s", "a.md", 0, "alpha", 5, 0, detail), PL_OK);
    assert_int_equal(library_data(library, "s", "a.md", 0, "alpha", 5, 0, detail), PL_OK);
    assert_int_equal(library_data(library, "s", "a.md", 5, "bet", 3, 0, detail), PL_OK);
    assert_int_equal(library_data(library, "s", "a.md", 5, "bet", 3, 0, detail), PL_OK);
    assert_int_equal(commit("s"), PL_OK);
    assert_int_equal(commit("s"), PL_OK);
    holds("docs/a.md", "alphabet");
}

static void pieces_out_of_order_or_beyond_the_end_are_refused(void **state)
{
    (void)state;
    assert_int_equal(begin("s", "docs"), PL_OK);
    assert_int_equal(offer("s", "a.md", "alphabet"), LIBRARY_WANTED);
    const struct {
        uint64_t offset;
        size_t size;
    } wrong[] = {{1, 3}, {0, 9}, {UINT64_MAX, 1}, {UINT64_MAX - 2, 3}, {8, 1}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(library_data(library, "s", "a.md", wrong[i].offset, "alphabet!",
                                      wrong[i].size, 0, detail),
                         PL_INVALID);
    assert_int_equal(send_text("s", "other.md", "x"), PL_INVALID);
    assert_int_equal(send_text("t", "a.md", "x"), PL_NOT_FOUND);
}

static void a_single_file_is_a_collection_too(void **state)
{
    (void)state;
    assert_int_equal(library_begin(library, "s", "faq.md", false, "h:/faq.md", false, 0, detail),
                     PL_OK);
    assert_int_equal(offer("s", "other.md", "x"), LIBRARY_REFUSED);
    assert_int_equal(offer("s", "faq.md", "text"), LIBRARY_WANTED);
    assert_int_equal(send_text("s", "faq.md", "text"), PL_OK);
    assert_int_equal(commit("s"), PL_OK);
    holds("faq.md", "text");
    (void)INGEST("t", "docs", "a.md", "alpha");
    holds("faq.md", "text"); /* other collections are left alone */
    assert_int_equal(library_remove(library, "faq.md", detail), PL_OK);
    assert_false(is_there("faq.md"));
    assert_int_equal(library_remove(library, "faq.md", detail), PL_NOT_FOUND);
}

static void names_never_lead_out_of_the_collection(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",           "/etc/passwd.md", "../x.md",
        "a/../x.md",  "a//b.md",        "./a.md",
        ".hidden.md", "a/.b.md",        "a/",
        "..",         "a\xff.md",       "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q.md"};
    assert_int_equal(begin("s", "docs"), PL_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(offer("s", bad[i], "x"), LIBRARY_REFUSED);
        if (i < 10 && strchr(bad[i], '/') == NULL) assert_int_equal(begin("t", bad[i]), PL_INVALID);
    }
    char *longest = malloc(3000);
    assert_non_null(longest);
    memset(longest, 'a', 2999);
    longest[2999] = '\0';
    assert_int_equal(offer("s", longest, "x"), LIBRARY_REFUSED);
    assert_int_equal(begin("t", longest), PL_INVALID);
    free(longest);
    assert_int_equal(begin("t", "a/b"), PL_INVALID);
    assert_int_equal(begin("../t", "docs"), PL_INVALID);
    assert_int_equal(begin("", "docs"), PL_INVALID);
    assert_int_equal(library_remove(library, "../data", detail), PL_INVALID);
    assert_int_equal(offer("s", "new\nline.md", "odd but fine"), LIBRARY_WANTED);
    assert_int_equal(send_text("s", "new\nline.md", "odd but fine"), PL_OK);
    assert_int_equal(commit("s"), PL_OK);
    holds("docs/new\nline.md", "odd but fine");
}

static void links_in_the_library_are_not_followed(void **state)
{
    (void)state;
    char outside[128];
    char victim[160];
    (void)snprintf(outside, sizeof outside, "%s/outside", base);
    (void)snprintf(victim, sizeof victim, "%s/victim.md", outside);
    assert_int_equal(mkdir(outside, 0700), 0);
    int fd = open(victim, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "mine", 4), 4);
    (void)close(fd);
    assert_int_equal(symlink(outside, in_root("linked")), 0);
    assert_int_equal(begin("s1", "linked"), PL_INVALID);
    (void)INGEST("s2", "docs", "a.md", "alpha");
    assert_int_equal(symlink(outside, in_root("docs/sub")), 0);
    assert_int_equal(symlink(victim, in_root("docs/b.md")), 0);
    assert_int_equal(begin("s3", "docs"), PL_OK);
    assert_int_equal(offer("s3", "sub/victim.md", "evil"), LIBRARY_WANTED);
    assert_int_equal(offer("s3", "b.md", "mine"),
                     LIBRARY_WANTED); /* that it leads to the same is nothing */
    assert_int_equal(send_text("s3", "sub/victim.md", "evil"), PL_OK);
    assert_int_equal(send_text("s3", "b.md", "mine"), PL_OK);
    assert_int_equal(commit("s3"), PL_OK);
    holds("docs/sub/victim.md", "evil");
    char got[8] = "";
    fd = open(victim, O_RDONLY);
    assert_int_equal(read(fd, got, 7), 4);
    (void)close(fd);
    assert_string_equal(got, "mine");
    assert_int_equal(library_remove(library, "docs", detail), PL_OK);
    assert_int_equal(access(victim, F_OK), 0);
}

static void files_and_folders_may_change_places(void **state)
{
    (void)state;
    (void)INGEST("s1", "docs", "a.md", "alpha", "b.md/c.md", "in a folder");
    (void)INGEST("s2", "docs", "a.md/x.md", "now a folder", "b.md", "now a file");
    holds("docs/a.md/x.md", "now a folder");
    holds("docs/b.md", "now a file");
}

static void a_collection_from_elsewhere_is_left_alone(void **state)
{
    (void)state;
    (void)INGEST("s1", "docs", "a.md", "alpha");
    assert_int_equal(library_begin(library, "s2", "docs", true, "other:/docs", false, 0, detail),
                     PL_INVALID);
    assert_non_null(strstr(detail, "host:/docs"));
    assert_int_equal(library_begin(library, "s3", "docs", false, "host:/docs", false, 0, detail),
                     PL_INVALID);
    assert_int_equal(library_begin(library, "s4", "docs", true, "other:/docs", true, 0, detail),
                     PL_OK);
    assert_int_equal(commit("s4"), PL_OK);
    assert_int_equal(begin("s5", "docs"), PL_OK); /* it is empty, and gone */
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    char text[1002];
    memset(text, 'x', 1001);
    text[1001] = '\0';
    assert_int_equal(begin("s", "docs"), PL_OK);
    assert_int_equal(offer("s", "large.md", text), LIBRARY_REFUSED);
    assert_non_null(strstr(detail, "rag.max_file_bytes"));
    text[900] = '\0';
    assert_int_equal(offer("s", "a.md", text), LIBRARY_WANTED);
    assert_int_equal(offer("s", "b.md", text), LIBRARY_WANTED);
    assert_int_equal(offer("s", "c.md", text), LIBRARY_REFUSED);
    assert_non_null(strstr(detail, "rag.ingest_max_bytes"));
    assert_int_equal(offer("s", "d.docx", "x"), LIBRARY_REFUSED);
    assert_non_null(strstr(detail, "format"));
    for (int i = 0; i < 3; i++) {
        char path[16];
        (void)snprintf(path, sizeof path, "e%d.md", i);
        assert_int_equal(offer("s", path, "x"), LIBRARY_WANTED);
    }
    assert_int_equal(offer("s", "f.md", "x"), LIBRARY_REFUSED);
    assert_string_equal(detail, "too many files");
}

static void sessions_are_few_and_end_when_they_are_silent(void **state)
{
    (void)state;
    char id[16];
    for (int i = 0; i < LIBRARY_SESSIONS_MAX; i++) {
        (void)snprintf(id, sizeof id, "s%d", i);
        assert_int_equal(begin(id, "docs"), PL_OK);
    }
    assert_int_equal(begin("more", "docs"), PL_BUSY);
    assert_int_equal(commit("s3"), PL_OK); /* one that is done makes room */
    assert_false(is_there(".incoming/s3"));
    assert_int_equal(begin("next", "docs"), PL_OK);
    assert_int_equal(begin("more", "docs"), PL_BUSY);
    assert_int_equal(
        library_begin(library, "more", "docs", true, "h", false, LIBRARY_IDLE_MS, detail), PL_OK);
    assert_int_equal(offer("more", "a.md", "x"), LIBRARY_WANTED);
    assert_int_equal(send_text("s0", "a.md", "x"), PL_NOT_FOUND);
    assert_false(is_there(".incoming/s0"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_folder_comes_in_and_is_brought_up_to_date),
        TEST(nothing_changes_before_the_commit),
        TEST(each_step_may_come_twice),
        TEST(pieces_out_of_order_or_beyond_the_end_are_refused),
        TEST(a_single_file_is_a_collection_too),
        TEST(names_never_lead_out_of_the_collection),
        TEST(links_in_the_library_are_not_followed),
        TEST(files_and_folders_may_change_places),
        TEST(a_collection_from_elsewhere_is_left_alone),
        TEST(sizes_are_bounded),
        TEST(sessions_are_few_and_end_when_they_are_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
