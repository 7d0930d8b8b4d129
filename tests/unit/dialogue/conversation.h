/* conversation.h - a call without processes: store, telephony, speech and index played here.
 *
 * say() is one utterance; what the bot answers is collected, and reported as spoken and heard at
 * once. Every test program includes this once; functions it does not use cost nothing.
 */
#ifndef TEST_CONVERSATION_H
#define TEST_CONVERSATION_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"
#include "services/dialogue/call.h"
#include "services/dialogue/manager.h"
#include "services/dialogue/postcall.h"
#include "services/dialogue/value.h"

#define UNUSED __attribute__((unused))

typedef struct {
    const char *name;
    Pl__ClaimType type;
    const char *description;
} field_t;

typedef struct {
    call_t *call;
    prompts_t *prompts;
    call_settings_t settings;
    effects_t fx;
    const manager_t *manager;
    void *mind;
    call_now_t now;
    civil_t clock;
    Pl__CallRecord *stored; /* what the store would hold */
    char reply[8192];       /* what was said since the last utterance */
    Pl__Expect expect;      /* of the last Listen */
    double rate;            /* of the last Say */
    uint32_t turn;          /* number of the last Say */
    bool firm;              /* it may not be interrupted */
    uint32_t speech_ms;     /* of the next utterances; 0: unknown */
    char last[2048];        /* the last sentence */
    bool pending;           /* a turn was closed and not yet reported as spoken */
    const char *knowledge;  /* content of the only passage; NULL: nothing is found */
    double score;
    pl_err_t search_error, create_error, dial_error;
    int creates, dials, hangups, transfers, over, searches, stores, says, stops, listens, thinks,
        cancels, transcripts, sms, started, refusals;
    int says_after_hangup;
    bool hold;        /* do not report turns as spoken */
    bool hold_search; /* do not answer searches */
    const Pl__SearchResult
        *found; /* beforehand, of thoughts and partial transcripts; NULL: nothing */
    char search_tool[64];
    char search_texts[512]; /* a line each */
    char passages_key[64];  /* of the newest search for passages */
    int prefetches;
    int alerts, posts, jobs, moves, abandoned;
    bool hold_split, hold_move; /* do not answer these */
    const Pl__LegMoved *moved;  /* answer of a leg that is recorded; NULL: it is not */
    pl_err_t split_error, move_error;
    Pl__CallRecord *made; /* of the call that this one may go on as */
    Pl__CallRecord *left; /* of the call that this one was before */
    char say_call[64];    /* call of the last Say */
    char say_lang[36], voice[64], listen_lang[36];
    uint32_t group;    /* of the last change to be stored */
    char tool[64];     /* key of the last alert or post */
    char posted[4096]; /* body of the last post */
    pl_err_t refused;  /* of FX_REFUSED */
} conversation_t;

static const field_t *UNUSED three_fields(void)
{
    static const field_t fields[] = {{"hardware_info", PL__CLAIM_TYPE__TEXT, ""},
                                     {"first_seen", PL__CLAIM_TYPE__DATETIME, ""},
                                     {"building_location", PL__CLAIM_TYPE__TEXT, ""},
                                     {NULL, 0, NULL}};
    return fields;
}

static void conversation_run(conversation_t *self);

static void sink_sentence(void *arg, uint32_t thought, const char *text, Pl__Style style)
{
    conversation_t *self = arg;
    (void)call_sentence(self->call, self->now, thought, text, style, &self->fx);
}

static void sink_expect(void *arg, uint32_t thought, Pl__Expect expect)
{
    conversation_t *self = arg;
    (void)call_expect(self->call, thought, expect);
}

static void sink_tool(void *arg, uint32_t thought, const char *id, const char *name,
                      const char *arguments)
{
    conversation_t *self = arg;
    (void)call_tool(self->call, self->now, thought, id, name, arguments, &self->fx);
}

static void sink_part(void *arg, uint32_t thought)
{
    conversation_t *self = arg;
    (void)call_part(self->call, self->now, thought, &self->fx);
}

static void sink_unsafe(void *arg, uint32_t thought, uint32_t message)
{
    conversation_t *self = arg;
    (void)call_unsafe(self->call, thought, message, &self->fx);
}

static void sink_saved(void *arg, uint32_t thought, uint32_t saved_ms)
{
    conversation_t *self = arg;
    (void)call_saved(self->call, thought, saved_ms, &self->fx);
}

