/* stt_openai: recognition by any server with OpenAI's /audio/transcriptions, one request for an
 * utterance.
 *
 * It is sent when the caller pauses, with all they said so far: if that was all, its answer is the
 * final text, or soon will be; if they go on it is a partial. So the server's time passes in
 * the silence that has to be waited for anyway.
 *
 * Threads: the loop's, all of it.
 * Source: OpenAI's API reference, "Create transcription"; RFC 7578 (multipart/form-data).
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
#include "services/speech/stt.h"

#define BOUNDARY "parley-7d1f0c52a9e84b36"

enum {
    SAMPLES_MAX = 70 * PL_FRAME_HZ, /* of an utterance; endpointing ends it before */
    SAMPLES_MIN = PL_FRAME_HZ / 10, /* servers refuse less than 100 ms */
    WAV_HEAD = 44,
    LANG_BYTES = 8,
    REASON_BYTES = 200,
    ANSWER_MAX = 256 * 1024,
};

typedef struct {
    openai_t server;
    pl_loop_t *loop;
    bool eager;
    pl_metric_t *requests, *failed;
} engine_t;

typedef struct utterance utterance_t;
typedef struct stt_stream stt_stream_t;

struct utterance {
    stt_stream_t *stream;
    utterance_t *next; /* younger */
    Pl__Expect expect;
    char lang[LANG_BYTES]; /* ISO 639-1; "": not told */
    int16_t *pcm;
    size_t samples, room;
    pl_http_call_t *call; /* NULL: none is under way */
    size_t asked;         /* samples of the newest request */
    bool answered;        /* that one was */
    bool ended;           /* the text wanted is final */
    char *text;           /* of the answer */
    pl_timer_t *known;    /* the end's text was there before the end: tells it */
};

struct stt_stream {
    engine_t *engine;
    stt_sink_t sink;
    Pl__Expect expect;
    char lang[LANG_BYTES];
    utterance_t *oldest, *open; /* open: being fed, the youngest; NULL between utterances */
};

/* ---- the request ---- */

static void put_u32(uint8_t *at, uint32_t n)
{
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(n >> 8 * i);
}

static void wav_head(uint8_t head[WAV_HEAD], size_t samples)
{
    static const uint8_t form[24] = {'W', 'A', 'V', 'E', 'f', 'm', 't', ' ',
                                     16,  0,   0,   0,   1,   0,   1,   0};
    uint32_t bytes = (uint32_t)(samples * sizeof(int16_t));
    memcpy(head, "RIFF", 4);
    put_u32(head + 4, bytes + WAV_HEAD - 8);
    memcpy(head + 8, form, sizeof form);
    put_u32(head + 24, PL_FRAME_HZ);
    put_u32(head + 28, PL_FRAME_HZ * sizeof(int16_t));
    head[32] = sizeof(int16_t);
    head[33] = 0;
    head[34] = 16;
    head[35] = 0;
    memcpy(head + 36, "data", 4);
    put_u32(head + 40, bytes);
}

static void field(FILE *out, const char *name, const char *value)
{
    (void)fprintf(out,
                  "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n",
                  name, value);
}

static char *body_of(const utterance_t *u, size_t *bytes)
{
    char *body = NULL;
    FILE *out = open_memstream(&body, bytes);
    assert(out);
    field(out, "model", u->stream->engine->server.model);
    field(out, "response_format", "json");
    field(out, "temperature", "0");
    if (*u->lang) field(out, "language", u->lang);
    (void)fputs("--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"file\"; "
                "filename=\"utterance.wav\"\r\nContent-Type: audio/wav\r\n\r\n",
                out);
    uint8_t head[WAV_HEAD];
    wav_head(head, u->samples);
    (void)fwrite(head, 1, sizeof head, out);
    (void)fwrite(u->pcm, sizeof *u->pcm, u->samples, out);
    (void)fputs("\r\n--" BOUNDARY "--\r\n", out);
    (void)fclose(out);
    return body;
}

static void on_answer(void *arg, pl_err_t err, const pl_http_answer_t *answer);

