#include "tools/callsim/exchange.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/clock.h"
#include "common/log.h"
#include "services/speech/config.h"
#include "services/telephony/config.h"

enum {
    BUCKETS = 4096,
    MAX_ARGUMENTS = 80,
    INCOMING_TIMEOUT_MS = 3000,
    LOOK_MS = 1000,
    CAPACITY = 100000,
    SMS_KEYS = 256,
};

struct exchange_leg {
    exchange_t *exchange;
    exchange_leg_t *next;
    char call_id[EXCHANGE_ID_BYTES];
    char former[EXCHANGE_ID_BYTES];      /* of the call it belonged to before; "": none */
    char owner[EXCHANGE_INSTANCE_BYTES]; /* "": none yet */
    uint32_t epoch;
    exchange_sink_t sink;
    uint64_t owner_heard_ms;
    bool up;
};

struct exchange {
    pl_loop_t *loop;
    pl_config_t *telephony_config, *speech_config;
    pl_bus_t *telephony, *speech;
    exchange_desk_t desk;
    exchange_leg_t *legs[BUCKETS];
    uint32_t count;
    uint32_t owner_timeout_ms;
    pl_timer_t *timer;
    char *sms_keys[SMS_KEYS]; /* of the latest messages */
    bool sms_sent[SMS_KEYS];
    size_t sms_count;
};

/* ---- legs ---- */

static exchange_leg_t **bucket(exchange_t *self, const char *call_id)
{
    uint64_t hash = 14695981039346656037ULL; /* FNV-1a */
    for (; *call_id; call_id++) hash = (hash ^ (unsigned char)*call_id) * 1099511628211ULL;
    return &self->legs[hash % BUCKETS];
}

static exchange_leg_t *find(exchange_t *self, const char *call_id)
{
    exchange_leg_t *leg = *bucket(self, call_id);
    while (leg && strcmp(leg->call_id, call_id) != 0) leg = leg->next;
    return leg;
}

/* The leg that was that call's before it moved: orders under way still name it so. */
static exchange_leg_t *find_former(exchange_t *self, const char *call_id)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (exchange_leg_t *leg = self->legs[i]; leg; leg = leg->next) {
            if (strcmp(leg->former, call_id) == 0) return leg;
        }
    }
    return NULL;
}

static void tell_load(exchange_t *self)
{
    if (self->telephony) pl_bus_load(self->telephony, self->count, CAPACITY);
    if (self->speech) pl_bus_load(self->speech, self->count, CAPACITY);
}

static exchange_leg_t *add(exchange_t *self, const char *call_id, const exchange_sink_t *sink)
{
    exchange_leg_t *leg = calloc(1, sizeof *leg);
    assert(leg);
    leg->exchange = self;
    leg->sink = *sink;
    leg->epoch = 1;
    leg->owner_heard_ms = pl_clock_ms();
    snprintf(leg->call_id, sizeof leg->call_id, "%s", call_id);
    exchange_leg_t **first = bucket(self, call_id);
    leg->next = *first;
    *first = leg;
    self->count++;
    tell_load(self);
    return leg;
}

static void take_out(exchange_leg_t *leg)
{
    exchange_leg_t **at = bucket(leg->exchange, leg->call_id);
    while (*at != leg) at = &(*at)->next;
    *at = leg->next;
}

/* The leg belongs to that call from now on. */
static void rename_leg(exchange_leg_t *leg, const char *call_id)
{
    take_out(leg);
    snprintf(leg->call_id, sizeof leg->call_id, "%s", call_id);
    exchange_leg_t **first = bucket(leg->exchange, call_id);
    leg->next = *first;
    *first = leg;
}

static void forget(exchange_leg_t *leg)
{
    exchange_t *self = leg->exchange;
    take_out(leg);
    self->count--;
    free(leg);
    tell_load(self);
}

/* An owner of a later epoch takes the leg over; an earlier one, or another of the same, is stale. */
static pl_err_t check_owner(exchange_leg_t *leg, const Pl__Envelope *env)
{
    if (env->epoch != 0 && env->epoch < leg->epoch) return PL_STALE;
    if (env->epoch > leg->epoch) {
        leg->epoch = env->epoch;
        snprintf(leg->owner, sizeof leg->owner, "%s", env->sender);
    }
    if (strcmp(env->sender, leg->owner) != 0) return PL_STALE;
    leg->owner_heard_ms = pl_clock_ms();
    return PL_OK;
}