static void sink_done(void *arg, uint32_t thought, pl_err_t err)
{
    conversation_t *self = arg;
    (void)call_thought(self->call, self->now, thought, err, &self->fx);
}

static void sink_flush(void *arg)
{
    conversation_run(arg);
}

static const Pl__CallRecord *sink_record(void *arg)
{
    const conversation_t *self = arg;
    return call_record(self->call);
}

/* With that manager; opts gets the prompts here. */
static UNUSED conversation_t *conversation_with(const field_t *fields, const manager_t *manager,
                                                manager_opts_t opts)
{
    conversation_t *self = calloc(1, sizeof *self);
    assert(self);
    self->settings = (call_settings_t){.silence_ms = 20000,
                                       .retry_max = 3,
                                       .soft_ms = 4000,
                                       .hard_ms = 15000,
                                       .create_ms = 5000,
                                       .dial_ms = 10000,
                                       .ring_ms = 45000,
                                       .stream_ms = 30000,
                                       .transfer_ms = 30000,
                                       .hangup_ms = 5000,
                                       .search_ms = 3000,
                                       .timezone = "UTC",
                                       .messages_max = 1000};
    self->now = (call_now_t){1000000, 1795343400000};
    self->clock = (civil_t){2026, 11, 22, 10, 30, 0};
    self->score = 4;
    self->prompts = prompts_new(NULL);
    Pl__ClaimField storage[64];
    Pl__ClaimField *claim[64];
    size_t n = 0;
    for (; fields[n].name; n++) {
        pl__claim_field__init(&storage[n]);
        storage[n].name = (char *)fields[n].name;
        storage[n].type = fields[n].type;
        storage[n].description = (char *)fields[n].description;
        claim[n] = &storage[n];
    }
    Pl__Initiate initiate = PL__INITIATE__INIT;
    Pl__CallRecord record = PL__CALL_RECORD__INIT;
    initiate.phone_number = (char *)"+33699999999";
    initiate.agent_phone_number = (char *)"+33612345678";
    initiate.bot_company = (char *)"Contoso";
    initiate.bot_name = (char *)"Amelie";
    initiate.task = (char *)"Help the customer with their digital workplace. Gather the claim.";
    initiate.lang_default = (char *)"en-US";
    initiate.prosody_rate = 1.0;
    initiate.claim = claim;
    initiate.n_claim = n;
    record.call_id = (char *)"c-1";
    record.initiate = &initiate;
    record.epoch = 1;
    record.outbound = true;
    record.owner = (char *)"dialogue-0";
    self->stored = pl_record_copy(&record);
    self->call = call_new(&record, "", &self->settings, self->prompts);
    manager_sink_t sink = {self,        sink_sentence, sink_expect, sink_tool,  sink_part,
                           sink_unsafe, sink_saved,    sink_done,   sink_flush, sink_record};
    opts.prompts = self->prompts;
    opts.settings = &self->settings;
    self->manager = manager;
    self->mind = self->manager->open(&opts, &sink, "c-1");
    return self;
}

static UNUSED conversation_t *conversation_new(const field_t *fields)
{
    return conversation_with(fields, &manager_script, (manager_opts_t){.answer_score = 1.0});
}

static void UNUSED conversation_destroy(conversation_t **self_p)
{
    conversation_t *self = *self_p;
    self->manager->close(&self->mind);
    fx_clear(&self->fx);
    call_destroy(&self->call);
    prompts_destroy(&self->prompts);
    pl_record_free(&self->stored);
    pl_record_free(&self->made);
    pl_record_free(&self->left);
    free(self);
    *self_p = NULL;
}

static void conversation_say_effect(conversation_t *self, const Pl__Say *say)
{
    self->says++;
    if (self->hangups) self->says_after_hangup++;
    self->turn = say->turn;
    self->firm = say->not_interruptible;
    self->rate = say->rate;
    snprintf(self->say_lang, sizeof self->say_lang, "%s", say->lang);
    if (say->text[0]) snprintf(self->voice, sizeof self->voice, "%s", say->voice);
    if (say->text[0]) {
        size_t n = strlen(self->reply);
        snprintf(self->reply + n, sizeof self->reply - n, "%s%s", n ? " " : "", say->text);
        snprintf(self->last, sizeof self->last, "%s", say->text);
    }
    if (say->last) self->pending = true;
}

