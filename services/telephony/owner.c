#include "services/telephony/owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "services/telephony/leg_actor.h"

/* An instance that has not answered an offer in so long is asked no more: the next may be faster. */
enum { OFFER_TIMEOUT_MS = 700, DIALOGUES_MAX = 64 };
enum { END_TIMEOUT_MS = 2000, END_AGAIN_MS = 1000, END_TRIES = 300 };

/* An end that nobody was there to be told of. */
struct owner_end {
    owner_end_t *next, **at;
    switchboard_t *board;
    pl_timer_t *timer;
    uint8_t *packed; /* the Envelope */
    size_t bytes;
    char owner[INSTANCE_BYTES];
    unsigned tries;
    bool asking; /* the bus owes an answer */
    bool closed; /* the switchboard is gone */
};

typedef struct {
    switchboard_t *board;
    char call_id[CALL_ID_BYTES];
} offer_t;

/* ---- who is asked ---- */

/* The least loaded live instance but that one; when there is no other, that one. */
static bool pick(const switchboard_t *board, const char *but, char out[INSTANCE_BYTES])
{
    pl_peer_t peers[DIALOGUES_MAX];
    size_t n = pl_bus_peers(board->bus, "dialogue", peers, DIALOGUES_MAX);
    const pl_peer_t *best = NULL;
    if (n > DIALOGUES_MAX) n = DIALOGUES_MAX;
    for (size_t i = 0; i < n; i++) {
        const pl_peer_t *peer = &peers[i];
        bool fit = peer->up && !peer->draining && strcmp(peer->instance, but) != 0;
        if (!fit || (best && best->load <= peer->load)) continue;
        best = peer;
    }
    const char *name = best ? best->instance : but;
    if (!best && !pl_bus_pick(board->bus, but, &peers[0])) return false;
    snprintf(out, INSTANCE_BYTES, "%s", name);
    return true;
}

bool owner_set(switchboard_t *board, leg_entry_t *entry, const char *owner, uint32_t epoch)
{
    if (epoch < entry->epoch) return false;
    if (epoch == entry->epoch && strcmp(owner, entry->owner) == 0) return true;
    log_info("leg.adopted", "call=%s owner=%s former=%s epoch=%u", entry->call_id, owner,
             entry->owner, epoch);
    entry->epoch = epoch;
    snprintf(entry->owner, sizeof(entry->owner), "%s", owner);
    streams_owner(board->streams, entry->handles[BY_STREAM], entry->owner, entry->epoch);
    return true;
}

void owner_tell_lost(switchboard_t *board, const leg_entry_t *entry, const Pl__Envelope *env)
{
    Pl__CallLost lost = PL__CALL_LOST__INIT;
    lost.owner = (char *)entry->owner;
    Pl__Envelope out = PL__ENVELOPE__INIT;
    out.call_id = (char *)entry->call_id;
    out.epoch = entry->epoch;
    out.body_case = PL__ENVELOPE__BODY_CALL_LOST;
    out.call_lost = &lost;
    (void)pl_bus_event(board->bus, env->sender, &out); /* it asks again with its next keep-alive */
}

/* ---- offering ---- */

static void on_answer(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    offer_t offer = *(offer_t *)arg;
    free(arg);
    leg_entry_t *entry = switchboard_call(offer.board, offer.call_id);
    if (!entry) return; /* its end is told to whoever asks with a keep-alive */
    bool accepted = !err && reply && reply->body_case == PL__ENVELOPE__BODY_CALL_ACCEPTED;
    const Pl__CallAccepted *body = accepted ? reply->call_accepted : NULL;
    bool other = body && (body->epoch != entry->epoch || strcmp(reply->sender, entry->owner) != 0);
    bool set = body && owner_set(offer.board, entry, reply->sender, body->epoch);
    if (!set) {
        log_info("leg.not_adopted", "call=%s err=%s detail=\"%s\"", entry->call_id,
                 pl_err_name(err), err ? pl_bus_error_detail(err, reply) : "of a former epoch");
    }
    entry->released = false;
    leg_actor_event(
        offer.board, entry,
        &(leg_event_t){.kind = set ? LEG_ON_ADOPTED : LEG_ON_NOT_ADOPTED, .ok = set && other});
}

