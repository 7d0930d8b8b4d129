#include "services/telephony/wire_side.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/clock.h"
#include "common/log.h"
#include "services/telephony/leg_actor.h"

/* RFC 9562, version 4. */
static void draw_call_id(char out[CALL_ID_BYTES])
{
    uint8_t b[16];
    if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b)) abort(); /* 16 bytes never come short */
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(out, CALL_ID_BYTES,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}

static void simple(switchboard_t *board, leg_entry_t *entry, leg_event_kind_t kind)
{
    leg_actor_event(board, entry, &(leg_event_t){.kind = kind});
}

static void tell_dtmf(switchboard_t *board, leg_entry_t *entry, char digit, uint32_t duration_ms)
{
    if (entry->owner[0] == '\0') return;
    char text[2] = {digit, '\0'};
    Pl__LegDtmf dtmf = PL__LEG_DTMF__INIT;
    dtmf.digit = text;
    dtmf.duration_ms = duration_ms;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = entry->call_id;
    env.epoch = entry->epoch;
    env.body_case = PL__ENVELOPE__BODY_LEG_DTMF;
    env.leg_dtmf = &dtmf;
    (void)pl_bus_event(board->bus, entry->owner, &env);
}

static void key_of_phone(switchboard_t *board, leg_entry_t *entry, key_way_t way, char digit,
                         uint32_t duration_ms)
{
    if (!key_gate_passes(&entry->keys, pl_clock_ms(), way, digit)) return;
    tell_dtmf(board, entry, digit, duration_ms);
}

/* ---- SIP ---- */

static void on_incoming(switchboard_t *board, const sip_event_t *event)
{
    media_leg_t media = 0;
    uint16_t port = 0;
    pl_err_t err = switchboard_room(board) ? media_leg_rtp(board->media, &media, &port) : PL_BUSY;
    if (err) {
        log_warn("leg.full", "legs=%zu err=%s", board->legs, pl_err_name(err));
        sip_refusal_t refusal = sip_cause_refusal(PL_BUSY);
        sip_agent_refuse(board->sip, event->call, &refusal);
        return;
    }
    char call_id[CALL_ID_BYTES];
    draw_call_id(call_id);
    leg_entry_t *entry = switchboard_add(board, call_id, PL__LEG_KIND__SIP);
    switchboard_key(board, entry, BY_SIP, event->call);
    switchboard_key(board, entry, BY_MEDIA, media);
    entry->rtp_port = port;
    snprintf(entry->from, sizeof(entry->from), "%s", event->from);
    snprintf(entry->to, sizeof(entry->to), "%s", event->to);
    log_info("leg.incoming", "call=%s kind=sip", call_id);
    leg_actor_start(board, entry, false, &board->limits);
}

/* The INVITE is on its way, or never was: then the leg never was, and nobody is told of its end. */
static void on_dialled(switchboard_t *board, leg_entry_t *entry, const sip_event_t *event)
{
    if (!event->err) {
        if (entry->dial) pl_request_done(&entry->dial);
        return;
    }
    log_info("leg.not.dialled", "call=%s err=%s", entry->call_id, pl_err_name(event->err));
    if (entry->dial) pl_request_refuse(&entry->dial, event->err, 0, "%s", event->text);
    entry->owner[0] = '\0';
    leg_actor_event(board, entry,
                    &(leg_event_t){.kind = LEG_ON_REMOTE_END,
                                   .end = PL__LEG_END__LEG_UNREACHABLE,
                                   .detail = event->text});
}

/* What comes from who does not listen is music, and not for recognition. */
static void on_media(switchboard_t *board, leg_entry_t *entry, const sip_event_t *event)
{
    rtp_params_t params = event->params;
    if (!params.send) params.receive = false;
    params.media_timeout_ms = board->rtp.media_timeout_ms;
    params.jitter_min_ms = board->rtp.jitter_min_ms;
    params.jitter_max_ms = board->rtp.jitter_max_ms;
    const codec_info_t *codec = codec_info(params.codec);
    snprintf(entry->codec, sizeof(entry->codec), "%s/%u", codec->name,
             params.codec == CODEC_G722 ? 16000 : codec->rtp_hz);
    log_info("leg.media", "call=%s codec=%s send=%d receive=%d", entry->call_id, entry->codec,
             params.send, params.receive);
    media_leg_params(board->media, entry->handles[BY_MEDIA], &params);
    entry->keys = (key_gate_t){0}; /* another phone may be there now */
    if (entry->held == !params.send) return;
    entry->held = !params.send;
    leg_actor_tell_held(board, entry);
}

