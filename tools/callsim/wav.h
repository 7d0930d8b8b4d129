/* wav.h - WAV files of 16 bit samples at 16 kHz: a stereo recording written as it grows, mono
 * files read and written whole.
 *
 * Threads: a file belongs to one thread. Source: Microsoft RIFF WAVE, format 1 (PCM).
 */
#ifndef CALLSIM_WAV_H
#define CALLSIM_WAV_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { WAV_HZ = 16000 };

typedef struct wav_writer wav_writer_t;

/* PL_UNAVAILABLE: the file cannot be made (errno says why). */
pl_err_t wav_open(wav_writer_t **out, const char *file, uint16_t channels);
/* One frame of the left and right channel each. */
void wav_write_stereo(wav_writer_t *self, const int16_t *left, const int16_t *right,
                      size_t samples);
void wav_write(wav_writer_t *self, const int16_t *pcm, size_t samples); /* as they are */
/* Writes the lengths into the header. PL_UNAVAILABLE: something could not be written. */
pl_err_t wav_close(wav_writer_t **self_p);

pl_err_t wav_save(const char *file, const int16_t *pcm, size_t samples); /* mono */

/* A mono file of 16 bit at 16 kHz; *pcm_out is malloc'd. PL_INVALID: another format. */
pl_err_t wav_load(const char *file, int16_t **pcm_out, size_t *samples_out);
/* The same of a stereo file, left and right in turn; *samples_out: of one channel. */
pl_err_t wav_load_stereo(const char *file, int16_t **pcm_out, size_t *samples_out);

#endif
