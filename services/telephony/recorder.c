#include "services/telephony/recorder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/worker.h"
#include "services/telephony/wav_file.h"

enum {
    TICK_MS = 20,
    CHUNK_TICKS = 25,
    CHUNK_FRAMES = CHUNK_TICKS * CODEC_FRAME_SAMPLES,
    MOST_UNDER_WAY = 8, /* chunks of one recording: 4 s, 256 KB */
    SWEEP_MS = 3600 * 1000,
    FREE_LOOK_MS = 10000,
    ID_BYTES = 40,
    SECONDS_OF_DAY = 86400,
};

struct recorder {
    pl_worker_t *writer, *reader;
    pl_loop_t *writing; /* the writer's loop */
    char folder[512];
    uint32_t retention_days;
    uint64_t free_bytes;
    pl_metric_t *failed, *lost_ms, *deleted;
    pl_timer_t *sweep; /* from here on of the writer's thread */
    uint64_t looked_ms;
    bool full;
};

/* Shared by a media thread and the writer; freed by the writer, after the last chunk. */
struct recording {
    recorder_t *recorder;
    int64_t started_at_ms;
    /* of the media thread */
    int16_t *chunk; /* NULL: none begun */
    uint32_t chunk_ticks;
    uint64_t ticks, lost_ticks;
    /* between the two */
    atomic_uint under_way;
    atomic_int failure;    /* errno */
    atomic_uint number;    /* of the file */
    atomic_uint unwritten; /* ticks handed over and not written */
    /* of the writer */
    wav_file_t file;
    char call_id[ID_BYTES];
};

typedef struct {
    recording_t *recording;
    uint64_t at; /* frame */
    int16_t *frames;
    uint32_t ticks;
    char call_id[ID_BYTES];
} job_t;

static job_t *job_new(recording_t *recording)
{
    job_t *job = calloc(1, sizeof *job);
    if (!job) abort();
    job->recording = recording;
    return job;
}

static void give(recording_t *self, void (*fn)(void *arg), job_t *job)
{
    pl_loop_post(self->recorder->writing, fn, job);
}

/* ---- the writer ---- */

/* The first failure ends the recording: a file that is whole up to there is worth more than one
 * with holes that nobody can explain. */
static void fail(recording_t *self, int err)
{
    int none = 0;
    if (!atomic_compare_exchange_strong(&self->failure, &none, err)) return;
    char why[RECORDING_FAILURE_BYTES];
    log_warn("recording.failed", "call=%s detail=\"%s\"", self->call_id,
             strerror_r(err, why, sizeof why));
    pl_metric_add(self->recorder->failed, 1);
}

static bool disk_is_full(recorder_t *self)
{
    uint64_t now_ms = pl_clock_ms();
    if (self->looked_ms != 0 && now_ms < self->looked_ms + FREE_LOOK_MS) return self->full;
    self->looked_ms = now_ms;
    struct statvfs disk;
    self->full = statvfs(self->folder, &disk) == 0 &&
                 (uint64_t)disk.f_bavail * disk.f_frsize < self->free_bytes;
    return self->full;
}

static void run_open(void *arg)
{
    job_t *job = arg;
    recording_t *self = job->recording;
    snprintf(self->call_id, sizeof self->call_id, "%s", job->call_id);
    int err = wav_file_open(&self->file, self->recorder->folder, self->call_id);
    if (!err && disk_is_full(self->recorder)) err = ENOSPC;
    if (err)
        fail(self, err);
    else
        atomic_store(&self->number, self->file.number);
    free(job);
}

static void run_put(void *arg)
{
    job_t *job = arg;
    recording_t *self = job->recording;
    int err = atomic_load(&self->failure);
    if (!err && disk_is_full(self->recorder)) err = ENOSPC;
    size_t frames = (size_t)job->ticks * CODEC_FRAME_SAMPLES;
    if (!err) err = wav_file_put(&self->file, job->at, job->frames, frames);
    if (err) {
        fail(self, err);
        atomic_fetch_add(&self->unwritten, job->ticks);
    }
    atomic_fetch_sub(&self->under_way, 1);
    free(job->frames);
    free(job);
}

