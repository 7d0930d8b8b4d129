/* rag_bench.c - how long it takes to index a knowledge base, to look through it unchanged, and to
 * search it, by words alone and with vectors. Words are drawn by Zipf's law, as those of a language
 * are; a question's words come after the SPOKEN most frequent ones, which are what stop words are.
 * Vectors are drawn at random: what the scan costs does not depend on them.
 *
 * Prints one JSON object a line. Usage: rag_bench [DOCUMENTS [DIMENSIONS]]
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "services/rag/ingest.h"
#include "tests/support/folder.h"

enum {
    WORDS = 20000,
    WORDS_A_DOCUMENT = 600,
    SEARCHES = 2000,
    WORDS_A_SEARCH = 6,
    SPOKEN = 100,
    DIMENSIONS_MAX = 4096,
    VECTORS_A_COMMIT = 64,
};

static char base[64];
static char knowledge[96];
static char file[96];
static uint64_t seed = 20261122;
static double cumulated[WORDS];

static void require(int holds, const char *what)
{
    if (holds) return;
    (void)fprintf(stderr, "rag_bench: %s\n", what);
    exit(EXIT_FAILURE);  // NOLINT(concurrency-mt-unsafe): one thread
}

static double draw(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(seed >> 11) / 9007199254740992.0;
}

static unsigned draw_word(void)
{
    double at = draw() * cumulated[WORDS - 1];
    unsigned low = 0;
    unsigned high = WORDS - 1;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (cumulated[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Letters alone, as stems are made of such. */
static const char *spell(unsigned word, char out[16])
{
    static const char *const parts[] = {"ba", "de", "fi", "go", "lu", "ma", "ne", "pi",
                                        "ro", "su", "ta", "ve", "wi", "xo", "ky", "za"};
    out[0] = '\0';
    for (int i = 0; i < 4; i++, word /= 16) strcat(out, parts[word % 16]);
    return out;
}

static void write_document(unsigned number)
{
    char path[160];
    (void)snprintf(path, sizeof path, "%s/d%05u.md", knowledge, number);
    FILE *out = fopen(path, "w");
    require(out != NULL, "cannot write a document");
    char a[16];
    char b[16];
    for (unsigned i = 0; i < WORDS_A_DOCUMENT; i++) {
        if (i % 150 == 0)
            (void)fprintf(out, "\n\n## %s %s\n\n", spell(draw_word(), a), spell(draw_word(), b));
        (void)fprintf(out, "%s%s", spell(draw_word(), a), i % 12 == 11 ? ".\n" : " ");
    }
    require(fclose(out) == 0, "cannot write a document");
}

