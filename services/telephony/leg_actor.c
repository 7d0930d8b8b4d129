#include "services/telephony/leg_actor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "services/telephony/owner.h"
#include "services/telephony/voice_stats.h"

enum { INCOMING_TIMEOUT_MS = 3000 };

static bool tell(switchboard_t *board, const leg_entry_t *entry, Pl__Envelope *env)
{
    env->call_id = (char *)entry->call_id;
    env->epoch = entry->epoch;
    if (entry->owner[0] == '\0') return true;
    pl_err_t err = pl_bus_event(board->bus, entry->owner, env);
    if (err) {
        log_warn("leg.event.lost", "call=%s owner=%s body=%d err=%s", entry->call_id, entry->owner,
                 (int)env->body_case, pl_err_name(err));
    }
    return !err;
}

/* ---- the owner ---- */

typedef struct {
    switchboard_t *board;
    char call_id[CALL_ID_BYTES];
} asked_t;

/* The id under which its owner knows the leg: another than it was offered as, where the caller goes
 * on with a call. */
static const char *accepted_id(const asked_t *asked, const Pl__Envelope *reply)
{
    const char *id = reply->call_accepted->call_id;
    return id[0] ? id : asked->call_id;
}

/* False: another leg, or a text that is no id. */
static bool take_id(switchboard_t *board, leg_entry_t *entry, const char *id)
{
    if (strcmp(entry->call_id, id) == 0) return true;
    if (strlen(id) >= CALL_ID_BYTES || switchboard_call(board, id)) return false;
    log_info("leg.renamed", "call=%s former=%s", id, entry->call_id);
    switchboard_rename(board, entry, id);
    if (entry->kind == PL__LEG_KIND__BROWSER) {
        browser_accepted(board->browser, entry->handles[BY_BROWSER], id);
    }
    return true;
}

static void on_incoming_answered(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    asked_t asked = *(asked_t *)arg;
    free(arg);
    leg_entry_t *entry = switchboard_call(asked.board, asked.call_id);
    bool accepted = !err && reply && reply->body_case == PL__ENVELOPE__BODY_CALL_ACCEPTED;
    bool waiting = entry && entry->machine.state == LEG_OFFERED;
    if (!waiting) {
        if (accepted) {
            Pl__Envelope from = *reply;
            from.epoch = reply->call_accepted->epoch;
            leg_actor_tell_none(asked.board, &from, accepted_id(&asked, reply),
                                PL__LEG_END__LEG_CANCELLED, "the caller gave up");
        }
        return;
    }
    if (!accepted) {
        const char *detail = err ? pl_bus_error_detail(err, reply) : "an answer of another kind";
        log_info("leg.refused", "call=%s err=%s detail=\"%s\"", entry->call_id,
                 pl_err_name(err ? err : PL_INTERNAL), detail);
        leg_actor_event(asked.board, entry,
                        &(leg_event_t){.kind = LEG_ON_REFUSED,
                                       .err = err ? err : PL_INTERNAL,
                                       .detail = detail});
        return;
    }
    if (!take_id(asked.board, entry, accepted_id(&asked, reply))) {
        leg_actor_event(asked.board, entry,
                        &(leg_event_t){.kind = LEG_ON_REFUSED,
                                       .err = PL_INTERNAL,
                                       .detail = "the call has another leg"});
        return;
    }
    snprintf(entry->owner, sizeof(entry->owner), "%s", reply->sender);
    if (reply->call_accepted->epoch) entry->epoch = reply->call_accepted->epoch;
    snprintf(entry->lang, sizeof(entry->lang), "%s", reply->call_accepted->lang);
    snprintf(entry->voice, sizeof(entry->voice), "%s", reply->call_accepted->voice);
    leg_actor_event(asked.board, entry, &(leg_event_t){.kind = LEG_ON_ACCEPTED});
}

static void ask_owner(switchboard_t *board, leg_entry_t *entry)
{
    asked_t *asked = malloc(sizeof(*asked));
    if (!asked) abort();
    asked->board = board;
    memcpy(asked->call_id, entry->call_id, sizeof(asked->call_id));
    Pl__CallIncoming incoming = PL__CALL_INCOMING__INIT;
    incoming.kind = entry->kind;
    incoming.from = entry->from;
    incoming.to = entry->to;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = entry->call_id;
    env.epoch = entry->epoch;
    env.body_case = PL__ENVELOPE__BODY_CALL_INCOMING;
    env.call_incoming = &incoming;
    pl_bus_request(board->bus, "dialogue", &env, INCOMING_TIMEOUT_MS, on_incoming_answered, asked);
}

static void tell_ringing(switchboard_t *board, const leg_entry_t *entry)
{
    Pl__LegRinging ringing = PL__LEG_RINGING__INIT;
    ringing.sip_status = entry->machine.ring_status;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_LEG_RINGING;
    env.leg_ringing = &ringing;
    (void)tell(board, entry, &env);
}

