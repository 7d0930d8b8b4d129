/* ownership_test.c - who owns a leg, driven through every interleaving up to a depth: the leg's own
 * machine between two instances of dialogue that are killed, stopped and restarted, and a store that
 * grants epochs by compare-and-set. Offers and answers are delivered, lost, late or told twice.
 *
 * In every state that can be reached: no epoch is held by two, a former owner is refused, an end is told
 * or still being told, and time alone makes the leg speak and then end.
 *
 * PARLEY_EXPLORE_DEPTH goes deeper than the few seconds of a unit test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/telephony/leg.h"

enum { INSTANCES = 2, STEP_MS = 450, DEPTH = 11, TABLE = 1 << 22 };

static const leg_limits_t limits = {.ring_timeout_ms = 45000,
                                    .open_timeout_ms = 3000,
                                    .speech_timeout_ms = 30000,
                                    .owner_silent_ms = 900,
                                    .owner_timeout_ms = 3000,
                                    .apology_ms = 900};

typedef enum { RUNS, STOPPED, DEAD } life_t;
typedef enum { NOWHERE, ASKED, ANSWERED } offer_t;

typedef struct {
    leg_t leg;
    uint64_t now_ms;
    uint32_t epoch, store_epoch, speech_epoch; /* what leg, store and speech know */
    int8_t owner, store_owner;
    life_t life[INSTANCES];
    uint32_t has[INSTANCES]; /* the epoch under which it believes to own the call; 0: it does not */
    offer_t offer;
    int8_t offered;    /* to whom */
    uint32_t answered; /* epoch of the answer under way */
    int8_t late;       /* an instance that was given up: its answer may still come; -1: none */
    bool ended, told, telling, closed;
    uint8_t faults; /* left */
} world_t;

/* ---- what the pieces do ---- */

static void ask(world_t *w)
{
    int other = 1 - w->owner;
    w->offered = (int8_t)(w->life[other] == DEAD ? w->owner : other);
    w->offer = ASKED;
}

static void effects(world_t *w, unsigned fx)
{
    if (fx & LEG_FX_OFFER) ask(w);
    if (fx & LEG_FX_CLOSE_MEDIA) { /* which answers at once */
        fx = leg_handle(&w->leg, w->now_ms, &(leg_event_t){.kind = LEG_ON_CLOSED});
        assert_true(fx & LEG_FX_TELL_ENDED);
        w->ended = true;
        w->told = w->life[w->owner] == RUNS && w->has[w->owner] == w->epoch;
        w->telling = !w->told || w->leg.orphan;
        if (w->told) {
            w->closed = w->store_epoch == w->epoch;
            w->has[w->owner] = 0;
            if (!w->closed) w->telling = true;
        }
    }
}

static void leg_event(world_t *w, leg_event_kind_t kind, bool ok)
{
    if (w->ended) return;
    effects(w,
            leg_handle(&w->leg, w->now_ms,
                       &(leg_event_t){.kind = kind, .ok = ok, .end = PL__LEG_END__LEG_BYE_REMOTE}));
}

/* The store's compare-and-set; an epoch is never given twice. */
static uint32_t adopt(world_t *w, int instance)
{
    w->store_epoch++;
    w->store_owner = (int8_t)instance;
    return w->store_epoch;
}

static bool set_owner(world_t *w, int instance, uint32_t epoch)
{
    if (epoch < w->epoch) return false; /* as owner_set */
    w->epoch = epoch;
    w->owner = (int8_t)instance;
    return true;
}

/* ---- what may happen ---- */

typedef bool action_fn(world_t *w, int instance);

static bool time_passes(world_t *w, int instance)
{
    if (instance) return false;
    w->now_ms += STEP_MS;
    leg_event(w, LEG_ON_TIME, false);
    return true;
}

static bool offer_arrives(world_t *w, int instance)
{
    if (w->offer != ASKED || w->offered != instance || w->life[instance] != RUNS) return false;
    if (!w->has[instance]) w->has[instance] = adopt(w, instance);
    w->answered = w->has[instance];
    w->offer = ANSWERED;
    return true;
}

static bool answer_arrives(world_t *w, int instance)
{
    if (w->offer != ANSWERED || w->offered != instance) return false;
    bool other = w->answered != w->epoch || instance != w->owner;
    bool set = set_owner(w, instance, w->answered);
    w->offer = NOWHERE;
    leg_event(w, set ? LEG_ON_ADOPTED : LEG_ON_NOT_ADOPTED, set && other);
    return true;
}

