#include "services/telephony/media.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "services/telephony/media_thread.h"

enum { MAX_THREADS = 64 };

struct media {
    media_link_t *link;
    media_thread_t *threads[MAX_THREADS];
    uint32_t legs[MAX_THREADS]; /* open on each */
    uint32_t thread_count;
    uint64_t next_leg;
    double vad_threshold; /* of legs to come */

    struct sockaddr_storage address;
    uint16_t port_min, port_max;
    uint32_t media_timeout_ms, jitter_min_ms, jitter_max_ms;
    cleaner_opts_t clean_sip, clean_browser;
};

/* ---- life -------------------------------------------------------------------------------------- */

static pl_err_t read_address(const char *text, struct sockaddr_storage *out)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    *out = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        memcpy(out, &v4, sizeof v4);
        return PL_OK;
    }
    if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
        memcpy(out, &v6, sizeof v6);
        return PL_OK;
    }
    return PL_INVALID;
}

/* The kinds of leg that a filter is on for: "sip,browser", or "none". */
static pl_err_t read_kinds(const pl_config_t *cfg, const char *key, bool *sip, bool *browser)
{
    const char *value = pl_config_str(cfg, key);
    const char *rest = value;
    while (*rest != '\0') {
        size_t bytes = strcspn(rest, ", ");
        bool known = false;
        if (bytes == 3 && strncmp(rest, "sip", bytes) == 0) known = *sip = true;
        if (bytes == 7 && strncmp(rest, "browser", bytes) == 0) known = *browser = true;
        if (bytes == 4 && strncmp(rest, "none", bytes) == 0) known = true;
        if (bytes > 0 && !known) {
            log_error("media.config", "%s=\"%s\" detail=\"not a list out of sip, browser, none\"",
                      key, value);
            return PL_INVALID;
        }
        rest += bytes;
        rest += strspn(rest, ", ");
    }
    return PL_OK;
}

static pl_err_t read_audio(media_t *self, const pl_config_t *cfg)
{
    cleaner_opts_t *sip = &self->clean_sip;
    cleaner_opts_t *browser = &self->clean_browser;
    pl_err_t err = read_kinds(cfg, "telephony.audio.echo", &sip->echo, &browser->echo);
    if (!err) err = read_kinds(cfg, "telephony.audio.noise", &sip->noise, &browser->noise);
    if (!err) err = read_kinds(cfg, "telephony.audio.gain", &sip->gain, &browser->gain);
    return err;
}

static pl_err_t read_config(media_t *self, const pl_config_t *cfg)
{
    const char *address = pl_config_str(cfg, "telephony.rtp.listen");
    if (read_address(address, &self->address) != PL_OK) {
        log_error("media.config", "telephony.rtp.listen=\"%s\" detail=\"not an IP address\"",
                  address);
        return PL_INVALID;
    }
    self->port_min = (uint16_t)pl_config_int(cfg, "telephony.rtp.port_min");
    self->port_max = (uint16_t)pl_config_int(cfg, "telephony.rtp.port_max");
    if (self->port_min >= self->port_max) {
        log_error("media.config",
                  "telephony.rtp.port_min=%u telephony.rtp.port_max=%u "
                  "detail=\"no ports between them\"",
                  self->port_min, self->port_max);
        return PL_INVALID;
    }
    self->media_timeout_ms = (uint32_t)pl_config_int(cfg, "telephony.rtp.media_timeout_ms");
    self->jitter_min_ms = (uint32_t)pl_config_int(cfg, "telephony.rtp.jitter_min_ms");
    self->jitter_max_ms = (uint32_t)pl_config_int(cfg, "telephony.rtp.jitter_max_ms");
    self->thread_count = (uint32_t)pl_config_int(cfg, "telephony.media.threads");
    assert(self->thread_count >= 1 && self->thread_count <= MAX_THREADS);
    return read_audio(self, cfg);
}

pl_err_t media_new(media_t **out, pl_loop_t *control, const pl_config_t *cfg,
                   const media_sink_t *sink)
{
    media_t *self = calloc(1, sizeof *self);
    if (!self) abort();
    pl_err_t err = read_config(self, cfg);
    if (err) {
        free(self);
        return err;
    }
    self->vad_threshold = pl_config_double(cfg, "features.vad_threshold");
    self->link = media_link_new(control, sink);
    media_thread_opts_t opts = {
        .link = self->link,
        .credit_ms = (uint32_t)pl_config_int(cfg, "telephony.media.credit_ms"),
        .clean_sip = self->clean_sip,
        .clean_browser = self->clean_browser,
        .speechless_ticks =
            (uint32_t)(1000 / PL_FRAME_MS * pl_config_int(cfg, "telephony.limits.speechless_s")),
        .comfort_db = (int)pl_config_int(cfg, "telephony.audio.comfort_noise_db"),
        .curve_key_file = pl_config_str(cfg, "bus.curve_key_file"),
    };
    for (uint32_t i = 0; i < self->thread_count; i++) {
        self->threads[i] = media_thread_new(i, &opts);
    }
    *out = self;
    return PL_OK;
}

