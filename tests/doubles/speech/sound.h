/* sound.h - samples to and from what travels: WAV files, other rates, Flite, PocketSphinx.
 *
 * Threads: one; recognition and synthesis block for their time.
 */
#ifndef DOUBLE_SOUND_H
#define DOUBLE_SOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/gateway/text.h"

enum { SOUND_HZ = 16000, SOUND_OUT_HZ = 24000 };

typedef struct {
    int16_t *pcm; /* malloc'd */
    size_t samples;
} sound_t;

void sound_free(sound_t *self);

/* At 16 kHz. False with the reason: not a mono WAV file of 16 bit PCM. */
bool sound_read_wav(sound_t *out, const char *bytes, size_t size, const char **reason);
/* Another rate. */
sound_t sound_at(const sound_t *self, uint32_t from_hz, uint32_t to_hz);
void sound_wav_head(text_t *out, size_t samples, uint32_t hz);

bool sound_load(void); /* the recogniser; false: said why */
void sound_unload(void);
/* Its words; borrowed until the next. */
const char *sound_words(const sound_t *self);
/* Said at 24 kHz, over that mark of a bot's (mark.h; 0: none); false when there is nothing to say. */
bool sound_say(sound_t *out, const char *text, double rate, uint32_t mark);

#endif