static void conversation_event_effect(conversation_t *self, const Pl__Envelope *env)
{
    if (env->body_case == PL__ENVELOPE__BODY_SAY) {
        snprintf(self->say_call, sizeof self->say_call, "%s", env->call_id);
        conversation_say_effect(self, env->say);
    }
    if (env->body_case == PL__ENVELOPE__BODY_SAY_STOP) {
        self->stops++;
        self->pending = false;
    }
    if (env->body_case == PL__ENVELOPE__BODY_LISTEN) {
        self->listens++;
        self->expect = env->listen->expect;
        snprintf(self->listen_lang, sizeof self->listen_lang, "%s", env->listen->lang);
    }
    if (env->body_case == PL__ENVELOPE__BODY_LEG_TRANSCRIPT) self->transcripts++;
    if (env->body_case == PL__ENVELOPE__BODY_SEARCH_PREFETCH) self->prefetches++;
}

static void conversation_searched(conversation_t *self, asked_t asked, const char *tool_id)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__SearchResult result = PL__SEARCH_RESULT__INIT;
    Pl__Passage passage = PL__PASSAGE__INIT;
    Pl__Passage *passages[] = {&passage};
    if (self->knowledge) {
        passage.id = (char *)"p1";
        passage.source = (char *)"guide.md";
        passage.title = (char *)"Guide";
        passage.content = (char *)self->knowledge;
        passage.score = self->score;
        result.passages = passages;
        result.n_passages = 1;
    }
    env.body_case = PL__ENVELOPE__BODY_SEARCH_RESULT;
    env.search_result = &result;
    call_reply(self->call, self->now, asked, tool_id, self->search_error,
               self->search_error ? NULL : &env, &self->fx);
}

static void conversation_answer_search(conversation_t *self, const char *tool_id)
{
    conversation_searched(self, ASKED_SEARCH, tool_id);
}

static void conversation_passages(conversation_t *self, const char *key)
{
    conversation_searched(self, ASKED_PASSAGES, key);
}

static void note_search(conversation_t *self, const Pl__Envelope *env)
{
    const Pl__SearchQuery *query = env->search_query;
    size_t n = (size_t)snprintf(self->search_texts, sizeof self->search_texts, "%s\n", query->text);
    for (size_t i = 0; i < query->n_earlier && n < sizeof self->search_texts; i++) {
        n += (size_t)snprintf(self->search_texts + n, sizeof self->search_texts - n, "%s\n",
                              query->earlier[i]);
    }
}

static void conversation_request_effect(conversation_t *self, const effect_t *effect)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__Done done = PL__DONE__INIT;
    env.sender = (char *)"telephony-0";
    env.body_case = PL__ENVELOPE__BODY_DONE;
    env.done = &done;
    switch (effect->asked) {
    case ASKED_DIAL:
        self->dials++;
        call_reply(self->call, self->now, ASKED_DIAL, "", self->dial_error,
                   self->dial_error ? NULL : &env, &self->fx);
        break;
    case ASKED_HANGUP:
        self->hangups++;
        call_reply(self->call, self->now, ASKED_HANGUP, "", PL_OK, &env, &self->fx);
        break;
    case ASKED_TRANSFER:
        self->transfers++;
        call_reply(self->call, self->now, ASKED_TRANSFER, "", PL_OK, &env, &self->fx);
        break;
    case ASKED_SEARCH:
        self->searches++;
        snprintf(self->search_tool, sizeof self->search_tool, "%s", effect->tool_id);
        note_search(self, effect->env);
        if (!self->hold_search) conversation_answer_search(self, effect->tool_id);
        break;
    case ASKED_PASSAGES:
        self->searches++;
        snprintf(self->passages_key, sizeof self->passages_key, "%s", effect->tool_id);
        if (!self->hold_search) conversation_passages(self, effect->tool_id);
        break;
    case ASKED_SMS:
        self->sms++;
        break;
    case ASKED_MOVE:
        self->moves++;
        snprintf(self->tool, sizeof self->tool, "%s", effect->tool_id);
        if (self->hold_move) break;
        if (self->moved) {
            env.body_case = PL__ENVELOPE__BODY_LEG_MOVED;
            env.leg_moved = (Pl__LegMoved *)self->moved;
        }
        call_reply(self->call, self->now, ASKED_MOVE, effect->tool_id, self->move_error,
                   self->move_error ? NULL : &env, &self->fx);
        break;
    case ASKED_ALERT:
        self->alerts++;
        snprintf(self->tool, sizeof self->tool, "%s", effect->tool_id);
        break;
    }
}

