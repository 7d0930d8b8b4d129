#include "services/telephony/prompt.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

enum { HZ = 16000, SAMPLE_BYTES = 2, RIFF_BYTES = 12, CHUNK_BYTES = 8, FORMAT_BYTES = 16 };
enum { MAX_FILE_BYTES = PROMPT_MAX_SECONDS * HZ * SAMPLE_BYTES + 4096 };

static uint32_t le32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint16_t le16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

/* The chunk's bytes, or NULL. */
static const uint8_t *chunk(const uint8_t *bytes, size_t count, const char id[4], uint32_t *size)
{
    size_t at = RIFF_BYTES;
    while (count - at >= CHUNK_BYTES) {
        *size = le32(bytes + at + 4);
        if (*size > count - at - CHUNK_BYTES) return NULL;
        if (memcmp(bytes + at, id, 4) == 0) return bytes + at + CHUNK_BYTES;
        at += CHUNK_BYTES + *size + (*size & 1);
        if (at > count) return NULL;
    }
    return NULL;
}

static bool format_good(const uint8_t *format, uint32_t size)
{
    return size >= FORMAT_BYTES && le16(format) == 1 && le16(format + 2) == 1 &&
           le32(format + 4) == HZ && le16(format + 14) == 8 * SAMPLE_BYTES;
}

pl_err_t prompt_parse(prompt_t *out, const uint8_t *bytes, size_t count)
{
    if (count < RIFF_BYTES || memcmp(bytes, "RIFF", 4) != 0 || memcmp(bytes + 8, "WAVE", 4) != 0) {
        return PL_INVALID;
    }
    uint32_t size = 0;
    const uint8_t *format = chunk(bytes, count, "fmt ", &size);
    if (!format || !format_good(format, size)) return PL_INVALID;
    const uint8_t *data = chunk(bytes, count, "data", &size);
    size_t samples = size / SAMPLE_BYTES;
    if (!data || samples == 0 || samples > (size_t)PROMPT_MAX_SECONDS * HZ) return PL_INVALID;
    int16_t *pcm = malloc(samples * sizeof(*pcm));
    if (!pcm) abort();
    for (size_t i = 0; i < samples; i++) pcm[i] = (int16_t)le16(data + i * SAMPLE_BYTES);
    *out = (prompt_t){pcm, samples};
    return PL_OK;
}

pl_err_t prompt_load(prompt_t *out, const char *key, const char *path)
{
    FILE *file = fopen(path, "rbe");
    if (!file) {
        log_error("prompt.failed", "detail=\"%s: %s cannot be read\"", key, path);
        return PL_NOT_FOUND;
    }
    uint8_t *bytes = malloc(MAX_FILE_BYTES);
    if (!bytes) abort();
    size_t count = fread(bytes, 1, MAX_FILE_BYTES, file);
    (void)fclose(file);
    pl_err_t err = prompt_parse(out, bytes, count);
    free(bytes);
    if (err) {
        log_error("prompt.failed", "detail=\"%s: %s: not a WAV file of 16 kHz mono 16 bit PCM\"",
                  key, path);
    }
    return err;
}

void prompt_free(prompt_t *prompt)
{
    free(prompt->pcm);
    *prompt = (prompt_t){NULL, 0};
}

uint32_t prompt_ms(const prompt_t *prompt)
{
    return (uint32_t)(prompt->samples * 1000 / HZ);
}
