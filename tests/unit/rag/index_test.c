/* index_test.c - folders brought into the index, and what is found there. */
#include "services/rag/ingest.h"

#include <errno.h>
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

#include "common/log.h"
#include "tests/support/folder.h"

static char base[64];
static char knowledge[128];
static char file[128];
static index_writer_t *writer;
static index_reader_t *reader;
static int64_t now_ms;

/* ---- fixture ---- */

static void open_index(void)
{
    char detail[INDEX_DETAIL_BYTES] = "";
    if (index_writer_open(&writer, file, detail)) fail_msg("%s", detail);
    if (index_reader_open(&reader, file, detail)) fail_msg("%s", detail);
}

static void close_index(void)
{
    index_reader_close(&reader);
    index_writer_close(&writer);
}

static int setup(void **state)
{
    (void)state;
    (void)snprintf(base, sizeof base, "/tmp/parley-rag-XXXXXX");
    if (!mkdtemp(base)) return -1;
    (void)snprintf(knowledge, sizeof knowledge, "%s/knowledge", base);
    (void)snprintf(file, sizeof file, "%s/data/knowledge.db", base);
    now_ms = 1000;
    return mkdir(knowledge, 0700);
}

static int teardown(void **state)
{
    (void)state;
    close_index();
    return folder_remove(base);
}

/* Good for two uses in one expression. */
static const char *in_folder(const char *name)
{
    static char paths[2][512];
    static unsigned turn;
    char *path = paths[turn++ % 2];
    (void)snprintf(path, sizeof paths[0], "%s/%s", knowledge, name);
    return path;
}

static void put_bytes(const char *name, const void *bytes, size_t size)
{
    int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    (void)close(fd);
}

static void put(const char *name, const char *text)
{
    put_bytes(name, text, strlen(text));
}

/* Sets the file's time, so that a rewrite within the clock's grain is still seen. */
static void touch_at(const char *name, time_t seconds)
{
    struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    assert_int_equal(utimensat(AT_FDCWD, in_folder(name), times, 0), 0);
}

static ingest_report_t scan_as(bool tell_again)
{
    folder_t folder;
    ingest_report_t report;
    char detail[INDEX_DETAIL_BYTES] = "";
    ingest_opts_t opts = {.max_file_bytes = 100 * 1024,
                          .limits = {.pdf_timeout_ms = 10000},
                          .tell_again = tell_again};
    assert_int_equal(folder_scan(&folder, knowledge), PL_OK);
    now_ms += 1000;
    if (ingest_run(writer, &folder, &opts, now_ms, &report, detail)) fail_msg("%s", detail);
    folder_free(&folder);
    return report;
}

static ingest_report_t scan(void)
{
    return scan_as(false);
}

static Pl__SearchResult *search(const char *text, uint32_t top_n, double strictness)
{
    index_query_t query = {.texts = {text},
                           .count = 1,
                           .lang = "en",
                           .top_n = top_n,
                           .strictness = strictness,
                           .low = 0.1,
                           .high = 0.9};
    Pl__SearchResult *result = NULL;
    char detail[INDEX_DETAIL_BYTES] = "";
    if (index_search(reader, &query, &result, detail)) fail_msg("%s: %s", text, detail);
    return result;
}

/* The best passage's source, "" when nothing is found. */
static const char *best(const char *text)
{
    static char source[256];
    Pl__SearchResult *result = search(text, 1, 0);
    (void)snprintf(source, sizeof source, "%s",
                   result->n_passages ? result->passages[0]->source : "");
    pl__search_result__free_unpacked(result, NULL);
    return source;
}

/* ---- scans ---- */

static void a_folder_is_found_again_after_a_scan(void **state)
{
    (void)state;
    open_index();
    assert_int_equal(mkdir(in_folder("deep"), 0700), 0);
    put("vpn.md", "# VPN\nStart Contoso Connect.\n");
    put("deep/hours.txt", "Open from 7 to 8.\n");
    put("picture.png", "not a text");
    put(".hidden.md", "never seen");
    ingest_report_t report = scan();
    assert_int_equal(report.added, 2);
    assert_int_equal(report.index.documents, 2);
    assert_int_equal(report.index.passages, 2);
    Pl__SearchResult *result = search("connecting", 5, 0);
    assert_int_equal(result->n_passages, 1);
    assert_string_equal(result->passages[0]->title, "VPN");
    assert_string_equal(result->passages[0]->content, "Start Contoso Connect.");
    assert_string_equal(result->passages[0]->source, "vpn.md");
    assert_int_equal(strlen(result->passages[0]->id), 16);
    assert_int_equal(result->index_version, report.index.version);
    assert_int_equal(result->documents, 2);
    pl__search_result__free_unpacked(result, NULL);
    assert_string_equal(best("open"), "deep/hours.txt");
    assert_string_equal(best("seen"), "");
    assert_string_equal(best("hours"), "deep/hours.txt"); /* its name is its title */
}

