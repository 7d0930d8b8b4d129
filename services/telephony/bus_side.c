#include "services/telephony/bus_side.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "services/telephony/leg_actor.h"
#include "services/telephony/owner.h"

enum { RING_TIMEOUT_MAX_MS = 600000, MAX_DIGITS = 32, TONE_MIN_MS = 40, TONE_MAX_MS = 2000 };

/* A UUID's shape: hexadecimal digits in groups of 8-4-4-4-12. */
static bool is_uuid(const char *text)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (strlen(text) != sizeof(shape) - 1) return false;
    for (size_t i = 0; i < sizeof(shape) - 1; i++) {
        bool good =
            shape[i] == '-' ? text[i] == '-' : strchr("0123456789abcdefABCDEF", text[i]) != NULL;
        if (!good) return false;
    }
    return true;
}

/* An owner of a later epoch takes the leg over; an earlier one, or another of the same, is stale. */
static pl_err_t check_owner(switchboard_t *board, leg_entry_t *entry, const Pl__Envelope *env)
{
    if (env->epoch != 0 && env->epoch < entry->epoch) return PL_STALE;
    if (env->epoch > entry->epoch) (void)owner_set(board, entry, env->sender, env->epoch);
    return strcmp(env->sender, entry->owner) == 0 ? PL_OK : PL_STALE;
}

/* The live leg of the envelope's call, if its sender owns it. Otherwise refuses and returns NULL. */
static leg_entry_t *owned(switchboard_t *board, const Pl__Envelope *env, pl_request_t **request_p)
{
    leg_entry_t *entry = switchboard_call(board, env->call_id);
    if (!entry || leg_is_over(&entry->machine)) {
        pl_request_refuse(request_p, PL_NOT_FOUND, 0, "the call has no leg here");
        return NULL;
    }
    pl_err_t err = check_owner(board, entry, env);
    if (err) {
        pl_request_refuse(request_p, err, 0, "another instance owns the call");
        return NULL;
    }
    leg_actor_event(board, entry, &(leg_event_t){.kind = LEG_ON_OWNER});
    return entry;
}

/* ---- dialling ---- */

static bool dial_valid(switchboard_t *board, const Pl__Envelope *env, pl_request_t **request_p)
{
    const Pl__LegDial *dial = env->leg_dial;
    if (!is_uuid(env->call_id)) {
        pl_request_refuse(request_p, PL_INVALID, 0, "call_id is not a UUID");
    } else if (!identity_is_number(dial->to)) {
        pl_request_refuse(request_p, PL_INVALID, 0, "to is not an E.164 number");
    } else if (dial->ring_timeout_ms > RING_TIMEOUT_MAX_MS) {
        pl_request_refuse(request_p, PL_INVALID, 0, "ring_timeout_ms is above %d",
                          RING_TIMEOUT_MAX_MS);
    } else if (switchboard_call(board, env->call_id)) {
        pl_request_refuse(request_p, PL_INVALID, 0, "the call has a leg already");
    } else if (!switchboard_room(board)) {
        pl_request_refuse(request_p, PL_BUSY, 1000, "%s",
                          board->draining ? "telephony is draining"
                                          : "telephony.max_legs is reached");
    } else {
        return true;
    }
    return false;
}