void owner_offer(switchboard_t *board, leg_entry_t *entry)
{
    offer_t *offer = malloc(sizeof(*offer));
    if (!offer) abort();
    offer->board = board;
    memcpy(offer->call_id, entry->call_id, sizeof(offer->call_id));
    char to[INSTANCE_BYTES] = "dialogue";
    bool anybody = pick(board, entry->owner, to);
    log_info("leg.orphan", "call=%s owner=%s offered=%s", entry->call_id, entry->owner,
             anybody ? to : "");
    Pl__CallOrphaned orphaned = PL__CALL_ORPHANED__INIT;
    orphaned.kind = entry->kind;
    orphaned.released = entry->released;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = entry->call_id;
    env.epoch = entry->epoch;
    env.body_case = PL__ENVELOPE__BODY_CALL_ORPHANED;
    env.call_orphaned = &orphaned;
    pl_bus_request(board->bus, to, &env, OFFER_TIMEOUT_MS, on_answer, offer);
}

void owner_hold(switchboard_t *board, const leg_entry_t *entry)
{
    const prompt_t *prompt = &board->hold[0];
    for (size_t i = 0; i < SOUNDS_HOLDS; i++) {
        if (strncmp(entry->lang, sounds_hold_lang(i), 2) == 0) prompt = &board->hold[i];
    }
    log_info("leg.hold", "call=%s", entry->call_id);
    media_leg_hold(board->media, entry->handles[BY_MEDIA], prompt->pcm, prompt->samples);
}

/* ---- ends ---- */

static void free_end(owner_end_t *end)
{
    pl_timer_stop(&end->timer);
    if (!end->closed) {
        *end->at = end->next;
        if (end->next) end->next->at = end->at;
    }
    free(end->packed);
    free(end);
}

static void send_end(void *arg);

static void on_end_answer(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    owner_end_t *end = arg;
    (void)reply;
    end->asking = false;
    bool settled = !err || err == PL_NOT_FOUND || err == PL_STALE;
    if (end->closed || settled || ++end->tries >= END_TRIES) {
        if (!settled) log_error("leg.end_untold", "owner=%s err=%s", end->owner, pl_err_name(err));
        free_end(end);
        return;
    }
    pl_timer_stop(&end->timer);
    end->timer = pl_timer_start(end->board->loop, END_AGAIN_MS, 0, send_end, end);
}

static void send_end(void *arg)
{
    owner_end_t *end = arg;
    char to[INSTANCE_BYTES] = "dialogue";
    Pl__Envelope *env = pl__envelope__unpack(NULL, end->bytes, end->packed);
    if (!env) abort(); /* we have packed it */
    (void)pick(end->board, end->owner, to);
    end->asking = true;
    pl_bus_request(end->board->bus, to, env, END_TIMEOUT_MS, on_end_answer, end);
    pl__envelope__free_unpacked(env, NULL);
}

void owner_tell_ended(switchboard_t *board, const leg_entry_t *entry, const Pl__LegEnded *ended)
{
    owner_end_t *end = calloc(1, sizeof(*end));
    if (!end) abort();
    Pl__CallOrphaned orphaned = PL__CALL_ORPHANED__INIT;
    orphaned.kind = entry->kind;
    orphaned.ended = (Pl__LegEnded *)ended;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = (char *)entry->call_id;
    env.epoch = entry->epoch;
    env.body_case = PL__ENVELOPE__BODY_CALL_ORPHANED;
    env.call_orphaned = &orphaned;
    end->bytes = pl__envelope__get_packed_size(&env);
    end->packed = malloc(end->bytes);
    if (!end->packed) abort();
    (void)pl__envelope__pack(&env, end->packed);
    end->board = board;
    snprintf(end->owner, sizeof(end->owner), "%s", entry->owner);
    end->next = board->ends;
    end->at = &board->ends;
    if (end->next) end->next->at = &end->next;
    board->ends = end;
    send_end(end);
}

void owner_ends_free(switchboard_t *board)
{
    while (board->ends) {
        owner_end_t *end = board->ends;
        board->ends = end->next;
        if (end->next) end->next->at = &board->ends;
        end->closed = true;
        if (!end->asking) free_end(end); /* else the bus answers it yet */
    }
}

/* ---- peers ---- */

void owner_peer(switchboard_t *board, const pl_peer_t *peer)
{
    if (peer->up || strcmp(peer->service, "dialogue") != 0) return;
    for (leg_entry_t *entry = board->all; entry;) {
        leg_entry_t *next = entry->all_next;
        if (strcmp(entry->owner, peer->instance) == 0) {
            leg_actor_event(board, entry, &(leg_event_t){.kind = LEG_ON_OWNER_GONE});
        }
        entry = next;
    }
}
