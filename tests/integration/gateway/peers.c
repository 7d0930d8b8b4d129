/* peers.c - for the gateway's test over HTTP: dialogue, persistence, telephony, speech and rag in
 * one process, as far as the gateway can tell them from the real ones.
 *
 *   peers RUN_DIR       ends on SIGTERM
 *
 * What POST /call gets is told by its task: "busy", "refuse", "invalid", "late"; else the call is
 * started and kept, and can be read again. That of "recorded" is over, with a minute of silence as its
 * recording and four messages, 10 s apart.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bus.h"
#include "common/clock.h"
#include "common/config.h"
#include "common/loop.h"
#include "common/record.h"

enum { CALLS_MAX = 2000, LATE_MAX = 200, BUSES = 5 };

static const pl_config_key_t no_keys[] = {{NULL, PL_CONFIG_STRING, NULL, 0, 0, NULL}};
static Pl__CallRecord *calls[CALLS_MAX];
static size_t count;
static pl_request_t *late[LATE_MAX]; /* answered at the end only */
static size_t late_count;

/* ---- a recording of a minute of silence ---- */

enum { RECORDED_S = 60, RECORDED_BYTES = 44 + RECORDED_S * 64000, RECORDED_MESSAGES = 4 };

static void put_recording(Pl__CallRecord *call)
{
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    Pl__Recording recording = PL__RECORDING__INIT;
    recording.number = 1;
    recording.instance = "telephony-0";
    recording.started_at_ms = call->created_at_ms;
    recording.duration_ms = RECORDED_S * 1000;
    change.change_case = PL__CALL_CHANGE__CHANGE_RECORDING;
    change.recording = &recording;
    (void)pl_record_apply(call, &change);
    for (uint32_t i = 1; i <= RECORDED_MESSAGES; i++) {
        Pl__Message message = PL__MESSAGE__INIT;
        message.number = i;
        message.created_at_ms = call->created_at_ms + i * 10000;
        message.persona = i % 2 ? PL__PERSONA__ASSISTANT : PL__PERSONA__HUMAN;
        message.content = "Some words";
        change.change_case = PL__CALL_CHANGE__CHANGE_MESSAGE;
        change.message = &message;
        (void)pl_record_apply(call, &change);
    }
    call->in_progress = 0;
}

static void put32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++) out[i] = (uint8_t)(value >> 8 * i);
}

static void on_recording_get(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    static uint8_t wav[RECORDED_BYTES];
    const Pl__RecordingGet *ask = env->recording_get;
    memcpy(wav, "RIFF....WAVEfmt ", 16);
    put32(wav + 4, RECORDED_BYTES - 8);
    put32(wav + 16, 16);
    put32(wav + 20, 1 | 2 << 16);
    put32(wav + 24, 16000);
    put32(wav + 28, 64000);
    put32(wav + 32, 4 | 16 << 16);
    memcpy(wav + 36, "data", 4);
    put32(wav + 40, RECORDED_BYTES - 44);
    Pl__RecordingPart part = PL__RECORDING_PART__INIT;
    uint64_t offset = ask->offset < RECORDED_BYTES ? ask->offset : RECORDED_BYTES;
    uint64_t length = ask->length < RECORDED_BYTES - offset ? ask->length : RECORDED_BYTES - offset;
    part.data = (ProtobufCBinaryData){(size_t)length, wav + offset};
    part.total = RECORDED_BYTES;
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    reply.body_case = PL__ENVELOPE__BODY_RECORDING_PART;
    reply.recording_part = &part;
    pl_request_reply(&request, &reply);
}

/* Every call has a reminder, which the first job about it ends. */
static void remind(Pl__CallRecord *call)
{
    Pl__Reminder reminder = PL__REMINDER__INIT;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    reminder.title = "Call \"the\" <plumber>";
    reminder.due_date_time = "2026-11-21T09:00:00";
    reminder.due_at_ms = 1795248000000;
    reminder.fired_at_ms = 1795248000001;
    reminder.outcome = "entry";
    change.change_case = PL__CALL_CHANGE__CHANGE_REMINDER;
    change.reminder = &reminder;
    (void)pl_record_apply(call, &change);
}