void wire_side_on_sip(void *arg, const sip_event_t *event)
{
    switchboard_t *board = arg;
    if (event->kind == SIP_INCOMING) {
        on_incoming(board, event);
        return;
    }
    leg_entry_t *entry = switchboard_find(board, BY_SIP, event->call);
    if (!entry) return;
    switch (event->kind) {
    case SIP_DIALLED:
        on_dialled(board, entry, event);
        break;
    case SIP_RINGING:
        leg_actor_event(board, entry,
                        &(leg_event_t){.kind = LEG_ON_RINGING, .status = event->status});
        break;
    case SIP_MEDIA:
        if (!leg_is_over(&entry->machine)) on_media(board, entry, event);
        break;
    case SIP_CONNECTED:
        simple(board, entry, LEG_ON_CONNECTED);
        break;
    case SIP_DTMF:
        key_of_phone(board, entry, KEY_BY_INFO, event->digit, event->duration_ms);
        break;
    case SIP_TRANSFERRED:
        leg_actor_event(
            board, entry,
            &(leg_event_t){.kind = LEG_ON_TRANSFERRED, .ok = event->ok, .detail = event->text});
        break;
    case SIP_ENDED:
        leg_actor_event(
            board, entry,
            &(leg_event_t){.kind = LEG_ON_REMOTE_END, .end = event->end, .detail = event->text});
        break;
    case SIP_INCOMING:
        break;
    }
}

/* ---- browser ---- */

static void on_page(void *arg, browser_leg_t leg, const char *from)
{
    switchboard_t *board = arg;
    if (!switchboard_room(board)) {
        browser_end(board->browser, leg, "busy");
        return;
    }
    char call_id[CALL_ID_BYTES];
    draw_call_id(call_id);
    leg_entry_t *entry = switchboard_add(board, call_id, PL__LEG_KIND__BROWSER);
    switchboard_key(board, entry, BY_BROWSER, leg);
    switchboard_key(board, entry, BY_MEDIA, media_leg_browser(board->media));
    snprintf(entry->from, sizeof(entry->from), "%s", from);
    log_info("leg.incoming", "call=%s kind=browser", call_id);
    browser_accepted(board->browser, leg, call_id);
    browser_ringing(board->browser, leg);
    leg_actor_start(board, entry, false, &board->limits);
}

static void on_page_audio(void *arg, browser_leg_t leg, const uint8_t pcm[PL_FRAME_BYTES])
{
    switchboard_t *board = arg;
    leg_entry_t *entry = switchboard_find(board, BY_BROWSER, leg);
    if (entry && !leg_is_over(&entry->machine)) {
        media_leg_push(board->media, entry->handles[BY_MEDIA], pcm);
    }
}

static void on_page_dtmf(void *arg, browser_leg_t leg, char digit)
{
    switchboard_t *board = arg;
    leg_entry_t *entry = switchboard_find(board, BY_BROWSER, leg);
    if (entry) tell_dtmf(board, entry, digit, 0);
}

static void on_page_ended(void *arg, browser_leg_t leg)
{
    switchboard_t *board = arg;
    leg_entry_t *entry = switchboard_find(board, BY_BROWSER, leg);
    if (!entry) return;
    leg_actor_event(board, entry,
                    &(leg_event_t){.kind = LEG_ON_REMOTE_END,
                                   .end = PL__LEG_END__LEG_BYE_REMOTE,
                                   .detail = "the page hung up"});
}

browser_sink_t wire_side_browser_sink(switchboard_t *board)
{
    return (browser_sink_t){.incoming = on_page,
                            .audio = on_page_audio,
                            .dtmf = on_page_dtmf,
                            .ended = on_page_ended,
                            .arg = board};
}

/* ---- media ---- */