static void an_unchanged_folder_changes_nothing(void **state)
{
    (void)state;
    open_index();
    put("a.md", "alpha");
    put("b.md", "beta");
    uint64_t version = scan().index.version;
    ingest_report_t report = scan();
    assert_int_equal(report.added + report.changed + report.removed, 0);
    assert_int_equal(report.index.version, version);
    touch_at("a.md", 2000000000); /* touched, not changed */
    assert_int_equal(scan().index.version, version);
    close_index();
    open_index(); /* another process: nothing is read anew */
    report = scan();
    assert_int_equal(report.added + report.changed, 0);
    assert_int_equal(report.index.version, version);
}

static void changes_are_followed(void **state)
{
    (void)state;
    open_index();
    put("a.md", "alpha");
    put("b.md", "beta");
    uint64_t version = scan().index.version;
    put("a.md", "gamma");
    touch_at("a.md", 2000000000);
    assert_int_equal(unlink(in_folder("b.md")), 0);
    put("c.md", "delta");
    ingest_report_t report = scan();
    assert_int_equal(report.changed, 1);
    assert_int_equal(report.removed, 1);
    assert_int_equal(report.added, 1);
    assert_true(report.index.version > version);
    assert_string_equal(best("alpha"), "");
    assert_string_equal(best("gamma"), "a.md");
    assert_string_equal(best("beta"), "");
    assert_string_equal(best("delta"), "c.md");
    assert_int_equal(rename(in_folder("c.md"), in_folder("d.md")), 0);
    (void)scan();
    assert_string_equal(best("delta"), "d.md");
    assert_int_equal(report.index.passages, 2);
}

static void a_passage_keeps_its_id_while_its_text_does(void **state)
{
    (void)state;
    open_index();
    put("a.md", "# One\nalpha\n# Two\nbeta\n");
    (void)scan();
    Pl__SearchResult *before = search("alpha", 1, 0);
    put("a.md", "# Zero\nnew above\n# One\nalpha\n# Two\nbeta changed\n");
    touch_at("a.md", 2000000000);
    (void)scan();
    Pl__SearchResult *after = search("alpha", 1, 0);
    assert_string_equal(before->passages[0]->id, after->passages[0]->id);
    pl__search_result__free_unpacked(before, NULL);
    pl__search_result__free_unpacked(after, NULL);
}

static void a_folder_that_cannot_be_read_keeps_what_is_known(void **state)
{
    (void)state;
    open_index();
    put("a.md", "alpha");
    (void)scan();
    char away[160];
    (void)snprintf(away, sizeof away, "%s/away", base);
    assert_int_equal(rename(knowledge, away), 0);
    folder_t folder;
    assert_int_equal(folder_scan(&folder, knowledge), PL_NOT_FOUND);
    assert_int_equal(errno, ENOENT);
    folder_free(&folder);
    assert_string_equal(best("alpha"), "a.md");
    assert_int_equal(rename(away, knowledge), 0);
}

/* ---- bad files ---- */

static void bad_files_are_skipped_and_the_others_found(void **state)
{
    (void)state;
    open_index();
    put("good.md", "alpha");
    put_bytes("binary.md", "alpha\0beta", 10);
    put("latin1.txt", "caf\xe9 alpha");
    put("overlong.txt", "alpha \xc0\xaf");
    put("surrogate.txt", "alpha \xed\xa0\x80");
    put_bytes("utf16.txt",
              "\xff\xfe"
              "a\0l",
              5);
    char *huge = calloc(1, 200 * 1024);
    assert_non_null(huge);
    memset(huge, 'a', 200 * 1024);
    put_bytes("huge.md", huge, 200 * 1024);
    free(huge);
    assert_int_equal(mkfifo(in_folder("pipe.md"), 0600), 0);
    assert_int_equal(symlink("self.md", in_folder("self.md")), 0);
    assert_int_equal(symlink("nowhere", in_folder("dangling.md")), 0);
    assert_int_equal(mkdir(in_folder("sub"), 0700), 0);
    assert_int_equal(symlink("..", in_folder("sub/up")), 0);
    put("quote\"and\nline.md", "alpha \xff");
    ingest_report_t report = scan_as(true);
    assert_int_equal(report.added, 1);
    assert_int_equal(report.bad, 11);
    assert_int_equal(report.index.documents, 1);
    assert_string_equal(best("alpha"), "good.md");
    Pl__SearchResult *result = search("alpha", 50, 0);
    assert_int_equal(result->n_passages, 1);
    pl__search_result__free_unpacked(result, NULL);

    uint64_t version = report.index.version;
    report = scan(); /* known: neither read nor told again */
    assert_int_equal(report.bad, 11);
    assert_int_equal(report.index.version, version);
}

