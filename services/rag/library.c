#include "services/rag/library.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/rag/document.h"
#include "services/rag/encoding.h"
#include "services/rag/folder.h"
#include "services/rag/format.h"
#include "services/rag/library_disk.h"

enum { BUCKETS = 4096, PART_BYTES = 255, ORIGIN_BYTES = 1024 };

typedef struct file file_t;
struct file {
    file_t *next; /* in its bucket */
    char *path;
    uint64_t size, hash;
    bool wanted;
    unsigned number; /* of its place in .incoming */
    uint64_t received, received_hash;
};

typedef struct {
    char id[LIBRARY_SESSION_BYTES]; /* "": free */
    char name[LIBRARY_NAME_BYTES], origin[ORIGIN_BYTES];
    bool folder, committed;
    uint64_t used_ms, bytes;
    size_t count;
    file_t *buckets[BUCKETS];
} session_t;

struct library {
    char *root;
    library_limits_t limits;
    session_t *sessions[LIBRARY_SESSIONS_MAX]; /* NULL: free */
};

/* ---- what is said ---- */

static pl_err_t wrong(char detail[LIBRARY_DETAIL_BYTES], const char *what, const char *name)
{
    (void)snprintf(detail, LIBRARY_DETAIL_BYTES, "%.300s: %s", name, what);
    return PL_INVALID;
}

static pl_err_t disk_failed(char detail[LIBRARY_DETAIL_BYTES], const char *path)
{
    char text[64];
    (void)snprintf(detail, LIBRARY_DETAIL_BYTES, "%.400s: %s", path,
                   strerror_r(errno, text, sizeof text));
    return PL_UNAVAILABLE;
}

/* ---- names ---- */

bool library_is_path(const char *path)
{
    size_t depth = 0;
    if (strlen(path) >= FOLDER_PATH_BYTES / 2 || !utf8_valid(path, strlen(path))) return false;
    for (const char *part = path;;) {
        size_t size = strcspn(part, "/");
        if (size == 0 || size > PART_BYTES || part[0] == '.') return false;
        if (++depth > FOLDER_DEPTH_MAX) return false;
        if (!part[size]) return true;
        part += size + 1;
    }
}

bool library_is_name(const char *name)
{
    return library_is_path(name) && !strchr(name, '/');
}

static bool is_session(const char *id)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    size_t size = strlen(id);
    return size > 0 && size < LIBRARY_SESSION_BYTES && strspn(id, letters) == size;
}

static const char *incoming(const library_t *self, const session_t *session, const file_t *file,
                            char out[DISK_PATH_BYTES])
{
    if (file)
        (void)snprintf(out, DISK_PATH_BYTES, "%s/.incoming/%s/%u", self->root, session->id,
                       file->number);
    else
        (void)snprintf(out, DISK_PATH_BYTES, "%s/.incoming/%s", self->root, session->id);
    return out;
}

static const char *place(const library_t *self, const session_t *session, const char *path,
                         char out[DISK_PATH_BYTES])
{
    if (session->folder && path)
        (void)snprintf(out, DISK_PATH_BYTES, "%s/%s/%s", self->root, session->name, path);
    else
        (void)snprintf(out, DISK_PATH_BYTES, "%s/%s", self->root, session->name);
    return out;
}

static const char *origin_file(const library_t *self, const char *name, char out[DISK_PATH_BYTES])
{
    (void)snprintf(out, DISK_PATH_BYTES, "%s/.origins/%s", self->root, name);
    return out;
}

/* ---- life ---- */

pl_err_t library_new(library_t **out, const char *root, const library_limits_t *limits,
                     char detail[LIBRARY_DETAIL_BYTES])
{
    char path[DISK_PATH_BYTES];
    if (!*root || strlen(root) > DISK_PATH_BYTES / 2)
        return wrong(detail, "not a folder's name (rag.library)", root);
    (void)snprintf(path, sizeof path, "%s/.incoming", root);
    if (!disk_make_folder(root) || !disk_remove(path)) return disk_failed(detail, root);
    library_t *self = calloc(1, sizeof *self);
    assert(self);
    self->root = strdup(root);
    assert(self->root);
    self->limits = *limits;
    *out = self;
    return PL_OK;
}

