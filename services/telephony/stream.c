#include "services/telephony/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

enum {
    RETRY_MS = 500,
    TICK_MS = 100,
    LANE_OPEN_TIMEOUT_MS = 1000,
    STREAM_OPEN_TIMEOUT_MS = 1500,
    STREAM_MOVE_TIMEOUT_MS = 1000,
    MAX_PEERS = 64,
    MAX_TRIED = 8,
    NAME_BYTES = 64,
    CALL_ID_BYTES = 40
};

typedef enum { LANE_ASKED, LANE_CONNECTING, LANE_READY } lane_state_t;

typedef struct lane {
    struct lane *next;
    streams_t *streams;
    uint64_t id;          /* ours, in media */
    uint64_t speech_lane; /* speech's number of it */
    uint32_t thread;
    char speech[NAME_BYTES];
    lane_state_t state;
    bool dropped; /* its peer went down while we asked: the reply frees it */
} lane_t;

typedef enum { FREE, WAITING, ON_LANE, OPENING, OPEN } stream_state_t;

typedef struct {
    stream_t id;
    stream_state_t state;
    uint64_t retry_ms;         /* WAITING: when to look again */
    uint64_t tried[MAX_TRIED]; /* instances (by start number) that refused in this round */
    size_t tried_count;
    lane_t *lane;
    uint32_t generation;
    media_leg_t leg;
    uint32_t epoch;
    char call_id[CALL_ID_BYTES];
    char owner[NAME_BYTES];
    char lang[NAME_BYTES];
    char voice[NAME_BYTES];
} slot_t;

struct streams {
    pl_loop_t *loop;
    pl_bus_t *bus;
    media_t *media;
    stream_sink_t sink;
    pl_timer_t *timer;
    lane_t *lanes;
    slot_t *slots; /* a slot's index is its number on the lane */
    size_t max;
    uint64_t next_lane;
    uint32_t next_generation;
    size_t pending; /* requests under way */
    bool closing;   /* freed when the last reply is in */
};

static void look(streams_t *self, slot_t *slot);

static void copy(char *out, size_t room, const char *text)
{
    snprintf(out, room, "%s", text ? text : "");
}

/* A handle is the slot's use and its index, so that it is found without a search. */
static slot_t *slot_of(streams_t *self, stream_t id)
{
    slot_t *slot = &self->slots[(id - 1) % self->max];
    return id != 0 && slot->state != FREE && slot->id == id ? slot : NULL;
}

/* ---- failing over ---- */

static void wait_a_little(slot_t *slot)
{
    slot->state = WAITING;
    slot->lane = NULL;
    slot->tried_count = 0;
    slot->retry_ms = pl_clock_ms() + RETRY_MS;
}

static void mark_tried(streams_t *self, slot_t *slot, const char *speech)
{
    pl_peer_t peer;
    if (slot->tried_count < MAX_TRIED && pl_bus_pick(self->bus, speech, &peer)) {
        slot->tried[slot->tried_count++] = peer.started;
    }
}

/* The instance did not take it: the next one, or a pause. */
static void refused(streams_t *self, slot_t *slot, const char *speech)
{
    mark_tried(self, slot, speech);
    slot->lane = NULL;
    look(self, slot);
}

/* A stream that was open, or about to be, has lost its way: looks for another. */
static void lost(streams_t *self, slot_t *slot, const char *why)
{
    bool was_open = slot->state == OPEN;
    stream_t id = slot->id;
    log_info("stream.gone", "call=%s speech=%s detail=\"%s\"", slot->call_id,
             slot->lane ? slot->lane->speech : "", why);
    slot->lane = NULL;
    slot->tried_count = 0;
    slot->state = WAITING;
    slot->retry_ms = 0; /* at the next tick */
    if (was_open) self->sink.gone(self->sink.arg, id, why);
}

static void unlink_lane(streams_t *self, lane_t *lane)
{
    for (lane_t **at = &self->lanes; *at; at = &(*at)->next) {
        if (*at != lane) continue;
        *at = lane->next;
        return;
    }
}

/* Forgets a lane; its streams look for another. */
static void drop_lane(streams_t *self, lane_t *lane, const char *why)
{
    unlink_lane(self, lane);
    for (size_t i = 0; i < self->max; i++) {
        slot_t *slot = &self->slots[i];
        if (slot->state == FREE || slot->lane != lane) continue;
        if (slot->state == ON_LANE) {
            refused(self, slot, lane->speech);
        } else {
            lost(self, slot, why);
        }
    }
    if (lane->state == LANE_ASKED) {
        lane->dropped = true; /* its reply is still to come */
    } else {
        free(lane);
    }
}