void media_destroy(media_t **self_p)
{
    media_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (uint32_t i = 0; i < self->thread_count; i++) media_thread_destroy(&self->threads[i]);
    media_link_close(&self->link);
    free(self);
}

void media_vad_threshold(media_t *self, double threshold)
{
    self->vad_threshold = threshold;
}

uint32_t media_threads(const media_t *self)
{
    return self->thread_count;
}

/* ---- commands to a thread ---------------------------------------------------------------------- */

/* A handle is a number that rises and, in its last eight bits, the thread. */
static uint32_t thread_of(media_leg_t leg)
{
    return (uint32_t)(leg & 0xff);
}

typedef struct {
    media_thread_t *thread;
    media_leg_t leg;
    union {
        struct {
            rtp_leg_t *rtp;
            double vad_threshold;
        } add;
        rtp_params_t params;
        uint8_t pcm[PL_FRAME_BYTES];
        struct {
            char *digits;
            uint32_t tone_ms;
        } keys;
        struct {
            uint64_t lane;
            uint32_t slot, generation;
        } stream;
        struct {
            uint64_t lane;
            char *endpoint;
            uint8_t token[PL_LANE_TOKEN_BYTES];
        } connect;
        struct {
            int16_t *pcm;
            size_t samples;
            void (*play)(leg_audio_t *leg, int16_t **pcm_p, size_t samples);
        } prompt;
        struct {
            recorder_t *recorder;
            char call_id[40];
        } record;
    } u;
} command_t;

static command_t *command_new(const media_t *self, uint32_t thread, media_leg_t leg)
{
    assert(thread < self->thread_count);
    command_t *c = malloc(sizeof *c);
    if (!c) abort();
    c->thread = self->threads[thread];
    c->leg = leg;
    return c;
}

static void to_thread(command_t *c, void (*run)(void *command))
{
    pl_loop_post(media_thread_loop(c->thread), run, c);
}

static char *copy_text(const char *text)
{
    char *copy = strdup(text);
    if (!copy) abort();
    return copy;
}

/* ---- legs -------------------------------------------------------------------------------------- */

static void run_add(void *arg)
{
    command_t *c = arg;
    media_thread_add(c->thread, c->leg, c->u.add.vad_threshold, &c->u.add.rtp);
    free(c);
}

static media_leg_t add(media_t *self, rtp_leg_t *rtp)
{
    uint32_t thread = 0;
    for (uint32_t i = 1; i < self->thread_count; i++) {
        if (self->legs[i] < self->legs[thread]) thread = i;
    }
    self->legs[thread]++;
    media_leg_t leg = ++self->next_leg << 8 | thread;
    command_t *c = command_new(self, thread, leg);
    c->u.add.rtp = rtp;
    c->u.add.vad_threshold = self->vad_threshold;
    to_thread(c, run_add);
    return leg;
}

pl_err_t media_leg_rtp(media_t *self, media_leg_t *out, uint16_t *port_out)
{
    rtp_leg_t *rtp = NULL;
    pl_err_t err =
        rtp_leg_new(&rtp, (const struct sockaddr *)&self->address, self->port_min, self->port_max);
    if (err) return err;
    *port_out = rtp_leg_port(rtp);
    *out = add(self, rtp);
    return PL_OK;
}

media_leg_t media_leg_browser(media_t *self)
{
    return add(self, NULL);
}

uint32_t media_leg_thread(const media_t *self, media_leg_t leg)
{
    assert(thread_of(leg) < self->thread_count);
    return thread_of(leg);
}

static void run_close(void *arg)
{
    command_t *c = arg;
    media_thread_remove(c->thread, c->leg);
    free(c);
}

void media_leg_close(media_t *self, media_leg_t *leg_p)
{
    media_leg_t leg = *leg_p;
    *leg_p = 0;
    if (leg == 0) return;
    self->legs[thread_of(leg)]--;
    to_thread(command_new(self, thread_of(leg), leg), run_close);
}

static void run_params(void *arg)
{
    command_t *c = arg;
    leg_audio_t *leg = media_thread_leg(c->thread, c->leg);
    if (leg) leg_audio_params(leg, &c->u.params);
    free(c);
}

