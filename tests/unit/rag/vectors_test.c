/* vectors_test.c - vectors in few bits, the exact scan, the best of many, and lists fused. */
#include "services/rag/vectors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/rag/dot.h"
#include "services/rag/fuse.h"

static uint32_t seed = 17;

static uint32_t draw(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

static float draw_part(void)
{
    return (float)draw() / (float)(1u << 24) - 0.5F;
}

static void draw_vector(float *out, size_t count)
{
    for (size_t i = 0; i < count; i++) out[i] = draw_part();
}

static double cosine(const float *a, const float *b, size_t count)
{
    double dot = 0;
    double x = 0;
    double y = 0;
    for (size_t i = 0; i < count; i++) {
        dot += (double)a[i] * (double)b[i];
        x += (double)a[i] * (double)a[i];
        y += (double)b[i] * (double)b[i];
    }
    return dot / sqrt(x * y);
}

/* ---- inner products ---- */

static void both_kernels_give_the_same_to_the_last_bit(void **state)
{
    (void)state;
    dot_fn *fast = dot_avx2();
    if (!fast) skip();
    static int8_t row[DOT_DIMENSIONS_MAX + 1];
    static int16_t query[DOT_DIMENSIONS_MAX + 1];
    for (size_t stride = DOT_STEP; stride <= DOT_DIMENSIONS_MAX; stride += DOT_STEP) {
        size_t shift = draw() % 2; /* rows need not be aligned */
        for (size_t i = 0; i < stride; i++) {
            row[i + shift] = (int8_t)((int)(draw() % 255) - 127);
            query[i] = (int16_t)((int)(draw() % 8191) - 4095);
        }
        assert_int_equal(fast(row + shift, query, stride),
                         dot_portable(row + shift, query, stride));
    }
    for (size_t i = 0; i < DOT_DIMENSIONS_MAX; i++) { /* the greatest sum there can be */
        row[i] = -127;
        query[i] = 4095;
    }
    int32_t most = dot_portable(row, query, DOT_DIMENSIONS_MAX);
    assert_int_equal(most, -127 * 4095 * DOT_DIMENSIONS_MAX);
    assert_int_equal(fast(row, query, DOT_DIMENSIONS_MAX), most);
}

static void few_bits_tell_the_cosine(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 31, 32, 33, 384, 768, 1536, 3072, 4096};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        static float a[DOT_DIMENSIONS_MAX];
        static float b[DOT_DIMENSIONS_MAX];
        static int8_t row[DOT_DIMENSIONS_MAX];
        static int16_t query[DOT_DIMENSIONS_MAX];
        float row_scale = 0;
        float query_scale = 0;
        draw_vector(a, sizes[k]);
        draw_vector(b, sizes[k]);
        assert_true(dot_pack8(a, sizes[k], row, &row_scale));
        assert_true(dot_pack16(b, sizes[k], query, &query_scale));
        double told = (double)dot_portable(row, query, dot_stride(sizes[k])) * (double)row_scale *
                      (double)query_scale;
        assert_true(fabs(told - cosine(a, b, sizes[k])) < 0.01);
    }
}

static void what_has_no_direction_is_refused(void **state)
{
    (void)state;
    int8_t row[32];
    int16_t query[32];
    float scale = 0;
    const float bad[][2] = {{0, 0}, {NAN, 1}, {INFINITY, 1}, {1e30F, -INFINITY}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(dot_pack8(bad[i], 2, row, &scale));
        assert_false(dot_pack16(bad[i], 2, query, &scale));
    }
    const float tiny[2] = {1e-30F, 1e-31F};
    assert_true(dot_pack8(tiny, 2, row, &scale));
    assert_true(isfinite(scale));
}

/* ---- the scan ---- */

enum { ROWS = 3000, DIMENSIONS = 100, BEST = 20 };