static void empty(library_t *self, session_t *session)
{
    char path[DISK_PATH_BYTES];
    (void)disk_remove(incoming(self, session, NULL, path));
    for (size_t i = 0; i < BUCKETS; i++) {
        while (session->buckets[i]) {
            file_t *file = session->buckets[i];
            session->buckets[i] = file->next;
            free(file->path);
            free(file);
        }
    }
    session->count = 0;
    session->bytes = 0;
}

static void forget(library_t *self, session_t **at)
{
    empty(self, *at);
    free(*at);
    *at = NULL;
}

void library_destroy(library_t **self_p)
{
    library_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (size_t i = 0; i < LIBRARY_SESSIONS_MAX; i++) {
        if (self->sessions[i]) forget(self, &self->sessions[i]);
    }
    free(self->root);
    free(self);
}

void library_expire(library_t *self, uint64_t now_ms)
{
    for (size_t i = 0; i < LIBRARY_SESSIONS_MAX; i++) {
        if (self->sessions[i] && now_ms - self->sessions[i]->used_ms >= LIBRARY_IDLE_MS)
            forget(self, &self->sessions[i]);
    }
}

/* ---- sessions and their files ---- */

static session_t *find_session(library_t *self, const char *id, uint64_t now_ms)
{
    for (size_t i = 0; i < LIBRARY_SESSIONS_MAX; i++) {
        session_t *session = self->sessions[i];
        if (!session || strcmp(session->id, id) != 0) continue;
        session->used_ms = now_ms;
        return session;
    }
    return NULL;
}

static pl_err_t no_session(char detail[LIBRARY_DETAIL_BYTES])
{
    (void)snprintf(detail, LIBRARY_DETAIL_BYTES, "this ingestion was forgotten: begin again");
    return PL_NOT_FOUND;
}

static pl_err_t check_begin(const library_t *self, const session_t *like, bool replace,
                            char detail[LIBRARY_DETAIL_BYTES])
{
    char path[DISK_PATH_BYTES];
    char known[ORIGIN_BYTES];
    disk_kind_t kind = disk_kind(place(self, like, NULL, path));
    disk_kind_t wanted = like->folder ? DISK_FOLDER : DISK_FILE;
    if (kind == DISK_OTHER) return wrong(detail, "is neither a file nor a folder", path);
    if (replace || kind == DISK_NOTHING) return PL_OK;
    if (kind != wanted)
        return wrong(detail,
                     kind == DISK_FILE ? "there is a file of that name already"
                                       : "there is a collection of that name already",
                     like->name);
    disk_read_text(origin_file(self, like->name, path), known, sizeof known);
    if (!*known || strcmp(known, like->origin) == 0) return PL_OK;
    (void)snprintf(detail, LIBRARY_DETAIL_BYTES,
                   "%.100s: a collection of that name came from %.300s", like->name, known);
    return PL_INVALID;
}

/* One that is committed is kept only for its asker, who may ask again. LIBRARY_SESSIONS_MAX: none. */
static size_t free_place(library_t *self)
{
    size_t oldest = LIBRARY_SESSIONS_MAX;
    for (size_t i = 0; i < LIBRARY_SESSIONS_MAX; i++) {
        const session_t *session = self->sessions[i];
        if (!session) return i;
        if (!session->committed) continue;
        if (oldest == LIBRARY_SESSIONS_MAX || session->used_ms < self->sessions[oldest]->used_ms)
            oldest = i;
    }
    if (oldest < LIBRARY_SESSIONS_MAX) forget(self, &self->sessions[oldest]);
    return oldest;
}

pl_err_t library_begin(library_t *self, const char *session, const char *name, bool folder,
                       const char *origin, bool replace, uint64_t now_ms,
                       char detail[LIBRARY_DETAIL_BYTES])
{
    if (!is_session(session)) return wrong(detail, "not a session's name", "session");
    if (!library_is_name(name)) return wrong(detail, "no collection can be called so", name);
    if (find_session(self, session, now_ms)) return PL_OK;
    library_expire(self, now_ms);
    size_t at = free_place(self);
    if (at == LIBRARY_SESSIONS_MAX) {
        (void)snprintf(detail, LIBRARY_DETAIL_BYTES, "%d ingestions are under way already",
                       LIBRARY_SESSIONS_MAX);
        return PL_BUSY;
    }
    session_t *made = calloc(1, sizeof *made);
    assert(made);
    (void)snprintf(made->id, sizeof made->id, "%s", session);
    (void)snprintf(made->name, sizeof made->name, "%s", name);
    (void)snprintf(made->origin, sizeof made->origin, "%s", origin);
    made->folder = folder;
    made->used_ms = now_ms;
    pl_err_t err = check_begin(self, made, replace, detail);
    char path[DISK_PATH_BYTES];
    if (!err && !disk_make_folder(incoming(self, made, NULL, path)))
        err = disk_failed(detail, path);
    if (err)
        free(made);
    else
        self->sessions[at] = made;
    return err;
}