/* The leg the envelope is about, when its sender owns it; otherwise the request is refused. */
static exchange_leg_t *owned(exchange_t *self, const Pl__Envelope *env, pl_request_t **request_p)
{
    exchange_leg_t *leg = find(self, env->call_id);
    if (!leg) leg = find_former(self, env->call_id);
    pl_err_t err = leg ? check_owner(leg, env) : PL_NOT_FOUND;
    if (!err) return leg;
    if (*request_p) {
        pl_request_refuse(request_p, err, 0, "%s",
                          leg ? "another instance owns the call" : "the call has no leg here");
    }
    return NULL;
}

/* ---- telling ---- */

static void send(exchange_leg_t *leg, pl_bus_t *bus, Pl__Envelope *env)
{
    if (!leg->owner[0]) return;
    env->call_id = leg->call_id;
    env->epoch = leg->epoch;
    pl_err_t err = pl_bus_event(bus, leg->owner, env);
    if (err) {
        log_warn("exchange.event_lost", "call=%s owner=%s body=%d err=%s", leg->call_id, leg->owner,
                 (int)env->body_case, pl_err_name(err));
    }
}

void exchange_tell(exchange_leg_t *leg, Pl__Envelope *env)
{
    send(leg, leg->exchange->telephony, env);
}

void exchange_tell_speech(exchange_leg_t *leg, Pl__Envelope *env)
{
    send(leg, leg->exchange->speech, env);
}

void exchange_answered(exchange_leg_t *leg)
{
    static char codec[] = "text";
    Pl__LegAnswered answered = PL__LEG_ANSWERED__INIT;
    answered.speech = (char *)pl_bus_instance(leg->exchange->speech);
    answered.kind = PL__LEG_KIND__SIP;
    answered.codec = codec;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.body_case = PL__ENVELOPE__BODY_LEG_ANSWERED;
    env.leg_answered = &answered;
    leg->up = true;
    leg->owner_heard_ms = pl_clock_ms();
    exchange_tell(leg, &env);
}

static void fill_ended(Pl__Envelope *env, Pl__LegEnded *ended, Pl__LegEnd end, const char *detail)
{
    pl__leg_ended__init(ended);
    ended->end = end;
    ended->detail = (char *)detail;
    env->body_case = PL__ENVELOPE__BODY_LEG_ENDED;
    env->leg_ended = ended;
}

void exchange_end(exchange_leg_t **leg_p, Pl__LegEnd end, const char *detail, uint32_t duration_ms)
{
    exchange_leg_t *leg = *leg_p;
    if (!leg) return;
    *leg_p = NULL;
    Pl__LegEnded ended;
    Pl__LegStats stats = PL__LEG_STATS__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    fill_ended(&env, &ended, end, detail);
    stats.duration_ms = duration_ms;
    ended.stats = &stats;
    exchange_tell(leg, &env);
    forget(leg);
}

/* Tells somebody who takes a call for alive that it has no leg here. */
static void tell_none(exchange_t *self, const Pl__Envelope *from, Pl__LegEnd end,
                      const char *detail)
{
    Pl__LegEnded ended;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    fill_ended(&env, &ended, end, detail);
    env.call_id = from->call_id;
    env.epoch = from->epoch ? from->epoch : 1;
    (void)pl_bus_event(self->telephony, from->sender, &env);
}

/* ---- ringing ---- */

/* RFC 9562, version 4. */
static void draw_uuid(char out[EXCHANGE_ID_BYTES])
{
    uint8_t b[16];
    size_t n = 0;
    while (n < sizeof b) {
        ssize_t got = getrandom(b + n, sizeof b - n, 0);
        assert(got > 0 || errno == EINTR);
        if (got > 0) n += (size_t)got;
    }
    b[6] = (uint8_t)((b[6] & 0x0F) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3F) | 0x80);
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;
    for (size_t i = 0; i < sizeof b; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out[at++] = '-';
        out[at++] = digits[b[i] >> 4];
        out[at++] = digits[b[i] & 15];
    }
    out[at] = '\0';
}

