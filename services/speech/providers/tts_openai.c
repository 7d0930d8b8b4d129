/* tts_openai: synthesis by any server with OpenAI's /audio/speech, its PCM played as it streams in.
 *
 * The server is trusted with every language. It tells no word positions.
 *
 * Threads: the loop's, all of it.
 * Source: OpenAI's API reference, "Create speech": response_format pcm is 16 bit signed
 * little-endian mono at 24 kHz.
 */
#include <assert.h>
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/lane.h"
#include "common/log.h"
#include "common/metrics.h"
#include "services/speech/providers/openai.h"
#include "services/speech/resample.h"
#include "services/speech/trim.h"
#include "services/speech/tts.h"

enum {
    ANSWER_MAX = 64 << 20, /* bytes of a sentence's audio: 20 minutes */
    REASON_BYTES = 200,
    PIECE_SAMPLES = 4096,
};

static const double rate_least = 0.25, rate_most = 4.0; /* what the API takes */

/* Voices of OpenAI's own service; other servers' are named in the configuration. */
static const char *const known_voices[] = {"alloy", "ash",     "ballad", "cedar", "coral",
                                           "echo",  "fable",   "marin",  "nova",  "onyx",
                                           "sage",  "shimmer", "verse",  NULL};

typedef struct {
    openai_t server;
    char *voice; /* the default */
    const pl_config_t *cfg;
    uint32_t hz, stall_ms;
} engine_t;

typedef struct {
    engine_t *engine;
    tts_sink_t sink;
    pl_http_call_t *call;
    resample_t *resample;
    trim_t *trim;
    bool half; /* a byte of a sample is still to come */
    uint8_t first;
    size_t given; /* samples */
} job_t;

/* ---- the answer ---- */

static void give(void *arg, const int16_t *pcm, size_t samples)
{
    job_t *job = arg;
    job->given += samples;
    job->sink.audio(job->sink.arg, pcm, samples);
}

static void to_trim(void *arg, const int16_t *pcm, size_t samples)
{
    job_t *job = arg;
    trim_feed(job->trim, pcm, samples);
}

static int16_t sample_of(uint8_t low, uint8_t high)
{
    return (int16_t)(uint16_t)(low | high << 8);
}

/* Pieces are cut anywhere, within a sample too. The sink may cancel the job with any of them, but
 * not while it is called: it hears of the whole piece first. */
static void on_piece(void *arg, const char *bytes, size_t size)
{
    job_t *job = arg;
    const uint8_t *at = (const uint8_t *)bytes;
    int16_t pcm[PIECE_SAMPLES];
    size_t count = 0;
    for (size_t i = 0; i < size; i++) {
        if (!job->half) {
            job->first = at[i];
            job->half = true;
            continue;
        }
        pcm[count++] = sample_of(job->first, at[i]);
        job->half = false;
        if (count < PIECE_SAMPLES) continue;
        resample_feed(job->resample, pcm, count);
        count = 0;
    }
    if (count > 0) resample_feed(job->resample, pcm, count);
}

static void job_free(job_t *job)
{
    resample_destroy(&job->resample);
    trim_destroy(&job->trim);
    free(job);
}

static void on_done(void *arg, pl_err_t err, const pl_http_answer_t *answer)
{
    job_t *job = arg;
    job->call = NULL;
    if (!err && (answer->status < 200 || answer->status > 299)) err = openai_error(answer);
    if (err) {
        char reason[REASON_BYTES];
        log_warn("tts.failed", "provider=openai err=%s status=%ld reason=\"%s\"", pl_err_name(err),
                 answer->status, openai_reason(answer, reason, sizeof reason));
    } else {
        resample_end(job->resample);
        trim_end(job->trim);
        if (job->given == 0) err = PL_INVALID; /* nothing to say */
    }
    tts_sink_t sink = job->sink;
    job_free(job);
    /* PL_INVALID means that there was nothing to say; a refused request is the server's failure. */
    sink.done(sink.arg, err == PL_INVALID && answer->status >= 300 ? PL_UNAVAILABLE : err);
}

/* ---- the request ---- */

