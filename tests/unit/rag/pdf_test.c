/* pdf_test.c - PDFs, whole and hostile, and the sandbox that reads them. */
#include "services/rag/formats/pdf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "services/rag/formats/layout.h"
#include "services/rag/formats/sandbox.h"

/* ---- a writer of small PDFs ---- */

enum { PDF_BYTES = 1 << 20, OBJECTS = 64 };

typedef struct {
    char bytes[PDF_BYTES];
    size_t size, at[OBJECTS], objects;
} pdf_t;

static pdf_t pdf;

static void add(const char *text)
{
    size_t bytes = strlen(text);
    assert_true(pdf.size + bytes < PDF_BYTES);
    memcpy(pdf.bytes + pdf.size, text, bytes);
    pdf.size += bytes;
}

static void begin_object(void)
{
    char text[32];
    pdf.at[++pdf.objects] = pdf.size;
    (void)snprintf(text, sizeof text, "%zu 0 obj\n", pdf.objects);
    add(text);
}

static void object(const char *text)
{
    begin_object();
    add(text);
    add("\nendobj\n");
}

static void stream(const char *filters, const char *bytes, size_t size)
{
    char text[128];
    begin_object();
    (void)snprintf(text, sizeof text, "<< /Length %zu %s >>\nstream\n", size, filters);
    add(text);
    assert_true(pdf.size + size < PDF_BYTES);
    memcpy(pdf.bytes + pdf.size, bytes, size);
    pdf.size += size;
    add("\nendstream\nendobj\n");
}

/* Objects 1 to 3; pages follow, each with its stream: 4 and 5, 6 and 7... */
static void begin(size_t pages)
{
    char kids[512] = "";
    for (size_t i = 0; i < pages; i++)
        (void)snprintf(kids + strlen(kids), sizeof kids - strlen(kids), "%zu 0 R ", 4 + 2 * i);
    char tree[700];
    (void)snprintf(tree, sizeof tree, "<< /Type /Pages /Kids [%s] /Count %zu >>", kids, pages);
    memset(&pdf, 0, sizeof pdf);
    add("%PDF-1.4\n");
    object("<< /Type /Catalog /Pages 2 0 R >>");
    object(tree);
    object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>");
}

static void page(const char *filters, const char *content, size_t size)
{
    char text[256];
    (void)snprintf(text, sizeof text,
                   "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] "
                   "/Resources << /Font << /F1 3 0 R >> >> /Contents %zu 0 R >>",
                   pdf.objects + 2);
    object(text);
    stream(filters, content, size);
}

/* Lines at their sizes and heights: "12 700 text\n". */
static void text_page(const char *lines)
{
    char content[4096] = "";
    unsigned size = 0;
    unsigned height = 0;
    char words[256];
    int taken = 0;
    for (const char *at = lines;
         sscanf(at, "%u %u %255[^\n]\n%n", &size, &height, words, &taken) == 3; at += taken)
        (void)snprintf(content + strlen(content), sizeof content - strlen(content),
                       "BT /F1 %u Tf 72 %u Td (%s) Tj ET\n", size, height, words);
    page("", content, strlen(content));
}

static void end(const char *title)
{
    char text[128];
    (void)snprintf(text, sizeof text, "<< /Title (%s) >>", title);
    object(text);
    size_t xref = pdf.size;
    (void)snprintf(text, sizeof text, "xref\n0 %zu\n0000000000 65535 f \n", pdf.objects + 1);
    add(text);
    for (size_t i = 1; i <= pdf.objects; i++) {
        (void)snprintf(text, sizeof text, "%010zu 00000 n \n", pdf.at[i]);
        add(text);
    }
    (void)snprintf(text, sizeof text,
                   "trailer << /Size %zu /Root 1 0 R /Info %zu 0 R >>\nstartxref\n%zu\n%%%%EOF\n",
                   pdf.objects + 1, pdf.objects, xref);
    add(text);
}

/* ---- reading it ---- */

enum { PASSAGES_MAX = 16 };
static char titles[PASSAGES_MAX][PASSAGE_TITLE_BYTES];
static char contents[PASSAGES_MAX][2048];
static size_t count;
static char problem[PDF_PROBLEM_BYTES];

static void take(void *arg, const passage_t *passage)
{
    (void)arg;
    if (count < PASSAGES_MAX) {
        (void)snprintf(titles[count], sizeof titles[0], "%s", passage->title);
        (void)snprintf(contents[count], sizeof contents[0], "%s", passage->content);
    }
    count++;
}

