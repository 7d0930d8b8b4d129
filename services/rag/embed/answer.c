#include "services/rag/embed/answer.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/rag/dot.h"

typedef struct {
    float *vectors;
    size_t count, dimensions; /* dimensions: 0 until the first is read */
    bool *seen;
    char *detail;
} reader_t;

static pl_err_t wrong(reader_t *self, const char *what)
{
    (void)snprintf(self->detail, EMBED_DETAIL_BYTES, "the embeddings server's answer: %s", what);
    return PL_INVALID;
}

/* ---- one vector ---- */

static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

/* The bytes that text stands for, at most room; SIZE_MAX: it is no base64, or longer. */
static size_t decode(const char *text, uint8_t *out, size_t room)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t size = 0;
    for (; *text && *text != '='; text++) {
        int digit = digit_of(*text);
        if (digit < 0) return SIZE_MAX;
        bits = bits << 6 | (uint32_t)digit;
        held += 6;
        if (held < 8) continue;
        held -= 8;
        if (size == room) return SIZE_MAX;
        out[size++] = (uint8_t)(bits >> held & 0xff);
    }
    return size;
}

static size_t floats_of_text(const char *text, float out[DOT_DIMENSIONS_MAX])
{
    uint8_t bytes[DOT_DIMENSIONS_MAX * 4];
    size_t size = decode(text, bytes, sizeof bytes);
    if (size == SIZE_MAX || size % 4 != 0) return 0;
    for (size_t i = 0; i < size / 4; i++) {
        const uint8_t *at = bytes + i * 4;
        uint32_t word =
            (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
        memcpy(&out[i], &word, sizeof out[i]);
    }
    return size / 4;
}

static size_t floats_of_list(const cJSON *list, float out[DOT_DIMENSIONS_MAX])
{
    size_t count = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsNumber(item) || count == DOT_DIMENSIONS_MAX) return 0;
        out[count++] = (float)item->valuedouble;
    }
    return count;
}

static pl_err_t take_vector(reader_t *self, size_t index, const cJSON *embedding)
{
    float vector[DOT_DIMENSIONS_MAX];
    size_t count = 0;
    if (cJSON_IsString(embedding))
        count = floats_of_text(embedding->valuestring, vector);
    else if (cJSON_IsArray(embedding))
        count = floats_of_list(embedding, vector);
    if (count == 0) return wrong(self, "an embedding is neither numbers nor base64 of floats");
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(vector[i])) return wrong(self, "an embedding holds what is no number");
    }
    if (self->dimensions == 0) {
        self->dimensions = count;
        self->vectors = calloc(self->count * count, sizeof *self->vectors);
        assert(self->vectors);
    }
    if (count != self->dimensions) return wrong(self, "embeddings of different sizes");
    memcpy(self->vectors + index * count, vector, count * sizeof *vector);
    return PL_OK;
}

/* ---- all of them ---- */

static pl_err_t take_item(reader_t *self, const cJSON *item, size_t position)
{
    const cJSON *index = cJSON_GetObjectItemCaseSensitive(item, "index");
    double at = cJSON_IsNumber(index) ? index->valuedouble : (double)position;
    if (!(at >= 0 && at < (double)self->count) || at != floor(at))
        return wrong(self, "an index that was not asked for");
    if (self->seen[(size_t)at]) return wrong(self, "the same index twice");
    self->seen[(size_t)at] = true;
    return take_vector(self, (size_t)at, cJSON_GetObjectItemCaseSensitive(item, "embedding"));
}

pl_err_t embed_answer_read(const char *body, size_t bytes, size_t count, float **out,
                           size_t *dimensions, char detail[EMBED_DETAIL_BYTES])
{
    reader_t self = {.count = count, .detail = detail};
    pl_err_t err = PL_OK;
    cJSON *root = cJSON_ParseWithLength(body, bytes);
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(root, "data");
    self.seen = calloc(count ? count : 1, sizeof *self.seen);
    assert(self.seen);
    if (!cJSON_IsArray(data))
        err = wrong(&self, root ? "no list \"data\"" : "not JSON");
    else if ((size_t)cJSON_GetArraySize(data) != count || count == 0)
        err = wrong(&self, "another number of embeddings than texts");
    size_t position = 0;
    const cJSON *item = data ? data->child : NULL;
    for (; !err && item; item = item->next) err = take_item(&self, item, position++);
    cJSON_Delete(root);
    free(self.seen);
    if (err) {
        free(self.vectors);
        return err;
    }
    *out = self.vectors;
    *dimensions = self.dimensions;
    return PL_OK;
}

void embed_answer_error(const char *body, size_t bytes, char out[EMBED_DETAIL_BYTES])
{
    out[0] = '\0';
    cJSON *root = cJSON_ParseWithLength(body, bytes);
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(root, "error");
    const cJSON *message = cJSON_GetObjectItemCaseSensitive(error, "message");
    const char *text = cJSON_GetStringValue(message);
    if (!text) text = cJSON_GetStringValue(error);
    if (text) (void)snprintf(out, EMBED_DETAIL_BYTES, "%s", text);
    cJSON_Delete(root);
    for (char *c = out; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == '"' || *c == 0x7f) *c = '\'';
    }
}