void leg_actor_tell_held(switchboard_t *board, const leg_entry_t *entry)
{
    Pl__LegHeld held = PL__LEG_HELD__INIT;
    held.held = entry->held;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_LEG_HELD;
    env.leg_held = &held;
    (void)tell(board, entry, &env);
}

static void tell_answered(switchboard_t *board, leg_entry_t *entry)
{
    log_info("leg.answered", "call=%s speech=%s codec=%s", entry->call_id,
             entry->machine.stream ? entry->speech : "", entry->codec);
    static char nobody[] = "";
    Pl__LegAnswered answered = PL__LEG_ANSWERED__INIT;
    answered.speech = entry->machine.stream ? entry->speech : nobody;
    answered.kind = entry->kind;
    answered.codec = entry->codec;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_LEG_ANSWERED;
    env.leg_answered = &answered;
    (void)tell(board, entry, &env);
    if (entry->held) leg_actor_tell_held(board, entry); /* another owner does not know */
}

static void tell_transferred(switchboard_t *board, leg_entry_t *entry)
{
    Pl__LegTransferred transferred = PL__LEG_TRANSFERRED__INIT;
    transferred.ok = entry->machine.transfer_ok;
    transferred.detail = entry->machine.detail;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_LEG_TRANSFERRED;
    env.leg_transferred = &transferred;
    (void)tell(board, entry, &env);
}

static void recording_of(const switchboard_t *board, recording_stats_t *stats, Pl__Recording *out)
{
    out->number = stats->number;
    out->instance = (char *)pl_config_instance(board->cfg);
    out->started_at_ms = stats->started_at_ms;
    out->duration_ms = stats->duration_ms;
    out->lost_ms = stats->lost_ms;
    out->failure = stats->failure;
}

void leg_actor_moved(switchboard_t *board, leg_entry_t *entry)
{
    if (!entry->move || entry->moving_stream || entry->moving_recording) return;
    if (!entry->left.any) {
        pl_request_done(&entry->move);
        return;
    }
    Pl__LegMoved moved = PL__LEG_MOVED__INIT;
    Pl__Recording recording = PL__RECORDING__INIT;
    recording_of(board, &entry->left, &recording);
    moved.recording = &recording;
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    reply.body_case = PL__ENVELOPE__BODY_LEG_MOVED;
    reply.leg_moved = &moved;
    pl_request_reply(&entry->move, &reply);
}

static void tell_ended(switchboard_t *board, leg_entry_t *entry)
{
    const leg_t *leg = &entry->machine;
    log_info("leg.ended", "call=%s end=%d detail=\"%s\" duration_ms=%u rtp_lost=%u rtp_late=%u",
             entry->call_id, (int)leg->end, leg->detail, entry->stats.duration_ms,
             entry->stats.rtp.lost, entry->stats.rtp.late);
    pl_metric_add(board->ended[leg->end], 1);
    pl_metric_add(board->rtp_lost, entry->stats.rtp.lost);
    pl_metric_add(board->rtp_late, entry->stats.rtp.late);
    Pl__LegStats stats = voice_stats_of(&entry->stats);
    Pl__LegEnded ended = PL__LEG_ENDED__INIT;
    ended.end = leg->end;
    ended.detail = entry->machine.detail;
    ended.stats = &stats;
    Pl__Recording recording = PL__RECORDING__INIT;
    if (entry->stats.recording.any) {
        recording_of(board, &entry->stats.recording, &recording);
        ended.recording = &recording;
    }
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_LEG_ENDED;
    env.leg_ended = &ended;
    bool told = tell(board, entry, &env);
    if (!told || entry->machine.orphan) owner_tell_ended(board, entry, &ended);
}

void leg_actor_tell_none(switchboard_t *board, const Pl__Envelope *from, const char *call_id,
                         Pl__LegEnd end, const char *detail)
{
    Pl__LegEnded ended = PL__LEG_ENDED__INIT;
    ended.end = end;
    ended.detail = (char *)detail;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = (char *)call_id;
    env.epoch = from->epoch ? from->epoch : 1; /* an older one would be refused */
    env.body_case = PL__ENVELOPE__BODY_LEG_ENDED;
    env.leg_ended = &ended;
    (void)pl_bus_event(board->bus, from->sender, &env); /* it asks again when it did not arrive */
}

/* ---- the wire ---- */

static void open_stream(switchboard_t *board, leg_entry_t *entry)
{
    stream_opts_t opts = {.call_id = entry->call_id,
                          .epoch = entry->epoch,
                          .owner = entry->owner,
                          .lang = entry->lang,
                          .voice = entry->voice,
                          .leg = entry->handles[BY_MEDIA]};
    switchboard_key(board, entry, BY_STREAM, streams_open(board->streams, &opts));
}

static void close_stream(switchboard_t *board, leg_entry_t *entry)
{
    stream_t stream = entry->handles[BY_STREAM];
    switchboard_key(board, entry, BY_STREAM, 0);
    streams_close(board->streams, &stream);
}

