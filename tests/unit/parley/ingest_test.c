/* ingest_test.c - parley ingest: its options, what it shows, and the program itself against a real
 * rag process. */
#include "tools/parley/ingest_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/llm_double.h"
#include "tests/support/process.h"
#include "tools/parley/ingest_files.h"
#include "tools/parley/ingest_show.h"

/* ---- options ---- */

static ingest_options_t options;

static int read_options(const char *const *words)
{
    const char *argv[80] = {"ingest"};
    int argc = 1;
    for (; *words; words++) argv[argc++] = *words;
    int status = -1;
    bool good = ingest_options_read(&options, argc, (char **)argv, &status);
    return good ? 0 : status;
}
#define READ(...) read_options((const char *const[]){__VA_ARGS__, NULL})

static void options_are_read(void **state)
{
    (void)state;
    assert_int_equal(READ("a", "b", "--set", "x=y"), 0);
    assert_int_equal(options.path_count, 2);
    assert_string_equal(options.settings[0], "x=y");
    assert_int_equal(READ("--name", "n", "--replace", "--no-wait", "a"), 0);
    assert_string_equal(options.name, "n");
    assert_true(options.replace && options.leave && !options.remove);
    assert_int_equal(READ("--remove", "a", "b"), 0);
    assert_int_equal(READ(NULL), 64);
    assert_int_equal(READ("--remove"), 64);
    assert_int_equal(READ("--name", "n", "a", "b"), 64);
    assert_int_equal(READ("--name", "n", "--remove", "a"), 64);
    assert_int_equal(READ("--nonsense", "a"), 64);
    assert_int_equal(READ("a", "--name"), 64);
}

/* ---- what is shown ---- */

static void the_bar_fits_its_terminal(void **state)
{
    (void)state;
    char bar[256];
    ingest_show_bar(bar, sizeof bar, 60, "sending", 5, 10, "files");
    assert_string_equal(bar, "sending [#################.................] 5 of 10 files");
    for (unsigned columns = 1; columns < 300; columns++) {
        ingest_show_bar(bar, sizeof bar, columns, "sending", 3, 7, "files");
        assert_true(strlen(bar) < (columns > 30 ? columns : 30));
    }
    ingest_show_bar(bar, sizeof bar, 20, "sending", 1536, 1 << 30, "bytes");
    assert_string_equal(bar, "sending 1.5 KiB of 1.0 GiB");
    ingest_show_bar(bar, sizeof bar, 80, "x", 9, 3, "files"); /* more than all */
    ingest_show_bar(bar, sizeof bar, 80, "x", 0, 0, "files");
}

