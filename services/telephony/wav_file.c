#include "services/telephony/wav_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HZ = 16000, CHANNELS = 2, UUID_CHARS = 36, FILE_MODE = 0640 };
static const char tag_riff[4] = {'R', 'I', 'F', 'F'};
static const char tag_format[8] = {'W', 'A', 'V', 'E', 'f', 'm', 't', ' '};
static const char tag_data[4] = {'d', 'a', 't', 'a'};
static const uint64_t most_frames = (UINT32_MAX - WAV_HEADER_BYTES) / WAV_FRAME_BYTES;

/* ---- names ---- */

static bool is_uuid(const char *text)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    for (size_t i = 0; i < UUID_CHARS; i++) {
        bool hex = text[i] != '\0' && strchr("0123456789abcdef", text[i]) != NULL;
        if (shape[i] == '-' ? text[i] != '-' : !hex) return false;
    }
    return true;
}

bool wav_file_name(const char *call_id, unsigned number, char out[WAV_NAME_BYTES])
{
    if (number < 1 || number > WAV_NUMBER_MAX) return false;
    if (!is_uuid(call_id) || call_id[UUID_CHARS] != '\0') return false;
    if (number == 1)
        snprintf(out, WAV_NAME_BYTES, "%s.wav", call_id);
    else
        snprintf(out, WAV_NAME_BYTES, "%s.%u.wav", call_id, number);
    return true;
}

bool wav_file_is_name(const char *name)
{
    if (!is_uuid(name)) return false;
    const char *rest = name + UUID_CHARS;
    if (*rest == '.' && rest[1] >= '1' && rest[1] <= '9') {
        rest += 2;
        if (*rest >= '0' && *rest <= '9') rest++;
    }
    return strcmp(rest, ".wav") == 0;
}

static int path_of(const wav_file_t *self, const char *call_id, unsigned number, char *out,
                   size_t room)
{
    char name[WAV_NAME_BYTES];
    if (!wav_file_name(call_id, number, name)) return EINVAL;
    int length = snprintf(out, room, "%s/%s", self->folder, name);
    return length > 0 && (size_t)length < room ? 0 : ENAMETOOLONG;
}

/* ---- header ---- */

static void put16(uint8_t *out, uint32_t value)
{
    out[0] = (uint8_t)value;
    out[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *out, uint32_t value)
{
    put16(out, value & 0xffff);
    put16(out + 2, value >> 16);
}

static int put_bytes(int fd, const void *bytes, size_t size, uint64_t at)
{
    const uint8_t *from = bytes;
    while (size > 0) {
        ssize_t done = pwrite(fd, from, size, (off_t)at);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return done < 0 ? errno : ENOSPC;
        from += done;
        size -= (size_t)done;
        at += (uint64_t)done;
    }
    return 0;
}

static int put_header(wav_file_t *self, uint64_t frames)
{
    uint8_t h[WAV_HEADER_BYTES] = {0};
    uint32_t bytes = (uint32_t)(frames * WAV_FRAME_BYTES);
    memcpy(h, tag_riff, sizeof tag_riff);
    put32(h + 4, bytes + WAV_HEADER_BYTES - 8);
    memcpy(h + 8, tag_format, sizeof tag_format);
    put32(h + 16, 16);
    put16(h + 20, 1); /* PCM */
    put16(h + 22, CHANNELS);
    put32(h + 24, HZ);
    put32(h + 28, HZ * WAV_FRAME_BYTES);
    put16(h + 32, WAV_FRAME_BYTES);
    put16(h + 34, 16);
    memcpy(h + 36, tag_data, sizeof tag_data);
    put32(h + 40, bytes);
    int err = put_bytes(self->fd, h, sizeof h, 0);
    if (!err) self->frames = frames;
    return err;
}

/* ---- life ---- */

/* Makes the folder and those above it. */
static int make_folder(const char *folder)
{
    char path[sizeof((wav_file_t *)0)->folder];
    snprintf(path, sizeof path, "%s", folder);
    for (char *at = path + 1; *at != '\0'; at++) {
        if (*at != '/') continue;
        *at = '\0';
        if (mkdir(path, 0750) != 0 && errno != EEXIST) return errno;
        *at = '/';
    }
    return mkdir(path, 0750) == 0 || errno == EEXIST ? 0 : errno;
}

int wav_file_open(wav_file_t *self, const char *folder, const char *call_id)
{
    *self = (wav_file_t){.fd = -1};
    if (strlen(folder) >= sizeof self->folder) return ENAMETOOLONG;
    snprintf(self->folder, sizeof self->folder, "%s", folder);
    int err = make_folder(folder);
    char path[640];
    for (unsigned n = 1; !err && self->fd < 0; n++) {
        err = path_of(self, call_id, n, path, sizeof path);
        if (err) return n > WAV_NUMBER_MAX ? EEXIST : err;
        self->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
        if (self->fd < 0 && errno != EEXIST) err = errno;
        self->number = n;
    }
    if (err) return err;
    snprintf(self->call_id, sizeof self->call_id, "%s", call_id);
    err = put_header(self, 0);
    if (!err) return 0;
    (void)close(self->fd);
    (void)unlink(path);
    self->fd = -1;
    return err;
}

int wav_file_put(wav_file_t *self, uint64_t at, const int16_t *frames, size_t count)
{
    if (self->fd < 0) return EBADF;
    if (at + count > most_frames) return EFBIG;
    int err = put_bytes(self->fd, frames, count * WAV_FRAME_BYTES,
                        WAV_HEADER_BYTES + at * WAV_FRAME_BYTES);
    if (err) return err;
    return at + count > self->frames ? put_header(self, at + count) : 0;
}

int wav_file_close(wav_file_t *self, uint64_t frames)
{
    if (self->fd < 0) return 0;
    int err = 0;
    if (frames > most_frames) frames = most_frames;
    if (frames > self->frames) {
        off_t bytes = (off_t)(WAV_HEADER_BYTES + frames * WAV_FRAME_BYTES);
        err = ftruncate(self->fd, bytes) == 0 ? put_header(self, frames) : errno;
    }
    if (close(self->fd) != 0 && !err) err = errno;
    self->fd = -1;
    return err;
}