static Pl__CallRecord *keep(const Pl__Initiate *initiate)
{
    Pl__CallRecord call = PL__CALL_RECORD__INIT;
    char id[40];
    (void)snprintf(id, sizeof id, "00000000-0000-4000-8000-%012zu", count + 1);
    call.call_id = id;
    call.created_at_ms = pl_clock_wall_ms();
    call.in_progress = 1;
    call.outbound = 1;
    call.epoch = 1;
    call.initiate = (Pl__Initiate *)pl_message_copy(&initiate->base);
    Pl__CallRecord *kept = pl_record_copy(&call);
    pl__initiate__free_unpacked(call.initiate, NULL);
    if (strcmp(initiate->task, "recorded") == 0) put_recording(kept);
    remind(kept);
    if (count < CALLS_MAX) calls[count++] = kept;
    return kept;
}

static void on_call_start(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    const Pl__Initiate *initiate = env->call_start->initiate;
    if (strcmp(initiate->task, "busy") == 0) {
        pl_request_refuse(&request, PL_BUSY, 3000, "dialogue.max_calls: 1 call is live");
    } else if (strcmp(initiate->task, "refuse") == 0) {
        pl_request_refuse(&request, PL_NOT_FOUND, 0, "no phone is registered for %s",
                          initiate->phone_number);
    } else if (strcmp(initiate->task, "invalid") == 0) {
        pl_request_refuse(&request, PL_INVALID, 0, "bot_name: is not configured");
    } else if (strcmp(initiate->task, "late") == 0 && late_count < LATE_MAX) {
        late[late_count++] = request;
    } else {
        Pl__CallStarted started = PL__CALL_STARTED__INIT;
        Pl__Envelope reply = PL__ENVELOPE__INIT;
        started.call = keep(initiate);
        reply.body_case = PL__ENVELOPE__BODY_CALL_STARTED;
        reply.call_started = &started;
        pl_request_reply(&request, &reply);
    }
}

static bool of_number(const Pl__CallRecord *call, const char *number)
{
    return !number[0] || strcmp(call->initiate->phone_number, number) == 0;
}

static void on_store_get(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    for (size_t i = count; i-- > 0;) {
        bool match = env->call_id[0] ? strcmp(calls[i]->call_id, env->call_id) == 0
                                     : of_number(calls[i], env->store_get->phone_number);
        if (!match) continue;
        Pl__StoreCall found = PL__STORE_CALL__INIT;
        Pl__Envelope reply = PL__ENVELOPE__INIT;
        found.call = calls[i];
        reply.body_case = PL__ENVELOPE__BODY_STORE_CALL;
        reply.store_call = &found;
        pl_request_reply(&request, &reply);
        return;
    }
    pl_request_refuse(&request, PL_NOT_FOUND, 0, "no such call");
}

static void on_store_list(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    const Pl__StoreList *ask = env->store_list;
    Pl__CallRecord *found[CALLS_MAX];
    Pl__StoreCalls list = PL__STORE_CALLS__INIT;
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    for (size_t i = count; i-- > 0;) {
        if (!of_number(calls[i], ask->phone_number)) continue;
        if (list.total++ < ask->offset || list.n_calls >= ask->limit) continue;
        found[list.n_calls++] = calls[i];
    }
    list.calls = found;
    reply.body_case = PL__ENVELOPE__BODY_STORE_CALLS;
    reply.store_calls = &list;
    pl_request_reply(&request, &reply);
}

static void on_ticket(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    (void)env;
    Pl__PhoneTicket ticket = PL__PHONE_TICKET__INIT;
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    ticket.token = "a-token";
    const char *port = getenv("PEERS_PHONE_PORT");
    ticket.port = port ? (uint32_t)strtoul(port, NULL, 10) : 8081;
    ticket.lifetime_ms = 30000;
    reply.body_case = PL__ENVELOPE__BODY_PHONE_TICKET;
    reply.phone_ticket = &ticket;
    pl_request_reply(&request, &reply);
}

static void on_terminate(void *arg, unsigned times)
{
    (void)times;
    pl_loop_stop(arg);
}