typedef struct {
    exchange_t *self;
    char call_id[EXCHANGE_ID_BYTES];
} asked_t;

static void on_incoming_answered(void *arg, pl_err_t err, const Pl__Envelope *reply)
{
    asked_t asked = *(asked_t *)arg;
    free(arg);
    exchange_leg_t *leg = find(asked.self, asked.call_id);
    bool accepted = !err && reply && reply->body_case == PL__ENVELOPE__BODY_CALL_ACCEPTED;
    if (!leg) {
        if (accepted) {
            tell_none(asked.self, reply, PL__LEG_END__LEG_CANCELLED, "the caller gave up");
        }
        return;
    }
    if (!accepted) {
        const char *detail = err ? pl_bus_error_detail(err, reply) : "an answer of another kind";
        leg->sink.refused(leg->sink.arg, err ? err : PL_INTERNAL, detail);
        return;
    }
    snprintf(leg->owner, sizeof leg->owner, "%s", reply->sender);
    if (reply->call_accepted->epoch) leg->epoch = reply->call_accepted->epoch;
    const char *goes_on = reply->call_accepted->call_id;
    if (goes_on[0] && strcmp(goes_on, leg->call_id) != 0) rename_leg(leg, goes_on);
    if (reply->call_accepted->epoch) leg->epoch = reply->call_accepted->epoch;
    leg->sink.accepted(leg->sink.arg, reply->call_accepted);
}

exchange_leg_t *exchange_ring(exchange_t *self, const char *from, const exchange_sink_t *sink)
{
    static char to[] = "parley";
    asked_t *asked = malloc(sizeof *asked);
    assert(asked);
    asked->self = self;
    draw_uuid(asked->call_id);
    exchange_leg_t *leg = add(self, asked->call_id, sink);
    Pl__CallIncoming incoming = PL__CALL_INCOMING__INIT;
    incoming.kind = PL__LEG_KIND__SIP;
    incoming.from = (char *)from;
    incoming.to = to;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    env.call_id = asked->call_id;
    env.epoch = 1;
    env.body_case = PL__ENVELOPE__BODY_CALL_INCOMING;
    env.call_incoming = &incoming;
    pl_bus_request(self->telephony, "dialogue", &env, INCOMING_TIMEOUT_MS, on_incoming_answered,
                   asked);
    return leg;
}

static void on_dial(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    exchange_t *self = arg;
    if (!request) return;
    const exchange_sink_t *sink = NULL;
    if (strlen(env->call_id) != EXCHANGE_ID_BYTES - 1 || find(self, env->call_id)) {
        pl_request_refuse(&request, PL_INVALID, 0, "call_id is no UUID, or has a leg already");
        return;
    }
    sink = self->desk.dial(self->desk.arg, env->leg_dial);
    if (!sink) {
        pl_request_refuse(&request, PL_NOT_FOUND, 0, "no caller with that number waits");
        return;
    }
    exchange_leg_t *leg = add(self, env->call_id, sink);
    if (env->epoch) leg->epoch = env->epoch;
    snprintf(leg->owner, sizeof leg->owner, "%s", env->sender);
    pl_request_done(&request);
    self->desk.dialled(self->desk.arg, env->leg_dial, leg);
}

/* ---- orders to telephony ---- */

static void on_hangup(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    exchange_leg_t *leg = owned(arg, env, &request);
    if (!leg) return;
    if (request) pl_request_done(&request);
    leg->sink.hang_up(leg->sink.arg);
}

static void on_transfer(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    exchange_leg_t *leg = owned(arg, env, &request);
    if (!leg) return;
    if (!leg->sink.transfer(leg->sink.arg, env->leg_transfer->to)) {
        if (request) pl_request_refuse(&request, PL_UNSUPPORTED, 0, "the leg is not up");
        return;
    }
    if (request) pl_request_done(&request);
}