static ingest_report_t scan(index_writer_t *index, uint64_t *took_us)
{
    char detail[INDEX_DETAIL_BYTES] = "";
    folder_t folder;
    ingest_report_t report;
    ingest_opts_t opts = {.max_file_bytes = 1 << 20};
    uint64_t started_us = pl_clock_us();
    require(folder_scan(&folder, knowledge) == PL_OK, "cannot scan");
    require(ingest_run(index, &folder, &opts, 1, &report, detail) == PL_OK, detail);
    *took_us = pl_clock_us() - started_us;
    folder_free(&folder);
    return report;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void draw_vector(float *out, size_t dimensions)
{
    for (size_t i = 0; i < dimensions; i++) out[i] = (float)draw() - 0.5F;
}

/* A vector for each passage, in batches as they come from a server. */
static unsigned give_vectors(index_writer_t *index, size_t dimensions, uint64_t *took_us)
{
    static float vector[DIMENSIONS_MAX];
    char detail[INDEX_DETAIL_BYTES] = "";
    index_wanting_t list[VECTORS_A_COMMIT];
    size_t count = 0;
    unsigned given = 0;
    int64_t after = 0;
    uint64_t started_us = pl_clock_us();
    require(index_space(index, "bench", dimensions, 1, detail) == PL_OK, detail);
    do {
        require(index_wanting(index, after, VECTORS_A_COMMIT, list, &count, detail) == PL_OK,
                detail);
        require(index_begin(index, detail) == PL_OK, detail);
        for (size_t i = 0; i < count; i++) {
            draw_vector(vector, dimensions);
            after = list[i].id;
            require(index_vector(index, after, vector, dimensions, detail) == PL_OK, detail);
            free(list[i].title);
            free(list[i].content);
        }
        require(index_commit(index, true, 1, detail) == PL_OK, detail);
        given += (unsigned)count;
    } while (count > 0);
    *took_us = pl_clock_us() - started_us;
    return given;
}

static void question(char text[256])
{
    text[0] = '\0';
    for (unsigned k = 0; k < WORDS_A_SEARCH; k++) {
        char word[16];
        unsigned drawn = draw_word();
        while (drawn < SPOKEN) drawn = draw_word();
        strcat(strcat(text, spell(drawn, word)), " ");
    }
}

/* dimensions 0: by words alone. */
static void search_all(index_reader_t *reader, size_t dimensions, uint64_t *took_us)
{
    static float vector[DIMENSIONS_MAX];
    for (unsigned i = 0; i < SEARCHES; i++) {
        char text[256];
        char detail[INDEX_DETAIL_BYTES] = "";
        question(text);
        draw_vector(vector, dimensions);
        Pl__SearchResult *result = NULL;
        index_query_t query = {.texts = {text},
                               .count = 1,
                               .lang = "en",
                               .top_n = 5,
                               .strictness = 2,
                               .low = 0.15,
                               .high = 0.65,
                               .dimensions = dimensions};
        if (dimensions > 0) query.vectors[0] = vector;
        uint64_t started_us = pl_clock_us();
        require(index_search(reader, &query, &result, detail) == PL_OK, detail);
        took_us[i] = pl_clock_us() - started_us;
        pl__search_result__free_unpacked(result, NULL);
    }
    qsort(took_us, SEARCHES, sizeof *took_us, by_value);
}

static void print_searches(const char *kind, unsigned passages, size_t dimensions,
                           const uint64_t *took_us)
{
    printf("{\"bench\":\"rag_search\",\"kind\":\"%s\",\"passages\":%u,\"dimensions\":%zu,"
           "\"searches\":%d,\"p50_us\":%llu,\"p99_us\":%llu,\"max_us\":%llu,"
           "\"goal_p99_us\":10000}\n",
           kind, passages, dimensions, SEARCHES, (unsigned long long)took_us[SEARCHES / 2],
           (unsigned long long)took_us[SEARCHES * 99 / 100],
           (unsigned long long)took_us[SEARCHES - 1]);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    unsigned documents = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 6250;
    size_t dimensions = argc > 2 ? strtoul(argv[2], NULL, 10) : 1536;
    static uint64_t took_us[SEARCHES];
    char detail[INDEX_DETAIL_BYTES] = "";
    for (unsigned i = 0; i < WORDS; i++) cumulated[i] = (i ? cumulated[i - 1] : 0) + 1.0 / (i + 1);
    (void)snprintf(base, sizeof base, "/tmp/parley-rag-bench-XXXXXX");
    require(mkdtemp(base) != NULL, "cannot make a folder");
    (void)snprintf(knowledge, sizeof knowledge, "%s/knowledge", base);
    (void)snprintf(file, sizeof file, "%s/knowledge.db", base);
    require(mkdir(knowledge, 0700) == 0, "cannot make a folder");
    for (unsigned i = 0; i < documents; i++) write_document(i);

    index_writer_t *index = NULL;
    index_reader_t *reader = NULL;
    require(index_writer_open(&index, file, detail) == PL_OK, detail);
    require(index_reader_open(&reader, file, detail) == PL_OK, detail);
    uint64_t first_us = 0;
    uint64_t again_us = 0;
    ingest_report_t report = scan(index, &first_us);
    (void)scan(index, &again_us);
    unsigned passages = report.index.passages;
    printf("{\"bench\":\"rag_index\",\"documents\":%u,\"passages\":%u,\"index_ms\":%.0f,"
           "\"passages_per_s\":%.0f,\"unchanged_scan_ms\":%.1f}\n",
           report.index.documents, passages, (double)first_us / 1e3,
           passages / ((double)first_us / 1e6), (double)again_us / 1e3);
    search_all(reader, 0, took_us); /* each word is read from the disk once */
    print_searches("words_cold", passages, 0, took_us);
    search_all(reader, 0, took_us);
    print_searches("words", passages, 0, took_us);
    require(dimensions > 0 && dimensions <= DIMENSIONS_MAX, "dimensions: 1 to 4096");
    uint64_t vectors_us = 0;
    unsigned given = give_vectors(index, dimensions, &vectors_us);
    uint64_t load_us = pl_clock_us();
    require(index_refresh(reader, detail) == PL_OK, detail);
    load_us = pl_clock_us() - load_us;
    printf("{\"bench\":\"rag_vectors\",\"passages\":%u,\"dimensions\":%zu,"
           "\"written_per_s\":%.0f,\"load_ms\":%.0f}\n",
           given, dimensions, given / ((double)vectors_us / 1e6), (double)load_us / 1e3);
    search_all(reader, dimensions, took_us);
    print_searches("hybrid", passages, dimensions, took_us);
    index_reader_close(&reader);
    index_writer_close(&index);
    (void)folder_remove(base);
    return EXIT_SUCCESS;
}
