/* dot.h - vectors as small integers, and their inner products.
 *
 * A passage's vector is kept in 8 bits a dimension, a query's, of which there are few, in 13 bits;
 * each with the scale that turns it back. Vectors are made of length 1, so that the inner product is
 * the cosine. Sums are exact in 32 bits for DOT_DIMENSIONS_MAX dimensions: 127 * 4095 * 4096 < 2^31.
 * So the AVX2 kernel and the portable one give the same to the last bit.
 *
 * Pure; no threads.
 */
#ifndef RAG_DOT_H
#define RAG_DOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DOT_DIMENSIONS_MAX = 4096,
    DOT_STEP = 32, /* rows are padded with zeros to a multiple of it */
};

/* False: it has no direction (all zero, or not numbers). out has room for dot_stride(count). */
bool dot_pack8(const float *vector, size_t count, int8_t *out, float *scale);
bool dot_pack16(const float *vector, size_t count, int16_t *out, float *scale);

static inline size_t dot_stride(size_t dimensions)
{
    return (dimensions + DOT_STEP - 1) / DOT_STEP * DOT_STEP;
}

/* stride: a multiple of DOT_STEP. */
typedef int32_t dot_fn(const int8_t *row, const int16_t *query, size_t stride);
int32_t dot_portable(const int8_t *row, const int16_t *query, size_t stride);
dot_fn *dot_avx2(void); /* NULL: this processor has none */
dot_fn *dot_best(void); /* never NULL */

#endif