/* Does it at once, as a worker would do it by rule. */
static void conversation_work(conversation_t *self, const Pl__JobSpec *job)
{
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    if (strcmp(job->kind, "synthesis") == 0) {
        change.change_case = PL__CALL_CHANGE__CHANGE_SYNTHESIS;
        change.synthesis = postcall_synthesis(self->stored);
        assert(pl_record_apply(self->stored, &change) == PL_OK);
        pl__synthesis__free_unpacked(change.synthesis, NULL);
    } else if (strcmp(job->kind, "next") == 0) {
        change.change_case = PL__CALL_CHANGE__CHANGE_NEXT;
        change.next = postcall_next(self->stored);
        assert(pl_record_apply(self->stored, &change) == PL_OK);
        pl__next__free_unpacked(change.next, NULL);
    }
}

static think_t conversation_think(const conversation_t *self, const effect_t *effect)
{
    return (think_t){.number = effect->think,
                     .kind = effect->think_kind,
                     .text = effect->text,
                     .message = effect->message,
                     .unheard = effect->unheard,
                     .record = call_record(self->call),
                     .now = self->clock,
                     .zone = "Europe/Paris",
                     .found = effect->found ? effect->found : self->found};
}

static void conversation_result(conversation_t *self, const effect_t *effect)
{
    tool_result_t result = {effect->tool_id, effect->text, call_leaving(self->call),
                            call_record(self->call)};
    self->manager->tool_result(self->mind, &result);
}

static void conversation_effect(conversation_t *self, const effect_t *effect)
{
    switch (effect->kind) {
    case FX_CREATE:
        self->creates++;
        call_created(self->call, self->now, self->create_error, &self->fx);
        break;
    case FX_STORE:
        self->stores++;
        self->group = effect->group;
        assert(pl_record_apply(self->stored, effect->change) == PL_OK);
        break;
    case FX_JOB:
        self->jobs++;
        assert(effect->group && effect->group == self->group); /* one write with the end */
        conversation_work(self, effect->job);
        break;
    case FX_EVENT:
        conversation_event_effect(self, effect->env);
        break;
    case FX_REQUEST:
        conversation_request_effect(self, effect);
        break;
    case FX_SPLIT:
        pl_record_free(&self->made);
        self->made = pl_record_copy(call_next(self->call, "c-2", self->now));
        if (self->hold_split) {
            snprintf(self->tool, sizeof self->tool, "%s", effect->tool_id);
            break;
        }
        call_next_created(self->call, effect->tool_id, self->split_error, &self->fx);
        break;
    case FX_SWITCH:
        assert(!self->left);
        self->left = self->stored;
        self->stored = self->made;
        self->made = NULL;
        break;
    case FX_ABANDON:
        self->abandoned++;
        assert(strcmp(effect->text, "c-2") == 0);
        break;
    case FX_POST:
        self->posts++;
        snprintf(self->tool, sizeof self->tool, "%s", effect->tool_id);
        snprintf(self->posted, sizeof self->posted, "%s", effect->text);
        break;
    case FX_STARTED:
        self->started++;
        break;
    case FX_REFUSED:
        self->refusals++;
        self->refused = effect->err;
        break;
    case FX_THINK: {
        think_t think = conversation_think(self, effect);
        self->thinks++;
        self->manager->think(self->mind, &think);
        break;
    }
    case FX_PARTIAL: {
        think_t think = conversation_think(self, effect);
        think.kind = THINK_UTTERANCE;
        if (self->manager->partial) self->manager->partial(self->mind, &think);
        break;
    }
    case FX_TOOL_RESULT:
        conversation_result(self, effect);
        break;
    case FX_CANCEL:
        self->cancels++;
        self->manager->cancel(self->mind);
        break;
    case FX_OVER:
        self->over++;
        break;
    }
}

static UNUSED pl_err_t conversation_event(conversation_t *self, Pl__Envelope *env)
{
    env->call_id = (char *)"c-1";
    env->epoch = 1;
    if (!env->sender[0]) env->sender = (char *)"telephony-0";
    pl_err_t err = call_handle(self->call, self->now, env, &self->fx);
    conversation_run(self);
    return err;
}

static UNUSED void conversation_spoken(conversation_t *self, bool interrupted, const char *heard)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__TurnSpoken spoken = PL__TURN_SPOKEN__INIT;
    spoken.turn = self->turn;
    spoken.interrupted = interrupted;
    spoken.heard_text = (char *)heard;
    env.sender = (char *)"speech-0";
    env.body_case = PL__ENVELOPE__BODY_TURN_SPOKEN;
    env.turn_spoken = &spoken;
    self->pending = false;
    (void)conversation_event(self, &env);
}