static char *body_of(const engine_t *engine, const tts_say_t *say)
{
    double rate = say->rate > 0 ? say->rate : 1.0;
    if (rate < rate_least) rate = rate_least;
    if (rate > rate_most) rate = rate_most;
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "model", engine->server.model);
    cJSON_AddStringToObject(root, "input", say->text);
    cJSON_AddStringToObject(root, "voice", *say->voice ? say->voice : engine->voice);
    cJSON_AddStringToObject(root, "response_format", "pcm");
    cJSON_AddNumberToObject(root, "speed", rate);
    char *body = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    assert(body);
    return body;
}

static pl_err_t openai_tts_say(void *arg, void **out, const tts_say_t *say, const tts_sink_t *sink)
{
    engine_t *engine = arg;
    if (!engine->server.url) return PL_UNAVAILABLE;
    if (strspn(say->text, " \t\r\n") == strlen(say->text)) return PL_INVALID;
    job_t *job = calloc(1, sizeof *job);
    assert(job);
    job->engine = engine;
    job->sink = *sink;
    job->trim = trim_new(give, job);
    job->resample = resample_new(engine->hz, to_trim, job);
    char *body = body_of(engine, say);
    const char *headers[] = {"Content-Type: application/json", engine->server.authorization, NULL};
    pl_http_stream_t stream = {.piece = on_piece};
    pl_http_opts_t opts = {.url = engine->server.url,
                           .headers = headers,
                           .body = body,
                           .body_bytes = strlen(body),
                           .timeout_ms = engine->server.timeout_ms,
                           .stall_timeout_ms = engine->stall_ms,
                           .max_bytes = ANSWER_MAX,
                           .stream = &stream};
    job->call = pl_http_send(engine->server.http, &opts, on_done, job);
    free(body);
    *out = job;
    return PL_OK;
}

static void openai_tts_cancel(void **job_p)
{
    job_t *job = *job_p;
    if (!job) return;
    *job_p = NULL;
    pl_http_cancel(&job->call);
    job_free(job);
}

/* ---- the engine ---- */

static pl_err_t openai_tts_open_engine(void **out, pl_loop_t *loop, const pl_config_t *cfg)
{
    engine_t *self = calloc(1, sizeof *self);
    assert(self);
    pl_err_t err = openai_open(&self->server, loop, cfg, "speech.tts.openai", "/audio/speech");
    if (err) {
        free(self);
        return err;
    }
    self->cfg = cfg;
    self->voice = strdup(pl_config_str(cfg, "speech.tts.openai.voice"));
    assert(self->voice);
    self->hz = (uint32_t)pl_config_int(cfg, "speech.tts.openai.sample_hz");
    self->stall_ms = (uint32_t)pl_config_int(cfg, "speech.tts.openai.stall_ms");
    *out = self;
    return PL_OK;
}

static void openai_tts_close_engine(void **engine_p)
{
    engine_t *self = *engine_p;
    if (!self) return;
    *engine_p = NULL;
    openai_close(&self->server);
    free(self->voice);
    free(self);
}

static bool openai_tts_speaks(void *engine, const char *lang)
{
    const engine_t *self = engine;
    return self->server.url && *lang;
}

static bool openai_tts_has_voice(void *engine, const char *voice)
{
    const engine_t *self = engine;
    if (!*voice || strcmp(voice, self->voice) == 0) return true;
    for (const char *const *known = known_voices; *known; known++) {
        if (strcmp(*known, voice) == 0) return true;
    }
    size_t count = pl_config_count(self->cfg, "speech.tts.openai.voices");
    for (size_t i = 0; i < count; i++) {
        if (strcmp(pl_config_item(self->cfg, "speech.tts.openai.voices[%zu]", i), voice) == 0)
            return true;
    }
    return false;
}

const tts_provider_t tts_openai = {
    .name = "openai",
    .open_engine = openai_tts_open_engine,
    .close_engine = openai_tts_close_engine,
    .speaks = openai_tts_speaks,
    .has_voice = openai_tts_has_voice,
    .say = openai_tts_say,
    .cancel = openai_tts_cancel,
};
