#include "tools/callsim/wav.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_BYTES = 44, MAX_FRAME = 1024, MAX_LOAD_BYTES = 64 << 20 };

struct wav_writer {
    FILE *file;
    uint16_t channels;
    uint32_t data_bytes;
    bool failed;
};

static void put16(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *to, uint32_t value)
{
    put16(to, value);
    put16(to + 2, value >> 16);
}

/* A chunk's four letters, which no NUL ends. */
static void put_id(uint8_t *to, const char *id)
{
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)id[i];
}

static uint32_t get16(const uint8_t *from)
{
    return (uint32_t)from[0] | (uint32_t)from[1] << 8;
}

static uint32_t get32(const uint8_t *from)
{
    return get16(from) | get16(from + 2) << 16;
}

static void write_header(wav_writer_t *self)
{
    uint8_t header[HEADER_BYTES];
    put_id(header, "RIFF");
    put_id(header + 8, "WAVE");
    put_id(header + 12, "fmt ");
    put32(header + 4, self->data_bytes + HEADER_BYTES - 8);
    put32(header + 16, 16);
    put16(header + 20, 1);
    put16(header + 22, self->channels);
    put32(header + 24, WAV_HZ);
    put32(header + 28, WAV_HZ * 2U * self->channels);
    put16(header + 32, 2U * self->channels);
    put16(header + 34, 16);
    put_id(header + 36, "data");
    put32(header + 40, self->data_bytes);
    if (fwrite(header, 1, sizeof header, self->file) != sizeof header) self->failed = true;
}

pl_err_t wav_open(wav_writer_t **out, const char *file, uint16_t channels)
{
    FILE *stream = fopen(file, "wbe");
    if (!stream) return PL_UNAVAILABLE;
    wav_writer_t *self = calloc(1, sizeof *self);
    assert(self);
    self->file = stream;
    self->channels = channels;
    write_header(self);
    *out = self;
    return PL_OK;
}

void wav_write(wav_writer_t *self, const int16_t *pcm, size_t samples)
{
    uint8_t bytes[2 * MAX_FRAME];
    while (samples) {
        size_t part = samples < MAX_FRAME ? samples : MAX_FRAME;
        for (size_t i = 0; i < part; i++) put16(bytes + 2 * i, (uint16_t)pcm[i]);
        if (fwrite(bytes, 2, part, self->file) != part) self->failed = true;
        self->data_bytes += (uint32_t)(2 * part);
        pcm += part;
        samples -= part;
    }
}

void wav_write_stereo(wav_writer_t *self, const int16_t *left, const int16_t *right, size_t samples)
{
    int16_t both[MAX_FRAME];
    while (samples) {
        size_t part = samples < MAX_FRAME / 2 ? samples : MAX_FRAME / 2;
        for (size_t i = 0; i < part; i++) {
            both[2 * i] = left[i];
            both[2 * i + 1] = right[i];
        }
        wav_write(self, both, 2 * part);
        left += part;
        right += part;
        samples -= part;
    }
}

pl_err_t wav_close(wav_writer_t **self_p)
{
    wav_writer_t *self = *self_p;
    if (!self) return PL_OK;
    *self_p = NULL;
    if (fseek(self->file, 0, SEEK_SET) != 0) self->failed = true;
    write_header(self);
    if (fclose(self->file) != 0) self->failed = true;
    bool failed = self->failed;
    free(self);
    return failed ? PL_UNAVAILABLE : PL_OK;
}

pl_err_t wav_save(const char *file, const int16_t *pcm, size_t samples)
{
    wav_writer_t *writer = NULL;
    pl_err_t err = wav_open(&writer, file, 1);
    if (err) return err;
    wav_write(writer, pcm, samples);
    return wav_close(&writer);
}

/* Finds a chunk after the RIFF header; NULL when there is none that fits. */
static const uint8_t *find_chunk(const uint8_t *bytes, size_t count, const char *id,
                                 size_t *length_out)
{
    size_t at = 12;
    while (at + 8 <= count) {
        size_t length = get32(bytes + at + 4);
        size_t here = count - at - 8;
        if (memcmp(bytes + at, id, 4) == 0) {
            *length_out = length < here ? length : here;
            return bytes + at + 8;
        }
        if (length > here) return NULL;
        at += 8 + length + (length & 1);
    }
    return NULL;
}

static pl_err_t parse(const uint8_t *bytes, size_t count, uint16_t channels, int16_t **pcm_out,
                      size_t *samples_out)
{
    size_t format_bytes = 0;
    size_t data_bytes = 0;
    if (count < 12 || memcmp(bytes, "RIFF", 4) != 0 || memcmp(bytes + 8, "WAVE", 4) != 0) {
        return PL_INVALID;
    }
    const uint8_t *format = find_chunk(bytes, count, "fmt ", &format_bytes);
    const uint8_t *data = find_chunk(bytes, count, "data", &data_bytes);
    if (!format || !data || format_bytes < 16) return PL_INVALID;
    bool ours = get16(format) == 1 && get16(format + 2) == channels &&
                get32(format + 4) == WAV_HZ && get16(format + 14) == 16;
    if (!ours) return PL_INVALID;
    size_t samples = data_bytes / 2;
    int16_t *pcm = calloc(samples + 1, sizeof *pcm);
    assert(pcm);
    for (size_t i = 0; i < samples; i++) pcm[i] = (int16_t)get16(data + 2 * i);
    *pcm_out = pcm;
    *samples_out = samples / channels;
    return PL_OK;
}

static pl_err_t load(const char *file, uint16_t channels, int16_t **pcm_out, size_t *samples_out)
{
    FILE *stream = fopen(file, "rbe");
    if (!stream) return PL_UNAVAILABLE;
    uint8_t *bytes = malloc(MAX_LOAD_BYTES);
    assert(bytes);
    size_t count = fread(bytes, 1, MAX_LOAD_BYTES, stream);
    (void)fclose(stream);
    pl_err_t err = parse(bytes, count, channels, pcm_out, samples_out);
    free(bytes);
    return err;
}

pl_err_t wav_load(const char *file, int16_t **pcm_out, size_t *samples_out)
{
    return load(file, 1, pcm_out, samples_out);
}

pl_err_t wav_load_stereo(const char *file, int16_t **pcm_out, size_t *samples_out)
{
    return load(file, 2, pcm_out, samples_out);
}