static void on_dial(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    switchboard_t *board = arg;
    if (!request) return; /* nobody to tell how it went */
    if (!dial_valid(board, env, &request)) return;
    media_leg_t media = 0;
    uint16_t port = 0;
    pl_err_t err = media_leg_rtp(board->media, &media, &port);
    if (err) {
        pl_request_refuse(&request, err, 1000,
                          "no RTP port is free between telephony.rtp.port_min and port_max");
        return;
    }
    const Pl__LegDial *dial = env->leg_dial;
    leg_entry_t *entry = switchboard_add(board, env->call_id, PL__LEG_KIND__SIP);
    switchboard_key(board, entry, BY_MEDIA, media);
    entry->rtp_port = port;
    entry->dial = request;
    if (env->epoch) entry->epoch = env->epoch;
    snprintf(entry->owner, sizeof(entry->owner), "%s", env->sender);
    snprintf(entry->lang, sizeof(entry->lang), "%s", dial->lang);
    snprintf(entry->voice, sizeof(entry->voice), "%s", dial->voice);
    leg_limits_t limits = board->limits;
    if (dial->ring_timeout_ms) limits.ring_timeout_ms = dial->ring_timeout_ms;
    leg_actor_start(board, entry, true, &limits);
    switchboard_key(board, entry, BY_SIP,
                    sip_agent_dial(board->sip, dial->to, dial->from_name, port));
    log_info("leg.dial", "call=%s owner=%s", entry->call_id, entry->owner);
}

/* ---- a live leg ---- */

static void on_hangup(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    switchboard_t *board = arg;
    leg_entry_t *entry = owned(board, env, &request);
    if (!entry) return;
    log_info("leg.hangup", "call=%s", entry->call_id);
    leg_actor_event(board, entry,
                    &(leg_event_t){.kind = LEG_ON_HANGUP, .detail = env->leg_hangup->reason});
    pl_request_done(&request);
}

static void on_transfer(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    switchboard_t *board = arg;
    leg_entry_t *entry = owned(board, env, &request);
    if (!entry) return;
    if (entry->kind == PL__LEG_KIND__BROWSER) {
        pl_request_refuse(&request, PL_UNSUPPORTED, 0, "a browser leg cannot be transferred");
        return;
    }
    if (!identity_is_number(env->leg_transfer->to)) {
        pl_request_refuse(&request, PL_INVALID, 0, "to is not an E.164 number");
        return;
    }
    if (!leg_can_transfer(&entry->machine)) {
        pl_request_refuse(&request, PL_INVALID, 0, "the leg is %s",
                          leg_state_name(entry->machine.state));
        return;
    }
    snprintf(entry->transfer_to, sizeof(entry->transfer_to), "%s", env->leg_transfer->to);
    leg_actor_event(board, entry, &(leg_event_t){.kind = LEG_ON_TRANSFER});
    pl_request_done(&request);
}

/* Asked again: it has been done, or is being done. True: *request_p is taken. */
static bool moved_already(switchboard_t *board, const Pl__Envelope *env, pl_request_t **request_p)
{
    leg_entry_t *entry = switchboard_call(board, env->leg_move->call_id);
    bool same =
        entry && strcmp(entry->former, env->call_id) == 0 && strcmp(entry->owner, env->sender) == 0;
    if (!same) return false;
    if (entry->move) pl_request_refuse(&entry->move, PL_STALE, 0, "asked again");
    entry->move = *request_p;
    *request_p = NULL;
    leg_actor_moved(board, entry);
    return true;
}

static void on_move(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    switchboard_t *board = arg;
    const char *call_id = env->leg_move->call_id;
    if (!request) return; /* nobody to tell when it is done */
    if (moved_already(board, env, &request)) return;
    leg_entry_t *entry = owned(board, env, &request);
    if (!entry) return;
    if (!is_uuid(call_id) || switchboard_call(board, call_id)) {
        pl_request_refuse(&request, PL_INVALID, 0, "call_id is not a UUID, or has a leg");
        return;
    }
    if (entry->move) pl_request_refuse(&entry->move, PL_STALE, 0, "moved once more");
    log_info("leg.moved", "call=%s former=%s", call_id, entry->call_id);
    switchboard_rename(board, entry, call_id);
    entry->left = (recording_stats_t){0};
    entry->moving_recording = entry->recorded;
    if (entry->recorded) {
        media_leg_record(board->media, entry->handles[BY_MEDIA], board->recorder, call_id);
    }
    if (entry->kind == PL__LEG_KIND__BROWSER) {
        browser_accepted(board->browser, entry->handles[BY_BROWSER], call_id);
    }
    entry->moving_stream = streams_move(board->streams, entry->handles[BY_STREAM], call_id);
    entry->move = request;
    leg_actor_moved(board, entry);
}

