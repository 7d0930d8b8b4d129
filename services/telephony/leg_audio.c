#include "services/telephony/leg_audio.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "services/telephony/comfort.h"
#include "services/telephony/duck.h"
#include "services/telephony/frame_queue.h"
#include "services/telephony/playout.h"
#include "services/telephony/vad.h"

static_assert((int)PL_FRAME_SAMPLES == (int)CODEC_FRAME_SAMPLES, "one frame is one tick");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "samples go on the lane as they are");

typedef struct {
    int16_t *pcm; /* NULL: none plays */
    size_t samples, at;
    bool waits; /* until what is being said has been played */
} prompt_t;

struct leg_audio {
    media_leg_t id;
    leg_audio_opts_t opts;
    leg_audio_t *next_on_lane, *next_on_thread;

    rtp_leg_t *rtp; /* NULL: a browser leg */
    bool narrow;    /* its codec samples at 8 kHz */
    bool rtp_started, held;
    frame_queue_t from_browser;
    cleaner_t *cleaner; /* of a browser leg; an RTP leg has its own. NULL: none */
    vad_t vad;
    playout_t *playout;
    duck_t duck;
    comfort_t comfort;
    prompt_t prompt;
    recording_t *recording; /* NULL: none. The two frames are this tick's */
    int16_t heard[PL_FRAME_SAMPLES], said[PL_FRAME_SAMPLES];

    speech_lane_t *lane; /* NULL: no stream */
    uint32_t slot, generation;

    uint32_t seq;
    uint64_t began_us;
    uint32_t stale;            /* lane frames of another generation */
    uint32_t quiet_ticks;      /* since anybody spoke */
    uint32_t skipped, clipped; /* ticks; frames of a browser */
};

leg_audio_t *leg_audio_new(media_leg_t id, const leg_audio_opts_t *opts, rtp_leg_t **rtp_p)
{
    leg_audio_t *self = calloc(1, sizeof *self);
    if (!self) abort();
    self->id = id;
    self->opts = *opts;
    self->rtp = *rtp_p;
    *rtp_p = NULL;
    self->playout = playout_new(opts->credit_ms);
    vad_init(&self->vad, opts->vad_threshold);
    comfort_init(&self->comfort, opts->comfort_db, (uint32_t)id * 2654435761u);
    self->began_us = pl_clock_us();
    if (!self->rtp) self->cleaner = cleaner_new(PL_FRAME_HZ, &opts->clean_browser);
    return self;
}

static void tell_closed(leg_audio_t *self)
{
    playout_stats_t played;
    playout_stats(self->playout, &played);
    media_stats_t stats = {
        .duration_ms = (uint32_t)((pl_clock_us() - self->began_us) / 1000),
        .underruns = played.underruns,
        .skipped_ticks = self->skipped,
        .stale = played.stale + self->stale,
    };
    if (self->recording) recording_stats(self->recording, &stats.recording);
    if (self->rtp) {
        rtp_leg_stats(self->rtp, &stats.rtp);
    } else {
        stats.rtp.received = self->from_browser.received;
        stats.rtp.late = self->from_browser.dropped;
        stats.rtp.clipped_frames = self->clipped;
        if (self->cleaner) cleaner_stats(self->cleaner, &stats.rtp.echo);
    }
    media_link_closed(self->opts.link, self->id, &stats);
}

void leg_audio_destroy(leg_audio_t **self_p)
{
    leg_audio_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    if (self->lane) speech_lane_detach(self->lane, self);
    tell_closed(self);
    recording_close(&self->recording);
    rtp_leg_destroy(&self->rtp);
    cleaner_destroy(&self->cleaner);
    playout_destroy(&self->playout);
    free(self->prompt.pcm);
    free(self);
}

media_leg_t leg_audio_id(const leg_audio_t *self)
{
    return self->id;
}

uint32_t leg_audio_slot(const leg_audio_t *self)
{
    return self->slot;
}

leg_audio_t **leg_audio_next_on_lane(leg_audio_t *self)
{
    return &self->next_on_lane;
}

leg_audio_t **leg_audio_next_on_thread(leg_audio_t *self)
{
    return &self->next_on_thread;
}

/* ---- what the far end says ----------------------------------------------------------------------- */

/* Told once in each silence. */
static void watch_silence(leg_audio_t *self, bool spoken)
{
    self->quiet_ticks = spoken ? 0 : self->quiet_ticks + 1;
    if (self->quiet_ticks > 0 && self->quiet_ticks == self->opts.speechless_ticks) {
        media_link_speechless(self->opts.link, self->id);
    }
}

