/* embedding_fuzz.c - any bytes as an embeddings server's answer: libFuzzer's target. The first byte
 * says how many texts were asked for, and whether the others are the whole answer or one embedding
 * of it: cJSON is not instrumented, so that what lies behind it would hardly be reached otherwise.
 */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "services/rag/dot.h"
#include "services/rag/embed/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    static const char head[] = "{\"data\":[{\"index\":0,\"embedding\":";
    size_t count = data[0] % 5;
    bool wrapped = data[0] & 0x80;
    size_t bytes = size - 1 + (wrapped ? sizeof head - 1 + 3 : 0);
    char *body = malloc(bytes + 1); /* exactly as long as it is */
    if (!body) abort();
    char *to = body;
    if (wrapped) {
        memcpy(to, head, sizeof head - 1);
        to += sizeof head - 1;
    }
    memcpy(to, data + 1, size - 1);
    if (wrapped) memcpy(to + size - 1, "}]}", 3);
    char detail[EMBED_DETAIL_BYTES];
    float *vectors = NULL;
    size_t dimensions = 0;
    if (embed_answer_read(body, bytes, count, &vectors, &dimensions, detail) == PL_OK) {
        if (dimensions == 0 || dimensions > DOT_DIMENSIONS_MAX) abort();
        for (size_t i = 0; i < count * dimensions; i++) {
            if (!isfinite(vectors[i])) abort();
        }
        free(vectors);
    }
    embed_answer_error(body, bytes, detail);
    free(body);
    return 0;
}