static void on_reminder_list(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    const Pl__ReminderList *query = env->reminder_list;
    static Pl__CallReminder rows[CALLS_MAX];
    static Pl__CallReminder *list[CALLS_MAX];
    Pl__Reminders found = PL__REMINDERS__INIT;
    Pl__Envelope reply = PL__ENVELOPE__INIT;
    for (size_t i = 0; i < count; i++) {
        Pl__Reminder *reminder = calls[i]->reminders[0];
        Pl__ReminderState state = pl_record_reminder_state(reminder);
        bool wanted = query->n_states == 0 || query->states[0] == state;
        if (query->due_before_ms && reminder->due_at_ms >= query->due_before_ms) wanted = false;
        if (!wanted || found.total++ < query->offset || found.n_reminders >= query->limit) continue;
        rows[found.n_reminders] = (Pl__CallReminder)PL__CALL_REMINDER__INIT;
        rows[found.n_reminders].call_id = calls[i]->call_id;
        rows[found.n_reminders].phone_number = calls[i]->initiate->phone_number;
        rows[found.n_reminders].state = state;
        rows[found.n_reminders].reminder = reminder;
        list[found.n_reminders] = &rows[found.n_reminders];
        found.n_reminders++;
    }
    found.reminders = list;
    reply.body_case = PL__ENVELOPE__BODY_REMINDERS;
    reply.reminders = &found;
    pl_request_reply(&request, &reply);
}

static void on_job_put(void *arg, const Pl__Envelope *env, pl_request_t *request)
{
    (void)arg;
    const Pl__JobSpec *spec = env->job_put->jobs[0];
    bool right = strcmp(spec->kind, "reminder_end") == 0 &&
                 strncmp(spec->key, "reminder_end/", 13) == 0 && strlen(spec->key) < 200 &&
                 spec->payload.len > 10;
    for (size_t i = 0; right && i < count; i++) {
        if (strcmp(calls[i]->call_id, spec->call_id) == 0) calls[i]->reminders[0]->ended_at_ms = 1;
    }
    if (right)
        pl_request_done(&request);
    else
        pl_request_refuse(&request, PL_INVALID, 0, "not such a job");
}

int main(int argc, char **argv)
{
    static const char *const services[BUSES] = {"dialogue", "persistence", "telephony", "speech",
                                                "rag"};
    static const char *const no_peers[] = {NULL};
    pl_config_t *cfg[BUSES] = {NULL};
    pl_bus_t *bus[BUSES] = {NULL};
    char yaml[512], error[256] = "";
    if (argc != 2) return 64;
    pl_signals_init();
    pl_loop_t *loop = pl_loop_new();
    (void)snprintf(yaml, sizeof yaml, "bus:\n  run_dir: %s\n  heartbeat_ms: 100\n", argv[1]);
    for (size_t i = 0; i < BUSES; i++) {
        cfg[i] = pl_config_parse(services[i], no_keys, "peers", yaml, error, sizeof error);
        if (!cfg[i] || pl_bus_new(&bus[i], loop, cfg[i], no_peers) != PL_OK) {
            fprintf(stderr, "%s: %s\n", services[i], error);
            return 1;
        }
    }
    pl_bus_on(bus[0], PL__ENVELOPE__BODY_CALL_START, on_call_start, NULL);
    pl_bus_on(bus[1], PL__ENVELOPE__BODY_STORE_GET, on_store_get, NULL);
    pl_bus_on(bus[1], PL__ENVELOPE__BODY_STORE_LIST, on_store_list, NULL);
    pl_bus_on(bus[1], PL__ENVELOPE__BODY_REMINDER_LIST, on_reminder_list, NULL);
    pl_bus_on(bus[1], PL__ENVELOPE__BODY_JOB_PUT, on_job_put, NULL);
    pl_bus_on(bus[2], PL__ENVELOPE__BODY_PHONE_TICKET_GET, on_ticket, NULL);
    pl_bus_on(bus[2], PL__ENVELOPE__BODY_RECORDING_GET, on_recording_get, NULL);
    pl_bus_note(bus[4], "by \"words\" alone");
    pl_loop_on_terminate(loop, on_terminate, loop);
    pl_loop_run(loop);
    for (size_t i = 0; i < late_count; i++) pl_request_done(&late[i]);
    for (size_t i = 0; i < BUSES; i++) pl_bus_destroy(&bus[i]);
    pl_loop_destroy(&loop);
    for (size_t i = 0; i < BUSES; i++) pl_config_destroy(&cfg[i]);
    for (size_t i = 0; i < count; i++) pl_record_free(&calls[i]);
    return 0;
}