static void run_close(void *arg)
{
    job_t *job = arg;
    recording_t *self = job->recording;
    uint64_t frames =
        atomic_load(&self->failure) ? 0 : job->at; /* a failed one ends where it did */
    int err = wav_file_close(&self->file, frames);
    if (err) fail(self, err);
    free(self);
    free(job);
}

/* ---- old ones ---- */

static void delete_if_old(recorder_t *self, int folder_fd, const char *name, time_t now)
{
    struct stat st;
    if (!wav_file_is_name(name)) return;
    if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode)) return;
    time_t age = now - st.st_mtime;
    if (age < (time_t)self->retention_days * SECONDS_OF_DAY) return;
    if (unlinkat(folder_fd, name, 0) != 0) return;
    pl_metric_add(self->deleted, 1);
    log_info("recording.deleted", "name=%s age_days=%lld", name, (long long)(age / SECONDS_OF_DAY));
}

static void sweep(void *arg)
{
    recorder_t *self = arg;
    DIR *folder = opendir(self->folder);
    if (!folder) return; /* nothing was recorded yet */
    time_t now = time(NULL);
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        delete_if_old(self, dirfd(folder), entry->d_name, now);
    }
    closedir(folder);
}

static void start_sweeping(void *arg)
{
    recorder_t *self = arg;
    sweep(self);
    self->sweep = pl_timer_start(self->writing, SWEEP_MS, SWEEP_MS, sweep, self);
}

static void stop_sweeping(void *arg)
{
    recorder_t *self = arg;
    pl_timer_stop(&self->sweep);
}

/* ---- life ---- */

recorder_t *recorder_new(const recorder_opts_t *opts)
{
    recorder_t *self = calloc(1, sizeof *self);
    if (!self) abort();
    snprintf(self->folder, sizeof self->folder, "%s", opts->folder);
    self->retention_days = opts->retention_days;
    self->free_bytes = (uint64_t)opts->free_mb << 20;
    self->failed = pl_metric_counter("parley_recordings_failed_total", NULL,
                                     "Recordings that could not be written to the end");
    self->lost_ms = pl_metric_counter("parley_recording_lost_ms_total", NULL,
                                      "Recorded time that was not written");
    self->deleted = pl_metric_counter("parley_recordings_deleted_total", NULL,
                                      "Recordings deleted because of their age");
    self->writer = pl_worker_new("rec-write");
    self->writing = pl_worker_loop(self->writer);
    self->reader = pl_worker_new("rec-read");
    if (self->retention_days > 0) {
        pl_loop_post(self->writing, start_sweeping, self);
    }
    return self;
}

void recorder_destroy(recorder_t **self_p)
{
    recorder_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_loop_post(self->writing, stop_sweeping, self);
    pl_worker_destroy(&self->writer);
    pl_worker_destroy(&self->reader);
    free(self);
}

pl_loop_t *recorder_writer_loop(recorder_t *self)
{
    return self->writing;
}

/* ---- the media thread's side ---- */

recording_t *recording_open(recorder_t *recorder, const char *call_id)
{
    recording_t *self = calloc(1, sizeof *self);
    if (!self) abort();
    self->recorder = recorder;
    self->file.fd = -1;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    self->started_at_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    job_t *job = job_new(self);
    snprintf(job->call_id, sizeof job->call_id, "%s", call_id);
    give(self, run_open, job);
    return self;
}

/* Hands over what was gathered. Too much is under way: it is lost, and silent in the file. */
static void hand_over(recording_t *self)
{
    if (!self->chunk) return;
    bool lost = atomic_load(&self->failure) != 0 || atomic_load(&self->under_way) >= MOST_UNDER_WAY;
    if (lost) {
        self->lost_ticks += self->chunk_ticks;
        free(self->chunk);
    } else {
        job_t *job = job_new(self);
        job->at = (self->ticks - self->chunk_ticks) * CODEC_FRAME_SAMPLES;
        job->frames = self->chunk;
        job->ticks = self->chunk_ticks;
        atomic_fetch_add(&self->under_way, 1);
        give(self, run_put, job);
    }
    self->chunk = NULL;
    self->chunk_ticks = 0;
}