static void on_send_dtmf(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    switchboard_t *board = arg;
    leg_entry_t *entry = owned(board, env, &request);
    if (!entry) return;
    const char *digits = env->leg_send_dtmf->digits;
    uint32_t tone_ms = env->leg_send_dtmf->tone_ms ? env->leg_send_dtmf->tone_ms : 160;
    size_t count = strlen(digits);
    bool good = count > 0 && count <= MAX_DIGITS && strspn(digits, "0123456789*#ABCD") == count &&
                tone_ms >= TONE_MIN_MS && tone_ms <= TONE_MAX_MS;
    if (!good) {
        pl_request_refuse(&request, PL_INVALID, 0, "digits or tone_ms is out of range");
    } else if (entry->kind == PL__LEG_KIND__BROWSER || entry->machine.state != LEG_UP) {
        pl_request_refuse(&request, PL_UNSUPPORTED, 0, "the leg takes no keys now");
    } else {
        media_leg_dtmf(board->media, entry->handles[BY_MEDIA], digits, tone_ms);
        pl_request_done(&request);
    }
}

static void on_keep_alive(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    switchboard_t *board = arg;
    leg_entry_t *entry = switchboard_call(board, env->call_id);
    if (!entry) entry = switchboard_former(board, env->call_id); /* it crossed a move */
    if (!entry) {
        leg_actor_tell_none(board, env, env->call_id, PL__LEG_END__LEG_FAILED,
                            "telephony has no such leg");
    } else if (check_owner(board, entry, env) == PL_OK) {
        leg_actor_event(board, entry, &(leg_event_t){.kind = LEG_ON_OWNER});
    } else {
        owner_tell_lost(board, entry, env);
    }
    if (request) pl_request_done(&request);
}

/* The owner stops: another instance is asked, and until one has agreed it stays the owner. */
static void on_release(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    switchboard_t *board = arg;
    leg_entry_t *entry = switchboard_call(board, env->call_id);
    if (entry && !entry->machine.offering && check_owner(board, entry, env) == PL_OK) {
        entry->released = env->leg_release->quiet;
        leg_actor_event(board, entry, &(leg_event_t){.kind = LEG_ON_OWNER_GONE});
    }
    if (request) pl_request_done(&request);
}

static void on_transcript(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    switchboard_t *board = arg;
    leg_entry_t *entry = switchboard_call(board, env->call_id);
    if (entry && entry->kind == PL__LEG_KIND__BROWSER && check_owner(board, entry, env) == PL_OK) {
        browser_transcript(board->browser, entry->handles[BY_BROWSER], env->leg_transcript);
    }
    if (request) pl_request_done(&request);
}

/* ---- without a leg ---- */

static void on_ticket_get(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    switchboard_t *board = arg;
    if (!request) return;
    const char *number = env->phone_ticket_get->phone_number;
    if (number[0] != '\0' && strcmp(number, "anonymous") != 0 && !identity_is_number(number)) {
        pl_request_refuse(&request, PL_INVALID, 0, "phone_number is not an E.164 number");
        return;
    }
    if (!switchboard_room(board)) {
        pl_request_refuse(&request, PL_BUSY, 1000, "telephony takes no new legs");
        return;
    }
    char token[TICKET_CHARS + 1];
    browser_ticket(board->browser, number, token);
    Pl__PhoneTicket ticket = PL__PHONE_TICKET__INIT;
    ticket.token = token;
    ticket.url = (char *)pl_config_str(board->cfg, "telephony.browser.public_url");
    ticket.port = browser_port(board->browser);
    ticket.lifetime_ms = TICKET_LIFE_MS;
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    reply.body_case = PL__ENVELOPE__BODY_PHONE_TICKET;
    reply.phone_ticket = &ticket;
    pl_request_reply(&request, &reply);
}

