#include "tools/parley/ingest_session.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/clock.h"

enum {
    ASK_MS = 30000,
    COMMIT_MS = 300000, /* a hundred thousand files are renamed */
    OFFER = 500,
    PIECE_BYTES = 1024 * 1024,
    LOOK_MS = 100,
    TRIES = 50, /* of a step that is BUSY */
    BUSY_MS = 200,
};

void ingest_session_begin(ingest_session_t *self, client_t *client, ingest_show_t *show,
                          const char *to, const char *label)
{
    uint8_t random[16];
    *self = (ingest_session_t){.client = client, .show = show, .to = to, .label = label};
    ssize_t got = getrandom(random, sizeof random, 0);
    assert(got == (ssize_t)sizeof random);
    for (size_t i = 0; i < sizeof random; i++)
        (void)snprintf(self->id + 2 * i, 3, "%02x", random[i]);
}

/* Sends one step. NULL: it cannot be done, and it was said why. */
static const Pl__IngestReply *step(ingest_session_t *self, Pl__Ingest *ingest, uint32_t timeout_ms)
{
    const Pl__Envelope *reply = NULL;
    pl_err_t err = PL_BUSY;
    ingest->session = self->id;
    for (int i = 0; err == PL_BUSY && i < TRIES; i++) {
        if (i > 0) client_wait(self->client, BUSY_MS);
        Pl__Envelope env = PL__ENVELOPE__INIT;
        env.body_case = PL__ENVELOPE__BODY_INGEST;
        env.ingest = ingest;
        err = client_ask(self->client, self->to, &env, timeout_ms, &reply);
    }
    if (!err && reply && reply->body_case == PL__ENVELOPE__BODY_INGEST_REPLY)
        return reply->ingest_reply;
    ingest_show_line(self->show, "  failed   %s: %s", self->to, pl_bus_error_detail(err, reply));
    self->failed = true;
    return NULL;
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void show_progress(ingest_session_t *self, const char *phase, uint64_t done, uint64_t all,
                          const char *unit)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%.40s: %s", self->label, phase);
    ingest_show_progress(self->show, pl_clock_ms(), text, done, all, unit);
}

/* ---- sending ---- */

static bool begin(ingest_session_t *self, const ingest_files_t *files, bool replace)
{
    Pl__Ingest ingest = PL__INGEST__INIT;
    Pl__IngestBegin body = PL__INGEST_BEGIN__INIT;
    body.name = (char *)files->name;
    body.folder = files->is_folder;
    body.origin = (char *)files->origin;
    body.replace = replace;
    ingest.step_case = PL__INGEST__STEP_BEGIN;
    ingest.begin = &body;
    return step(self, &ingest, ASK_MS) != NULL;
}

static bool send_piece(ingest_session_t *self, const char *path, uint64_t offset, uint8_t *bytes,
                       size_t size)
{
    Pl__Ingest ingest = PL__INGEST__INIT;
    Pl__IngestData body = PL__INGEST_DATA__INIT;
    body.path = (char *)path;
    body.offset = offset;
    body.bytes = (ProtobufCBinaryData){size, bytes};
    ingest.step_case = PL__INGEST__STEP_DATA;
    ingest.data = &body;
    return step(self, &ingest, ASK_MS) != NULL;
}

/* One that has changed since it was offered is refused at the commit, by its name. */
static bool send_file(ingest_session_t *self, const ingest_files_t *files, size_t i)
{
    static uint8_t piece[PIECE_BYTES];
    const folder_file_t *file = &files->files.files[i];
    char text[64];
    int fd = ingest_files_open(files, i);
    bool sent = fd >= 0;
    uint64_t offset = 0;
    ssize_t got = 0;
    while (sent && (got = read(fd, piece, sizeof piece)) > 0) {
        sent = send_piece(self, file->path, offset, piece, (size_t)got);
        offset += (uint64_t)got;
        if ((uint64_t)file->size > PIECE_BYTES)
            show_progress(self, "sending", offset, (uint64_t)file->size, "bytes");
    }
    if (fd < 0 || got < 0) {
        ingest_show_line(self->show, "%s: %s: %s", self->label, file->path,
                         strerror_r(errno, text, sizeof text));
        sent = false;
    }
    if (fd >= 0) (void)close(fd);
    self->sent += sent;
    return sent;
}

/* What is offered together, and which of it is wanted. */
typedef struct {
    size_t from[OFFER]; /* places in the list of files */
    Pl__IngestFile files[OFFER], *list[OFFER];
    size_t count;
    bool wanted[OFFER];
} offer_t;

static bool offer(ingest_session_t *self, offer_t *offered)
{
    Pl__Ingest ingest = PL__INGEST__INIT;
    Pl__IngestOffer body = PL__INGEST_OFFER__INIT;
    body.files = offered->list;
    body.n_files = offered->count;
    ingest.step_case = PL__INGEST__STEP_OFFER;
    ingest.offer = &body;
    const Pl__IngestReply *reply = step(self, &ingest, ASK_MS);
    if (!reply) return false;
    memset(offered->wanted, 0, sizeof offered->wanted);
    for (size_t i = 0; i < reply->n_wanted; i++) {
        if (reply->wanted[i] < offered->count) offered->wanted[reply->wanted[i]] = true;
    }
    for (size_t i = 0; i < reply->n_problems; i++) {
        const Pl__IngestProblem *problem = reply->problems[i];
        ingest_show_line(self->show, "  failed   %s: %s", problem->path, problem->problem);
    }
    self->refused += reply->n_problems;
    self->failed |= reply->n_problems > 0;
    self->unchanged += offered->count - reply->n_wanted - reply->n_problems;
    return true;
}