static void on_move(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    exchange_t *self = arg;
    const char *call_id = env->leg_move->call_id;
    if (!request) return;
    exchange_leg_t *there = find(self, call_id);
    bool done = there && strcmp(there->former, env->call_id) == 0;
    if (done) {
        pl_request_done(&request);
        return;
    }
    exchange_leg_t *leg = owned(self, env, &request);
    if (!leg) return;
    if (there || strlen(call_id) != EXCHANGE_ID_BYTES - 1) {
        pl_request_refuse(&request, PL_INVALID, 0, "call_id is no UUID, or has a leg");
        return;
    }
    rename_leg(leg, call_id);
    pl_request_done(&request);
}

static void on_send_dtmf(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    exchange_leg_t *leg = owned(arg, env, &request);
    if (!leg) return;
    leg->sink.keys(leg->sink.arg, env->leg_send_dtmf->digits);
    if (request) pl_request_done(&request);
}

static void on_keep_alive(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    exchange_t *self = arg;
    exchange_leg_t *leg = find(self, env->call_id);
    if (!leg) leg = find_former(self, env->call_id); /* it crossed a move */
    if (leg) {
        (void)check_owner(leg, env);
    } else {
        tell_none(self, env, PL__LEG_END__LEG_FAILED, "telephony has no such leg");
    }
    if (request) pl_request_done(&request);
}

/* These legs show no text, and their voice needs no preparation. */
static void on_ignored(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    (void)env;
    if (request) pl_request_done(&request);
}

/* An SMS under a key is sent once: its outcome the first time, else NULL. */
static const bool *sent_before(exchange_t *self, const char *key)
{
    for (size_t i = 0; key[0] && i < SMS_KEYS; i++) {
        if (self->sms_keys[i] && strcmp(self->sms_keys[i], key) == 0) return &self->sms_sent[i];
    }
    return NULL;
}

static void remember_sms(exchange_t *self, const char *key, bool delivered)
{
    size_t at = self->sms_count++ % SMS_KEYS;
    free(self->sms_keys[at]);
    self->sms_keys[at] = strdup(key);
    assert(self->sms_keys[at]);
    self->sms_sent[at] = delivered;
}

static void on_sms_send(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    exchange_t *self = arg;
    if (!request) return;
    static char delivered[] = "delivered";
    Pl__SmsSent sent = PL__SMS_SENT__INIT;
    const bool *before = sent_before(self, env->sms_send->key);
    sent.delivered = before ? *before : self->desk.sms(self->desk.arg, env->call_id, env->sms_send);
    if (!before && env->sms_send->key[0]) {
        remember_sms(self, env->sms_send->key, sent.delivered);
    }
    sent.detail = delivered;
    if (!sent.delivered) {
        pl_request_refuse(&request, PL_INVALID, 0, "the carrier refuses the number");
        return;
    }
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    reply.body_case = PL__ENVELOPE__BODY_SMS_SENT;
    reply.sms_sent = &sent;
    pl_request_reply(&request, &reply);
}

/* ---- orders to speech ---- */

static void on_listen(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    exchange_leg_t *leg = owned(arg, env, &request);
    if (leg) leg->sink.listen(leg->sink.arg, env->listen);
    if (request) pl_request_done(&request);
}

static void on_say(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    exchange_leg_t *leg = owned(arg, env, &request);
    if (leg) leg->sink.say(leg->sink.arg, env->say);
    if (request) pl_request_done(&request);
}

static void on_say_stop(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    exchange_leg_t *leg = owned(arg, env, &request);
    if (leg) leg->sink.say_stop(leg->sink.arg, env->say_stop->turn);
    if (request) pl_request_done(&request);
}

/* ---- its life ---- */

static void look_for_owners(void *arg)
{
    exchange_t *self = arg;
    uint64_t now_ms = pl_clock_ms();
    for (size_t i = 0; i < BUCKETS; i++) {
        exchange_leg_t *next = NULL;
        for (exchange_leg_t *leg = self->legs[i]; leg; leg = next) {
            next = leg->next; /* the sink ends this leg, and no other */
            if (leg->up && now_ms - leg->owner_heard_ms >= self->owner_timeout_ms) {
                leg->sink.owner_lost(leg->sink.arg);
            }
        }
    }
}