static void on_sms_done(void *arg, pl_err_t err, const sms_outcome_t *outcome)
{
    pl_request_t *request = arg;
    if (err) {
        pl_request_refuse(&request, err, pl_err_retry(err) ? 1000 : 0, "SMS: %s",
                          err == PL_INVALID ? "text, key or number is refused"
                          : err == PL_BUSY  ? "is being sent"
                                            : pl_err_text(err));
        return;
    }
    Pl__SmsSent sent = PL__SMS_SENT__INIT;
    sent.delivered = outcome->delivered;
    sent.unknown = outcome->unknown;
    sent.detail = (char *)outcome->detail;
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    reply.body_case = PL__ENVELOPE__BODY_SMS_SENT;
    reply.sms_sent = &sent;
    pl_request_reply(&request, &reply);
}

static void on_sms_send(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    switchboard_t *board = arg;
    const Pl__SmsSend *body = env->sms_send;
    if (!request) return;
    if (!identity_is_number(body->to)) {
        pl_request_refuse(&request, PL_INVALID, 0, "to is not an E.164 number");
        return;
    }
    sms_t sms = {.call_id = env->call_id,
                 .to = body->to,
                 .text = body->text,
                 .key = body->key,
                 .again = body->again};
    sms_desk_send(board->sms, &sms, on_sms_done, request);
}

static void on_recording_read(void *arg, pl_err_t err, const uint8_t *bytes, size_t size,
                              uint64_t total)
{
    pl_request_t *request = arg;
    if (err) {
        pl_request_refuse(&request, err, 0, "there is no such recording here");
        return;
    }
    Pl__RecordingPart part = PL__RECORDING_PART__INIT;
    part.data = (ProtobufCBinaryData){size, (uint8_t *)bytes};
    part.total = total;
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    reply.body_case = PL__ENVELOPE__BODY_RECORDING_PART;
    reply.recording_part = &part;
    pl_request_reply(&request, &reply);
}

static void on_recording_get(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    switchboard_t *board = arg;
    if (!request) return;
    const Pl__RecordingGet *get = env->recording_get;
    recorder_read(board->recorder, board->loop, env->call_id, get->number, get->offset, get->length,
                  on_recording_read, request);
}

static void on_peer(void *arg, const pl_peer_t *peer)
{
    switchboard_t *board = arg;
    streams_peer(board->streams, peer);
    owner_peer(board, peer);
}

void bus_side_init(switchboard_t *board)
{
    static const struct {
        Pl__Envelope__BodyCase body;
        pl_bus_handler_fn *fn;
    } handlers[] = {
        {PL__ENVELOPE__BODY_LEG_DIAL, on_dial},
        {PL__ENVELOPE__BODY_LEG_HANGUP, on_hangup},
        {PL__ENVELOPE__BODY_LEG_TRANSFER, on_transfer},
        {PL__ENVELOPE__BODY_LEG_MOVE, on_move},
        {PL__ENVELOPE__BODY_LEG_SEND_DTMF, on_send_dtmf},
        {PL__ENVELOPE__BODY_LEG_KEEP_ALIVE, on_keep_alive},
        {PL__ENVELOPE__BODY_LEG_RELEASE, on_release},
        {PL__ENVELOPE__BODY_LEG_TRANSCRIPT, on_transcript},
        {PL__ENVELOPE__BODY_PHONE_TICKET_GET, on_ticket_get},
        {PL__ENVELOPE__BODY_SMS_SEND, on_sms_send},
        {PL__ENVELOPE__BODY_RECORDING_GET, on_recording_get},
    };
    for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++) {
        pl_bus_on(board->bus, handlers[i].body, handlers[i].fn, board);
    }
    pl_bus_on_peer(board->bus, on_peer, board);
}
