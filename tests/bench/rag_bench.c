/* rag_bench.c - how long it takes to index a knowledge base, to look through it unchanged, and to
 * search it. Words are drawn by Zipf's law, as those of a language are.
 *
 * Prints one JSON object a line. Usage: rag_bench [DOCUMENTS]
 */
#include <ftw.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "services/rag/ingest.h"

enum { WORDS = 20000, WORDS_A_DOCUMENT = 600, SEARCHES = 2000, WORDS_A_SEARCH = 6 };

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

static void write_document(unsigned number)
{
    char path[160];
    (void)snprintf(path, sizeof path, "%s/d%05u.md", knowledge, number);
    FILE *out = fopen(path, "w");
    require(out != NULL, "cannot write a document");
    for (unsigned i = 0; i < WORDS_A_DOCUMENT; i++) {
        if (i % 150 == 0) (void)fprintf(out, "\n\n## w%x w%x\n\n", draw_word(), draw_word());
        (void)fprintf(out, "w%x%s", draw_word(), i % 12 == 11 ? ".\n" : " ");
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

static void search_all(index_reader_t *reader, uint64_t *took_us)
{
    for (unsigned i = 0; i < SEARCHES; i++) {
        char text[256] = "";
        char detail[INDEX_DETAIL_BYTES] = "";
        for (unsigned k = 0; k < WORDS_A_SEARCH; k++) {
            size_t size = strlen(text);
            (void)snprintf(text + size, sizeof text - size, "w%x ", draw_word());
        }
        uint64_t started_us = pl_clock_us();
        Pl__SearchResult *result = NULL;
        index_query_t query = {
            .texts = {text}, .count = 1, .lang = "en", .top_n = 5, .strictness = 2};
        require(index_search(reader, &query, &result, detail) == PL_OK, detail);
        took_us[i] = pl_clock_us() - started_us;
        pl__search_result__free_unpacked(result, NULL);
    }
    qsort(took_us, SEARCHES, sizeof *took_us, by_value);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

int main(int argc, char **argv)
{
    unsigned documents = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000;
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
    search_all(reader, took_us);
    printf("{\"bench\":\"rag\",\"documents\":%u,\"passages\":%u,\"index_ms\":%.0f,"
           "\"unchanged_scan_ms\":%.1f,\"search_p50_us\":%llu,\"search_p99_us\":%llu}\n",
           report.index.documents, report.index.passages, (double)first_us / 1e3,
           (double)again_us / 1e3, (unsigned long long)took_us[SEARCHES / 2],
           (unsigned long long)took_us[SEARCHES * 99 / 100]);
    index_reader_close(&reader);
    index_writer_close(&index);
    (void)nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return EXIT_SUCCESS;
}