/* Lost, or too late: the asker gives up, and the asked one may come to it yet. */
static bool offer_fails(world_t *w, int instance)
{
    if (w->offer == NOWHERE || w->offered != instance) return false;
    w->late = w->offer == ASKED ? (int8_t)instance : -1;
    w->offer = NOWHERE;
    leg_event(w, LEG_ON_NOT_ADOPTED, false);
    return true;
}

static bool late_offer_arrives(world_t *w, int instance)
{
    if (w->late != instance || w->life[instance] != RUNS) return false;
    w->late = -1;
    if (!w->has[instance] && !w->closed) w->has[instance] = adopt(w, instance);
    return true; /* its answer is for nobody */
}

static bool keep_alive(world_t *w, int instance)
{
    if (w->life[instance] != RUNS || !w->has[instance]) return false;
    if (w->ended) { /* LegEnded, as to everybody whose leg is not here */
        w->closed = w->closed || w->has[instance] == w->store_epoch;
        w->has[instance] = 0;
        return true;
    }
    if (w->has[instance] > w->epoch) (void)set_owner(w, instance, w->has[instance]);
    if (w->owner == instance && w->has[instance] == w->epoch) {
        leg_event(w, LEG_ON_OWNER, false);
    } else {
        w->has[instance] = 0; /* CallLost */
    }
    return true;
}

/* To speech, which refuses former epochs; to the store, which does too. */
static bool speaks(world_t *w, int instance)
{
    if (w->life[instance] != RUNS || !w->has[instance]) return false;
    if (w->has[instance] < w->speech_epoch) return true;
    w->speech_epoch = w->has[instance];
    return true;
}

static bool dies(world_t *w, int instance)
{
    if (w->life[instance] == DEAD || !w->faults) return false;
    w->faults--;
    w->life[instance] = DEAD;
    w->has[instance] = 0;
    if (w->late == instance) w->late = -1;
    if (w->offer == ASKED && w->offered == instance) (void)offer_fails(w, instance);
    if (w->late == instance) w->late = -1;
    if (w->owner == instance) leg_event(w, LEG_ON_OWNER_GONE, false);
    return true;
}

static bool stops(world_t *w, int instance)
{
    if (w->life[instance] != RUNS || !w->faults) return false;
    w->faults--;
    w->life[instance] = STOPPED;
    return true;
}

static bool runs_again(world_t *w, int instance)
{
    if (w->life[instance] == RUNS) return false;
    w->life[instance] = RUNS;
    return true;
}

static bool caller_hangs_up(world_t *w, int instance)
{
    if (instance || w->ended) return false;
    leg_event(w, LEG_ON_REMOTE_END, false);
    return true;
}

/* The end that could not be told is offered. */
static bool end_arrives(world_t *w, int instance)
{
    if (!w->telling || w->life[instance] != RUNS) return false;
    if (!w->closed) {
        if (!w->has[instance]) (void)adopt(w, instance);
        w->closed = true;
    }
    w->has[instance] = 0;
    w->telling = false;
    return true;
}

static action_fn *const actions[] = {
    time_passes, offer_arrives, answer_arrives, offer_fails, late_offer_arrives, keep_alive,
    speaks,      dies,          stops,          runs_again,  caller_hangs_up,    end_arrives,
};
enum { ACTIONS = sizeof actions / sizeof *actions };

/* ---- what must hold ---- */

/* Nobody does anything any more: the leg speaks in time, and ends. */
static void time_alone_ends_it(const world_t *from)
{
    world_t w = *from;
    bool spoke = w.leg.state == LEG_APOLOGY;
    bool held = spoke || w.leg.held;
    for (uint64_t passed = 0; !w.ended && passed < 10000; passed += 100) {
        w.now_ms += 100;
        unsigned fx = leg_handle(&w.leg, w.now_ms, &(leg_event_t){.kind = LEG_ON_TIME});
        held = held || (fx & LEG_FX_HOLD);
        spoke = spoke || (fx & LEG_FX_PROMPT);
        bool late = w.now_ms - w.leg.owner_heard_ms >= 1000; /* of silence */
        assert_true(held || !late || w.leg.state != LEG_UP);
        effects(&w, fx);
        if (w.offer == ASKED) (void)offer_fails(&w, w.offered);
    }
    assert_true(w.ended);
    assert_true(spoke);
}