static bool read_within(uint32_t timeout_ms, const char *program)
{
    pdf_limits_t limits = {.program = program, .timeout_ms = timeout_ms};
    count = 0;
    problem[0] = '\0';
    return pdf_run("the name", pdf.bytes, pdf.size, &limits, take, NULL, problem);
}

static bool read_it(void)
{
    return read_within(30000, NULL);
}

static void passage_is(size_t i, const char *title, const char *content)
{
    assert_true(i < count);
    assert_string_equal(titles[i], title);
    assert_string_equal(contents[i], content);
}

static void pages_headings_and_paragraphs_are_told_apart(void **state)
{
    (void)state;
    begin(3);
    text_page("9 800 Contoso terms\n"
              "20 740 Cancellation\n"
              "12 700 You may cancel the contract within four-\n"
              "12 686 teen days of its beginning.\n"
              "12 640 1.2 Refunds\n"
              "12 610 They are paid at once.\n"
              "9 40 Page 1 of 3\n");
    text_page("9 800 Contoso terms\n"
              "12 700 Also to somebody else.\n"
              "9 40 Page 2 of 3\n");
    text_page("9 800 Contoso terms\n"
              "20 740 Contact\n"
              "12 700 Ring us \\(day & night\\).\n"
              "9 40 Page 3 of 3\n");
    end("Terms of use");
    if (!read_it()) fail_msg("%s", problem);
    assert_int_equal(count, 4);
    passage_is(0, "Terms of use > Cancellation > page 1",
               "You may cancel the contract within fourteen days of its beginning.");
    passage_is(1, "Terms of use > Cancellation > 1.2 Refunds > page 1", "They are paid at once.");
    passage_is(2, "Terms of use > Cancellation > 1.2 Refunds > page 2", "Also to somebody else.");
    passage_is(3, "Terms of use > Contact > page 3", "Ring us (day & night).");
}

static void without_a_title_of_its_own_the_file_names_it(void **state)
{
    (void)state;
    begin(1);
    text_page("12 700 Only this.\n");
    end("Microsoft Word - draft.doc");
    assert_true(read_it());
    passage_is(0, "the name > page 1", "Only this.");
}

static void a_pdf_without_text_says_so(void **state)
{
    (void)state;
    begin(1);
    page("", "0 0 100 100 re f", 16);
    end("Scan");
    assert_false(read_it());
    assert_string_equal(problem, "no text in it (scanned pages?)");
}

static void what_is_no_pdf_or_half_of_one_is_refused(void **state)
{
    (void)state;
    memset(&pdf, 0, sizeof pdf);
    add("%PDF-1.7 and then nothing");
    assert_false(read_it());
    assert_non_null(strstr(problem, "not a PDF"));
    begin(1);
    text_page("12 700 Only this.\n");
    end("Cut");
    pdf.size /= 3;
    assert_false(read_it());
    assert_true(*problem);
}

static void a_program_that_is_not_there_is_named(void **state)
{
    (void)state;
    begin(1);
    text_page("12 700 Only this.\n");
    end("x");
    assert_false(read_within(5000, "/nowhere/pdftotext"));
    assert_non_null(strstr(problem, "poppler-utils"));
}

/* 128 times 128 of the bytes it has: blanks without end. */
static void a_bomb_is_given_up_in_time(void **state)
{
    (void)state;
    enum { INNER = 400 * 1024 };
    static char inner[INNER];
    for (size_t i = 0; i + 1 < INNER; i += 2) { /* (129, 129) repeats the byte 129 128 times */
        inner[i] = (char)129;
        inner[i + 1] = (char)129;
    }
    begin(1);
    page("/Filter [/RunLengthDecode /RunLengthDecode /RunLengthDecode]", inner, INNER);
    end("Bomb");
    uint64_t started_ms = pl_clock_ms();
    bool usable = read_within(1000, NULL);
    assert_true(pl_clock_ms() - started_ms < 15000);
    assert_false(usable);
    assert_true(*problem);
}

static void pages_in_a_circle_end(void **state)
{
    (void)state;
    memset(&pdf, 0, sizeof pdf);
    add("%PDF-1.4\n");
    object("<< /Type /Catalog /Pages 2 0 R >>");
    object("<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 1000000000 >>");
    end("Circle");
    uint64_t started_ms = pl_clock_ms();
    assert_false(read_within(2000, NULL));
    assert_true(pl_clock_ms() - started_ms < 15000);
}

/* ---- the sandbox ---- */