static void a_file_may_turn_bad_and_good_again(void **state)
{
    (void)state;
    open_index();
    put("a.md", "alpha");
    (void)scan();
    put("a.md", "alpha\xff");
    touch_at("a.md", 2000000000);
    ingest_report_t report = scan();
    assert_int_equal(report.removed, 1);
    assert_int_equal(report.bad, 1);
    assert_string_equal(best("alpha"), "");
    put("a.md", "alpha again");
    touch_at("a.md", 2000000001);
    report = scan();
    assert_int_equal(report.changed, 1);
    assert_string_equal(best("alpha"), "a.md");
}

static void byte_order_marks_and_line_ends_of_other_systems_are_fine(void **state)
{
    (void)state;
    open_index();
    put("windows.md", "\xef\xbb\xbf# Heading\r\nalpha\r\n\r\nbeta\r\n");
    put("empty.md", "");
    assert_int_equal(scan().added, 2);
    Pl__SearchResult *result = search("alpha", 1, 0);
    assert_string_equal(result->passages[0]->title, "Heading");
    assert_string_equal(result->passages[0]->content, "alpha\nbeta");
    pl__search_result__free_unpacked(result, NULL);
}

static void links_to_files_and_folders_are_followed(void **state)
{
    (void)state;
    open_index(); /* as Kubernetes mounts a ConfigMap */
    assert_int_equal(mkdir(in_folder("..2026"), 0700), 0);
    put("..2026/a.md", "alpha");
    assert_int_equal(symlink("..2026", in_folder("..data")), 0);
    assert_int_equal(symlink("..data/a.md", in_folder("a.md")), 0);
    ingest_report_t report = scan();
    assert_int_equal(report.added, 1);
    assert_int_equal(report.bad, 0);
    assert_string_equal(best("alpha"), "a.md");
}

static void deep_folders_end_somewhere(void **state)
{
    (void)state;
    open_index();
    char name[256] = "";
    for (int i = 0; i < 20; i++) {
        strcat(name, i ? "/d" : "d");
        assert_int_equal(mkdir(in_folder(name), 0700), 0);
    }
    strcat(name, "/a.md");
    put(name, "alpha");
    assert_int_equal(scan().bad, 1);
    assert_string_equal(best("alpha"), "");
}

/* ---- the index file ---- */

static void a_damaged_index_is_made_anew(void **state)
{
    (void)state;
    open_index();
    put("a.md", "alpha");
    uint64_t version = scan().index.version;
    close_index();
    int fd = open(file, O_WRONLY);
    assert_true(fd >= 0);
    char garbage[4096];
    memset(garbage, 0xa5, sizeof garbage);
    for (off_t at = 4096; at < 40960; at += 4096)
        assert_int_equal(pwrite(fd, garbage, sizeof garbage, at), sizeof garbage);
    (void)close(fd);
    open_index();
    assert_string_equal(best("alpha"), "");
    ingest_report_t report = scan();
    assert_int_equal(report.added, 1);
    assert_true(report.index.version > version); /* nobody takes it for the former one */
    assert_string_equal(best("alpha"), "a.md");
}

static void somebody_elses_file_is_refused_and_left_alone(void **state)
{
    (void)state;
    char detail[INDEX_DETAIL_BYTES] = "";
    put("letter.txt", "Dear Sir or Madam, this is not an index.");
    assert_int_equal(index_writer_open(&writer, in_folder("letter.txt"), detail), PL_UNAVAILABLE);
    assert_non_null(strstr(detail, "letter.txt"));
    struct stat info;
    assert_int_equal(stat(in_folder("letter.txt"), &info), 0);
    assert_int_equal(info.st_size, 40);
    assert_int_equal(index_writer_open(&writer, "", detail), PL_INVALID);
    assert_non_null(strstr(detail, "rag.index_file"));
    assert_int_equal(index_writer_open(&writer, "/proc/nothing/x.db", detail), PL_UNAVAILABLE);
    assert_non_null(strstr(detail, "/proc/nothing"));
    assert_null(writer);
}