static void check(const world_t *w)
{
    for (int i = 0; i < INSTANCES; i++) {
        assert_true(w->has[i] <= w->store_epoch);
        for (int k = 0; k < i; k++) assert_true(!w->has[i] || w->has[i] != w->has[k]);
        if (w->has[i] && w->has[i] == w->store_epoch) assert_int_equal(w->store_owner, i);
    }
    assert_true(w->epoch <= w->store_epoch);
    if (w->ended) {
        assert_true(w->closed || w->telling || w->told);
    } else {
        time_alone_ends_it(w);
    }
}

/* ---- every interleaving ---- */

/* Two worlds that differ only in when everything happened are one. */
static uint64_t hash_of(const world_t *w)
{
    world_t same;
    memset(&same, 0, sizeof same);
    uint64_t ages[] = {w->now_ms - w->leg.owner_heard_ms, w->now_ms - w->leg.state_since_ms,
                       w->leg.offering ? w->now_ms - w->leg.offered_ms : 0,
                       w->leg.held ? w->now_ms - w->leg.held_ms : 0};
    uint64_t facts[] = {w->leg.state,    w->leg.orphan,
                        w->leg.offering, w->leg.held,
                        w->epoch,        w->store_epoch,
                        w->speech_epoch, (uint64_t)w->owner,
                        w->life[0],      w->life[1],
                        w->has[0],       w->has[1],
                        w->offer,        (uint64_t)(w->offered + 1),
                        w->answered,     (uint64_t)(w->late + 1),
                        w->ended,        w->told,
                        w->telling,      w->closed,
                        w->faults};
    uint64_t hash = 14695981039346656037ULL; /* FNV-1a, by words */
    for (size_t i = 0; i < sizeof ages / sizeof *ages; i++)
        hash = (hash ^ ages[i]) * 1099511628211ULL;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        hash = (hash ^ (facts[i] + 1)) * 1099511628211ULL;
    return hash ? hash : 1;
}

static bool seen_before(uint64_t *table, uint64_t hash)
{
    size_t at = (size_t)((hash ^ hash >> 29) & (TABLE - 1));
    while (table[at] && table[at] != hash) at = (at + 1) & (TABLE - 1);
    if (table[at]) return true;
    table[at] = hash;
    return false;
}

static world_t begun(void)
{
    world_t w;
    memset(&w, 0, sizeof w);
    w.now_ms = 1000;
    w.epoch = w.store_epoch = w.speech_epoch = w.has[0] = 1;
    w.late = w.offered = -1;
    w.faults = 3;
    (void)leg_start_outbound(&w.leg, w.now_ms, &limits);
    (void)leg_handle(&w.leg, w.now_ms, &(leg_event_t){.kind = LEG_ON_RINGING, .status = 180});
    (void)leg_handle(&w.leg, w.now_ms, &(leg_event_t){.kind = LEG_ON_STREAM});
    (void)leg_handle(&w.leg, w.now_ms, &(leg_event_t){.kind = LEG_ON_CONNECTED});
    assert_int_equal(w.leg.state, LEG_UP);
    return w;
}

static void
no_interleaving_makes_two_owners_loses_an_end_or_leaves_a_caller_in_silence(void **state)
{
    (void)state;
    const char *asked = getenv("PARLEY_EXPLORE_DEPTH");
    int depth = asked ? atoi(asked) : DEPTH;
    size_t capacity = TABLE / 2;
    uint64_t *table = calloc(TABLE, sizeof *table);
    world_t *worlds = malloc(capacity * sizeof *worlds);
    assert_true(table && worlds);
    size_t first = 0, count = 1, level_end = 1;
    worlds[0] = begun();
    (void)seen_before(table, hash_of(&worlds[0]));
    int level = 0;
    for (; level < depth && first < count; level++) {
        for (; first < level_end && count + ACTIONS * INSTANCES < capacity; first++) {
            for (size_t a = 0; a < (size_t)ACTIONS * INSTANCES; a++) {
                world_t next = worlds[first];
                if (!actions[a / INSTANCES](&next, (int)(a % INSTANCES))) continue;
                if (seen_before(table, hash_of(&next))) continue;
                assert_true(next.epoch >= worlds[first].epoch);
                assert_true(next.speech_epoch >= worlds[first].speech_epoch);
                check(&next);
                worlds[count++] = next;
            }
        }
        if (first < level_end) break; /* no more room */
        level_end = count;
    }
    print_message("explored %zu states, all there are within %d steps\n", count, level);
    assert_true(count > 1000);
    free(worlds);
    free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            no_interleaving_makes_two_owners_loses_an_end_or_leaves_a_caller_in_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