/* ---- opening ---- */

typedef struct {
    streams_t *streams;
    stream_t id;
    uint32_t generation;
} asked_t;

static void free_self(streams_t *self)
{
    while (self->lanes) {
        lane_t *lane = self->lanes;
        self->lanes = lane->next;
        free(lane);
    }
    free(self->slots);
    free(self);
}

/* A reply is in. True when it was the last thing this object waited for. */
static bool settled(streams_t *self)
{
    self->pending--;
    if (!self->closing) return false;
    if (self->pending == 0) free_self(self);
    return true;
}

static void on_stream_opened(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    asked_t asked = *(asked_t *)arg;
    free(arg);
    streams_t *self = asked.streams;
    if (settled(self)) return;
    slot_t *slot = slot_of(self, asked.id);
    if (!slot || slot->state != OPENING || slot->generation != asked.generation) return;
    char speech[NAME_BYTES];
    copy(speech, sizeof(speech), slot->lane->speech);
    if (err) {
        log_info("stream.refused", "call=%s speech=%s err=%s detail=\"%s\"", slot->call_id, speech,
                 pl_err_name(err), pl_bus_error_detail(err, reply));
        refused(self, slot, speech);
        return;
    }
    slot->state = OPEN;
    slot->tried_count = 0;
    media_leg_stream(self->media, slot->leg, slot->lane->id, (uint32_t)(slot - self->slots),
                     slot->generation);
    self->sink.open(self->sink.arg, slot->id, speech);
}

static void ask_stream(streams_t *self, slot_t *slot)
{
    asked_t *asked = malloc(sizeof(*asked));
    if (!asked) abort();
    slot->state = OPENING;
    slot->generation = ++self->next_generation;
    *asked = (asked_t){self, slot->id, slot->generation};
    Pl__StreamOpen open = PL__STREAM_OPEN__INIT;
    open.lane = slot->lane->speech_lane;
    open.slot = (uint32_t)(slot - self->slots);
    open.generation = slot->generation;
    open.owner = slot->owner;
    open.lang = slot->lang;
    open.voice = slot->voice;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = slot->call_id;
    env.epoch = slot->epoch;
    env.body_case = PL__ENVELOPE__BODY_STREAM_OPEN;
    env.stream_open = &open;
    self->pending++;
    pl_bus_request(self->bus, slot->lane->speech, &env, STREAM_OPEN_TIMEOUT_MS, on_stream_opened,
                   asked);
}

static bool answer_usable(const Pl__Envelope *reply)
{
    return reply && reply->body_case == PL__ENVELOPE__BODY_LANE_OPENED &&
           reply->lane_opened->token.len == PL_LANE_TOKEN_BYTES;
}

static void on_lane_opened(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    lane_t *lane = arg;
    streams_t *self = lane->streams;
    if (self->closing || lane->dropped) {
        if (lane->dropped) free(lane); /* else it is still in the list */
        (void)settled(self);
        return;
    }
    (void)settled(self);
    if (!err && !answer_usable(reply)) err = PL_INVALID;
    if (err) {
        log_warn("lane.refused", "speech=%s err=%s detail=\"%s\"", lane->speech, pl_err_name(err),
                 pl_bus_error_detail(err, reply));
        lane->state = LANE_CONNECTING; /* nothing is awaited: drop_lane may free it */
        drop_lane(self, lane, "the lane was refused");
        return;
    }
    lane->state = LANE_CONNECTING;
    lane->speech_lane = reply->lane_opened->lane;
    media_lane_connect(self->media, lane->thread, reply->lane_opened->endpoint, lane->id,
                       reply->lane_opened->token.data);
}

static lane_t *lane_to(streams_t *self, uint32_t thread, const char *speech)
{
    for (lane_t *lane = self->lanes; lane; lane = lane->next) {
        if (lane->thread == thread && strcmp(lane->speech, speech) == 0) return lane;
    }
    lane_t *lane = calloc(1, sizeof(*lane));
    if (!lane) abort();
    lane->streams = self;
    lane->id = ++self->next_lane;
    lane->thread = thread;
    copy(lane->speech, sizeof(lane->speech), speech);
    lane->next = self->lanes;
    self->lanes = lane;
    Pl__LaneOpen open = PL__LANE_OPEN__INIT;
    open.thread = thread;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_LANE_OPEN;
    env.lane_open = &open;
    self->pending++;
    pl_bus_request(self->bus, speech, &env, LANE_OPEN_TIMEOUT_MS, on_lane_opened, lane);
    return lane;
}

