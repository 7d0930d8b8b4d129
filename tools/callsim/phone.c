#include "tools/callsim/phone_line.h"

#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

enum { HASH_BUCKETS = 1024, CLOSE_MS = 1500 };

typedef enum { DO_LINE, DO_REGISTER, DO_CALL, DO_ANSWER, DO_REJECT, DO_HANG_UP, DO_STOP } what_t;

/* What the loop asks of libre's thread; malloc'd here, freed there. */
typedef struct {
    uint32_t line;
    uint16_t port, status;
    char user[64], password[64], domain[128], codecs[64], text[160];
} command_t;

/* An event on its way to the loop. */
typedef struct posted {
    struct posted *next;
    phone_event_t event;
} posted_t;

struct phone {
    pl_loop_t *loop;
    phone_sink_fn *sink;
    void *arg;
    pthread_t thread;
    sem_t started;
    pl_err_t start_err;
    char listen[64];

    /* libre's thread */
    phone_stack_t stack;
    struct sip_lsnr *listener;
    struct mqueue *commands;
    struct list lines;
    struct tmr closing;

    /* between both */
    pthread_mutex_t lock;
    posted_t *first, **last;
    bool waking;
};

/* ---- events: libre's thread to the loop ---- */

static void deliver(void *arg)
{
    phone_t *self = arg;
    pthread_mutex_lock(&self->lock);
    posted_t *posted = self->first;
    self->first = NULL;
    self->last = &self->first;
    self->waking = false;
    pthread_mutex_unlock(&self->lock);
    while (posted) {
        posted_t *next = posted->next;
        if (self->sink) self->sink(self->arg, &posted->event);
        free(posted);
        posted = next;
    }
}

static void tell(void *arg, const phone_event_t *event)
{
    phone_t *self = arg;
    posted_t *posted = calloc(1, sizeof *posted);
    assert(posted);
    posted->event = *event;
    pthread_mutex_lock(&self->lock);
    *self->last = posted;
    self->last = &posted->next;
    bool wake = !self->waking;
    self->waking = true;
    pthread_mutex_unlock(&self->lock);
    if (wake) pl_loop_post(self->loop, deliver, self);
}

/* ---- libre's thread ---- */

static line_t *find_line(const phone_t *self, uint32_t number)
{
    for (struct le *le = list_head(&self->lines); le; le = le->next) {
        line_t *line = le->data;
        if (line->number == number) return line;
    }
    return NULL;
}

static void on_invite(const struct sip_msg *msg, void *arg)
{
    phone_t *self = arg;
    for (struct le *le = list_head(&self->lines); le; le = le->next) {
        line_t *line = le->data;
        if (pl_strcmp(&msg->uri.user, line->user) == 0) {
            line_invited(line, msg);
            return;
        }
    }
    (void)sip_treply(NULL, self->stack.sip, msg, 404, "Not Found");
}

/* Requests outside any session: OPTIONS is answered, the rest refused. */
static bool on_request(const struct sip_msg *msg, void *arg)
{
    phone_t *self = arg;
    bool options = pl_strcmp(&msg->met, "OPTIONS") == 0;
    (void)sip_treply(NULL, self->stack.sip, msg, options ? 200 : 501,
                     options ? "OK" : "Not Implemented");
    return true;
}

static void make_line(phone_t *self, const command_t *command)
{
    phone_line_t opts = {.user = command->user,
                         .password = command->password,
                         .domain = command->domain,
                         .codecs = command->codecs};
    line_t *line = line_alloc(&self->stack, command->line, &opts);
    assert(line);
    list_append(&self->lines, &line->le, line);
}

static void on_exit_sip(void *arg)
{
    (void)arg;
    re_cancel();
}

static void give_up_closing(void *arg)
{
    (void)arg;
    re_cancel();
}

static void stop(phone_t *self)
{
    list_flush(&self->lines); /* BYE, CANCEL and unregistering go out */
    sipsess_close_all(self->stack.sessions);
    sip_close(self->stack.sip, false); /* waits for their answers */
    tmr_start(&self->closing, CLOSE_MS, give_up_closing, self);
}

static void on_command(int what, void *data, void *arg)
{
    phone_t *self = arg;
    command_t *command = data;
    line_t *line = find_line(self, command->line);
    if (what == DO_LINE) make_line(self, command);
    if (what == DO_STOP) stop(self);
    if (line && what == DO_REGISTER) line_register(line);
    if (line && what == DO_CALL) line_call(line, command->text, command->port);
    if (line && what == DO_ANSWER) line_answer(line, command->port);
    if (line && what == DO_REJECT) line_reject(line, command->status, command->text);
    if (line && what == DO_HANG_UP) line_hang_up(line);
    free(command);
}

