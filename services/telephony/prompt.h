/* prompt.h - a short sound of ours, held in memory: 16 kHz mono 16 bit from a WAV file.
 *
 * Threads: read-only once loaded. Source: the RIFF/WAVE layout of Microsoft and IBM, PCM only.
 */
#ifndef PL_TELEPHONY_PROMPT_H
#define PL_TELEPHONY_PROMPT_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

typedef struct {
    int16_t *pcm;
    size_t samples;
} prompt_t;

enum { PROMPT_MAX_SECONDS = 60 };

/* Reads a WAV file from memory. PL_INVALID: not 16 kHz mono 16 bit PCM, empty, cut or too long. */
pl_err_t prompt_parse(prompt_t *out, const uint8_t *bytes, size_t count);
/* The same from a file, named by that key of the configuration. Says why it fails. */
pl_err_t prompt_load(prompt_t *out, const char *key, const char *path);
void prompt_free(prompt_t *prompt);

uint32_t prompt_ms(const prompt_t *prompt);

#endif