/* What was written to the show's file so far. */
static const char *shown(FILE *file)
{
    static char text[2048];
    rewind(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    text[size] = '\0';
    return text;
}

static void without_a_terminal_there_are_plain_lines_now_and_then(void **state)
{
    (void)state;
    ingest_show_t show = {.out = tmpfile()};
    assert_non_null(show.out);
    for (uint64_t ms = 1000; ms < 12000; ms += 100)
        ingest_show_progress(&show, ms, "indexing", ms / 100, 120, "files");
    ingest_show_line(&show, "done\033[2J%s", "\n\x7f");
    assert_string_equal(shown(show.out),
                        "indexing: 60 of 120 files\nindexing: 110 of 120 files\ndone?[2J??\n");
    (void)fclose(show.out);
}

static void on_a_terminal_the_bar_is_drawn_over_itself(void **state)
{
    (void)state;
    ingest_show_t show = {.out = tmpfile(), .columns = 40};
    assert_non_null(show.out);
    ingest_show_progress(&show, 1000, "a", 1, 2, "files");
    ingest_show_progress(&show, 1010, "a", 2, 2, "files"); /* too soon */
    ingest_show_progress(&show, 1020, "b", 1, 2, "files"); /* another phase */
    ingest_show_line(&show, "done");
    const char *text = shown(show.out);
    assert_non_null(strstr(text, "\r\033[Ka ["));
    assert_null(strstr(text, "2 of 2"));
    assert_non_null(strstr(text, "\r\033[Kb ["));
    assert_non_null(strstr(text, "\r\033[Kdone\n"));
    (void)fclose(show.out);
}

/* ---- the program ---- */

static process_t process;
static char output[64 * 1024];

static const char *in_folder(const char *name)
{
    static char paths[2][PROCESS_PATH_BYTES];
    static unsigned turn;
    char *path = paths[turn++ % 2];
    (void)snprintf(path, PROCESS_PATH_BYTES, "%s/%s", process.folder, name);
    return path;
}

static int setup(void **state)
{
    (void)state;
    pl_signals_init();
    process_make_folder(&process, "rag");
    process.settings[0] = "bus.heartbeat_ms=50";
    process.settings[1] = "rag.folder=knowledge";
    static const char *const folders[] = {"knowledge", "docs", "docs/sub", "other", "other/docs"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (mkdir(in_folder(folders[i]), 0700) < 0) return -1;
    }
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

static void start(void)
{
    process_start(&process, NULL);
    process_await_up(&process);
}

static void program(char out[PROCESS_PATH_BYTES])
{
    process_binary("rag", out);
    *strrchr(out, '-') = '\0';
}

/* Runs "parley ingest ARGUMENTS" beside the process; its status. */
static int ingest(const char *arguments)
{
    char binary[PROCESS_PATH_BYTES];
    char command[2048];
    program(binary);
    (void)snprintf(command, sizeof command, "cd %s && %s ingest --set bus.run_dir=run %s 2>&1",
                   process.folder, binary, arguments);
    FILE *from = popen(command, "r");
    assert_non_null(from);
    size_t size = fread(output, 1, sizeof output - 1, from);
    output[size] = '\0';
    int status = pclose(from);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void says(const char *part)
{
    if (!strstr(output, part)) fail_msg("\"%s\" is not in: %s", part, output);
}

static size_t found(const char *text)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__SearchQuery query = PL__SEARCH_QUERY__INIT;
    Pl__Envelope *reply = NULL;
    query.text = (char *)text;
    query.lang = "en";
    query.top_n = 50;
    env.body_case = PL__ENVELOPE__BODY_SEARCH_QUERY;
    env.search_query = &query;
    pl_err_t err = process_ask(&process, &env, &reply);
    if (err) fail_msg("%s", pl_bus_error_detail(err, reply));
    size_t count = reply->search_result->n_passages;
    pl__envelope__free_unpacked(reply, NULL);
    return count;
}

static void documents_can_be_found_when_it_has_ended(void **state)
{
    (void)state;
    put("docs/a.md", "# Alpha\n\nThe first.\n");
    put("docs/sub/b.csv", "title,content\nBeta,The second\nGamma,The third\n");
    put("docs/letter.docx", "PK");
    start();
    assert_int_equal(ingest("docs"), 0);
    says("docs: 1 file of other formats left out\n");
    says("docs: 2 documents, 3 passages (2 sent, 0 unchanged, 0 failed)\n");
    assert_int_equal(found("first second third"), 3);
    assert_int_equal(ingest("docs"), 0);
    says("docs: 2 documents, 3 passages (0 sent, 2 unchanged, 0 failed)\n");
    put("docs/a.md", "# Alpha\n\nAnother.\n");
    assert_int_equal(unlink(in_folder("docs/sub/b.csv")), 0);
    assert_int_equal(ingest("docs"), 0);
    says("docs: 1 document, 1 passage (1 sent, 0 unchanged, 0 failed)\n");
    assert_int_equal(found("first second third"), 0);
    assert_int_equal(found("another"), 1);
    assert_int_equal(ingest("--remove docs"), 0);
    says("docs: removed\n");
    assert_int_equal(found("another"), 0);
}

static void what_cannot_be_used_is_told_with_its_reason(void **state)
{
    (void)state;
    put("docs/good.md", "alpha");
    put("docs/broken.pdf", "no pdf");
    put("docs/latin.md", "caf\xe9");
    put("docs/part.jsonl", "{\"content\":\"beta\"}\n{broken\n");
    put("docs/empty.csv", "");
    put("docs/odd\nname.md", "gamma");
    assert_int_equal(symlink("nowhere", in_folder("docs/link.md")), 0);
    assert_int_equal(symlink("..", in_folder("docs/sub/up")), 0);
    start();
    assert_int_equal(ingest("docs"), 1);
    says("  failed   docs/broken.pdf: not a PDF\n");
    says("  failed   docs/latin.md: not UTF-8\n");
    says("  partly   docs/part.jsonl: 1 of 2 entries left out; line 2:");
    says("  failed   docs/empty.csv: no rows");
    says("  failed   link.md: a link to nothing\n");
    says("docs: 3 documents, 3 passages (6 sent, 0 unchanged, 5 failed)\n");
    assert_int_equal(found("alpha beta gamma"), 3);
    assert_int_equal(ingest("nowhere docs/sub/up/good.md letter.docx"), 1);
    says("  failed   nowhere: No such file or directory\n");
    says("good.md: 1 document, 1 passage (1 sent");
    says("  failed   letter.docx: No such file");
}

static void a_collection_of_another_place_is_left_alone(void **state)
{
    (void)state;
    put("docs/a.md", "alpha");
    put("other/docs/b.md", "beta");
    start();
    assert_int_equal(ingest("docs"), 0);
    assert_int_equal(ingest("other/docs"), 1);
    says("a collection of that name came from");
    assert_int_equal(found("alpha"), 1);
    assert_int_equal(ingest("--name more other/docs"), 0);
    assert_int_equal(found("alpha beta"), 2);
    assert_int_equal(ingest("--replace other/docs"), 0);
    assert_int_equal(found("alpha"), 0);
    assert_int_equal(ingest("--name .hidden docs"), 1);
    assert_int_equal(ingest("--remove nothing"), 1);
    says("there is no such collection");
}

static void a_large_file_goes_in_pieces_and_a_larger_one_is_refused(void **state)
{
    (void)state;
    process.settings[2] = "rag.max_file_bytes=4000000";
    start();
    FILE *out = fopen(in_folder("docs/large.txt"), "w");
    assert_non_null(out);
    for (int i = 0; i < 100000; i++) assert_true(fprintf(out, "word%d and more of it\n\n", i) > 0);
    assert_int_equal(fclose(out), 0);
    out = fopen(in_folder("docs/larger.txt"), "w");
    assert_non_null(out);
    for (int i = 0; i < 200000; i++) assert_true(fprintf(out, "other%d and more of it\n\n", i) > 0);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(ingest("docs"), 1);
    says("  failed   larger.txt: larger than rag.max_file_bytes\n");
    assert_true(found("word99999") >= 1);
}

static void killed_in_the_middle_the_same_again_completes_it(void **state)
{
    (void)state;
    enum { FILES = 150 };
    for (int i = 0; i < FILES; i++) {
        char name[32];
        char text[2000];
        (void)snprintf(name, sizeof name, "docs/f%03d.md", i);
        size_t size = (size_t)snprintf(text, sizeof text, "# File %d\n\n", i);
        while (size < 1500)
            size += (size_t)snprintf(text + size, sizeof text - size, "common words ");
        put(name, text);
    }
    put("docs/last.md", "theverylast");
    char binary[PROCESS_PATH_BYTES];
    program(binary);
    for (int i = 0; i < 6; i++) {
        start();
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            if (chdir(process.folder) < 0 || !freopen("/dev/null", "w", stdout)) _exit(99);
            if (!freopen("/dev/null", "w", stderr)) _exit(99);
            (void)execl(binary, binary, "ingest", "--set", "bus.run_dir=run", "docs", (char *)NULL);
            _exit(98);
        }
        process_run_ms(&process, (uint64_t)(20 + i * 25)); /* at another moment each time */
        assert_int_equal(process_stop(&process, SIGKILL), 256 + SIGKILL);
        (void)kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
    start();
    assert_int_equal(ingest("docs"), 0);
    says("docs: 151 documents");
    assert_int_equal(found("theverylast"), 1);
    assert_int_equal(found("common words"), 50);
    assert_int_equal(process_stop(&process, SIGTERM), 0);
}

static void it_waits_for_the_vectors_or_says_why_not(void **state)
{
    (void)state;
    llm_double_t server = llm_double_start("embeddings: {dimensions: 64, delay_ms: 50}\n");
    char endpoint[96];
    (void)snprintf(endpoint, sizeof endpoint, "rag.embeddings.endpoint=http://127.0.0.1:%d",
                   server.port);
    process.settings[2] = endpoint;
    process.settings[3] = "rag.embeddings.model=words";
    put("docs/a.md", "# One\n\nalpha\n\n# Two\n\nbeta\n");
    start();
    assert_int_equal(ingest("docs"), 0);
    says("rag-0: 2 of 2 passages have vectors\n");
    llm_double_halt(&server);
    put("docs/b.md", "gamma");
    assert_int_equal(ingest("docs"), 0);
    says("rag-0: 2 of 3 passages have vectors; waiting for the server: ");
    assert_int_equal(found("gamma"), 1); /* by its words meanwhile */
    llm_double_stop(&server);
}

static void without_a_system_it_says_so(void **state)
{
    (void)state;
    put("docs/a.md", "alpha");
    assert_int_equal(ingest("docs"), 1);
    says("rag does not answer");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_read),
        cmocka_unit_test(the_bar_fits_its_terminal),
        cmocka_unit_test(without_a_terminal_there_are_plain_lines_now_and_then),
        cmocka_unit_test(on_a_terminal_the_bar_is_drawn_over_itself),
        TEST(documents_can_be_found_when_it_has_ended),
        TEST(what_cannot_be_used_is_told_with_its_reason),
        TEST(a_collection_of_another_place_is_left_alone),
        TEST(a_large_file_goes_in_pieces_and_a_larger_one_is_refused),
        TEST(killed_in_the_middle_the_same_again_completes_it),
        TEST(it_waits_for_the_vectors_or_says_why_not),
        TEST(without_a_system_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
