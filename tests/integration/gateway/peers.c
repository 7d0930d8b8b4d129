/* peers.c - for the gateway's test over HTTP: dialogue, persistence, telephony, speech and rag in
 * one process, as far as the gateway can tell them from the real ones.
 *
 *   peers RUN_DIR       ends on SIGTERM
 *
 * What POST /call gets is told by its task: "busy", "refuse", "invalid", "late"; else the call is
 * started and kept, and can be read again.
 */
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
    pl_bus_on(bus[2], PL__ENVELOPE__BODY_PHONE_TICKET_GET, on_ticket, NULL);
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