static void the_scan_finds_what_comparing_all_finds(void **state)
{
    (void)state;
    static float rows[ROWS][DIMENSIONS];
    vectors_t *vectors = vectors_new(DIMENSIONS);
    for (uint32_t i = 0; i < ROWS; i++) {
        int8_t row[128];
        float scale = 0;
        draw_vector(rows[i], DIMENSIONS);
        assert_true(dot_pack8(rows[i], DIMENSIONS, row, &scale));
        vectors_set(vectors, i, row, scale);
    }
    for (uint32_t i = 0; i < ROWS; i += 7) vectors_forget(vectors, i);
    vectors_forget(vectors, 1 << 20); /* never set */
    assert_int_equal(vectors_count(vectors), ROWS - (ROWS + 6) / 7);
    float question[3][DIMENSIONS];
    scored_t items[3][BEST];
    vectors_query_t queries[3];
    for (size_t q = 0; q < 3; q++) {
        draw_vector(question[q], DIMENSIONS);
        queries[q] = (vectors_query_t){question[q], {items[q], BEST, 0}};
    }
    memset(question[1], 0, sizeof question[1]); /* nothing is near to nowhere */
    vectors_scan(vectors, queries, 3);
    assert_int_equal(queries[1].best.count, 0);
    for (size_t q = 0; q < 3; q += 2) {
        assert_int_equal(queries[q].best.count, BEST);
        double worst = (double)items[q][BEST - 1].score;
        for (uint32_t i = 0; i < ROWS; i++) {
            bool listed = false;
            for (size_t k = 0; k < BEST; k++) listed |= items[q][k].slot == i;
            double exact = cosine(rows[i], question[q], DIMENSIONS);
            if (i % 7 == 0)
                assert_false(listed);
            else if (!listed)
                assert_true(exact < worst + 0.01);
        }
        for (size_t k = 1; k < BEST; k++) assert_true(items[q][k].score <= items[q][k - 1].score);
    }
    vectors_destroy(&vectors);
}

/* ---- the best of many ---- */

static int by_score(const void *a, const void *b)
{
    const scored_t *x = a;
    const scored_t *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return (x->slot > y->slot) - (x->slot < y->slot);
}

static void the_best_of_many_are_those_that_sorting_puts_first(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        scored_t all[300];
        scored_t kept[32];
        best_t best = {kept, draw() % 32, 0};
        size_t count = draw() % 300;
        for (size_t i = 0; i < count; i++) {
            all[i] = (scored_t){(uint32_t)i, (float)(draw() % 40)}; /* many equal ones */
            best_offer(&best, all[i].slot, all[i].score);
        }
        best_sort(&best);
        if (count) qsort(all, count, sizeof *all, by_score);
        assert_int_equal(best.count, count < best.room ? count : best.room);
        for (size_t i = 0; i < best.count; i++) assert_int_equal(kept[i].slot, all[i].slot);
    }
}

/* ---- lists fused ---- */

static best_t list_of(scored_t *items, size_t count)
{
    return (best_t){items, count, count};
}

static void what_two_lists_agree_on_comes_first(void **state)
{
    (void)state;
    scored_t words[] = {{1, 4.0F}, {2, 3.5F}, {3, 3.0F}};
    scored_t vectors[] = {{4, 4.5F}, {2, 2.5F}};
    best_t first = list_of(words, 3);
    best_t second = list_of(vectors, 2);
    fuse_t *fused = calloc(1, sizeof *fused);
    assert_non_null(fused);
    fuse_add(fused, &first, &second, 1, 0, 10);
    fuse_sort(fused);
    assert_int_equal(fused->count, 4);
    assert_int_equal(fused->items[0].slot, 2);
    assert_true(fused->items[0].score == 3.5F); /* the better of its two */
    assert_int_equal(fused->items[1].slot, 4);  /* as high as 1, and scores more */
    assert_int_equal(fused->items[2].slot, 1);
    free(fused);
}

static void strictness_and_number_hold_for_each_text(void **state)
{
    (void)state;
    scored_t words[] = {{1, 4.0F}, {2, 2.0F}, {3, 1.9F}};
    scored_t others[] = {{3, 5.0F}, {5, 4.0F}, {6, 3.0F}};
    best_t none = {0};
    best_t first = list_of(words, 3);
    best_t second = list_of(others, 3);
    fuse_t *fused = calloc(1, sizeof *fused);
    assert_non_null(fused);
    fuse_add(fused, &first, &none, 1, 2, 5);
    assert_int_equal(fused->count, 2);
    fuse_add(fused, &second, &none, 0.5F, 2, 2);
    fuse_sort(fused);
    assert_int_equal(fused->count, 4);
    assert_int_equal(fused->items[0].slot, 1);  /* the question's own come before */
    fuse_add(fused, &second, &none, 1, NAN, 5); /* takes nothing */
    fuse_add(fused, &second, &none, 1, 0, 0);
    assert_int_equal(fused->count, 4);
    free(fused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_kernels_give_the_same_to_the_last_bit),
        cmocka_unit_test(few_bits_tell_the_cosine),
        cmocka_unit_test(what_has_no_direction_is_refused),
        cmocka_unit_test(the_scan_finds_what_comparing_all_finds),
        cmocka_unit_test(the_best_of_many_are_those_that_sorting_puts_first),
        cmocka_unit_test(what_two_lists_agree_on_comes_first),
        cmocka_unit_test(strictness_and_number_hold_for_each_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
