#include "tests/doubles/speech/sound.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "services/speech/providers/flite_voice.h"
#include "tools/callsim/mark.h"
#include "services/speech/providers/sphinx.h"

#include <speex/speex_resampler.h>

static sphinx_t *ears;

void sound_free(sound_t *self)
{
    free(self->pcm);
    *self = (sound_t){0};
}

static uint32_t u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint16_t u16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

sound_t sound_at(const sound_t *self, uint32_t from_hz, uint32_t to_hz)
{
    sound_t out = {0};
    size_t room = (size_t)((uint64_t)self->samples * to_hz / from_hz) + 64;
    out.pcm = malloc(room * sizeof *out.pcm);
    assert(out.pcm);
    int err = 0;
    SpeexResamplerState *state = speex_resampler_init(1, from_hz, to_hz, 5, &err);
    assert(state);
    (void)speex_resampler_skip_zeros(state);
    spx_uint32_t in = (spx_uint32_t)self->samples;
    spx_uint32_t made = (spx_uint32_t)room;
    (void)speex_resampler_process_int(state, 0, self->pcm, &in, out.pcm, &made);
    speex_resampler_destroy(state);
    out.samples = made;
    return out;
}

typedef struct {
    uint32_t hz;
    uint16_t channels, bits, form;
    const uint8_t *data;
    size_t bytes;
} wav_t;

static void read_chunks(wav_t *wav, const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 8) {
        size_t bytes = u32(at + 4);
        const uint8_t *body = at + 8;
        if (bytes > (size_t)(end - body))
            bytes = (size_t)(end - body); /* streamed: length unknown */
        if (memcmp(at, "fmt ", 4) == 0 && bytes >= 16) {
            wav->form = u16(body);
            wav->channels = u16(body + 2);
            wav->hz = u32(body + 4);
            wav->bits = u16(body + 14);
        }
        if (memcmp(at, "data", 4) == 0) {
            wav->data = body;
            wav->bytes = bytes;
        }
        at = body + bytes + (bytes & 1);
        if (at > end) return;
    }
}

bool sound_read_wav(sound_t *out, const char *bytes, size_t size, const char **reason)
{
    const uint8_t *file = (const uint8_t *)bytes;
    wav_t wav = {0};
    *reason = "Invalid file format.";
    if (size < 12 || memcmp(file, "RIFF", 4) != 0 || memcmp(file + 8, "WAVE", 4) != 0) return false;
    read_chunks(&wav, file + 12, file + size);
    if (wav.form != 1 || wav.channels != 1 || wav.bits != 16 || !wav.data) return false;
    if (wav.hz < 8000 || wav.hz > 48000) return false;
    sound_t raw = {malloc(wav.bytes + 1), wav.bytes / 2};
    assert(raw.pcm);
    for (size_t i = 0; i < raw.samples; i++) raw.pcm[i] = (int16_t)u16(wav.data + 2 * i);
    *reason = "Audio file is too short. Minimum audio length is 0.1 seconds.";
    bool good = raw.samples >= wav.hz / 10;
    if (good) *out = sound_at(&raw, wav.hz, SOUND_HZ);
    sound_free(&raw);
    return good;
}

static void put(text_t *out, uint32_t n, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        char byte = (char)(n >> 8 * i);
        text_bytes(out, &byte, 1);
    }
}

void sound_wav_head(text_t *out, size_t samples, uint32_t hz)
{
    uint32_t bytes = (uint32_t)(samples * sizeof(int16_t));
    text_bytes(out, "RIFF", 4);
    put(out, bytes + 36, 4);
    text_bytes(out, "WAVEfmt ", 8);
    put(out, 16, 4);
    put(out, 1, 2);
    put(out, 1, 2);
    put(out, hz, 4);
    put(out, hz * 2, 4);
    put(out, 2, 2);
    put(out, 16, 2);
    text_bytes(out, "data", 4);
    put(out, bytes, 4);
}

bool sound_load(void)
{
    return sphinx_new(&ears, NULL) == PL_OK;
}

void sound_unload(void)
{
    sphinx_destroy(&ears);
}

const char *sound_words(const sound_t *self)
{
    if (sphinx_begin(ears, PL__EXPECT__ANYTHING, NULL, false) != PL_OK) return "";
    (void)sphinx_feed(ears, self->pcm, self->samples);
    return sphinx_end(ears, NULL);
}

bool sound_say(sound_t *out, const char *text, double rate, uint32_t mark)
{
    sound_t said = {0};
    if (flite_voice_say("slt", rate, text, &said.pcm, &said.samples) != PL_OK) return false;
    mark_add(said.pcm, said.samples, MARK_BOT, mark, 0);
    *out = sound_at(&said, SOUND_HZ, SOUND_OUT_HZ);
    sound_free(&said);
    return true;
}
