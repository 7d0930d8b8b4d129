#include "services/telephony/leg.h"

#include <stdio.h>
#include <string.h>

/* An outbound leg that was answered before its stream is open waits so long until the owner is
 * told that nobody listens yet. */
enum { ANSWER_WITHOUT_SPEECH_MS = 2000 };
enum { TRANSFER_TIMEOUT_MS = 30000 };

/* An orphan is offered so often, and hears the holding sentence again after so long. */
enum { OFFER_EVERY_MS = 250, HOLD_AGAIN_MS = 5000 };

static void enter(leg_t *leg, uint64_t now_ms, leg_state_t state)
{
    leg->state = state;
    leg->state_since_ms = now_ms;
}

static void start(leg_t *leg, uint64_t now_ms, const leg_limits_t *limits, leg_state_t state)
{
    memset(leg, 0, sizeof(*leg));
    leg->limits = *limits;
    leg->owner_heard_ms = now_ms;
    leg->end = PL__LEG_END__LEG_NOT_ENDED;
    enter(leg, now_ms, state);
}

unsigned leg_start_outbound(leg_t *leg, uint64_t now_ms, const leg_limits_t *limits)
{
    start(leg, now_ms, limits, LEG_DIALLING);
    leg->outbound = true;
    return 0;
}

unsigned leg_start_inbound(leg_t *leg, uint64_t now_ms, const leg_limits_t *limits)
{
    start(leg, now_ms, limits, LEG_OFFERED);
    return LEG_FX_ASK_OWNER;
}

bool leg_is_over(const leg_t *leg)
{
    return leg->state == LEG_CLOSING || leg->state == LEG_ENDED;
}

bool leg_can_transfer(const leg_t *leg)
{
    return leg->state == LEG_UP;
}

/* Ends the leg for this reason. how is LEG_FX_HANG_UP, LEG_FX_REFUSE or, when the other side has
 * ended it, 0. */
static unsigned end(leg_t *leg, uint64_t now_ms, Pl__LegEnd reason, const char *detail,
                    unsigned how)
{
    unsigned effects = how | LEG_FX_CLOSE_MEDIA;
    if (leg->stream_asked) effects |= LEG_FX_CLOSE_STREAM;
    if (leg->state == LEG_TRANSFERRING && !leg->transfer_ok) effects |= LEG_FX_TELL_TRANSFERRED;
    if (leg->end == PL__LEG_END__LEG_NOT_ENDED) { /* else the apology's reason stays */
        leg->end = reason;
        snprintf(leg->detail, sizeof(leg->detail), "%s", detail ? detail : "");
    }
    leg->stream = false;
    enter(leg, now_ms, LEG_CLOSING);
    return effects;
}

static unsigned ask_stream(leg_t *leg)
{
    if (leg->stream_asked) return 0;
    leg->stream_asked = true;
    return LEG_FX_OPEN_STREAM;
}

static unsigned on_ringing(leg_t *leg, const leg_event_t *event)
{
    if (leg->state != LEG_DIALLING) return 0;
    leg->state = LEG_RINGING; /* the ring time-out counts from the INVITE */
    leg->ring_status = event->status;
    return LEG_FX_TELL_RINGING | ask_stream(leg);
}

static unsigned on_connected(leg_t *leg, uint64_t now_ms)
{
    bool expected =
        leg->state == LEG_DIALLING || leg->state == LEG_RINGING || leg->state == LEG_ANSWERING;
    if (!expected) return 0;
    enter(leg, now_ms, LEG_UP);
    leg->up_ms = now_ms;
    leg->owner_heard_ms = now_ms; /* who waits for an answer need not say that it lives */
    leg->stream_gone_ms = now_ms;
    if (leg->stream) {
        leg->answered = true;
        return LEG_FX_TELL_ANSWERED;
    }
    return ask_stream(leg);
}

static unsigned on_stream(leg_t *leg, uint64_t now_ms)
{
    leg->stream = true;
    switch (leg->state) {
    case LEG_OPENING:
        enter(leg, now_ms, LEG_ANSWERING);
        return LEG_FX_ANSWER;
    case LEG_UP:
    case LEG_TRANSFERRING:
        leg->answered = true;
        return LEG_FX_TELL_ANSWERED;
    case LEG_DIALLING:
    case LEG_RINGING:
    case LEG_OFFERED:
    case LEG_ANSWERING:
    case LEG_APOLOGY:
        return 0;
    case LEG_CLOSING:
    case LEG_ENDED:
        break;
    }
    leg->stream = false;
    return LEG_FX_CLOSE_STREAM; /* it crossed the end */
}

static unsigned on_remote_end(leg_t *leg, uint64_t now_ms, const leg_event_t *event)
{
    Pl__LegEnd reason = event->end;
    bool unanswered = leg->state == LEG_OFFERED || leg->state == LEG_OPENING;
    if (unanswered && reason == PL__LEG_END__LEG_BYE_REMOTE) reason = PL__LEG_END__LEG_CANCELLED;
    return end(leg, now_ms, reason, event->detail, 0);
}