static bool was_tried(const slot_t *slot, uint64_t started)
{
    for (size_t i = 0; i < slot->tried_count; i++) {
        if (slot->tried[i] == started) return true;
    }
    return false;
}

/* Is a less loaded than b, in parts of its capacity? */
static bool lighter(const pl_peer_t *a, const pl_peer_t *b)
{
    uint64_t room_a = a->capacity ? a->capacity : 1, room_b = b->capacity ? b->capacity : 1;
    return a->load * room_b < b->load * room_a;
}

/* The least loaded instance that was not tried in this round; false when there is none. */
static bool choose(streams_t *self, const slot_t *slot, pl_peer_t *out)
{
    if (slot->tried_count == 0) return pl_bus_pick(self->bus, "speech", out);
    pl_peer_t peers[MAX_PEERS];
    size_t count = pl_bus_peers(self->bus, "speech", peers, MAX_PEERS);
    const pl_peer_t *best = NULL;
    for (size_t i = 0; i < count && i < MAX_PEERS; i++) {
        const pl_peer_t *peer = &peers[i];
        if (!peer->up || peer->draining || was_tried(slot, peer->started)) continue;
        if (!best || lighter(peer, best)) best = peer;
    }
    if (best) *out = *best;
    return best != NULL;
}

static void look(streams_t *self, slot_t *slot)
{
    pl_peer_t peer;
    if (!choose(self, slot, &peer)) {
        wait_a_little(slot);
        return;
    }
    slot->state = ON_LANE;
    slot->lane = lane_to(self, media_leg_thread(self->media, slot->leg), peer.instance);
    if (slot->lane->state == LANE_READY) ask_stream(self, slot);
}

static void on_tick(void *arg)
{
    streams_t *self = arg;
    uint64_t now_ms = pl_clock_ms();
    for (size_t i = 0; i < self->max; i++) {
        slot_t *slot = &self->slots[i];
        if (slot->state == WAITING && slot->retry_ms <= now_ms) look(self, slot);
    }
}

/* ---- events ---- */

static lane_t *lane_of(streams_t *self, uint64_t id)
{
    for (lane_t *lane = self->lanes; lane; lane = lane->next) {
        if (lane->id == id) return lane;
    }
    return NULL;
}

void streams_lane_ready(streams_t *self, uint64_t id)
{
    lane_t *lane = lane_of(self, id);
    if (!lane || lane->state != LANE_CONNECTING) return;
    lane->state = LANE_READY;
    for (size_t i = 0; i < self->max; i++) {
        slot_t *slot = &self->slots[i];
        if (slot->state == ON_LANE && slot->lane == lane) ask_stream(self, slot);
    }
}

void streams_lane_broken(streams_t *self, uint64_t id, const char *why)
{
    lane_t *lane = lane_of(self, id);
    if (!lane) return;
    log_warn("lane.broken", "speech=%s lane=%llu detail=\"%s\"", lane->speech,
             (unsigned long long)id, why);
    drop_lane(self, lane, why);
}

static void drop_lanes_to(streams_t *self, const char *speech)
{
    for (lane_t *lane = self->lanes; lane;) {
        lane_t *next = lane->next;
        if (strcmp(lane->speech, speech) == 0) drop_lane(self, lane, "speech went down");
        lane = next;
    }
}

void streams_peer(streams_t *self, const pl_peer_t *peer)
{
    if (strcmp(peer->service, "speech") != 0) return;
    if (!peer->up) {
        drop_lanes_to(self, peer->instance);
        return;
    }
    for (size_t i = 0; i < self->max; i++) { /* news: look again at the next tick */
        if (self->slots[i].state == WAITING) self->slots[i].retry_ms = 0;
    }
}

/* ---- life ---- */

static void tell_closed(streams_t *self, const slot_t *slot, const char *call_id)
{
    Pl__StreamClose close = PL__STREAM_CLOSE__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = (char *)call_id;
    env.epoch = slot->epoch;
    env.body_case = PL__ENVELOPE__BODY_STREAM_CLOSE;
    env.stream_close = &close;
    (void)pl_bus_event(self->bus, slot->lane->speech, &env); /* a dead one needs none */
}