static void add_to(offer_t *offered, const ingest_files_t *files, size_t i)
{
    const folder_file_t *file = &files->files.files[i];
    Pl__IngestFile *to = &offered->files[offered->count];
    pl__ingest_file__init(to);
    to->path = file->path;
    to->size = (uint64_t)file->size;
    to->hash = files->hashes[i];
    offered->list[offered->count] = to;
    offered->from[offered->count++] = i;
}

static bool send_offered(ingest_session_t *self, const ingest_files_t *files, offer_t *offered)
{
    if (offered->count == 0) return true;
    bool fine = offer(self, offered);
    for (size_t i = 0; fine && i < offered->count; i++) {
        show_progress(self, "sending", offered->from[i], files->files.count, "files");
        if (offered->wanted[i]) fine = send_file(self, files, offered->from[i]);
    }
    offered->count = 0;
    return fine;
}

static bool commit(ingest_session_t *self)
{
    Pl__Ingest ingest = PL__INGEST__INIT;
    Pl__IngestCommit body = PL__INGEST_COMMIT__INIT;
    ingest.step_case = PL__INGEST__STEP_COMMIT;
    ingest.commit = &body;
    return step(self, &ingest, COMMIT_MS) != NULL;
}

bool ingest_session_send(ingest_session_t *self, const ingest_files_t *files, bool replace)
{
    offer_t *offered = calloc(1, sizeof *offered);
    assert(offered);
    bool fine = begin(self, files, replace);
    for (size_t i = 0; fine && i < files->files.count; i++) {
        if (files->files.files[i].problem) { /* said already */
            self->refused++;
            continue;
        }
        add_to(offered, files, i);
        if (offered->count == OFFER) fine = send_offered(self, files, offered);
    }
    if (fine) fine = send_offered(self, files, offered);
    free(offered);
    if (!fine) self->failed = true;
    return fine && commit(self);
}

bool ingest_session_remove(ingest_session_t *self, const char *name)
{
    Pl__Ingest ingest = PL__INGEST__INIT;
    Pl__IngestRemove body = PL__INGEST_REMOVE__INIT;
    body.name = (char *)name;
    ingest.step_case = PL__INGEST__STEP_REMOVE;
    ingest.remove = &body;
    self->removed = step(self, &ingest, COMMIT_MS) != NULL;
    return self->removed;
}

/* ---- what came of it ---- */

static const Pl__IngestReply *look(ingest_session_t *self)
{
    Pl__Ingest ingest = PL__INGEST__INIT;
    Pl__IngestLook body = PL__INGEST_LOOK__INIT;
    ingest.step_case = PL__INGEST__STEP_LOOK;
    ingest.look = &body;
    const Pl__IngestReply *reply = step(self, &ingest, ASK_MS);
    if (!reply || reply->state) return reply;
    self->failed = true;
    return NULL;
}

static void show_result(ingest_session_t *self, const Pl__IngestReply *reply)
{
    const Pl__IngestState *state = reply->state;
    if (self->removed) {
        ingest_show_line(self->show, "%s: removed", self->label);
        return;
    }
    for (size_t i = 0; i < reply->n_problems; i++) {
        const Pl__IngestProblem *problem = reply->problems[i];
        ingest_show_line(self->show, "  %s   %s: %s", problem->partly ? "partly" : "failed",
                         problem->path, problem->problem);
    }
    if (state->problems > reply->n_problems)
        ingest_show_line(self->show, "  and %" PRIu32 " more",
                         state->problems - (uint32_t)reply->n_problems);
    ingest_show_line(
        self->show,
        "%s: %" PRIu32 " document%s, %" PRIu32 " passage%s (%zu sent, %zu unchanged, %zu failed)",
        self->label, state->documents, plural(state->documents), state->passages,
        plural(state->passages), self->sent, self->unchanged, self->refused + state->failed);
    self->failed |= state->failed > 0;
}

static bool await_index(ingest_session_t *self)
{
    for (;;) {
        const Pl__IngestReply *reply = look(self);
        if (!reply) return false;
        const Pl__IngestState *state = reply->state;
        if (state->indexed) {
            show_result(self, reply);
            return true;
        }
        if (*state->problem) {
            ingest_show_line(self->show, "%s: %s", self->label, state->problem);
            self->failed = true;
            return false;
        }
        show_progress(self, "indexing", state->scanned, state->to_scan, "files");
        client_wait(self->client, LOOK_MS);
    }
}

static bool await_vectors(ingest_session_t *self, bool leave)
{
    for (;;) {
        const Pl__IngestReply *reply = look(self);
        if (!reply) return false;
        const Pl__IngestState *state = reply->state;
        bool done = state->vectors >= state->vectors_wanted;
        if (done || leave || *state->vectors_problem) {
            if (state->vectors_wanted > 0)
                ingest_show_line(self->show,
                                 "%s: %" PRIu32 " of %" PRIu32 " passages have vectors%s%s",
                                 self->to, state->vectors, state->vectors_wanted,
                                 *state->vectors_problem ? "; waiting for the server: " : "",
                                 state->vectors_problem);
            return true;
        }
        show_progress(self, "vectors", state->vectors, state->vectors_wanted, "passages");
        client_wait(self->client, LOOK_MS);
    }
}

bool ingest_session_follow(ingest_session_t *self, bool leave)
{
    return await_index(self) && await_vectors(self, leave);
}