void media_leg_params(media_t *self, media_leg_t leg, const rtp_params_t *params)
{
    command_t *c = command_new(self, thread_of(leg), leg);
    c->u.params = *params;
    if (params->media_timeout_ms == 0) c->u.params.media_timeout_ms = self->media_timeout_ms;
    if (params->jitter_min_ms == 0) c->u.params.jitter_min_ms = self->jitter_min_ms;
    if (params->jitter_max_ms == 0) c->u.params.jitter_max_ms = self->jitter_max_ms;
    to_thread(c, run_params);
}

static void run_push(void *arg)
{
    command_t *c = arg;
    leg_audio_t *leg = media_thread_leg(c->thread, c->leg);
    if (leg) leg_audio_push(leg, c->u.pcm);
    free(c);
}

void media_leg_push(media_t *self, media_leg_t leg, const uint8_t pcm[PL_FRAME_BYTES])
{
    command_t *c = command_new(self, thread_of(leg), leg);
    memcpy(c->u.pcm, pcm, PL_FRAME_BYTES);
    to_thread(c, run_push);
}

static void run_dtmf(void *arg)
{
    command_t *c = arg;
    leg_audio_t *leg = media_thread_leg(c->thread, c->leg);
    if (leg) leg_audio_dtmf(leg, c->u.keys.digits, c->u.keys.tone_ms);
    free(c->u.keys.digits);
    free(c);
}

void media_leg_dtmf(media_t *self, media_leg_t leg, const char *digits, uint32_t tone_ms)
{
    command_t *c = command_new(self, thread_of(leg), leg);
    c->u.keys.digits = copy_text(digits);
    c->u.keys.tone_ms = tone_ms;
    to_thread(c, run_dtmf);
}

static void run_prompt(void *arg)
{
    command_t *c = arg;
    leg_audio_t *leg = media_thread_leg(c->thread, c->leg);
    if (leg)
        c->u.prompt.play(leg, &c->u.prompt.pcm, c->u.prompt.samples);
    else
        free(c->u.prompt.pcm);
    free(c);
}

static void play(media_t *self, media_leg_t leg, const int16_t *pcm, size_t samples,
                 void (*how)(leg_audio_t *leg, int16_t **pcm_p, size_t samples))
{
    command_t *c = command_new(self, thread_of(leg), leg);
    c->u.prompt.pcm = malloc(samples > 0 ? samples * sizeof *pcm : 1);
    if (!c->u.prompt.pcm) abort();
    if (samples > 0) memcpy(c->u.prompt.pcm, pcm, samples * sizeof *pcm);
    c->u.prompt.samples = samples;
    c->u.prompt.play = how;
    to_thread(c, run_prompt);
}

void media_leg_prompt(media_t *self, media_leg_t leg, const int16_t *pcm, size_t samples)
{
    play(self, leg, pcm, samples, leg_audio_prompt);
}

void media_leg_hold(media_t *self, media_leg_t leg, const int16_t *pcm, size_t samples)
{
    play(self, leg, pcm, samples, leg_audio_hold);
}

static void run_record(void *arg)
{
    command_t *c = arg;
    leg_audio_t *leg = media_thread_leg(c->thread, c->leg);
    if (leg) leg_audio_record(leg, c->u.record.recorder, c->u.record.call_id);
    free(c);
}

void media_leg_record(media_t *self, media_leg_t leg, recorder_t *recorder, const char *call_id)
{
    command_t *c = command_new(self, thread_of(leg), leg);
    c->u.record.recorder = recorder;
    (void)snprintf(c->u.record.call_id, sizeof c->u.record.call_id, "%s", call_id);
    to_thread(c, run_record);
}

/* ---- lanes ------------------------------------------------------------------------------------- */

static void run_connect(void *arg)
{
    command_t *c = arg;
    media_thread_connect(c->thread, c->u.connect.lane, c->u.connect.endpoint, c->u.connect.token);
    free(c->u.connect.endpoint);
    free(c);
}

void media_lane_connect(media_t *self, uint32_t thread, const char *endpoint, uint64_t lane,
                        const uint8_t token[PL_LANE_TOKEN_BYTES])
{
    command_t *c = command_new(self, thread, 0);
    c->u.connect.lane = lane;
    c->u.connect.endpoint = copy_text(endpoint);
    memcpy(c->u.connect.token, token, PL_LANE_TOKEN_BYTES);
    to_thread(c, run_connect);
}

static void run_stream(void *arg)
{
    command_t *c = arg;
    media_thread_stream(c->thread, c->leg, c->u.stream.lane, c->u.stream.slot,
                        c->u.stream.generation);
    free(c);
}

void media_leg_stream(media_t *self, media_leg_t leg, uint64_t lane, uint32_t slot,
                      uint32_t generation)
{
    command_t *c = command_new(self, thread_of(leg), leg);
    c->u.stream.lane = lane;
    c->u.stream.slot = slot;
    c->u.stream.generation = generation;
    to_thread(c, run_stream);
}