static sandbox_end_t run(const char *script, const char *input, sandbox_limits_t limits,
                         sandbox_result_t *result)
{
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    if (!limits.timeout_ms) limits.timeout_ms = 10000;
    if (!limits.output_bytes) limits.output_bytes = 1000;
    if (!limits.memory_bytes) limits.memory_bytes = (size_t)1 << 30;
    return sandbox_run(argv, input, strlen(input), &limits, result);
}

static void what_the_child_says_comes_back(void **state)
{
    (void)state;
    sandbox_result_t result;
    assert_int_equal(
        run("cat; echo no >&2; echo more >&2", "the input", (sandbox_limits_t){0}, &result),
        SANDBOX_DONE);
    assert_string_equal(result.output, "the input");
    assert_string_equal(result.said, "no");
    free(result.output);
    assert_int_equal(run("echo why >&2; exit 3", "", (sandbox_limits_t){0}, &result),
                     SANDBOX_FAILED);
    assert_string_equal(result.said, "why");
    assert_null(result.output);
}

static void the_child_is_held_to_its_limits(void **state)
{
    (void)state;
    sandbox_result_t result;
    assert_int_equal(run("sleep 60", "", (sandbox_limits_t){.timeout_ms = 200}, &result),
                     SANDBOX_TIMEOUT);
    assert_int_equal(run("while :; do echo aaaaaaaa; done", "", (sandbox_limits_t){0}, &result),
                     SANDBOX_TOO_MUCH);
    atomic_bool stop = true;
    assert_int_equal(run("sleep 60", "", (sandbox_limits_t){.stop = &stop}, &result),
                     SANDBOX_STOPPED);
    assert_int_equal(run("exec /no/such/program", "", (sandbox_limits_t){0}, &result),
                     SANDBOX_ABSENT);
    assert_int_equal(run("x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done", "",
                         (sandbox_limits_t){.memory_bytes = 64 << 20}, &result),
                     SANDBOX_FAILED);
}

static void the_child_writes_no_file_and_has_no_environment(void **state)
{
    (void)state;
    sandbox_result_t result;
    char path[64];
    (void)snprintf(path, sizeof path, "/tmp/parley-sandbox-%d", (int)getpid());
    assert_int_equal(setenv("PARLEY_SECRET", path, 1), 0);
    (void)run("echo x > /tmp/parley-sandbox-$PPID; echo \"<$PARLEY_SECRET>\"", "",
              (sandbox_limits_t){0}, &result);
    if (access(path, F_OK) == 0) { /* an old kernel: but it is empty at least */
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        assert_int_equal(fgetc(file), EOF);
        (void)fclose(file);
        (void)unlink(path);
    }
    if (result.output) assert_string_equal(result.output, "<>\n");
    free(result.output);
}

/* ---- layout ---- */

static void garbage_in_place_of_a_layout_is_no_text(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "<page>",
                                        "<word>x</word>",
                                        "<block></block>",
                                        "<page><block><line yMin=\"1e300\" yMax=\"nan\"></block>",
                                        "<page><block><word><page>x</word>"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        count = 0;
        assert_false(layout_run("x", texts[i], strlen(texts[i]), take, NULL));
        assert_int_equal(count, 0);
    }
}

static void a_table_of_contents_is_left_out(void **state)
{
    (void)state;
    static const char text[] =
        "<page><block><line yMin=\"0\" yMax=\"10\"><word>Refunds</word><word>. . . . . . . . . ."
        "</word><word>7</word></line></block><block><line yMin=\"20\" yMax=\"30\"><word>Text</word>"
        "<word>here</word></line></block></page>";
    count = 0;
    assert_true(layout_run("x", text, strlen(text), take, NULL));
    assert_int_equal(count, 1);
    passage_is(0, "x > page 1", "Text here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_headings_and_paragraphs_are_told_apart),
        cmocka_unit_test(without_a_title_of_its_own_the_file_names_it),
        cmocka_unit_test(a_pdf_without_text_says_so),
        cmocka_unit_test(what_is_no_pdf_or_half_of_one_is_refused),
        cmocka_unit_test(a_program_that_is_not_there_is_named),
        cmocka_unit_test(a_bomb_is_given_up_in_time),
        cmocka_unit_test(pages_in_a_circle_end),
        cmocka_unit_test(what_the_child_says_comes_back),
        cmocka_unit_test(the_child_is_held_to_its_limits),
        cmocka_unit_test(the_child_writes_no_file_and_has_no_environment),
        cmocka_unit_test(garbage_in_place_of_a_layout_is_no_text),
        cmocka_unit_test(a_table_of_contents_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
