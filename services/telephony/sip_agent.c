#include "services/telephony/sip_agent.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/log.h"
#include "services/telephony/sip_registrar.h"
#include "services/telephony/sip_session.h"

enum { GOODBYE_MS = 1000, GOODBYE_POLL_MS = 20, MAX_DESCRIPTORS = 65536 };

typedef enum { DIAL, ANSWER, REFUSE, HANG_UP, TRANSFER, STOP } command_kind_t;

typedef struct command {
    struct command *next;
    command_kind_t kind;
    sip_call_t call;
    uint16_t rtp_port;
    sip_refusal_t refusal;
    char number[IDENTITY_BYTES];
    char name[SIP_TEXT_BYTES];
} command_t;

struct sip_agent {
    pl_loop_t *control;
    sip_event_fn *on_event;
    void *arg;
    pthread_t thread;

    /* SIP thread */
    sip_stack_t stack;
    struct mqueue *wake;
    struct tmr goodbye;
    unsigned goodbye_ms;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    command_t *first, **last; /* from here on under lock */
    bool woken;
    bool started;
    pl_err_t start_err;
    char start_text[SIP_URI_BYTES];
};

/* ---- events: SIP thread -> control loop ---- */

typedef struct {
    sip_agent_t *agent;
    sip_event_t event;
} posted_t;

static void deliver(void *arg)
{
    posted_t *posted = arg;
    sip_agent_t *agent = posted->agent;
    if (agent->on_event) agent->on_event(agent->arg, &posted->event);
    free(posted);
}

static void emit(void *arg, const sip_event_t *event)
{
    sip_agent_t *self = arg;
    posted_t *posted = malloc(sizeof(*posted));
    if (!posted) abort();
    *posted = (posted_t){self, *event};
    pl_loop_post(self->control, deliver, posted);
}

/* ---- commands: control loop -> SIP thread ---- */

static void push(sip_agent_t *self, const command_t *command)
{
    command_t *copy = malloc(sizeof(*copy));
    if (!copy) abort();
    *copy = *command;
    copy->next = NULL;
    pthread_mutex_lock(&self->lock);
    *self->last = copy;
    self->last = &copy->next;
    bool wake = !self->woken;
    self->woken = true;
    pthread_mutex_unlock(&self->lock);
    if (wake) (void)mqueue_push(self->wake, 0, NULL);
}

static void stop(sip_agent_t *self);

static void obey(sip_agent_t *self, const command_t *command)
{
    if (command->kind == DIAL) {
        sip_session_dial(&self->stack, command->call, command->number, command->name,
                         command->rtp_port);
        return;
    }
    if (command->kind == STOP) {
        stop(self);
        return;
    }
    sip_session_t *session = sip_session_find(&self->stack, command->call);
    if (!session) return;
    switch (command->kind) {
    case ANSWER:
        sip_session_answer(session, command->rtp_port);
        break;
    case REFUSE:
        sip_session_refuse(session, &command->refusal);
        break;
    case HANG_UP:
        sip_session_hangup(session);
        break;
    case TRANSFER:
        sip_session_transfer(session, command->number);
        break;
    case DIAL:
    case STOP:
        break;
    }
}

static void on_wake(int id, void *data, void *arg)
{
    (void)id;
    (void)data;
    sip_agent_t *self = arg;
    pthread_mutex_lock(&self->lock);
    command_t *command = self->first;
    self->first = NULL;
    self->last = &self->first;
    self->woken = false;
    pthread_mutex_unlock(&self->lock);
    while (command) {
        command_t *next = command->next;
        obey(self, command);
        free(command);
        command = next;
    }
}

/* ---- the thread ---- */

/* Ends when nothing of a call is left to be said, or the time is up. libre's sessions hold a
 * reference to their socket as long as they live. */
static void on_goodbye(void *arg)
{
    sip_agent_t *self = arg;
    self->goodbye_ms += GOODBYE_POLL_MS;
    if (mem_nrefs(self->stack.sessions) <= 1 || self->goodbye_ms >= GOODBYE_MS) {
        re_cancel();
        return;
    }
    tmr_start(&self->goodbye, GOODBYE_POLL_MS, on_goodbye, self);
}

static void stop(sip_agent_t *self)
{
    sip_session_hangup_all(&self->stack);
    tmr_start(&self->goodbye, 0, on_goodbye, self);
}

static void report_start(sip_agent_t *self, pl_err_t err)
{
    pthread_mutex_lock(&self->lock);
    self->started = true;
    self->start_err = err;
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

/* libre keeps its handlers by descriptor number, and media threads open many. */
static int descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > MAX_DESCRIPTORS) {
        return MAX_DESCRIPTORS;
    }
    return (int)limit.rlim_cur;
}