static unsigned on_transferred(leg_t *leg, uint64_t now_ms, const leg_event_t *event)
{
    if (leg->state != LEG_TRANSFERRING) return 0;
    leg->transfer_ok = event->ok;
    if (event->ok) {
        return LEG_FX_TELL_TRANSFERRED |
               end(leg, now_ms, PL__LEG_END__LEG_TRANSFERRED, event->detail, LEG_FX_HANG_UP);
    }
    snprintf(leg->detail, sizeof(leg->detail), "%s", event->detail ? event->detail : "");
    enter(leg, now_ms, LEG_UP);
    return LEG_FX_TELL_TRANSFERRED;
}

static unsigned apologise(leg_t *leg, uint64_t now_ms, Pl__LegEnd reason, const char *detail)
{
    leg->end = reason;
    snprintf(leg->detail, sizeof(leg->detail), "%s", detail);
    enter(leg, now_ms, LEG_APOLOGY);
    return LEG_FX_PROMPT;
}

/* The owner is there: the old one again, or a new one. */
static unsigned owner_heard(leg_t *leg, uint64_t now_ms)
{
    unsigned effects = leg->orphan && leg->held ? LEG_FX_HOLD_STOP : 0;
    leg->owner_heard_ms = now_ms;
    leg->orphan = leg->held = false;
    return effects;
}

static unsigned on_adopted(leg_t *leg, uint64_t now_ms, bool new_owner)
{
    leg->offering = false;
    unsigned effects = owner_heard(leg, now_ms);
    bool up = leg->state == LEG_UP || leg->state == LEG_TRANSFERRING;
    if (!up || !new_owner || (!leg->stream && !leg->answered)) return effects;
    leg->answered = true; /* a new owner has never heard of the stream */
    return effects | LEG_FX_TELL_ANSWERED;
}

/* Nobody owns the leg: it is offered, and the caller is kept company. */
static unsigned orphaned(leg_t *leg, uint64_t now_ms)
{
    unsigned effects = 0;
    if (!leg->offering && (!leg->offered_ms || now_ms - leg->offered_ms >= OFFER_EVERY_MS)) {
        leg->offering = true;
        leg->offered_ms = now_ms;
        effects |= LEG_FX_OFFER;
    }
    bool silent = now_ms - leg->owner_heard_ms >= leg->limits.owner_silent_ms;
    if (silent && (!leg->held || now_ms - leg->held_ms >= HOLD_AGAIN_MS)) {
        leg->held = true;
        leg->held_ms = now_ms;
        effects |= LEG_FX_HOLD;
    }
    return effects;
}

static unsigned on_owner_gone(leg_t *leg, uint64_t now_ms)
{
    if (leg->limits.owner_silent_ms > 0) leg->orphan = true;
    return leg->state == LEG_UP && leg->orphan ? orphaned(leg, now_ms) : 0;
}

/* What time does to a leg that is up. */
static unsigned age(leg_t *leg, uint64_t now_ms)
{
    if (leg->limits.call_ms > 0 && now_ms - leg->up_ms >= leg->limits.call_ms) {
        return end(leg, now_ms, PL__LEG_END__LEG_BYE_LOCAL, "telephony.limits.call_s is reached",
                   LEG_FX_HANG_UP);
    }
    if (now_ms - leg->owner_heard_ms >= leg->limits.owner_timeout_ms) {
        return apologise(leg, now_ms, PL__LEG_END__LEG_OWNER_LOST, "the owner fell silent");
    }
    uint32_t silent_ms = leg->limits.owner_silent_ms;
    if (silent_ms > 0 && now_ms - leg->owner_heard_ms >= silent_ms) leg->orphan = true;
    if (leg->orphan) return orphaned(leg, now_ms);
    if (leg->stream) return 0;
    uint64_t without_ms = now_ms - leg->stream_gone_ms;
    if (without_ms >= leg->limits.speech_timeout_ms) {
        return apologise(leg, now_ms, PL__LEG_END__LEG_FAILED, "no speech instance took the audio");
    }
    if (leg->answered || without_ms < ANSWER_WITHOUT_SPEECH_MS) return 0;
    leg->answered = true;
    return LEG_FX_TELL_ANSWERED;
}