static void a_second_process_is_kept_out(void **state)
{
    (void)state;
    open_index();
    index_writer_t *second = NULL;
    char detail[INDEX_DETAIL_BYTES] = "";
    assert_int_equal(index_writer_open(&second, file, detail), PL_UNAVAILABLE);
    assert_non_null(strstr(detail, "another process"));
    assert_null(second);
}

/* ---- searches ---- */

static void hostile_queries_find_something_or_nothing_but_never_fail(void **state)
{
    (void)state;
    open_index();
    put("a.md", "# Laptops\nalpha or beta and near gamma not delta \xf0\x9f\x98\x80\n");
    (void)scan();
    const char *hostile[] = {"\"",
                             "\"\"\"",
                             "alpha\"",
                             "AND",
                             "OR OR OR",
                             "alpha AND",
                             "NOT alpha",
                             "NEAR(",
                             "NEAR(alpha beta, 5)",
                             "*",
                             "alpha*",
                             "^alpha",
                             "title:alpha",
                             "passages:",
                             "{title content}:alpha",
                             "-alpha",
                             "alpha + beta",
                             "(((((",
                             "alpha;DROP TABLE passages",
                             "\xf0\x9f\x98\x80",
                             "\xf0\x9f\x98\x80\xf0\x9f\x98\x80 alpha",
                             "\xff\xfe\xfd",
                             "\xcc\x81",
                             "alpha\xcc\x81",
                             "\xe2\x80\x8b",
                             "\xef\xbf\xbf",
                             "%s%n%d",
                             "\\",
                             "'",
                             "\xd8\xa7\xd9\x84",
                             "\t\r\n\v",
                             "rowid",
                             "0x41",
                             "1e309",
                             "null"};
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++)
        pl__search_result__free_unpacked(search(hostile[i], 5, 0), NULL);
    char *long_text = malloc(100 * 1024 + 1);
    assert_non_null(long_text);
    static const char piece[] = "alpha \"OR\" (\xf0\x9f\x98\x80 NEAR* ";
    for (size_t i = 0; i < 100 * 1024; i++) long_text[i] = piece[i % (sizeof piece - 1)];
    long_text[100 * 1024] = '\0';
    Pl__SearchResult *result = search(long_text, 5, 0);
    assert_int_equal(result->n_passages, 1);
    pl__search_result__free_unpacked(result, NULL);
    free(long_text);
    uint32_t seed = 11;
    for (int round = 0; round < 3000; round++) {
        char text[64];
        for (size_t i = 0; i < sizeof text - 1; i++) {
            seed = seed * 1664525u + 1013904223u;
            char c = (char)(seed >> 23);
            text[i] = c ? c : '"';
        }
        text[sizeof text - 1] = '\0';
        pl__search_result__free_unpacked(search(text, 5, 0), NULL);
    }
}

static void scores_lie_between_0_and_5_and_fall(void **state)
{
    (void)state;
    open_index();
    for (int i = 0; i < 60; i++) {
        char name[32];
        char text[256];
        (void)snprintf(name, sizeof name, "d%02d.md", i);
        (void)snprintf(text, sizeof text, "# Topic %d\nalpha %s %s %s word%d\n", i,
                       i % 2 ? "beta" : "", i % 3 ? "gamma gamma" : "", i % 5 ? "" : "delta", i);
        put(name, text);
    }
    (void)scan();
    Pl__SearchResult *result = search("alpha beta gamma delta", 50, 0);
    assert_int_equal(result->n_passages, 50);
    double last = 5;
    for (size_t i = 0; i < result->n_passages; i++) {
        assert_true(result->passages[i]->score > 0);
        assert_true(result->passages[i]->score <= last);
        last = result->passages[i]->score;
    }
    double best_score = result->passages[0]->score;
    size_t above = 0;
    for (size_t i = 0; i < result->n_passages; i++)
        above += result->passages[i]->score >= best_score * 0.7;
    pl__search_result__free_unpacked(result, NULL);
    result = search("alpha beta gamma delta", 50, best_score * 0.7);
    assert_int_equal(result->n_passages, above);
    assert_true(above > 0 && above < 50);
    pl__search_result__free_unpacked(result, NULL);
    result = search("alpha", 50, 5.01);
    assert_int_equal(result->n_passages, 0);
    pl__search_result__free_unpacked(result, NULL);
    result = search("alpha", 0, 0);
    assert_int_equal(result->n_passages, 0);
    pl__search_result__free_unpacked(result, NULL);
}