static void on_media_dtmf(void *arg, media_leg_t leg, char digit, uint32_t duration_ms)
{
    leg_entry_t *entry = switchboard_find(arg, BY_MEDIA, leg);
    if (entry) key_of_phone(arg, entry, KEY_BY_MEDIA, digit, duration_ms);
}

static void on_media_lost(void *arg, media_leg_t leg)
{
    leg_entry_t *entry = switchboard_find(arg, BY_MEDIA, leg);
    if (entry) simple(arg, entry, LEG_ON_MEDIA_LOST);
}

static void on_speechless(void *arg, media_leg_t leg)
{
    leg_entry_t *entry = switchboard_find(arg, BY_MEDIA, leg);
    if (entry) simple(arg, entry, LEG_ON_SPEECHLESS);
}

static void on_lane_ready(void *arg, uint64_t lane)
{
    switchboard_t *board = arg;
    streams_lane_ready(board->streams, lane);
}

static void on_lane_broken(void *arg, uint64_t lane, const char *why)
{
    switchboard_t *board = arg;
    streams_lane_broken(board->streams, lane, why);
}

static void on_audio_out(void *arg, media_leg_t leg, const uint8_t pcm[PL_FRAME_BYTES])
{
    switchboard_t *board = arg;
    leg_entry_t *entry = switchboard_find(board, BY_MEDIA, leg);
    if (entry) browser_audio(board->browser, entry->handles[BY_BROWSER], pcm);
}

static void on_flush_out(void *arg, media_leg_t leg)
{
    switchboard_t *board = arg;
    leg_entry_t *entry = switchboard_find(board, BY_MEDIA, leg);
    if (entry) browser_flush(board->browser, entry->handles[BY_BROWSER]);
}

static void on_recorded(void *arg, media_leg_t leg, const recording_stats_t *stats)
{
    leg_entry_t *entry = switchboard_find(arg, BY_MEDIA, leg);
    if (!entry) return;
    entry->left = *stats;
    entry->moving_recording = false;
    leg_actor_moved(arg, entry);
}

static void on_media_closed(void *arg, media_leg_t leg, const media_stats_t *stats)
{
    leg_entry_t *entry = switchboard_find(arg, BY_MEDIA, leg);
    if (!entry) return;
    entry->stats = *stats;
    simple(arg, entry, LEG_ON_CLOSED);
}

media_sink_t wire_side_media_sink(switchboard_t *board)
{
    return (media_sink_t){.dtmf = on_media_dtmf,
                          .lost = on_media_lost,
                          .speechless = on_speechless,
                          .lane_ready = on_lane_ready,
                          .lane_broken = on_lane_broken,
                          .browser_audio = on_audio_out,
                          .browser_flush = on_flush_out,
                          .recorded = on_recorded,
                          .closed = on_media_closed,
                          .arg = board};
}

/* ---- streams ---- */

static void on_stream_open(void *arg, stream_t stream, const char *speech)
{
    leg_entry_t *entry = switchboard_find(arg, BY_STREAM, stream);
    if (!entry) return;
    snprintf(entry->speech, sizeof(entry->speech), "%s", speech);
    simple(arg, entry, LEG_ON_STREAM);
}

static void on_stream_gone(void *arg, stream_t stream, const char *why)
{
    (void)why;
    leg_entry_t *entry = switchboard_find(arg, BY_STREAM, stream);
    if (!entry) return;
    entry->moving_stream = false; /* the next one is opened under the new id */
    leg_actor_moved(arg, entry);
    simple(arg, entry, LEG_ON_STREAM_GONE);
}

static void on_stream_moved(void *arg, stream_t stream)
{
    leg_entry_t *entry = switchboard_find(arg, BY_STREAM, stream);
    if (!entry) return;
    entry->moving_stream = false;
    leg_actor_moved(arg, entry);
}

stream_sink_t wire_side_stream_sink(switchboard_t *board)
{
    return (stream_sink_t){
        .open = on_stream_open, .gone = on_stream_gone, .moved = on_stream_moved, .arg = board};
}

void wire_side_tick(switchboard_t *board)
{
    for (leg_entry_t *entry = board->all; entry;) {
        leg_entry_t *next = entry->all_next;
        simple(board, entry, LEG_ON_TIME); /* frees no leg: only media's answer does */
        entry = next;
    }
}