static unsigned on_time(leg_t *leg, uint64_t now_ms)
{
    uint64_t in_state_ms = now_ms - leg->state_since_ms;
    switch (leg->state) {
    case LEG_DIALLING:
    case LEG_RINGING:
        if (in_state_ms >= leg->limits.ring_timeout_ms) {
            return end(leg, now_ms, PL__LEG_END__LEG_NO_ANSWER, "nobody answered in time",
                       LEG_FX_HANG_UP);
        }
        return 0;
    case LEG_OPENING:
        if (in_state_ms < leg->limits.open_timeout_ms) return 0;
        leg->refusal = PL_UNAVAILABLE;
        return end(leg, now_ms, PL__LEG_END__LEG_FAILED, "no speech instance took the audio",
                   LEG_FX_REFUSE);
    case LEG_TRANSFERRING:
        if (in_state_ms < TRANSFER_TIMEOUT_MS) return 0;
        return on_transferred(
            leg, now_ms,
            &(leg_event_t){.kind = LEG_ON_TRANSFERRED, .detail = "no outcome was told in time"});
    case LEG_UP:
        return age(leg, now_ms);
    case LEG_APOLOGY:
        if (in_state_ms < leg->limits.apology_ms) return 0;
        return end(leg, now_ms, leg->end, NULL, LEG_FX_HANG_UP);
    case LEG_OFFERED:
    case LEG_ANSWERING:
    case LEG_CLOSING:
    case LEG_ENDED:
        return 0;
    }
    return 0;
}

static unsigned handle_live(leg_t *leg, uint64_t now_ms, const leg_event_t *event)
{
    switch (event->kind) {
    case LEG_ON_RINGING:
        return on_ringing(leg, event);
    case LEG_ON_ACCEPTED:
        if (leg->state != LEG_OFFERED) return 0;
        leg->owner_heard_ms = now_ms;
        enter(leg, now_ms, LEG_OPENING);
        return ask_stream(leg);
    case LEG_ON_REFUSED:
        if (leg->state != LEG_OFFERED) return 0;
        leg->refusal = event->err;
        return end(leg, now_ms, PL__LEG_END__LEG_FAILED, event->detail, LEG_FX_REFUSE);
    case LEG_ON_CONNECTED:
        return on_connected(leg, now_ms);
    case LEG_ON_STREAM:
        return on_stream(leg, now_ms);
    case LEG_ON_STREAM_GONE:
        leg->stream = false;
        leg->stream_gone_ms = now_ms;
        break;
    case LEG_ON_OWNER:
        return owner_heard(leg, now_ms);
    case LEG_ON_OWNER_GONE:
        return on_owner_gone(leg, now_ms);
    case LEG_ON_ADOPTED:
        return on_adopted(leg, now_ms, event->ok);
    case LEG_ON_NOT_ADOPTED:
        leg->offering = false;
        break;
    case LEG_ON_HANGUP:
        return end(leg, now_ms, PL__LEG_END__LEG_BYE_LOCAL, event->detail, LEG_FX_HANG_UP);
    case LEG_ON_TRANSFER:
        if (leg->state != LEG_UP) return 0;
        leg->transfer_ok = false;
        enter(leg, now_ms, LEG_TRANSFERRING);
        return LEG_FX_REFER;
    case LEG_ON_TRANSFERRED:
        return on_transferred(leg, now_ms, event);
    case LEG_ON_REMOTE_END:
        return on_remote_end(leg, now_ms, event);
    case LEG_ON_MEDIA_LOST:
        if (leg->state < LEG_UP) return 0;
        return end(leg, now_ms, PL__LEG_END__LEG_MEDIA_LOST, "no audio came any more",
                   LEG_FX_HANG_UP);
    case LEG_ON_SPEECHLESS:
        if (leg->state != LEG_UP) return 0;
        return end(leg, now_ms, PL__LEG_END__LEG_BYE_LOCAL,
                   "telephony.limits.speechless_s is reached", LEG_FX_HANG_UP);
    case LEG_ON_SHUTDOWN:
        return end(leg, now_ms, PL__LEG_END__LEG_FAILED, "telephony is shutting down",
                   LEG_FX_HANG_UP);
    case LEG_ON_TIME:
        return on_time(leg, now_ms);
    case LEG_ON_CLOSED:
        break;
    }
    return 0;
}

unsigned leg_handle(leg_t *leg, uint64_t now_ms, const leg_event_t *event)
{
    if (leg->state == LEG_ENDED) return 0;
    if (leg->state != LEG_CLOSING) return handle_live(leg, now_ms, event);
    if (event->kind == LEG_ON_STREAM) return on_stream(leg, now_ms);
    if (event->kind != LEG_ON_CLOSED) return 0;
    enter(leg, now_ms, LEG_ENDED);
    return LEG_FX_TELL_ENDED | LEG_FX_FREE;
}

const char *leg_state_name(leg_state_t state)
{
    static const char *const names[] = {
        [LEG_DIALLING] = "dialling",         [LEG_RINGING] = "ringing",
        [LEG_OFFERED] = "offered",           [LEG_OPENING] = "opening",
        [LEG_ANSWERING] = "answering",       [LEG_UP] = "up",
        [LEG_TRANSFERRING] = "transferring", [LEG_APOLOGY] = "apology",
        [LEG_CLOSING] = "closing",           [LEG_ENDED] = "ended",
    };
    return names[state];
}
