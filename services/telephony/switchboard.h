/* switchboard.h - all legs of this process, and what they are connected to.
 *
 * A leg_entry_t joins the leg's machine with its handles in the SIP agent, the browser, media and
 * streams. leg_actor.h turns events into effects; bus_side.h and wire_side.h bring the events.
 *
 * Threads: the control thread.
 */
#ifndef PL_TELEPHONY_SWITCHBOARD_H
#define PL_TELEPHONY_SWITCHBOARD_H

#include "common/bus.h"
#include "common/config.h"
#include "common/loop.h"
#include "common/metrics.h"
#include "services/telephony/browser.h"
#include "services/telephony/key_gate.h"
#include "services/telephony/leg.h"
#include "services/telephony/media.h"
#include "services/telephony/prompt.h"
#include "services/telephony/sip_agent.h"
#include "services/telephony/sms.h"
#include "services/telephony/sounds.h"
#include "services/telephony/stream.h"

enum { CALL_ID_BYTES = 37, INSTANCE_BYTES = 64, LANG_BYTES = 64, CODEC_BYTES = 24 };
enum { LEG_ENDS = PL__LEG_END__LEG_FAILED + 1, LEG_BUCKETS = 1024 };

/* What a leg is found by. */
typedef enum { BY_CALL, BY_SIP, BY_BROWSER, BY_MEDIA, BY_STREAM, LEG_KEYS } leg_key_t;

typedef struct leg_entry {
    leg_t machine;
    char call_id[CALL_ID_BYTES];
    Pl__LegKind kind;
    uint64_t handles[LEG_KEYS]; /* of SIP, browser, media, stream; BY_CALL is a hash of call_id */
    struct leg_entry *next[LEG_KEYS];
    struct leg_entry *all_next, **all_at;

    uint16_t rtp_port;
    uint32_t epoch;
    char owner[INSTANCE_BYTES]; /* "": none yet */
    char speech[INSTANCE_BYTES];
    char lang[LANG_BYTES], voice[LANG_BYTES];
    char codec[CODEC_BYTES];
    char from[IDENTITY_BYTES], to[SIP_TEXT_BYTES];
    char transfer_to[IDENTITY_BYTES];
    pl_request_t *dial; /* LegDial, until the INVITE is on its way */
    pl_request_t *move; /* LegMove, until both below are done */
    bool moving_stream, moving_recording;
    recording_stats_t left;     /* the former call's recording */
    char former[CALL_ID_BYTES]; /* the call it was the leg of before; "": none */
    bool recorded;
    bool released; /* quietly, by an owner that stops */
    key_gate_t keys;
    bool held; /* by the far end */
    media_stats_t stats;
} leg_entry_t;

typedef struct {
    const pl_config_t *cfg;
    pl_loop_t *loop;
    pl_bus_t *bus;
    media_t *media;
    recorder_t *recorder;
    bool record; /* legs that come up from now on */
    sip_agent_t *sip;
    browser_t *browser;
    streams_t *streams;
    sms_desk_t *sms;
    prompt_t apology;
    prompt_t hold[SOUNDS_HOLDS]; /* the holding sentence; the first is for other languages too */
    struct owner_end *ends;      /* of legs that nobody owned */
    leg_limits_t limits;
    rtp_params_t rtp; /* time-out and jitter bounds of every leg */
    size_t max_legs, legs;
    bool draining;
    void (*on_empty)(void *arg); /* the last leg has gone */
    void *on_empty_arg;

    leg_entry_t *all;
    leg_entry_t *buckets[LEG_KEYS][LEG_BUCKETS];

    pl_metric_t *live, *ended[LEG_ENDS], *rtp_lost, *rtp_late;
} switchboard_t;

void switchboard_init(switchboard_t *self, pl_loop_t *loop, const pl_config_t *cfg);
void switchboard_free(switchboard_t *self); /* forgets the legs that are left */

/* Is there room for another leg? */
bool switchboard_room(const switchboard_t *self);
void switchboard_drain(switchboard_t *self); /* no new legs from now on */

/* A new leg of that call; the machine is not started yet. */
leg_entry_t *switchboard_add(switchboard_t *self, const char *call_id, Pl__LegKind kind);
void switchboard_remove(switchboard_t *self, leg_entry_t *entry); /* frees it */

/* The leg belongs to that call from now on. call_id is bounded by CALL_ID_BYTES and not in use. */
void switchboard_rename(switchboard_t *self, leg_entry_t *entry, const char *call_id);

leg_entry_t *switchboard_call(const switchboard_t *self, const char *call_id);
/* The leg that was that call's before it moved; NULL: none. */
leg_entry_t *switchboard_former(const switchboard_t *self, const char *call_id);
leg_entry_t *switchboard_find(const switchboard_t *self, leg_key_t key, uint64_t handle);
/* Gives the leg that handle; 0 takes it away. Not for BY_CALL. */
void switchboard_key(switchboard_t *self, leg_entry_t *entry, leg_key_t key, uint64_t handle);

#endif