static file_t **bucket_of(session_t *session, const char *path)
{
    return &session->buckets[document_hash(DOCUMENT_HASH_SEED, path, strlen(path)) % BUCKETS];
}

static file_t *find_file(session_t *session, const char *path)
{
    for (file_t *file = *bucket_of(session, path); file; file = file->next) {
        if (strcmp(file->path, path) == 0) return file;
    }
    return NULL;
}

/* NULL: it can be taken. */
static const char *refusal(const library_t *self, const session_t *session, const char *path,
                           uint64_t size)
{
    if (!library_is_path(path)) return "no document can be called so";
    if (!session->folder && strcmp(path, session->name) != 0) return "not the file that was begun";
    if (format_of(path) == FORMAT_NONE) return "of a format that is not known";
    if (size > self->limits.file_bytes) return "larger than rag.max_file_bytes";
    if (size > self->limits.session_bytes - session->bytes)
        return "too much at once (rag.ingest_max_bytes)";
    return session->count >= self->limits.files ? "too many files" : NULL;
}

pl_err_t library_offer(library_t *self, const char *session_id, const char *path, uint64_t size,
                       uint64_t hash, uint64_t now_ms, library_answer_t *answer,
                       const char **problem, char detail[LIBRARY_DETAIL_BYTES])
{
    session_t *session = find_session(self, session_id, now_ms);
    if (!session) return no_session(detail);
    file_t *file = find_file(session, path);
    if (!file) {
        *problem = refusal(self, session, path, size);
        *answer = LIBRARY_REFUSED;
        if (*problem) return PL_OK;
        file = calloc(1, sizeof *file);
        assert(file);
        *file = (file_t){.path = strdup(path), .size = size, .hash = hash};
        assert(file->path);
        file->number = (unsigned)session->count++;
        file->received_hash = DOCUMENT_HASH_SEED;
        file->next = *bucket_of(session, path);
        *bucket_of(session, path) = file;
        session->bytes += size;
        char there[DISK_PATH_BYTES];
        file->wanted = !disk_holds(place(self, session, path, there), size, hash);
    }
    *answer = file->wanted ? LIBRARY_WANTED : LIBRARY_THERE;
    return PL_OK;
}

pl_err_t library_data(library_t *self, const char *session_id, const char *path, uint64_t offset,
                      const void *bytes, size_t size, uint64_t now_ms,
                      char detail[LIBRARY_DETAIL_BYTES])
{
    session_t *session = find_session(self, session_id, now_ms);
    if (!session) return no_session(detail);
    file_t *file = find_file(session, path);
    if (!file || !file->wanted) return wrong(detail, "is not wanted", path);
    bool again = size > 0 && size <= file->received && offset <= file->received - size;
    if (again) return PL_OK;
    if (offset != file->received || size > file->size - file->received)
        return wrong(detail, "its pieces do not come in order, or it has grown", path);
    char to[DISK_PATH_BYTES];
    if (!disk_write_at(incoming(self, session, file, to), offset, bytes, size))
        return disk_failed(detail, to);
    file->received += size;
    file->received_hash = document_hash(file->received_hash, bytes, size);
    return PL_OK;
}

/* ---- the commit ---- */

static pl_err_t check_whole(session_t *session, char detail[LIBRARY_DETAIL_BYTES])
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (const file_t *file = session->buckets[i]; file; file = file->next) {
            if (!file->wanted) continue;
            if (file->received != file->size || file->received_hash != file->hash)
                return wrong(detail, "did not come whole, or has changed meanwhile", file->path);
        }
    }
    return PL_OK;
}

