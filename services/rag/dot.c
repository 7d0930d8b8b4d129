#include "services/rag/dot.h"

#include <math.h>
#include <string.h>

enum { TOP8 = 127, TOP16 = 4095 };

/* The length of vector and its largest part. False: no direction. */
static bool measure(const float *vector, size_t count, double *length, double *largest)
{
    double sum = 0;
    *largest = 0;
    for (size_t i = 0; i < count; i++) {
        double value = (double)vector[i];
        sum += value * value;
        *largest = fmax(*largest, fabs(value));
    }
    *length = sqrt(sum);
    return isfinite(sum) && *largest > 0 && *length > 0;
}

bool dot_pack8(const float *vector, size_t count, int8_t *out, float *scale)
{
    double length = 0;
    double largest = 0;
    if (!measure(vector, count, &length, &largest)) return false;
    memset(out, 0, dot_stride(count));
    for (size_t i = 0; i < count; i++) out[i] = (int8_t)lrint((double)vector[i] / largest * TOP8);
    *scale = (float)(largest / length / TOP8);
    return true;
}

bool dot_pack16(const float *vector, size_t count, int16_t *out, float *scale)
{
    double length = 0;
    double largest = 0;
    if (!measure(vector, count, &length, &largest)) return false;
    memset(out, 0, dot_stride(count) * sizeof *out);
    for (size_t i = 0; i < count; i++) out[i] = (int16_t)lrint((double)vector[i] / largest * TOP16);
    *scale = (float)(largest / length / TOP16);
    return true;
}

int32_t dot_portable(const int8_t *row, const int16_t *query, size_t stride)
{
    int32_t sum = 0;
    for (size_t i = 0; i < stride; i++) sum += (int32_t)row[i] * (int32_t)query[i];
    return sum;
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2"))) static int32_t avx2(const int8_t *row, const int16_t *query,
                                                    size_t stride)
{
    __m256i a = _mm256_setzero_si256();
    __m256i b = _mm256_setzero_si256();
    for (size_t i = 0; i < stride; i += DOT_STEP) {
        __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(row + i));
        __m256i low = _mm256_cvtepi8_epi16(_mm256_castsi256_si128(bytes));
        __m256i high = _mm256_cvtepi8_epi16(_mm256_extracti128_si256(bytes, 1));
        __m256i q0 = _mm256_loadu_si256((const __m256i *)(const void *)(query + i));
        __m256i q1 = _mm256_loadu_si256((const __m256i *)(const void *)(query + i + 16));
        a = _mm256_add_epi32(a, _mm256_madd_epi16(low, q0));
        b = _mm256_add_epi32(b, _mm256_madd_epi16(high, q1));
    }
    a = _mm256_add_epi32(a, b);
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, _MM_SHUFFLE(1, 0, 3, 2)));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, _MM_SHUFFLE(2, 3, 0, 1)));
    return _mm_cvtsi128_si32(sum);
}

dot_fn *dot_avx2(void)
{
    return __builtin_cpu_supports("avx2") ? avx2 : NULL;
}
#else
dot_fn *dot_avx2(void)
{
    return NULL;
}
#endif

dot_fn *dot_best(void)
{
    dot_fn *fast = dot_avx2();
    return fast ? fast : dot_portable;
}