streams_t *streams_new(pl_loop_t *loop, pl_bus_t *bus, media_t *media, size_t max,
                       const stream_sink_t *sink)
{
    streams_t *self = calloc(1, sizeof(*self));
    if (!self) abort();
    self->loop = loop;
    self->bus = bus;
    self->media = media;
    self->sink = *sink;
    self->max = max;
    self->slots = calloc(max, sizeof(*self->slots));
    if (!self->slots) abort();
    self->timer = pl_timer_start(loop, TICK_MS, TICK_MS, on_tick, self);
    return self;
}

void streams_destroy(streams_t **self_p)
{
    streams_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_timer_stop(&self->timer);
    for (size_t i = 0; i < self->max; i++) {
        stream_t id = self->slots[i].id;
        if (self->slots[i].state != FREE) streams_close(self, &id);
    }
    self->closing = true;
    if (self->pending == 0) free_self(self);
}

stream_t streams_open(streams_t *self, const stream_opts_t *opts)
{
    slot_t *slot = NULL;
    for (size_t i = 0; i < self->max && !slot; i++) {
        if (self->slots[i].state == FREE) slot = &self->slots[i];
    }
    if (!slot) return 0;
    stream_t id = slot->id ? slot->id + self->max : (stream_t)(slot - self->slots) + 1;
    *slot = (slot_t){.id = id, .state = WAITING, .leg = opts->leg, .epoch = opts->epoch};
    copy(slot->call_id, sizeof(slot->call_id), opts->call_id);
    copy(slot->owner, sizeof(slot->owner), opts->owner);
    copy(slot->lang, sizeof(slot->lang), opts->lang);
    copy(slot->voice, sizeof(slot->voice), opts->voice);
    look(self, slot);
    return id;
}

void streams_close(streams_t *self, stream_t *stream_p)
{
    slot_t *slot = slot_of(self, *stream_p);
    *stream_p = 0;
    if (!slot) return;
    if (slot->state == OPEN || slot->state == OPENING) tell_closed(self, slot, slot->call_id);
    slot->state = FREE;
    slot->lane = NULL;
}

void streams_owner(streams_t *self, stream_t stream, const char *owner, uint32_t epoch)
{
    slot_t *slot = slot_of(self, stream);
    if (!slot) return;
    copy(slot->owner, sizeof(slot->owner), owner);
    slot->epoch = epoch;
}

/* ---- another call ---- */

typedef struct {
    asked_t asked;
    char former[CALL_ID_BYTES];
} moving_t;

static void on_stream_moved(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    moving_t moving = *(moving_t *)arg;
    free(arg);
    streams_t *self = moving.asked.streams;
    if (settled(self)) return;
    slot_t *slot = slot_of(self, moving.asked.id);
    bool same = slot && slot->state == OPEN && slot->generation == moving.asked.generation;
    if (!same) return;
    if (!err) {
        self->sink.moved(self->sink.arg, slot->id);
        return;
    }
    log_warn("stream.not.moved", "call=%s speech=%s err=%s detail=\"%s\"", slot->call_id,
             slot->lane->speech, pl_err_name(err), pl_bus_error_detail(err, reply));
    tell_closed(self, slot, moving.former); /* it may have either of them */
    tell_closed(self, slot, slot->call_id);
    lost(self, slot, "speech did not take the other call");
}

static void ask_move(streams_t *self, slot_t *slot, const char *former)
{
    moving_t *moving = calloc(1, sizeof(*moving));
    if (!moving) abort();
    moving->asked = (asked_t){self, slot->id, slot->generation};
    copy(moving->former, sizeof(moving->former), former);
    Pl__StreamMove move = PL__STREAM_MOVE__INIT;
    move.call_id = slot->call_id;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = moving->former;
    env.epoch = slot->epoch;
    env.body_case = PL__ENVELOPE__BODY_STREAM_MOVE;
    env.stream_move = &move;
    self->pending++;
    pl_bus_request(self->bus, slot->lane->speech, &env, STREAM_MOVE_TIMEOUT_MS, on_stream_moved,
                   moving);
}

bool streams_move(streams_t *self, stream_t stream, const char *call_id)
{
    slot_t *slot = slot_of(self, stream);
    if (!slot) return false;
    char former[CALL_ID_BYTES];
    copy(former, sizeof(former), slot->call_id);
    copy(slot->call_id, sizeof(slot->call_id), call_id);
    if (slot->state == OPENING) { /* under the former id: opened anew */
        tell_closed(self, slot, former);
        wait_a_little(slot);
        slot->retry_ms = 0;
    }
    if (slot->state != OPEN) return false;
    ask_move(self, slot, former);
    return true;
}
