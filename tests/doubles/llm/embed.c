#include "tests/doubles/llm/embed.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/doubles/llm/chat_reply.h"

enum { INPUTS_MOST = 2048, DIRECTIONS = 8 };

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ULL;
    return x ^ (x >> 33);
}

static void add_word(const char *word, size_t size, size_t dimensions, float *out)
{
    uint64_t hash = 0xcbf29ce484222325ULL;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ (uint64_t)(unsigned char)tolower((unsigned char)word[i])) * 0x100000001b3ULL;
    }
    for (unsigned i = 0; i < DIRECTIONS; i++) {
        uint64_t at = mix(hash + i);
        out[at % dimensions] += at >> 63 ? 1.0F : -1.0F;
    }
}

void embed(const char *text, size_t dimensions, float *out)
{
    for (size_t i = 0; i < dimensions; i++) out[i] = 0;
    for (const char *at = text; *at;) {
        size_t size = 0;
        while (isalnum((unsigned char)at[size]) || (unsigned char)at[size] >= 0x80) size++;
        if (size) add_word(at, size, dimensions, out);
        at += size ? size : 1;
    }
    double length = 0;
    for (size_t i = 0; i < dimensions; i++) length += (double)out[i] * out[i];
    if (length <= 0) {
        out[0] = 1;
        return;
    }
    for (size_t i = 0; i < dimensions; i++) out[i] = (float)(out[i] / sqrt(length));
}

static void add_vector(text_t *out, const float *vector, size_t dimensions, bool base64)
{
    if (base64) {
        int bytes = (int)(dimensions * sizeof *vector);
        unsigned char *coded = malloc((size_t)bytes * 4 / 3 + 8);
        if (!coded) abort();
        EVP_EncodeBlock(coded, (const unsigned char *)vector, bytes);
        text_fmt(out, "\"%s\"", coded);
        free(coded);
        return;
    }
    for (size_t i = 0; i < dimensions; i++) {
        text_fmt(out, "%c%.8g", i ? ',' : '[', (double)vector[i]);
    }
    text_add(out, "]");
}

/* The inputs, borrowed from root; 0 when there is a wrong one. */
static size_t read_inputs(const cJSON *root, const char *refuse, const char *inputs[INPUTS_MOST])
{
    const cJSON *input = cJSON_GetObjectItemCaseSensitive(root, "input");
    size_t count = 0;
    if (cJSON_IsString(input)) inputs[count++] = input->valuestring;
    const cJSON *one;
    if (cJSON_IsArray(input)) {
        cJSON_ArrayForEach(one, input)
        {
            if (!cJSON_IsString(one) || count == INPUTS_MOST) return 0;
            inputs[count++] = one->valuestring;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (!*inputs[i]) return 0; /* OpenAI refuses empty ones */
        if (*refuse && strstr(inputs[i], refuse)) return 0;
    }
    return count;
}

static void write_reply(const cJSON *root, const char *const *inputs, size_t count,
                        size_t dimensions, plan_t *out, uint64_t at_us)
{
    const cJSON *format = cJSON_GetObjectItemCaseSensitive(root, "encoding_format");
    const cJSON *model = cJSON_GetObjectItemCaseSensitive(root, "model");
    bool base64 = cJSON_IsString(format) && strcmp(format->valuestring, "base64") == 0;
    text_t body = {0};
    uint32_t tokens = 0;
    float vector[EMBED_MOST];
    text_add(&body, "{\"object\":\"list\",\"data\":[");
    for (size_t i = 0; i < count; i++) {
        text_fmt(&body, "%s{\"object\":\"embedding\",\"index\":%zu,\"embedding\":", i ? "," : "",
                 i);
        embed(inputs[i], dimensions, vector);
        add_vector(&body, vector, dimensions, base64);
        text_add(&body, "}");
        tokens += count_tokens(inputs[i]);
    }
    text_add(&body, "],\"model\":");
    text_json(&body, cJSON_IsString(model) ? model->valuestring : "double");
    text_fmt(&body, ",\"usage\":{\"prompt_tokens\":%u,\"total_tokens\":%u}}", tokens, tokens);
    plan_whole(out, 200, "application/json", NULL, body.data, at_us);
    text_free(&body);
}

void embed_reply(const script_t *script, const char *body, size_t bytes, bool named, plan_t *out)
{
    embeddings_t manner = script_embeddings(script);
    if (manner.status != 200) {
        reply_error(out, manner.status, "", "", "The server had an error", NULL);
        return;
    }
    cJSON *root = cJSON_ParseWithLength(body, bytes);
    const cJSON *wanted = cJSON_GetObjectItemCaseSensitive(root, "dimensions");
    const cJSON *model = cJSON_GetObjectItemCaseSensitive(root, "model");
    int dimensions = wanted ? wanted->valueint : (int)manner.dimensions;
    const char **inputs = calloc(INPUTS_MOST, sizeof *inputs);
    if (!inputs) abort();
    size_t count = read_inputs(root, manner.refuse, inputs);
    if (!count) {
        reply_error(out, 400, "", "input", "Invalid 'input': strings of text, 1 to 2048.", NULL);
    } else if (dimensions < 1 || dimensions > EMBED_MOST) {
        reply_error(out, 400, "", "dimensions", "Invalid value for 'dimensions'.", NULL);
    } else if (!named && !cJSON_IsString(model)) {
        reply_error(out, 400, "", "model", "you must provide a model parameter", NULL);
    } else {
        write_reply(root, inputs, count, (size_t)dimensions, out, 1000ULL * manner.delay_ms);
    }
    free(inputs);
    cJSON_Delete(root);
}
