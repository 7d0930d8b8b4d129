/* lookup_bench.c - how soon calls are found among a million: by number, by id, and as pages of the report.
 *
 * The provider alone, without bus and process: what a look-up adds to a call is its own time. Prints one
 * JSON object. Usage: lookup_bench sqlite|postgresql [CALLS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/record.h"
#include "services/persistence/config.h"
#include "services/persistence/store.h"
#include "tests/support/folder.h"
#include "tests/support/postgres.h"
#include "tests/unit/persistence/requests.h"

enum { BATCH = 1000, LOOKUPS = 20000, PAGES = 50, NUMBERS = 5 /* calls a number */ };

static postgres_t server;
static char folder[] = "/tmp/parley-lookup-XXXXXX";
static void *store;
static const store_provider_t *provider;
static uint64_t state = 88172645463325252U;

static void die(const char *what)
{
    (void)fprintf(stderr, "lookup_bench: %s\n", what);
    exit(EXIT_FAILURE);
}

static uint64_t draw(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

static void open_store(const char *name)
{
    char yaml[512];
    char error[256] = "";
    char detail[STORE_DETAIL_BYTES] = "";
    if (!mkdtemp(folder)) die("no folder");
    if (strcmp(name, "postgresql") == 0 && postgres_start(&server, false) != 0) die("no server");
    (void)snprintf(yaml, sizeof yaml,
                   "persistence:\n  sqlite:\n    file: %s/calls.db\n    synchronous: normal\n"
                   "  postgresql:\n    url: \"%s\"\n    timeout_ms: 60000\n",
                   folder, server.url);
    pl_config_t *cfg =
        pl_config_parse("persistence", persistence_config_keys, "bench", yaml, error, sizeof error);
    if (!cfg) die(error);
    provider = store_provider_find(name);
    if (!provider) die("usage: lookup_bench sqlite|postgresql [CALLS]");
    if (provider->open(&store, cfg, detail)) die(detail);
    pl_config_destroy(&cfg);
}

static void id_of(uint64_t call, char out[CALL_ID_BYTES])
{
    unsigned number = (unsigned)call;
    (void)snprintf(out, CALL_ID_BYTES, "%08x-0000-4000-8000-0000%08x", number * 2654435761U,
                   number);
}

static void number_of(uint64_t call, char out[24])
{
    (void)snprintf(out, 24, "+1555%08u", (unsigned)(call / NUMBERS));
}

static void fill(uint64_t calls)
{
    static write_t *writes[BATCH];
    for (uint64_t call = 0; call < calls; call += BATCH) {
        for (uint64_t i = 0; i < BATCH; i++) {
            create_t create;
            char id[CALL_ID_BYTES];
            char number[24];
            char detail[STORE_DETAIL_BYTES];
            id_of(call + i, id);
            number_of(call + i, number);
            make_create(&create, id, number, (int64_t)(1000 + call + i));
            if (write_new(&writes[i], &create.env, 1000, detail)) die(detail);
        }
        store_stats_t stats = {0};
        provider->write(store, writes, BATCH, &stats);
        for (uint64_t i = 0; i < BATCH; i++) {
            if (writes[i]->err) die(writes[i]->detail);
            write_destroy(&writes[i]);
        }
        if (call % 100000 == 0) (void)fprintf(stderr, "%llu calls\n", (unsigned long long)call);
    }
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void print(const char *name, uint64_t *us, size_t count)
{
    qsort(us, count, sizeof *us, by_value);
    printf(", \"%s\": {\"p50_us\": %llu, \"p99_us\": %llu}", name,
           (unsigned long long)us[count / 2], (unsigned long long)us[count * 99 / 100]);
}

static void look_up(const char *name, uint64_t calls, bool numbers)
{
    static uint64_t us[LOOKUPS];
    for (size_t i = 0; i < LOOKUPS; i++) {
        uint64_t call = draw(calls);
        char id[CALL_ID_BYTES];
        char number[24];
        char detail[STORE_DETAIL_BYTES];
        id_of(call, id);
        number_of(call, number);
        Pl__StoreGet query = PL__STORE_GET__INIT;
        Pl__CallRecord *record = NULL;
        query.phone_number = number;
        uint64_t began_us = pl_clock_us();
        if (provider->get(store, numbers ? "" : id, &query, &record, detail)) die(detail);
        us[i] = pl_clock_us() - began_us;
        pl_record_free(&record);
    }
    print(name, us, LOOKUPS);
}

static void page(const char *name, uint64_t calls, bool deep, bool numbers)
{
    static uint64_t us[PAGES];
    for (size_t i = 0; i < PAGES; i++) {
        char number[24] = "";
        char detail[STORE_DETAIL_BYTES];
        Pl__StoreList query = PL__STORE_LIST__INIT;
        Pl__StoreCalls *found = NULL;
        if (numbers) number_of(draw(calls), number);
        query.phone_number = number;
        query.limit = 50;
        query.offset = deep ? (uint32_t)draw(calls - 50) : 0;
        uint64_t began_us = pl_clock_us();
        if (provider->list(store, &query, &found, detail)) die(detail);
        us[i] = pl_clock_us() - began_us;
        pl__store_calls__free_unpacked(found, NULL);
    }
    print(name, us, PAGES);
}

int main(int argc, char **argv)
{
    uint64_t calls = argc > 2 ? strtoull(argv[2], NULL, 10) / BATCH * BATCH : 1000000;
    if (argc < 2 || calls < BATCH) die("usage: lookup_bench sqlite|postgresql [CALLS]");
    pl_log_init("lookup-bench", PL_LOG_ERROR);
    open_store(argv[1]);
    uint64_t began_ms = pl_clock_ms();
    fill(calls);
    uint64_t filled_ms = pl_clock_ms() - began_ms;
    printf("{\"bench\": \"lookup\", \"provider\": \"%s\", \"calls\": %llu, \"creates_per_second\": "
           "%llu",
           argv[1], (unsigned long long)calls,
           (unsigned long long)(calls * 1000 / (filled_ms + 1)));
    look_up("by_number", calls, true);
    look_up("by_id", calls, false);
    page("first_page", calls, false, false);
    page("any_page", calls, true, false);
    page("page_of_a_number", calls, false, true);
    printf("}\n");
    provider->close(&store);
    if (server.pid) postgres_end(&server);
    (void)folder_remove(folder);
    return EXIT_SUCCESS;
}
