/* leg.h - the machine of a leg: a pure function of state, time and event.
 *
 * leg_handle takes what happened and says, as a set of effects, what the server has to do; the
 * server does them in the order of their bits. SIP and browser legs run the same machine.
 *
 *   outbound: DIALLING -> RINGING -> UP
 *   inbound:  OFFERED (owner asked) -> OPENING (stream asked) -> ANSWERING (200 sent) -> UP
 *   then:     UP <-> TRANSFERRING, UP -> APOLOGY (owner or speech lost), any -> CLOSING -> ENDED
 *
 * An owner that is silent leaves the leg an orphan: it is offered to other instances again and again,
 * a holding sentence keeps the caller company, and the apology comes only when nobody takes it.
 *
 * CLOSING waits for the media's statistics; LegEnded goes out when they are in. The reason of an
 * end is that of its first cause: what comes after it does not change it.
 *
 * Threads: none of its own; no clock, no I/O.
 */
#ifndef PL_TELEPHONY_LEG_H
#define PL_TELEPHONY_LEG_H

#include <stdbool.h>
#include <stdint.h>

#include "call.pb-c.h"
#include "common/err.h"

typedef enum {
    LEG_DIALLING,
    LEG_RINGING,
    LEG_OFFERED,
    LEG_OPENING,
    LEG_ANSWERING,
    LEG_UP,
    LEG_TRANSFERRING,
    LEG_APOLOGY,
    LEG_CLOSING,
    LEG_ENDED,
} leg_state_t;

typedef enum {
    LEG_ON_RINGING,     /* status: 180, 183 ... */
    LEG_ON_ACCEPTED,    /* the owner takes an inbound leg */
    LEG_ON_REFUSED,     /* err: nobody takes it */
    LEG_ON_CONNECTED,   /* signalling is up: their 200, or the ACK of ours */
    LEG_ON_STREAM,      /* the audio stream to speech is open (again) */
    LEG_ON_STREAM_GONE, /* it broke; the server looks for another */
    LEG_ON_OWNER,       /* a sign of life of the owner */
    LEG_ON_OWNER_GONE,  /* its process has ended, or is another one under the same name */
    LEG_ON_ADOPTED,     /* ok: an instance has taken the orphan over; else it owns it still */
    LEG_ON_NOT_ADOPTED, /* the one that was asked has not: another try follows */
    LEG_ON_HANGUP,      /* the owner ends the leg */
    LEG_ON_TRANSFER,    /* the owner asks for a transfer */
    LEG_ON_TRANSFERRED, /* ok: how it went */
    LEG_ON_REMOTE_END,  /* end, detail: they hung up, refused or gave up, or transport failed */
    LEG_ON_MEDIA_LOST,
    LEG_ON_SPEECHLESS, /* neither side has spoken for as long as is allowed */
    LEG_ON_SHUTDOWN,   /* the process ends */
    LEG_ON_CLOSED,     /* media has closed and told its statistics */
    LEG_ON_TIME,       /* call it every 100 ms or so */
} leg_event_kind_t;

typedef struct {
    leg_event_kind_t kind;
    unsigned status;
    pl_err_t err;
    bool ok;
    Pl__LegEnd end;
    const char *detail; /* borrowed, may be NULL */
} leg_event_t;

enum {
    LEG_FX_ASK_OWNER = 1 << 0,      /* send CallIncoming */
    LEG_FX_OPEN_STREAM = 1 << 1,    /* find a speech instance and keep trying */
    LEG_FX_ANSWER = 1 << 2,         /* 200 */
    LEG_FX_REFUSE = 1 << 3,         /* final status for err */
    LEG_FX_HANG_UP = 1 << 4,        /* CANCEL or BYE */
    LEG_FX_REFER = 1 << 5,          /* start the transfer */
    LEG_FX_PROMPT = 1 << 6,         /* play the apology */
    LEG_FX_CLOSE_STREAM = 1 << 7,   /* tell speech, stop trying */
    LEG_FX_CLOSE_MEDIA = 1 << 8,    /* ends in LEG_ON_CLOSED */
    LEG_FX_TELL_RINGING = 1 << 9,   /* LegRinging{status} */
    LEG_FX_TELL_ANSWERED = 1 << 10, /* LegAnswered; a repeated one means the stream moved */
    LEG_FX_TELL_TRANSFERRED = 1 << 11,
    LEG_FX_TELL_ENDED = 1 << 12,
    LEG_FX_FREE = 1 << 13,
    LEG_FX_OFFER = 1 << 14,     /* ask an instance to take the call over; ends in one of the two */
    LEG_FX_HOLD = 1 << 15,      /* play the holding sentence after what is being said */
    LEG_FX_HOLD_STOP = 1 << 16, /* unless it has begun, it is not wanted any more */
};

typedef struct {
    uint32_t ring_timeout_ms;
    uint32_t open_timeout_ms;   /* inbound: for the stream before it is refused */
    uint32_t speech_timeout_ms; /* answered: without any stream */
    uint32_t owner_silent_ms;   /* the owner's silence that makes an orphan; 0: none does */
    uint32_t owner_timeout_ms;  /* its silence until the apology */
    uint64_t call_ms;           /* a leg that is up for so long is ended; 0: never */
    uint32_t apology_ms;        /* length of the prompt, with a margin */
} leg_limits_t;

enum { LEG_DETAIL_BYTES = 128 };

typedef struct {
    leg_state_t state;
    bool outbound;
    bool stream;       /* open now */
    bool stream_asked; /* OPEN_STREAM was given out */
    bool answered;     /* TELL_ANSWERED was given out */
    bool orphan;       /* the owner is silent */
    bool offering;     /* OFFER was given out and is not answered */
    bool held;         /* HOLD was given out for this silence */
    uint64_t offered_ms, held_ms;
    uint64_t state_since_ms;
    uint64_t owner_heard_ms;
    uint64_t up_ms;          /* since when it is up */
    uint64_t stream_gone_ms; /* since when an answered leg has no stream */
    leg_limits_t limits;

    /* parameters of the effects */
    unsigned ring_status;
    pl_err_t refusal;
    bool transfer_ok;
    Pl__LegEnd end;
    char detail[LEG_DETAIL_BYTES];
} leg_t;

/* Both return the first effects. */
unsigned leg_start_outbound(leg_t *leg, uint64_t now_ms, const leg_limits_t *limits);
unsigned leg_start_inbound(leg_t *leg, uint64_t now_ms, const leg_limits_t *limits);

/* Returns the effects to be done. An event that has no meaning in the state has none; a transfer
 * is then refused by the caller of this function (see leg_can_transfer). */
unsigned leg_handle(leg_t *leg, uint64_t now_ms, const leg_event_t *event);

bool leg_can_transfer(const leg_t *leg);
bool leg_is_over(const leg_t *leg); /* CLOSING or ENDED */
const char *leg_state_name(leg_state_t state);

#endif