/* A configuration as the real service would read it. */
static pl_config_t *load(const char *service, const pl_config_key_t *keys,
                         const char *const *settings)
{
    static char name[] = "callsim";
    char *argv[MAX_ARGUMENTS] = {name};
    int argc = 1;
    while (settings && settings[argc - 1] && argc < MAX_ARGUMENTS - 1) {
        argv[argc] = (char *)settings[argc - 1];
        argc++;
    }
    int status = EXIT_FAILURE;
    return pl_config_load(service, keys, argc, argv, &status);
}

static void take_messages(exchange_t *self)
{
    const struct {
        pl_bus_t *bus;
        Pl__Envelope__BodyCase body;
        pl_bus_handler_fn *fn;
    } handlers[] = {
        {self->telephony, PL__ENVELOPE__BODY_LEG_DIAL, on_dial},
        {self->telephony, PL__ENVELOPE__BODY_LEG_HANGUP, on_hangup},
        {self->telephony, PL__ENVELOPE__BODY_LEG_TRANSFER, on_transfer},
        {self->telephony, PL__ENVELOPE__BODY_LEG_MOVE, on_move},
        {self->telephony, PL__ENVELOPE__BODY_LEG_SEND_DTMF, on_send_dtmf},
        {self->telephony, PL__ENVELOPE__BODY_LEG_KEEP_ALIVE, on_keep_alive},
        {self->telephony, PL__ENVELOPE__BODY_LEG_TRANSCRIPT, on_ignored},
        {self->telephony, PL__ENVELOPE__BODY_SMS_SEND, on_sms_send},
        {self->speech, PL__ENVELOPE__BODY_LISTEN, on_listen},
        {self->speech, PL__ENVELOPE__BODY_SAY, on_say},
        {self->speech, PL__ENVELOPE__BODY_SAY_STOP, on_say_stop},
        {self->speech, PL__ENVELOPE__BODY_PHRASES_WARM, on_ignored},
    };
    for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
        pl_bus_on(handlers[i].bus, handlers[i].body, handlers[i].fn, self);
    }
}

pl_err_t exchange_new(exchange_t **out, pl_loop_t *loop, const char *const *settings,
                      const exchange_desk_t *desk)
{
    static const char *const peers[] = {"dialogue", NULL};
    exchange_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->desk = *desk;
    self->telephony_config = load("telephony", telephony_config_keys, settings);
    self->speech_config = load("speech", speech_config_keys, settings);
    pl_err_t err = self->telephony_config && self->speech_config ? PL_OK : PL_INVALID;
    pl_log_init("callsim", PL_LOG_WARN);
    if (!err) err = pl_bus_new(&self->telephony, loop, self->telephony_config, peers);
    if (!err) err = pl_bus_new(&self->speech, loop, self->speech_config, peers);
    if (err) {
        exchange_destroy(&self);
        return err;
    }
    self->owner_timeout_ms =
        (uint32_t)pl_config_int(self->telephony_config, "telephony.owner_timeout_ms");
    take_messages(self);
    tell_load(self);
    self->timer = pl_timer_start(loop, LOOK_MS, LOOK_MS, look_for_owners, self);
    *out = self;
    return PL_OK;
}

void exchange_destroy(exchange_t **self_p)
{
    exchange_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_timer_stop(&self->timer);
    pl_bus_destroy(&self->telephony);
    pl_bus_destroy(&self->speech);
    for (size_t i = 0; i < BUCKETS; i++) {
        while (self->legs[i]) {
            exchange_leg_t *leg = self->legs[i];
            self->legs[i] = leg->next;
            free(leg);
        }
    }
    for (size_t i = 0; i < SMS_KEYS; i++) free(self->sms_keys[i]);
    pl_config_destroy(&self->telephony_config);
    pl_config_destroy(&self->speech_config);
    free(self);
}

bool exchange_ready(const exchange_t *self)
{
    pl_peer_t peer;
    return pl_bus_pick(self->telephony, "dialogue", &peer) &&
           pl_bus_pick(self->speech, "dialogue", &peer);
}

const char *exchange_call_id(const exchange_leg_t *leg)
{
    return leg->call_id;
}