void recording_frame(recording_t *self, const int16_t *caller, const int16_t *bot)
{
    if (!self->chunk) {
        self->chunk = malloc((size_t)CHUNK_FRAMES * WAV_FRAME_BYTES);
        if (!self->chunk) abort();
    }
    int16_t *out = self->chunk + (size_t)self->chunk_ticks * CODEC_FRAME_SAMPLES * 2;
    for (size_t i = 0; i < CODEC_FRAME_SAMPLES; i++) {
        out[2 * i] = caller ? caller[i] : 0;
        out[2 * i + 1] = bot ? bot[i] : 0;
    }
    self->ticks++;
    if (++self->chunk_ticks == CHUNK_TICKS) hand_over(self);
}

void recording_skip(recording_t *self, uint32_t ticks)
{
    hand_over(self);
    self->ticks += ticks;
}

void recording_stats(const recording_t *self, recording_stats_t *out)
{
    uint64_t lost = self->lost_ticks + atomic_load(&self->unwritten);
    *out = (recording_stats_t){
        .any = true,
        .number = atomic_load(&self->number),
        .started_at_ms = self->started_at_ms,
        .duration_ms = (uint32_t)(self->ticks * TICK_MS),
        .lost_ms = (uint32_t)(lost * TICK_MS),
    };
    int failure = atomic_load(&self->failure);
    if (failure) {
        char text[RECORDING_FAILURE_BYTES];
        snprintf(out->failure, sizeof out->failure, "%s", strerror_r(failure, text, sizeof text));
    } else if (out->number == 0) {
        snprintf(out->failure, sizeof out->failure, "the disk has not answered");
    }
}

unsigned recording_waiting(const recording_t *self)
{
    return atomic_load(&self->under_way);
}

void recording_close(recording_t **self_p)
{
    recording_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    hand_over(self);
    pl_metric_add(self->recorder->lost_ms,
                  (double)(self->lost_ticks + atomic_load(&self->unwritten)) * TICK_MS);
    job_t *job = job_new(self);
    job->at = self->ticks * CODEC_FRAME_SAMPLES;
    give(self, run_close, job);
}

/* ---- reading ---- */

typedef struct {
    recorder_t *recorder;
    pl_loop_t *home;
    char call_id[ID_BYTES];
    unsigned number;
    uint64_t offset;
    size_t length;
    recorder_read_fn *done;
    void *arg;
    pl_err_t err;
    uint8_t *bytes;
    size_t size;
    uint64_t total;
} reading_t;

static void deliver(void *arg)
{
    reading_t *r = arg;
    r->done(r->arg, r->err, r->bytes, r->size, r->total);
    free(r->bytes);
    free(r);
}

static pl_err_t read_part(reading_t *r, int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return PL_NOT_FOUND;
    r->total = (uint64_t)st.st_size;
    if (r->offset >= r->total) return PL_OK;
    size_t want = r->length;
    if (want > r->total - r->offset) want = (size_t)(r->total - r->offset);
    r->bytes = malloc(want);
    if (!r->bytes) abort();
    while (r->size < want) {
        ssize_t got = pread(fd, r->bytes + r->size, want - r->size, (off_t)(r->offset + r->size));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return got < 0 ? PL_UNAVAILABLE : PL_OK;
        r->size += (size_t)got;
    }
    return PL_OK;
}

static void run_read(void *arg)
{
    reading_t *r = arg;
    char name[WAV_NAME_BYTES], path[640];
    int fd = -1;
    if (wav_file_name(r->call_id, r->number, name)) {
        snprintf(path, sizeof path, "%s/%s", r->recorder->folder, name);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    }
    r->err = fd < 0 ? PL_NOT_FOUND : read_part(r, fd);
    if (fd >= 0) (void)close(fd);
    pl_loop_post(r->home, deliver, r);
}

void recorder_read(recorder_t *self, pl_loop_t *home, const char *call_id, unsigned number,
                   uint64_t offset, size_t length, recorder_read_fn *done, void *arg)
{
    reading_t *r = calloc(1, sizeof *r);
    if (!r) abort();
    r->recorder = self;
    r->home = home;
    snprintf(r->call_id, sizeof r->call_id, "%s", call_id);
    r->number = number;
    r->offset = offset;
    r->length = length < RECORDER_READ_MAX ? length : RECORDER_READ_MAX;
    r->done = done;
    r->arg = arg;
    pl_loop_post(pl_worker_loop(self->reader), run_read, r);
}
