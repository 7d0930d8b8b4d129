/* wav_file.h - a recording on disk: stereo WAV, 16 bit at 16 kHz, whole at every moment.
 *
 * The header is written anew after the samples it counts, so that a process killed at any point
 * leaves a file that players read. A part that is left out is silence.
 * Files are named by call: <uuid>.wav, then <uuid>.2.wav and so on for later legs of the same call.
 *
 * Threads: none of its own. Everything blocks on the disk. Errors are errno's numbers, 0 is none.
 * Source: "Multimedia Programming Interface and Data Specifications 1.0" (RIFF WAVE).
 */
#ifndef PL_TELEPHONY_WAV_FILE_H
#define PL_TELEPHONY_WAV_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WAV_HEADER_BYTES = 44,
    WAV_FRAME_BYTES = 4, /* a sample of each side */
    WAV_NUMBER_MAX = 99, /* legs of one call */
    WAV_NAME_BYTES = 48,
};

typedef struct {
    int fd; /* -1: closed */
    unsigned number;
    char folder[512];
    char call_id[40];
    uint64_t frames; /* in the header */
} wav_file_t;

/* "<uuid>.wav" or "<uuid>.<number>.wav". False: call_id is no UUID, or number out of range. */
bool wav_file_name(const char *call_id, unsigned number, char out[WAV_NAME_BYTES]);
/* Is this a name of that kind? */
bool wav_file_is_name(const char *name);

/* Creates the call's next file. EINVAL: call_id is no UUID; ENAMETOOLONG; EEXIST: all numbers are
 * taken. self is closed on failure. */
int wav_file_open(wav_file_t *self, const char *folder, const char *call_id);
/* Puts so many frames at that place, counted from the beginning, and counts them in the header.
 * EFBIG: a WAV file ends at 4 GB. */
int wav_file_put(wav_file_t *self, uint64_t at, const int16_t *frames, size_t count);
/* Frames that were not put stand as silence up to there. */
int wav_file_close(wav_file_t *self, uint64_t frames);

#endif