static void ask(utterance_t *u)
{
    engine_t *engine = u->stream->engine;
    const openai_t *server = &engine->server;
    pl_http_cancel(&u->call);
    size_t bytes = 0;
    char *body = body_of(u, &bytes);
    const char *headers[] = {"Content-Type: multipart/form-data; boundary=" BOUNDARY,
                             "Accept: application/json", server->authorization, NULL};
    pl_http_opts_t opts = {.url = server->url,
                           .headers = headers,
                           .body = body,
                           .body_bytes = bytes,
                           .timeout_ms = server->timeout_ms,
                           .max_bytes = ANSWER_MAX};
    u->asked = u->samples;
    u->answered = false;
    pl_metric_add(engine->requests, 1);
    u->call = pl_http_send(server->http, &opts, on_answer, u);
    free(body);
}

/* ---- utterances ---- */

static void utterance_free(utterance_t *u)
{
    pl_http_cancel(&u->call);
    pl_timer_stop(&u->known);
    free(u->pcm);
    free(u->text);
    free(u);
}

static void take_out(utterance_t *u)
{
    stt_stream_t *stream = u->stream;
    utterance_t **at = &stream->oldest;
    while (*at != u) at = &(*at)->next;
    *at = u->next;
    if (stream->open == u) stream->open = NULL;
}

static void on_known(void *arg);

static bool is_known(const utterance_t *u)
{
    return u && u->ended && u->answered;
}

/* Tells the oldest one's final text if it is known. The sink may close the stream, so the next one
 * is told later. */
static void tell_final(stt_stream_t *stream)
{
    utterance_t *u = stream->oldest;
    if (!is_known(u)) return;
    take_out(u);
    utterance_t *next = stream->oldest;
    if (is_known(next)) next->known = pl_timer_start(stream->engine->loop, 0, 0, on_known, next);
    stt_sink_t sink = stream->sink;
    char *text = u->text;
    u->text = NULL;
    utterance_free(u);
    sink.final(sink.arg, text ? text : "", 0);
    free(text);
}

static void on_known(void *arg)
{
    utterance_t *u = arg;
    tell_final(u->stream);
}

static void trim(char *text)
{
    size_t from = strspn(text, " \t\r\n");
    size_t to = strlen(text);
    while (to > from && strchr(" \t\r\n", text[to - 1])) to--;
    memmove(text, text + from, to - from);
    text[to - from] = '\0';
}

/* malloc'd; NULL when it is not what a transcription looks like. */
static char *text_of(const pl_http_answer_t *answer)
{
    cJSON *root = cJSON_ParseWithLength(answer->body, answer->body_bytes);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "text"));
    char *copy = text ? strdup(text) : NULL;
    cJSON_Delete(root);
    if (copy) trim(copy);
    return copy;
}

static void give_up(utterance_t *u, pl_err_t err, const pl_http_answer_t *answer)
{
    char reason[REASON_BYTES];
    stt_stream_t *stream = u->stream;
    pl_metric_add(stream->engine->failed, 1);
    log_warn("stt.failed", "provider=openai err=%s status=%ld reason=\"%s\"", pl_err_name(err),
             answer->status, openai_reason(answer, reason, sizeof reason));
    take_out(u);
    stt_sink_t sink = stream->sink;
    utterance_free(u);
    sink.failed(sink.arg, err);
}

static void on_answer(void *arg, pl_err_t err, const pl_http_answer_t *answer)
{
    utterance_t *u = arg;
    stt_stream_t *stream = u->stream;
    u->call = NULL;
    if (!err && (answer->status < 200 || answer->status > 299)) err = openai_error(answer);
    char *text = err ? NULL : text_of(answer);
    if (!err && !text) err = PL_INVALID;
    if (err) {
        give_up(u, err, answer);
        return;
    }
    free(u->text);
    u->text = text;
    u->answered = true;
    if (u->ended)
        tell_final(stream);
    else if (stream->oldest == u)
        stream->sink.partial(stream->sink.arg, text, u->asked);
}

static utterance_t *utterance_new(stt_stream_t *stream)
{
    utterance_t *u = calloc(1, sizeof *u);
    assert(u);
    u->stream = stream;
    u->expect = stream->expect;
    memcpy(u->lang, stream->lang, sizeof u->lang);
    utterance_t **at = &stream->oldest;
    while (*at) at = &(*at)->next;
    *at = u;
    stream->open = u;
    return u;
}