static void refuse(switchboard_t *board, const leg_entry_t *entry)
{
    if (entry->kind == PL__LEG_KIND__BROWSER) {
        browser_end(board->browser, entry->handles[BY_BROWSER], entry->machine.detail);
        return;
    }
    sip_refusal_t refusal = sip_cause_refusal(entry->machine.refusal);
    sip_agent_refuse(board->sip, entry->handles[BY_SIP], &refusal);
}

static void hang_up(switchboard_t *board, const leg_entry_t *entry)
{
    if (entry->kind == PL__LEG_KIND__BROWSER) {
        browser_end(board->browser, entry->handles[BY_BROWSER], entry->machine.detail);
    } else {
        sip_agent_hangup(board->sip, entry->handles[BY_SIP]);
    }
}

static void close_media(switchboard_t *board, const leg_entry_t *entry)
{
    media_leg_t leg = entry->handles[BY_MEDIA]; /* the key stays until media tells closed */
    media_leg_close(board->media, &leg);
}

/* A browser leg is up as soon as we say so; a SIP leg with the ACK. Returns whether it is. */
static bool answer(switchboard_t *board, leg_entry_t *entry)
{
    if (entry->kind == PL__LEG_KIND__BROWSER) {
        browser_answered(board->browser, entry->handles[BY_BROWSER]);
        snprintf(entry->codec, sizeof(entry->codec), "L16/16000");
        return true;
    }
    sip_agent_answer(board->sip, entry->handles[BY_SIP], entry->rtp_port);
    return false;
}

/* ---- effects ---- */

/* Does them in the order of their bits. Returns whether the leg is connected by them. */
static bool do_wire(switchboard_t *board, leg_entry_t *entry, unsigned effects)
{
    bool connected = false;
    if (effects & LEG_FX_ASK_OWNER) ask_owner(board, entry);
    if (effects & LEG_FX_OPEN_STREAM) open_stream(board, entry);
    if (effects & LEG_FX_ANSWER) connected = answer(board, entry);
    if (effects & LEG_FX_REFUSE) refuse(board, entry);
    if (effects & LEG_FX_HANG_UP) hang_up(board, entry);
    if (effects & LEG_FX_REFER) {
        sip_agent_transfer(board->sip, entry->handles[BY_SIP], entry->transfer_to);
    }
    if (effects & LEG_FX_PROMPT) {
        media_leg_prompt(board->media, entry->handles[BY_MEDIA], board->apology.pcm,
                         board->apology.samples);
    }
    if (effects & LEG_FX_OFFER) owner_offer(board, entry);
    if (effects & LEG_FX_HOLD) owner_hold(board, entry);
    if (effects & LEG_FX_HOLD_STOP) {
        media_leg_hold(board->media, entry->handles[BY_MEDIA], NULL, 0);
    }
    if (effects & LEG_FX_CLOSE_STREAM) close_stream(board, entry);
    if (effects & LEG_FX_CLOSE_MEDIA) close_media(board, entry);
    return connected;
}

static void do_tell(switchboard_t *board, leg_entry_t *entry, unsigned effects)
{
    if (effects & LEG_FX_TELL_RINGING) tell_ringing(board, entry);
    if (effects & LEG_FX_TELL_ANSWERED) tell_answered(board, entry);
    if (effects & LEG_FX_TELL_TRANSFERRED) tell_transferred(board, entry);
    if (effects & LEG_FX_TELL_ENDED) tell_ended(board, entry);
}

void leg_actor_event(switchboard_t *board, leg_entry_t *entry, const leg_event_t *event)
{
    leg_state_t before = entry->machine.state;
    unsigned effects = leg_handle(&entry->machine, pl_clock_ms(), event);
    if (entry->machine.state != before) {
        log_debug("leg.state", "call=%s from=%s to=%s", entry->call_id, leg_state_name(before),
                  leg_state_name(entry->machine.state));
    }
    if (entry->machine.state == LEG_UP && board->record && !entry->recorded) {
        entry->recorded = true;
        media_leg_record(board->media, entry->handles[BY_MEDIA], board->recorder, entry->call_id);
    }
    bool connected = do_wire(board, entry, effects);
    do_tell(board, entry, effects);
    if (effects & LEG_FX_FREE) {
        switchboard_remove(board, entry);
    } else if (connected) {
        leg_actor_event(board, entry, &(leg_event_t){.kind = LEG_ON_CONNECTED});
    }
}

void leg_actor_start(switchboard_t *board, leg_entry_t *entry, bool outbound,
                     const leg_limits_t *limits)
{
    uint64_t now_ms = pl_clock_ms();
    unsigned effects = outbound ? leg_start_outbound(&entry->machine, now_ms, limits)
                                : leg_start_inbound(&entry->machine, now_ms, limits);
    (void)do_wire(board, entry, effects);
}