static pl_err_t move_in(library_t *self, session_t *session, const file_t *file,
                        char detail[LIBRARY_DETAIL_BYTES])
{
    char from[DISK_PATH_BYTES];
    char to[DISK_PATH_BYTES];
    (void)incoming(self, session, file, from);
    (void)place(self, session, file->path, to);
    if (file->size == 0 && !disk_write_at(from, 0, "", 0)) return disk_failed(detail, from);
    /* What is in the way is of another kind: a folder where a file comes, or the other way round. */
    if (disk_kind(to) == DISK_FOLDER && !disk_remove(to)) return disk_failed(detail, to);
    if (!disk_make_parents(self->root, to + strlen(self->root) + 1)) return disk_failed(detail, to);
    if (rename(from, to) == 0) return PL_OK;
    return disk_failed(detail, to);
}

static pl_err_t move_all_in(library_t *self, session_t *session, char detail[LIBRARY_DETAIL_BYTES])
{
    pl_err_t err = PL_OK;
    for (size_t i = 0; !err && i < BUCKETS; i++) {
        for (file_t *file = session->buckets[i]; !err && file; file = file->next) {
            if (!file->wanted) continue;
            err = move_in(self, session, file, detail);
            file->wanted = err != PL_OK; /* a second commit goes on from here */
        }
    }
    return err;
}

static bool is_offered(void *arg, const char *path)
{
    return find_file(arg, path) != NULL;
}

static pl_err_t weed(library_t *self, session_t *session, char detail[LIBRARY_DETAIL_BYTES])
{
    char path[DISK_PATH_BYTES];
    (void)place(self, session, NULL, path);
    if (!session->folder || disk_kind(path) == DISK_NOTHING) return PL_OK;
    return disk_weed(path, is_offered, session) ? PL_OK : disk_failed(detail, path);
}

static pl_err_t note_origin(library_t *self, const session_t *session,
                            char detail[LIBRARY_DETAIL_BYTES])
{
    char path[DISK_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/.origins", self->root);
    if (disk_make_folder(path) && disk_write_at(origin_file(self, session->name, path), 0,
                                                session->origin, strlen(session->origin)))
        return PL_OK;
    return disk_failed(detail, path);
}

/* A collection that was of the other kind makes room. */
static pl_err_t clear_place(library_t *self, session_t *session, char detail[LIBRARY_DETAIL_BYTES])
{
    char path[DISK_PATH_BYTES];
    disk_kind_t kind = disk_kind(place(self, session, NULL, path));
    bool in_the_way = session->folder ? kind == DISK_FILE : kind == DISK_FOLDER;
    return !in_the_way || disk_remove(path) ? PL_OK : disk_failed(detail, path);
}

pl_err_t library_commit(library_t *self, const char *session_id, uint64_t now_ms,
                        char detail[LIBRARY_DETAIL_BYTES])
{
    session_t *session = find_session(self, session_id, now_ms);
    if (!session) return no_session(detail);
    if (session->committed) return PL_OK;
    pl_err_t err = check_whole(session, detail);
    if (!err) err = clear_place(self, session, detail);
    if (!err) err = note_origin(self, session, detail);
    if (!err) err = weed(self, session, detail); /* a file may be where a folder comes */
    if (!err) err = move_all_in(self, session, detail);
    session->committed = !err;
    if (!err) empty(self, session);
    return err;
}

void library_name(const library_t *self, const char *session, char out[LIBRARY_NAME_BYTES])
{
    out[0] = '\0';
    for (size_t i = 0; i < LIBRARY_SESSIONS_MAX; i++) {
        const session_t *at = self->sessions[i];
        if (at && strcmp(at->id, session) == 0)
            (void)snprintf(out, LIBRARY_NAME_BYTES, "%s", at->name);
    }
}

pl_err_t library_remove(library_t *self, const char *name, char detail[LIBRARY_DETAIL_BYTES])
{
    char path[DISK_PATH_BYTES];
    if (!library_is_name(name)) return wrong(detail, "no collection can be called so", name);
    (void)snprintf(path, sizeof path, "%s/%s", self->root, name);
    if (disk_kind(path) == DISK_NOTHING) {
        (void)snprintf(detail, LIBRARY_DETAIL_BYTES, "%.200s: there is no such collection", name);
        return PL_NOT_FOUND;
    }
    if (!disk_remove(path)) return disk_failed(detail, path);
    (void)disk_remove(origin_file(self, name, path));
    return PL_OK;
}