static void an_empty_index_finds_nothing(void **state)
{
    (void)state;
    open_index();
    ingest_report_t report = scan();
    assert_int_equal(report.index.documents, 0);
    Pl__SearchResult *result = search("anything at all", 5, 0);
    assert_int_equal(result->n_passages, 0);
    assert_int_equal(result->documents, 0);
    pl__search_result__free_unpacked(result, NULL);
}

/* The strictness of the configuration (2) on our own examples: what people ask is answered from
 * the right page, and what has nothing to do with it is not answered at all. */
static void the_examples_answer_what_they_should(void **state)
{
    (void)state;
    (void)snprintf(knowledge, sizeof knowledge, "examples/knowledge");
    open_index();
    ingest_report_t report = scan();
    assert_int_equal(report.bad, 0);
    assert_true(report.index.documents >= 10);
    const struct {
        const char *question, *source, *title;
    } asked[] = {
        {"what are your opening hours", "opening-hours.md", "Opening hours"},
        {"are you open on saturday", "opening-hours.md", "IT help desk"},
        {"when will my laptop be replaced", "it-support/laptops.md", "Replacement policy"},
        {"my laptop was stolen yesterday", "it-support/laptops.md", "Lost or stolen laptop"},
        {"um the printer has a paper jam", "it-support/printers.md", "Paper jam"},
        {"can I print from home", "it-support/printers.md", "Printing from home"},
        {"the vpn does not connect", "it-support/vpn.md", "VPN"},
        {"I have forgotten my password", "it-support/passwords.md", "Forgotten password"},
        {"my account is locked", "it-support/passwords.md", "Account locked"},
        {"how do I send you the photos", "insurance/sending-photos.md", "Sending photos"},
        {"what is the process for a claim", "insurance/claims-process.md", "claim"},
        {"when do I get my money", "insurance/claims-process.md", "Payment"},
        {"who pays for towing", "insurance/car-accident.md", "Towing"},
        {"my shower is leaking", "insurance/water-damage.md", "covered"},
        {"the meeting room has no cable", "it-support/meeting-rooms.txt", "meeting rooms"},
    };
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        Pl__SearchResult *result = search(asked[i].question, 1, 2);
        if (result->n_passages == 0) fail_msg("nothing for \"%s\"", asked[i].question);
        assert_string_equal(result->passages[0]->source, asked[i].source);
        if (!strstr(result->passages[0]->title, asked[i].title))
            fail_msg("\"%s\" gives %s", asked[i].question, result->passages[0]->title);
        pl__search_result__free_unpacked(result, NULL);
    }
    const char *foreign[] = {"what is the capital of france",       "who won the world cup in 1998",
                             "how do I cook a chicken in the oven", "tell me a joke about chess",
                             "does the cafeteria serve pizza",      "do you have parental leave",
                             "what is the weather like tomorrow"};
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        Pl__SearchResult *result = search(foreign[i], 1, 2);
        if (result->n_passages > 0)
            fail_msg("\"%s\" gives %s (%.2f)", foreign[i], result->passages[0]->title,
                     result->passages[0]->score);
        pl__search_result__free_unpacked(result, NULL);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_folder_is_found_again_after_a_scan),
        TEST(an_unchanged_folder_changes_nothing),
        TEST(changes_are_followed),
        TEST(a_passage_keeps_its_id_while_its_text_does),
        TEST(a_folder_that_cannot_be_read_keeps_what_is_known),
        TEST(bad_files_are_skipped_and_the_others_found),
        TEST(a_file_may_turn_bad_and_good_again),
        TEST(byte_order_marks_and_line_ends_of_other_systems_are_fine),
        TEST(links_to_files_and_folders_are_followed),
        TEST(deep_folders_end_somewhere),
        TEST(a_damaged_index_is_made_anew),
        TEST(somebody_elses_file_is_refused_and_left_alone),
        TEST(a_second_process_is_kept_out),
        TEST(hostile_queries_find_something_or_nothing_but_never_fail),
        TEST(scores_lie_between_0_and_5_and_fall),
        TEST(an_empty_index_finds_nothing),
        TEST(the_examples_answer_what_they_should),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