/* ---- the provider ---- */

static pl_err_t openai_stt_open_engine(void **out, pl_loop_t *loop, const pl_config_t *cfg,
                                       stt_failed_fn *failed, void *arg)
{
    (void)failed; /* a server that is away may come back */
    (void)arg;
    engine_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    pl_err_t err =
        openai_open(&self->server, loop, cfg, "speech.stt.openai", "/audio/transcriptions");
    if (!err && !self->server.url) {
        (void)fprintf(stderr, "parley-speech: speech.stt.openai.url: is empty, and openai is to "
                              "recognise\n");
        err = PL_INVALID;
    }
    if (err) {
        free(self);
        return err;
    }
    self->eager = pl_config_bool(cfg, "speech.stt.openai.eager");
    self->requests =
        pl_metric_counter("parley_stt_requests_total", NULL, "Transcriptions asked for");
    self->failed =
        pl_metric_counter("parley_stt_requests_failed_total", NULL, "Of these, without a text");
    *out = self;
    return PL_OK;
}

static void openai_stt_close_engine(void **engine_p)
{
    engine_t *self = *engine_p;
    if (!self) return;
    *engine_p = NULL;
    openai_close(&self->server);
    free(self);
}

static pl_err_t openai_stt_open(void *engine, void **out, const stt_sink_t *sink)
{
    stt_stream_t *stream = calloc(1, sizeof *stream);
    assert(stream);
    stream->engine = engine;
    stream->sink = *sink;
    *out = stream;
    return PL_OK;
}

static void openai_stt_listen(void *arg, Pl__Expect expect, const char *lang, bool narrow)
{
    (void)narrow; /* such servers know the telephone */
    stt_stream_t *stream = arg;
    stream->expect = expect;
    size_t bytes = strcspn(lang, "-");
    stream->lang[0] = '\0';
    if (bytes == 2 || bytes == 3)
        (void)snprintf(stream->lang, sizeof stream->lang, "%.*s", (int)bytes, lang);
}

static pl_err_t openai_stt_feed(void *arg, const int16_t *pcm, size_t samples)
{
    stt_stream_t *stream = arg;
    utterance_t *u = stream->open ? stream->open : utterance_new(stream);
    if (u->samples + samples > SAMPLES_MAX) return PL_BUSY;
    if (u->samples + samples > u->room) {
        u->room = 2 * (u->samples + samples);
        u->pcm = realloc(u->pcm, u->room * sizeof *u->pcm);
        assert(u->pcm);
    }
    memcpy(u->pcm + u->samples, pcm, samples * sizeof *pcm);
    u->samples += samples;
    return PL_OK;
}

static void openai_stt_pause(void *arg)
{
    stt_stream_t *stream = arg;
    utterance_t *u = stream->open;
    if (u && stream->engine->eager && u->samples >= SAMPLES_MIN) ask(u);
}

static void openai_stt_end(void *arg)
{
    stt_stream_t *stream = arg;
    utterance_t *u = stream->open;
    if (!u) return;
    stream->open = NULL;
    u->ended = true;
    /* What came after the last pause is the silence that ended the utterance. */
    if (u->answered)
        u->known = pl_timer_start(stream->engine->loop, 0, 0, on_known, u);
    else if (!u->call)
        ask(u);
}

static void openai_stt_drop(void *arg)
{
    stt_stream_t *stream = arg;
    utterance_t *u = stream->open;
    if (!u) return;
    take_out(u);
    utterance_free(u);
}

static void openai_stt_close(void **stream_p)
{
    stt_stream_t *stream = *stream_p;
    if (!stream) return;
    *stream_p = NULL;
    while (stream->oldest) {
        utterance_t *u = stream->oldest;
        stream->oldest = u->next;
        utterance_free(u);
    }
    free(stream);
}

const stt_provider_t stt_openai = {
    .name = "openai",
    .open_engine = openai_stt_open_engine,
    .close_engine = openai_stt_close_engine,
    .open = openai_stt_open,
    .listen = openai_stt_listen,
    .feed = openai_stt_feed,
    .pause = openai_stt_pause,
    .end_of_speech = openai_stt_end,
    .drop = openai_stt_drop,
    .close = openai_stt_close,
};