/* pcm is cleaned already. echo_db: up to this level it may be our own voice. */
static void capture(leg_audio_t *self, int16_t pcm[PL_FRAME_SAMPLES], bool missing, bool concealed,
                    float echo_db)
{
    vad_result_t voice = vad_frame_over(&self->vad, missing ? NULL : pcm, echo_db);
    watch_silence(self,
                  voice.voice || self->held || self->prompt.pcm || playout_playing(self->playout));
    bool over_us = playout_playing(self->playout) && !playout_firm(self->playout);
    duck_heard(&self->duck, voice.sound, over_us);
    if (self->recording && !missing) memcpy(self->heard, pcm, sizeof self->heard);
    uint32_t seq = self->seq++;
    if (!self->lane) return;
    Pl__LaneHeardIn in = PL__LANE_HEARD_IN__INIT;
    in.seq = seq;
    if (!missing) in.pcm = (ProtobufCBinaryData){PL_FRAME_BYTES, (uint8_t *)pcm};
    in.voice = voice.voice;
    in.level_cb = voice.level_cb;
    in.floor_cb = voice.floor_cb;
    in.concealed = concealed;
    in.narrow = self->narrow;
    Pl__LaneFrame frame = PL__LANE_FRAME__INIT;
    frame.slot = self->slot;
    frame.generation = self->generation;
    frame.body_case = PL__LANE_FRAME__BODY_IN;
    frame.in = &in;
    (void)speech_lane_send(self->lane, &frame); /* a full lane drops and counts */
}

/* ---- what it hears ------------------------------------------------------------------------------- */

static void prompt_next(leg_audio_t *self, int16_t pcm[PL_FRAME_SAMPLES])
{
    prompt_t *p = &self->prompt;
    size_t left = p->samples - p->at;
    size_t n = left < PL_FRAME_SAMPLES ? left : PL_FRAME_SAMPLES;
    memcpy(pcm, p->pcm + p->at, n * sizeof *pcm);
    memset(pcm + n, 0, (PL_FRAME_SAMPLES - n) * sizeof *pcm);
    p->at += n;
    if (p->at < p->samples) return;
    free(p->pcm);
    *p = (prompt_t){0};
    media_link_prompt_done(self->opts.link, self->id);
}

static void say_next(leg_audio_t *self, int16_t pcm[PL_FRAME_SAMPLES])
{
    bool prompt = self->prompt.pcm && !self->prompt.waits;
    if (prompt)
        prompt_next(self, pcm);
    else if (playout_tick(self->playout, pcm))
        duck_apply(&self->duck, pcm);
    else if (self->prompt.pcm) {
        self->prompt.waits = false;
        prompt_next(self, pcm);
    } else /* zeros */
        comfort_add(&self->comfort, pcm);
    if (self->recording) memcpy(self->said, pcm, sizeof self->said);
}

static void send_reports(leg_audio_t *self)
{
    playout_report_t r;
    while (playout_report(self->playout, &r)) {
        if (!self->lane) continue; /* there is nobody to tell */
        Pl__LanePlayed played = PL__LANE_PLAYED__INIT;
        played.turn = r.turn;
        played.heard_ms = r.heard_ms;
        played.started = r.started;
        played.finished = r.finished;
        played.flushed = r.flushed;
        played.credit_ms = r.credit_ms;
        Pl__LaneFrame frame = PL__LANE_FRAME__INIT;
        frame.slot = self->slot;
        frame.generation = self->generation;
        frame.body_case = PL__LANE_FRAME__BODY_PLAYED;
        frame.played = &played;
        if (speech_lane_send(self->lane, &frame) == PL_BUSY) {
            playout_report_back(self->playout, &r); /* at the next tick */
            return;
        }
    }
}

/* ---- the wire ------------------------------------------------------------------------------------ */

static void on_rtp_heard(void *arg, const rtp_heard_t *heard)
{
    leg_audio_t *self = arg;
    int16_t pcm[PL_FRAME_SAMPLES];
    memcpy(pcm, heard->pcm, sizeof pcm);
    self->narrow = heard->narrow;
    capture(self, pcm, heard->missing, heard->concealed, heard->echo_db);
}

static bool on_rtp_next(void *arg, int16_t pcm[CODEC_FRAME_SAMPLES])
{
    say_next(arg, pcm);
    return true;
}

static void on_rtp_dtmf(void *arg, char digit, uint32_t duration_ms)
{
    leg_audio_t *self = arg;
    media_link_dtmf(self->opts.link, self->id, digit, duration_ms);
}

static void on_rtp_lost(void *arg)
{
    leg_audio_t *self = arg;
    media_link_lost(self->opts.link, self->id);
}

static void tick_browser(leg_audio_t *self)
{
    int16_t pcm[PL_FRAME_SAMPLES];
    bool some = frame_queue_take(&self->from_browser, pcm);
    if (some && codec_clips(pcm)) self->clipped++;
    float echo_db = CLEANER_SILENCE_DB;
    if (self->cleaner) echo_db = cleaner_heard(self->cleaner, pcm, !some);
    capture(self, pcm, !some, false, echo_db);
    say_next(self, pcm);
    if (self->cleaner) cleaner_played(self->cleaner, pcm);
    media_link_browser_audio(self->opts.link, self->id, (const uint8_t *)pcm);
}

