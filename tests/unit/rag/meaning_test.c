/* meaning_test.c - the real rag process with a double of the embeddings server: passages get their
 * vectors, searches use them, and what goes wrong on the way.
 *
 * The double makes vectors of all words. Questions made of words that are not searched for ("what is
 * it that you do") therefore find passages by their vectors alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/llm_double.h"
#include "tests/support/process.h"

enum { SOON_MS = 15000 };

static process_t process;
static llm_double_t server;
static char endpoint[96];

/* "what is it that you do" is all stop words, and all of the question below. */
#define BY_MEANING "What is it that you do?"

static const char *in_folder(const char *name)
{
    static char path[PROCESS_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/examples/knowledge/%s", process.folder, name);
    return path;
}

static void put(const char *name, const char *text)
{
    FILE *out = fopen(in_folder(name), "w");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

/* The double's way from its next start on. */
static void write_script(const char *script)
{
    char path[LLM_DOUBLE_PATH_BYTES];
    FILE *out = fopen(llm_double_file(&server, "script.yaml", path), "w");
    assert_non_null(out);
    assert_true(fputs(script, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static int setup(void **state)
{
    (void)state;
    pl_signals_init();
    server = llm_double_start("embeddings: {dimensions: 64}\n");
    (void)snprintf(endpoint, sizeof endpoint, "rag.embeddings.endpoint=http://127.0.0.1:%d",
                   server.port);
    process_make_folder(&process, "rag");
    process.settings[0] = "bus.heartbeat_ms=50";
    process.settings[1] = endpoint;
    process.settings[2] = "rag.embeddings.model=words";
    process.settings[3] = "rag.embeddings.query_timeout_ms=5000"; /* a loaded machine */
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
    llm_double_stop(&server);
    return 0;
}

static void start(void)
{
    process_start(&process, NULL);
    process_await_up(&process);
}

typedef struct {
    size_t passages;
    bool words_alone;
    char source[64];
    double score;
    uint64_t version;
    uint64_t took_ms;
} found_t;

static found_t ask(const Pl__SearchQuery *query)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__Envelope *reply = NULL;
    env.body_case = PL__ENVELOPE__BODY_SEARCH_QUERY;
    env.search_query = (Pl__SearchQuery *)query;
    uint64_t started_ms = pl_clock_ms();
    pl_err_t err = PL_OK;
    while ((err = process_ask(&process, &env, &reply)) == PL_BUSY) { /* the first scan */
        pl__envelope__free_unpacked(reply, NULL);
        process_run_ms(&process, 10);
    }
    if (err) fail_msg("%s", pl_bus_error_detail(err, reply));
    const Pl__SearchResult *result = reply->search_result;
    found_t found = {.passages = result->n_passages,
                     .words_alone = result->words_alone,
                     .version = result->index_version,
                     .took_ms = pl_clock_ms() - started_ms};
    if (result->n_passages > 0) {
        (void)snprintf(found.source, sizeof found.source, "%s", result->passages[0]->source);
        found.score = result->passages[0]->score;
    }
    pl__envelope__free_unpacked(reply, NULL);
    return found;
}

static found_t search(const char *text)
{
    Pl__SearchQuery query = PL__SEARCH_QUERY__INIT;
    query.text = (char *)text;
    query.lang = "en";
    return ask(&query);
}

static void prefetch(const char *call_id, const char *text)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__SearchPrefetch body = PL__SEARCH_PREFETCH__INIT;
    Pl__SearchQuery query = PL__SEARCH_QUERY__INIT;
    query.text = (char *)text;
    query.lang = "en";
    body.query = &query;
    env.call_id = (char *)call_id;
    env.body_case = PL__ENVELOPE__BODY_SEARCH_PREFETCH;
    env.search_prefetch = &body;
    assert_int_equal(pl_bus_event(process.bus, "rag", &env), PL_OK);
}

static void await_found(const char *text, const char *source)
{
    uint64_t until_ms = pl_clock_ms() + SOON_MS;
    for (;;) {
        found_t found = search(text);
        if (strcmp(found.source, source) == 0) return;
        if (pl_clock_ms() > until_ms)
            fail_msg("\"%s\" finds \"%s\": %s", text, found.source, process_log(&process));
        process_run_ms(&process, 50);
    }
}

static const char *note(void)
{
    pl_peer_t peer;
    return pl_bus_pick(process.bus, "rag", &peer) ? peer.note : "down";
}

static void await_note(const char *part)
{
    uint64_t until_ms = pl_clock_ms() + SOON_MS;
    while (*part ? !strstr(note(), part) : *note() != '\0') {
        if (pl_clock_ms() > until_ms)
            fail_msg("the note is \"%s\": %s", note(), process_log(&process));
        process_run_ms(&process, 20);
    }
}

/* The number behind a metric's name and label. */
static double metric(const char *name, const char *label)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__MetricsGet get = PL__METRICS_GET__INIT;
    Pl__Envelope *reply = NULL;
    env.body_case = PL__ENVELOPE__BODY_METRICS_GET;
    env.metrics_get = &get;
    assert_int_equal(process_ask(&process, &env, &reply), PL_OK);
    double value = -1;
    for (size_t i = 0; i < reply->metrics_reply->n_metrics; i++) {
        const Pl__Metric *at = reply->metrics_reply->metrics[i];
        if (strcmp(at->name, name) == 0 && strcmp(at->label, label) == 0) value = at->value;
    }
    pl__envelope__free_unpacked(reply, NULL);
    return value;
}

static void await_vectors(double count)
{
    uint64_t until_ms = pl_clock_ms() + SOON_MS;
    while (metric("parley_rag_vectors", "") != count) {
        if (pl_clock_ms() > until_ms)
            fail_msg("%f vectors: %s", metric("parley_rag_vectors", ""), process_log(&process));
        process_run_ms(&process, 20);
    }
}

static void passages_get_vectors_and_are_found_by_them(void **state)
{
    (void)state;
    put("a.md", "# What do you do\n\nWhat it is that you do.\n");
    put("b.md", "# Printers\n\nPaper jams.\n");
    start();
    await_found(BY_MEANING, "a.md");
    found_t found = search(BY_MEANING);
    assert_false(found.words_alone);
    assert_true(found.score >= 2 && found.score <= 5);
    await_note("");
    assert_int_equal(llm_double_count(&server, "\"auth\":\"bearer\""), 0);
    put("c.md", "# Then\n\nWho are they and where were you when it was so.\n");
    await_found("who are they, and where were you when it was so", "c.md");
    assert_string_equal(search("paper jam").source, "b.md"); /* by its words as ever */
}

static void without_a_server_readiness_says_words_alone(void **state)
{
    (void)state;
    process.settings[1] = NULL;
    put("a.md", "alpha");
    start();
    await_note("by words alone: no embeddings server");
    found_t found = search("alpha");
    assert_int_equal(found.passages, 1);
    assert_true(found.words_alone);
    assert_non_null(strstr(process_log(&process), "server.words_alone"));
}

static void a_server_that_is_down_is_neither_waited_for_nor_given_up(void **state)
{
    (void)state;
    llm_double_halt(&server);
    put("a.md", "# What do you do\n\nWhat it is that you do, alpha.\n");
    start();
    await_note("does not answer");
    found_t found = search("alpha");
    assert_true(found.words_alone);
    assert_true(found.took_ms < 2000);
    assert_int_equal(search(BY_MEANING).passages, 0);
    llm_double_run(&server);
    await_found(BY_MEANING, "a.md");
    await_note("");
    assert_true(metric("parley_rag_embeddings_up", "") == 1);
}

static void a_slow_answer_is_not_waited_for_and_serves_the_next_time(void **state)
{
    (void)state;
    process.settings[3] = "rag.embeddings.query_timeout_ms=50";
    put("a.md", "# What do you do\n\nWhat it is that you do.\n");
    start();
    await_vectors(1);
    llm_double_halt(&server);
    write_script("embeddings: {dimensions: 64, delay_ms: 1000}\n");
    llm_double_run(&server);
    found_t found = search(BY_MEANING);
    assert_true(found.words_alone);
    assert_int_equal(found.passages, 0);
    assert_true(found.took_ms < 1000);
    await_found(BY_MEANING, "a.md"); /* the vector came later and was kept */
    assert_true(metric("parley_rag_words_alone_total", "") >= 1);
}

static void a_prefetched_answer_is_there_when_it_is_asked_for(void **state)
{
    (void)state;
    put("a.md", "# What do you do\n\nWhat it is that you do.\n");
    start();
    await_vectors(1);
    llm_double_halt(&server);
    write_script("embeddings: {dimensions: 64, delay_ms: 400}\n");
    llm_double_run(&server);
    unsigned asked = llm_double_count(&server, "\"event\":\"request\"");
    prefetch("c-1", "what is it");
    prefetch("c-1", "what is it that");
    prefetch("c-1", "what is it that you do");
    process_run_ms(&process, 2500);
    found_t found = search("What is it that you do?");
    assert_string_equal(found.source, "a.md");
    assert_false(found.words_alone);
    assert_true(found.took_ms < 300); /* less than the server takes */
    assert_true(metric("parley_rag_queries_total", "how=\"kept\"") == 1);
    assert_int_equal(llm_double_count(&server, "\"event\":\"request\""), asked + 3);
    /* only the newest of the call was searched for, besides the question it was for */
    assert_true(metric("parley_rag_queries_total", "how=\"searched\"") == 1);
}

static void who_asks_during_a_prefetch_shares_it(void **state)
{
    (void)state;
    put("a.md", "# What do you do\n\nWhat it is that you do.\n");
    start();
    await_vectors(1);
    llm_double_halt(&server);
    write_script("embeddings: {dimensions: 64, delay_ms: 300}\n");
    llm_double_run(&server);
    unsigned asked = llm_double_count(&server, "\"event\":\"request\"");
    prefetch("c-1", "what is it that you do");
    found_t found = search("What is it that you do?");
    assert_string_equal(found.source, "a.md");
    assert_int_equal(llm_double_count(&server, "\"event\":\"request\""), asked + 1);
    assert_true(metric("parley_rag_queries_total", "how=\"shared\"") == 1);
}

static void an_answer_is_kept_until_the_index_changes(void **state)
{
    (void)state;
    process.settings[1] = NULL;
    put("a.md", "alpha");
    start();
    found_t first = search("alpha");
    found_t again = search(" Alpha!");
    assert_int_equal(first.version, again.version);
    assert_true(metric("parley_rag_queries_total", "how=\"kept\"") >= 1);
    Pl__SearchQuery query = PL__SEARCH_QUERY__INIT;
    query.text = "alpha";
    query.lang = "fr";
    double kept = metric("parley_rag_queries_total", "how=\"kept\"");
    (void)ask(&query); /* in another language it is another question */
    query.strictness = 4;
    (void)ask(&query);
    assert_true(metric("parley_rag_queries_total", "how=\"kept\"") == kept);
    put("b.md", "alpha alpha");
    uint64_t until_ms = pl_clock_ms() + SOON_MS;
    while (search("alpha").passages != 2) {
        assert_true(pl_clock_ms() < until_ms);
        process_run_ms(&process, 20);
    }
}

static void a_text_the_server_refuses_does_not_hold_up_the_others(void **state)
{
    (void)state;
    llm_double_halt(&server);
    write_script("embeddings: {dimensions: 64, refuse: poison}\n");
    llm_double_run(&server);
    char text[4096] = "";
    for (int i = 0; i < 20; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "# Part %d\n\n%s %d\n\n", i,
                       i == 7 || i == 13 ? "poison" : "words", i);
    put("a.md", text);
    put("b.md", "# What do you do\n\nWhat it is that you do.\n");
    start();
    await_vectors(21);
    assert_true(metric("parley_rag_embedded_total", "outcome=\"refused\"") == 2);
    assert_true(metric("parley_rag_embedded_total", "outcome=\"done\"") == 19);
    assert_string_equal(search(BY_MEANING).source, "b.md");
    assert_string_equal(search("poison").source, "a.md");
}

static void a_server_that_refuses_everything_poisons_nothing(void **state)
{
    (void)state;
    llm_double_halt(&server);
    write_script("embeddings: {dimensions: 64, status: 400}\n");
    llm_double_run(&server);
    put("a.md", "alpha");
    put("b.md", "beta");
    start();
    await_note("does not answer");
    process_run_ms(&process, 300);
    assert_true(metric("parley_rag_vectors", "") == 0);
    assert_true(metric("parley_rag_embedded_total", "outcome=\"refused\"") == 0);
}

static void another_model_or_size_makes_all_vectors_anew(void **state)
{
    (void)state;
    put("a.md", "# What do you do\n\nWhat it is that you do.\n");
    put("b.md", "# Then\n\nWho are they.\n");
    start();
    await_vectors(2);
    assert_int_equal(process_stop(&process, SIGTERM), 0);
    unsigned asked = llm_double_count(&server, "Who are they");
    start(); /* the same: nothing is asked for again */
    await_vectors(2);
    await_note("");
    assert_int_equal(llm_double_count(&server, "Who are they"), asked);
    assert_int_equal(process_stop(&process, SIGTERM), 0);
    process.settings[2] = "rag.embeddings.model=others";
    start();
    await_found(BY_MEANING, "a.md");
    await_vectors(2);
    assert_int_equal(llm_double_count(&server, "Who are they"), asked + 1);
    assert_int_equal(process_stop(&process, SIGTERM), 0);
    process.settings[4] = "rag.embeddings.dimensions=32";
    start();
    await_found(BY_MEANING, "a.md");
    assert_int_equal(llm_double_count(&server, "Who are they"), asked + 2);
    assert_true(llm_double_count(&server, "\"dimensions\":32") >= 1);
    assert_int_equal(process_stop(&process, SIGTERM), 0);
    process.settings[4] = NULL; /* the model's own again, and the server gives 48 now */
    llm_double_halt(&server);
    write_script("embeddings: {dimensions: 48}\n");
    llm_double_run(&server);
    start();
    await_found(BY_MEANING, "a.md");
    put("c.md", "# When\n\nWhere were you.\n");
    await_found("where were you when", "c.md");
    llm_double_halt(&server); /* another size while it runs */
    write_script("embeddings: {dimensions: 40}\n");
    llm_double_run(&server);
    put("d.md", "# Why\n\nWhy should it have been.\n");
    await_found("why should it have been", "d.md");
    await_found(BY_MEANING, "a.md");
}

static void killed_while_filling_it_goes_on_where_it_was(void **state)
{
    (void)state;
    enum { PARTS = 200 };
    llm_double_halt(&server);
    write_script("embeddings: {dimensions: 64, delay_ms: 20}\n");
    llm_double_run(&server);
    process.settings[4] = "rag.embeddings.batch=4";
    process.settings[5] = "rag.embeddings.parallel=1";
    char *text = malloc(PARTS * 64);
    assert_non_null(text);
    char *to = text;
    for (int i = 0; i < PARTS; i++) to += sprintf(to, "# Part %d\n\nword%d.\n\n", i, i);
    put("a.md", text);
    free(text);
    double done = 0;
    int kills = 0;
    for (; kills < 5; kills++) {
        start();
        process_run_ms(&process, 400);
        double vectors = metric("parley_rag_vectors", "");
        assert_true(vectors >= done); /* nothing that was there is lost */
        done = vectors;
        assert_int_equal(process_stop(&process, SIGKILL), 256 + SIGKILL);
    }
    assert_true(done > 0);
    start();
    await_vectors(PARTS);
    /* each once, but for what was under way when it was killed: one batch each time */
    unsigned requests = llm_double_count(&server, "\"event\":\"request\"");
    assert_true(requests <= PARTS / 4 + 2 * (unsigned)kills + 1);
    assert_int_equal(process_stop(&process, SIGTERM), 0);
}

static void wrong_settings_end_the_start_by_name(void **state)
{
    (void)state;
    const struct {
        const char *setting, *said;
    } cases[] = {
        {"rag.embeddings.endpoint=ftp://x", "rag.embeddings.endpoint must be a URL"},
        {"rag.embeddings.model=", "rag.embeddings.model must name"},
        {"rag.embeddings.auth=basic", "rag.embeddings.auth must be"},
        {"rag.embeddings.auth=api-key", "rag.embeddings.api_key is wanted"},
        {"rag.embeddings.api=cohere", "rag.embeddings.api must be"},
        {"rag.embeddings.encoding_format=hex", "rag.embeddings.encoding_format must be"},
        {"rag.embeddings.api_key=a b", "rag.embeddings.api_key holds a blank"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        process.settings[4] = cases[i].setting;
        process_start(&process, NULL);
        assert_int_equal(process_wait(&process), 78);
        if (!strstr(process_log(&process), cases[i].said))
            fail_msg("\"%s\" not in: %s", cases[i].said, process_log(&process));
    }
}

static void keys_are_sent_as_the_server_wants_them(void **state)
{
    (void)state;
    llm_double_halt(&server);
    write_script("api_key: secret\nembeddings: {dimensions: 64}\n");
    llm_double_run(&server);
    put("a.md", "# What do you do\n\nWhat it is that you do.\n");
    process.settings[4] = "rag.embeddings.api_key=secret";
    start();
    await_found(BY_MEANING, "a.md");
    assert_true(llm_double_count(&server, "\"auth\":\"bearer\"") > 0);
    assert_int_equal(process_stop(&process, SIGTERM), 0);
    process.settings[5] = "rag.embeddings.api=azure";
    process.settings[6] = "rag.embeddings.model=deployed";
    start();
    await_found(BY_MEANING, "a.md");
    assert_true(llm_double_count(&server, "/openai/deployments/deployed/embeddings") > 0);
    assert_true(llm_double_count(&server, "\"auth\":\"api-key\"") > 0);
    assert_int_equal(process_stop(&process, SIGTERM), 0);
    process.settings[4] = "rag.embeddings.api_key=wrong";
    process.settings[6] = "rag.embeddings.model=third";
    start();
    await_note("does not answer");
    assert_null(strstr(process_log(&process), "wrong")); /* a secret is never logged */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(passages_get_vectors_and_are_found_by_them),
        TEST(without_a_server_readiness_says_words_alone),
        TEST(a_server_that_is_down_is_neither_waited_for_nor_given_up),
        TEST(a_slow_answer_is_not_waited_for_and_serves_the_next_time),
        TEST(a_prefetched_answer_is_there_when_it_is_asked_for),
        TEST(who_asks_during_a_prefetch_shares_it),
        TEST(an_answer_is_kept_until_the_index_changes),
        TEST(a_text_the_server_refuses_does_not_hold_up_the_others),
        TEST(a_server_that_refuses_everything_poisons_nothing),
        TEST(another_model_or_size_makes_all_vectors_anew),
        TEST(killed_while_filling_it_goes_on_where_it_was),
        TEST(wrong_settings_end_the_start_by_name),
        TEST(keys_are_sent_as_the_server_wants_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