static int open_stack(phone_t *self)
{
    struct sa *address = &self->stack.address;
    int err = sa_decode(address, self->listen, strlen(self->listen));
    if (!err)
        err = sip_alloc(&self->stack.sip, NULL, HASH_BUCKETS, HASH_BUCKETS, HASH_BUCKETS, "callsim",
                        on_exit_sip, self);
    if (!err) err = sip_transp_add(self->stack.sip, SIP_TRANSP_UDP, address);
    if (!err) err = sip_transp_add(self->stack.sip, SIP_TRANSP_TCP, address);
    /* The SDP tells this address; its port is the RTP leg's. */
    if (!err) err = sip_transp_laddr(self->stack.sip, address, SIP_TRANSP_UDP, address);
    if (!err) {
        err = sipsess_listen(&self->stack.sessions, self->stack.sip, HASH_BUCKETS, on_invite, self);
    }
    /* After the sessions' own, which it would hide. */
    if (!err) err = sip_listen(&self->listener, self->stack.sip, true, on_request, self);
    if (!err) err = mqueue_alloc(&self->commands, on_command, self);
    return err;
}

static void close_stack(phone_t *self)
{
    tmr_cancel(&self->closing);
    list_flush(&self->lines);
    self->stack.sessions = mem_deref(self->stack.sessions);
    self->listener = mem_deref(self->listener);
    self->stack.sip = mem_deref(self->stack.sip);
    self->commands = mem_deref(self->commands);
}

static void *run(void *arg)
{
    phone_t *self = arg;
    int err = libre_init();
    if (!err) err = open_stack(self);
    if (err) {
        char why[64];
        log_error("callsim.sip_failed", "listen=%s detail=\"%s\"", self->listen,
                  strerror_r(err, why, sizeof why));
        self->start_err = PL_UNAVAILABLE;
    }
    sem_post(&self->started);
    if (!err) (void)re_main(NULL);
    close_stack(self);
    tmr_debug();
    libre_close();
    return NULL;
}

/* ---- the loop's thread ---- */

pl_err_t phone_new(phone_t **out, pl_loop_t *loop, const char *listen, phone_sink_fn *sink,
                   void *arg)
{
    phone_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->sink = sink;
    self->arg = arg;
    self->last = &self->first;
    self->stack.tell = tell;
    self->stack.arg = self;
    snprintf(self->listen, sizeof self->listen, "%s", listen);
    pthread_mutex_init(&self->lock, NULL);
    sem_init(&self->started, 0, 0);
    int rc = pthread_create(&self->thread, NULL, run, self);
    assert(rc == 0);
    while (sem_wait(&self->started) != 0) {
    }
    if (self->start_err) {
        pl_err_t err = self->start_err;
        (void)pthread_join(self->thread, NULL);
        pthread_mutex_destroy(&self->lock);
        sem_destroy(&self->started);
        free(self);
        return err;
    }
    *out = self;
    return PL_OK;
}

static void drained(void *arg)
{
    phone_t *self = arg;
    pthread_mutex_destroy(&self->lock);
    sem_destroy(&self->started);
    free(self);
}

static command_t *command_new(uint32_t line)
{
    command_t *command = calloc(1, sizeof *command);
    assert(command);
    command->line = line;
    return command;
}

static void push(phone_t *self, what_t what, command_t *command)
{
    int err = mqueue_push(self->commands, (int)what, command);
    assert(err == 0 && "libre's thread takes commands until it is stopped");
}

void phone_destroy(phone_t **self_p)
{
    phone_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    self->sink = NULL;
    push(self, DO_STOP, command_new(UINT32_MAX));
    (void)pthread_join(self->thread, NULL);
    deliver(self);                           /* frees what is left */
    pl_loop_post(self->loop, drained, self); /* after a delivery that is still posted */
}

void phone_address(const phone_t *self, struct sockaddr_storage *out)
{
    *out = (struct sockaddr_storage){0};
    memcpy(out, &self->stack.address.u.sa, self->stack.address.len);
}

void phone_line(phone_t *self, uint32_t line, const phone_line_t *opts)
{
    command_t *command = command_new(line);
    snprintf(command->user, sizeof command->user, "%s", opts->user);
    snprintf(command->password, sizeof command->password, "%s",
             opts->password ? opts->password : "");
    snprintf(command->domain, sizeof command->domain, "%s", opts->domain);
    snprintf(command->codecs, sizeof command->codecs, "%s", opts->codecs);
    push(self, DO_LINE, command);
}

void phone_register(phone_t *self, uint32_t line)
{
    push(self, DO_REGISTER, command_new(line));
}

void phone_call(phone_t *self, uint32_t line, const char *uri, uint16_t rtp_port)
{
    command_t *command = command_new(line);
    snprintf(command->text, sizeof command->text, "%s", uri);
    command->port = rtp_port;
    push(self, DO_CALL, command);
}

void phone_answer(phone_t *self, uint32_t line, uint16_t rtp_port)
{
    command_t *command = command_new(line);
    command->port = rtp_port;
    push(self, DO_ANSWER, command);
}

void phone_reject(phone_t *self, uint32_t line, uint16_t status, const char *reason)
{
    command_t *command = command_new(line);
    command->status = status;
    snprintf(command->text, sizeof command->text, "%s", reason);
    push(self, DO_REJECT, command);
}

void phone_hang_up(phone_t *self, uint32_t line)
{
    push(self, DO_HANG_UP, command_new(line));
}