/* Both sides of a tick begin as silence: nothing may come, and on hold nothing is sent. */
static void begin_recorded_tick(leg_audio_t *self, uint32_t skipped)
{
    if (!self->recording) return;
    if (skipped > 0) recording_skip(self->recording, skipped);
    memset(self->heard, 0, sizeof self->heard);
    memset(self->said, 0, sizeof self->said);
}

void leg_audio_tick(leg_audio_t *self, uint64_t now_us, uint32_t skipped)
{
    begin_recorded_tick(self, skipped);
    self->seq += skipped;
    self->skipped += skipped;
    if (self->cleaner) cleaner_skip(self->cleaner, skipped);
    if (!self->rtp) {
        tick_browser(self);
    } else if (self->rtp_started) {
        rtp_leg_tick_at(self->rtp, now_us);
    } else { /* ringing: nothing can arrive */
        int16_t none[PL_FRAME_SAMPLES] = {0};
        capture(self, none, true, false, CLEANER_SILENCE_DB);
    }
    if (self->recording) recording_frame(self->recording, self->heard, self->said);
    send_reports(self);
}

void leg_audio_params(leg_audio_t *self, const rtp_params_t *params)
{
    if (!self->rtp) return;
    rtp_sink_t sink = {on_rtp_heard, on_rtp_next, on_rtp_dtmf, on_rtp_lost, self};
    rtp_params_t cleaned = *params;
    cleaned.clean = self->opts.clean_sip;
    pl_err_t err = rtp_leg_start(self->rtp, self->opts.loop, &cleaned, &sink);
    if (err) {
        log_error("leg.params", "leg=%llu err=%s", (unsigned long long)self->id, pl_err_name(err));
        return;
    }
    self->rtp_started = true;
    self->held = !params->send;
}

void leg_audio_push(leg_audio_t *self, const uint8_t pcm[PL_FRAME_BYTES])
{
    if (!self->rtp) frame_queue_put(&self->from_browser, pcm);
}

void leg_audio_dtmf(leg_audio_t *self, const char *digits, uint32_t tone_ms)
{
    pl_err_t err = self->rtp ? rtp_leg_send_dtmf(self->rtp, digits, tone_ms) : PL_UNSUPPORTED;
    if (err) {
        log_warn("leg.dtmf", "leg=%llu err=%s", (unsigned long long)self->id, pl_err_name(err));
    }
}

void leg_audio_record(leg_audio_t *self, recorder_t *recorder, const char *call_id)
{
    if (self->recording) {
        recording_stats_t stats;
        recording_stats(self->recording, &stats);
        recording_close(&self->recording);
        media_link_recorded(self->opts.link, self->id, &stats);
    }
    self->recording = recording_open(recorder, call_id);
}

static void flushed(leg_audio_t *self)
{
    if (!self->rtp) media_link_browser_flush(self->opts.link, self->id);
}

void leg_audio_prompt(leg_audio_t *self, int16_t **pcm_p, size_t samples)
{
    playout_flush_all(self->playout);
    flushed(self);
    free(self->prompt.pcm);
    self->prompt = (prompt_t){.pcm = *pcm_p, .samples = samples};
    *pcm_p = NULL;
}

void leg_audio_hold(leg_audio_t *self, int16_t **pcm_p, size_t samples)
{
    bool begun = self->prompt.pcm && !self->prompt.waits;
    if (begun || samples == 0) { /* an apology is no less either */
        free(*pcm_p);
        *pcm_p = NULL;
        if (begun) return;
    }
    free(self->prompt.pcm);
    self->prompt = (prompt_t){.pcm = *pcm_p, .samples = samples, .waits = true};
    *pcm_p = NULL;
}

/* ---- its stream ---------------------------------------------------------------------------------- */

void leg_audio_on_lane(leg_audio_t *self, speech_lane_t *lane, uint32_t slot, uint32_t generation)
{
    if (self->lane) speech_lane_detach(self->lane, self);
    self->lane = lane;
    self->slot = slot;
    self->generation = generation;
    speech_lane_attach(lane, self);
    playout_reset(self->playout);
}

void leg_audio_off_lane(leg_audio_t *self)
{
    if (!self->lane) return;
    speech_lane_detach(self->lane, self);
    self->lane = NULL;
    playout_end(self->playout);
}

void leg_audio_lane_frame(leg_audio_t *self, const Pl__LaneFrame *frame)
{
    if (frame->generation != self->generation) {
        self->stale++;
        return;
    }
    if (frame->body_case == PL__LANE_FRAME__BODY_OUT) {
        const Pl__LaneSayOut *out = frame->out;
        (void)playout_put(self->playout, out->turn, out->seq, out->pcm.data, out->pcm.len,
                          out->not_interruptible, out->last); /* what it drops it counts */
    } else if (frame->body_case == PL__LANE_FRAME__BODY_FLUSH) {
        playout_flush(self->playout, frame->flush->turn);
        flushed(self);
        send_reports(self);
    } else if (frame->body_case == PL__LANE_FRAME__BODY_RISE) {
        if (playout_turn(self->playout) == frame->rise->turn) duck_rise(&self->duck);
    }
}