static UNUSED void conversation_turn_started(conversation_t *self)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__TurnStarted started = PL__TURN_STARTED__INIT;
    started.turn = self->turn;
    started.answer_latency_ms = 650;
    started.synthesis_ms = 40;
    env.sender = (char *)"speech-0";
    env.body_case = PL__ENVELOPE__BODY_TURN_STARTED;
    env.turn_started = &started;
    (void)conversation_event(self, &env);
}

static void conversation_run(conversation_t *self)
{
    for (;;) {
        effect_t *effect = fx_take(&self->fx);
        if (effect) {
            conversation_effect(self, effect);
            fx_free(&effect);
            continue;
        }
        if (!self->pending || self->hold) return;
        self->pending = false;
        self->now.mono_ms += 1500;
        conversation_turn_started(self);
        conversation_spoken(self, false, self->last);
    }
}

static UNUSED void conversation_answered(conversation_t *self, const char *speech, Pl__LegKind kind)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__LegAnswered answered = PL__LEG_ANSWERED__INIT;
    answered.speech = (char *)speech;
    answered.kind = kind;
    env.body_case = PL__ENVELOPE__BODY_LEG_ANSWERED;
    env.leg_answered = &answered;
    (void)conversation_event(self, &env);
}

static UNUSED void conversation_open(conversation_t *self)
{
    call_begin(self->call, self->now, &self->fx);
    conversation_run(self);
    self->now.mono_ms += 5000;
    conversation_answered(self, "speech-0", PL__LEG_KIND__SIP);
}

static UNUSED pl_err_t conversation_utter(conversation_t *self, const char *text)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__Utterance utterance = PL__UTTERANCE__INIT;
    utterance.speech_ms = self->speech_ms;
    utterance.text = (char *)text;
    utterance.endpointing_ms = 500;
    utterance.recognition_ms = 20;
    env.sender = (char *)"speech-0";
    env.body_case = PL__ENVELOPE__BODY_UTTERANCE;
    env.utterance = &utterance;
    self->now.mono_ms += 3000;
    return conversation_event(self, &env);
}

static UNUSED void conversation_partial(conversation_t *self, const char *text)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__Partial partial = PL__PARTIAL__INIT;
    partial.text = (char *)text;
    env.sender = (char *)"speech-0";
    env.body_case = PL__ENVELOPE__BODY_PARTIAL;
    env.partial = &partial;
    (void)conversation_event(self, &env);
}

static UNUSED const char *conversation_say(conversation_t *self, const char *text)
{
    self->reply[0] = '\0';
    (void)conversation_utter(self, text);
    return self->reply;
}

static UNUSED pl_err_t conversation_barge_in(conversation_t *self, uint32_t turn)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__BargeIn barge_in = PL__BARGE_IN__INIT;
    barge_in.turn = turn;
    env.sender = (char *)"speech-0";
    env.body_case = PL__ENVELOPE__BODY_BARGE_IN;
    env.barge_in = &barge_in;
    return conversation_event(self, &env);
}

static UNUSED pl_err_t conversation_leg_ended(conversation_t *self, Pl__LegEnd end,
                                              const char *detail)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__LegEnded ended = PL__LEG_ENDED__INIT;
    ended.end = end;
    ended.detail = (char *)detail;
    Pl__LegStats stats = PL__LEG_STATS__INIT;
    stats.rtp_received = 4711;
    ended.stats = &stats;
    Pl__Recording recording = PL__RECORDING__INIT;
    recording.number = 1;
    ended.recording = &recording;
    env.body_case = PL__ENVELOPE__BODY_LEG_ENDED;
    env.leg_ended = &ended;
    return conversation_event(self, &env);
}

static UNUSED void conversation_tick(conversation_t *self, uint64_t ms)
{
    self->now.mono_ms += ms;
    call_tick(self->call, self->now, &self->fx);
    conversation_run(self);
}

static UNUSED const char *conversation_value(const conversation_t *self, const char *field)
{
    const Pl__ClaimValue *value = pl_record_claim(self->stored, field);
    return value ? value->value : "";
}

static UNUSED bool conversation_confirmed(const conversation_t *self, const char *field)
{
    const Pl__ClaimValue *value = pl_record_claim(self->stored, field);
    return value && value->confirmed;
}

#endif