static pl_err_t open_thread(sip_agent_t *self, const pl_config_t *cfg)
{
    dbg_init(DBG_EMERG, DBG_NONE); /* its words may hold numbers dialled; we tell our own */
    int err = libre_init();
    if (!err) err = fd_setsize(descriptors());
    if (!err) err = mqueue_alloc(&self->wake, on_wake, self);
    if (err) {
        snprintf(self->start_text, sizeof(self->start_text), "libre does not start: %s",
                 strerror(err));
        return PL_INTERNAL;
    }
    return sip_stack_open(&self->stack, cfg, self->start_text);
}

static void *run(void *arg)
{
    sip_agent_t *self = arg;
    pthread_setname_np(pthread_self(), "sip");
    tmr_init(&self->goodbye);
    pl_err_t err = open_thread(self, self->stack.cfg);
    report_start(self, err);
    if (!err) (void)re_main(NULL);
    tmr_cancel(&self->goodbye);
    sip_stack_close(&self->stack);
    self->wake = mem_deref(self->wake);
    libre_close();
    return NULL;
}

/* ---- life, on the control thread ---- */

pl_err_t sip_agent_new(sip_agent_t **out, pl_loop_t *control, const pl_config_t *cfg,
                       sip_event_fn *on_event, void *arg)
{
    sip_agent_t *self = calloc(1, sizeof(*self));
    if (!self) abort();
    self->control = control;
    self->on_event = on_event;
    self->arg = arg;
    self->last = &self->first;
    self->stack.cfg = cfg;
    self->stack.emit = emit;
    self->stack.emit_arg = self;
    atomic_init(&self->stack.next_call, 1);
    self->stack.malformed = pl_metric_counter("parley_sip_malformed_total", NULL,
                                              "SIP datagrams that could not be read");
    self->stack.registered =
        pl_metric_gauge("parley_phones_registered", NULL, "contacts in the registrar");
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, NULL);
    if (pthread_create(&self->thread, NULL, run, self) != 0) abort();

    pthread_mutex_lock(&self->lock);
    while (!self->started) pthread_cond_wait(&self->changed, &self->lock);
    pl_err_t err = self->start_err;
    pthread_mutex_unlock(&self->lock);
    if (!err) {
        *out = self;
        return PL_OK;
    }
    log_error("sip.failed", "detail=\"%s\"", self->start_text);
    (void)pthread_join(self->thread, NULL);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self);
    return err;
}

/* What the SIP thread posted before it ended is still in the control loop's queue: the agent is
 * freed behind it. */
static void free_agent(void *arg)
{
    sip_agent_t *self = arg;
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

void sip_agent_destroy(sip_agent_t **self_p)
{
    sip_agent_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    self->on_event = NULL;
    push(self, &(command_t){.kind = STOP});
    (void)pthread_join(self->thread, NULL);
    pl_loop_post(self->control, free_agent, self);
}

void sip_agent_accepting(sip_agent_t *self, bool accepting)
{
    atomic_store(&self->stack.accepting, accepting);
}

static void copy(char *out, size_t room, const char *text)
{
    snprintf(out, room, "%s", text);
}

sip_call_t sip_agent_dial(sip_agent_t *self, const char *number, const char *from_name,
                          uint16_t rtp_port)
{
    command_t command = {.kind = DIAL, .rtp_port = rtp_port};
    command.call = atomic_fetch_add(&self->stack.next_call, 1);
    copy(command.number, sizeof(command.number), number);
    copy(command.name, sizeof(command.name), from_name);
    push(self, &command);
    return command.call;
}

void sip_agent_answer(sip_agent_t *self, sip_call_t call, uint16_t rtp_port)
{
    push(self, &(command_t){.kind = ANSWER, .call = call, .rtp_port = rtp_port});
}

void sip_agent_refuse(sip_agent_t *self, sip_call_t call, const sip_refusal_t *refusal)
{
    push(self, &(command_t){.kind = REFUSE, .call = call, .refusal = *refusal});
}

void sip_agent_hangup(sip_agent_t *self, sip_call_t call)
{
    push(self, &(command_t){.kind = HANG_UP, .call = call});
}

void sip_agent_transfer(sip_agent_t *self, sip_call_t call, const char *number)
{
    command_t command = {.kind = TRANSFER, .call = call};
    copy(command.number, sizeof(command.number), number);
    push(self, &command);
}
