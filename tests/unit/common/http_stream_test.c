/* http_stream_test.c - answers as they arrive, their headers, stalls, and connections opened early. */
#include "tests/unit/common/http_server.h"

static atomic_bool go_on; /* set by the client: the server may say more */

static void wait_for_leave(void)
{
    for (int i = 0; i < 4000 && !atomic_load(&go_on); i++) usleep(1000);
}

static bool answer(int fd, const char *method, const char *path, const char *request)
{
    (void)request;
    if (strcmp(path, "/stream") == 0) {
        say(fd, "HTTP/1.1 103 Early Hints\r\nX-Early: yes\r\n\r\n"
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Two: b\r\n"
                "x-ratelimit-remaining-tokens: 17\r\n\r\n");
        wait_for_leave(); /* the head must be told before there is a body */
        say(fd, "3\r\nabc\r\n");
        usleep(5000);
        say(fd, "4\r\ndefg\r\n0\r\nX-Trailer: late\r\n\r\n");
        return true;
    }
    if (strcmp(path, "/busy") == 0) {
        say(fd, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\n");
        usleep(5000);
        say(fd, "wait");
        return true;
    }
    if (strcmp(path, "/empty") == 0) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        return true;
    }
    if (strcmp(path, "/half") == 0) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf a sen");
        usleep(5000);
    }
    if (strcmp(path, "/stall") == 0) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
        for (int i = 0; i < 6; i++) { /* each byte comes in time */
            say(fd, "x");
            usleep(50 * 1000);
        }
        wait_for_leave();
    }
    if (strcmp(path, "/mute") == 0) wait_for_leave();
    if (strcmp(path, "/long") == 0) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n");
        char block[1000];
        memset(block, 'y', sizeof block);
        for (int i = 0; i < 300; i++) (void)!send(fd, block, sizeof block, MSG_NOSIGNAL);
        return true;
    }
    if (strcmp(path, "/") == 0) {
        say(fd, strcmp(method, "HEAD") == 0 ? "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n"
                                            : "HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n");
        return true;
    }
    return false;
}

typedef struct {
    client_t client; /* first: on_done takes it */
    unsigned heads, pieces, done_opened;
    long head_status;
    char head_tokens[32], late[32], early[32];
    char text[512];
    size_t total_bytes;
    pl_http_call_t *call, *victim;
    bool cancel_in_head, cancel_in_piece;
} watcher_t;

static void keep_header(const pl_http_answer_t *from, const char *name, char *out, size_t size)
{
    const char *value = pl_http_header(from, name);
    (void)snprintf(out, size, "%s", value ? value : "-");
}

static void on_head(void *arg, const pl_http_answer_t *head)
{
    watcher_t *self = arg;
    self->heads++;
    self->head_status = head->status;
    assert_int_equal(self->pieces, 0);
    assert_string_equal(head->body, "");
    keep_header(head, "X-RateLimit-Remaining-Tokens", self->head_tokens, sizeof self->head_tokens);
    keep_header(head, "X-Early", self->early, sizeof self->early);
    atomic_store(&go_on, true);
    if (!self->cancel_in_head) return;
    pl_http_cancel(&self->call);
    pl_loop_stop(self->client.loop);
}

static void on_piece(void *arg, const char *bytes, size_t size)
{
    watcher_t *self = arg;
    assert_true(size > 0);
    assert_int_equal(self->heads, 1);
    self->pieces++;
    size_t room = sizeof self->text - 1 - strlen(self->text);
    strncat(self->text, bytes, size < room ? size : room);
    self->total_bytes += size;
    pl_http_cancel(&self->victim);
    if (!self->cancel_in_piece) return;
    pl_http_cancel(&self->call);
    pl_loop_stop(self->client.loop);
}

static void on_end(void *arg, pl_err_t err, const pl_http_answer_t *got)
{
    watcher_t *self = arg;
    self->call = NULL;
    self->done_opened = got->connections;
    keep_header(got, "retry-after", self->late, sizeof self->late);
    on_done(arg, err, got);
}

static watcher_t watcher_open(void)
{
    atomic_store(&go_on, false);
    return (watcher_t){.client = client_open()};
}

static void watcher_close(watcher_t *self)
{
    atomic_store(&go_on, true); /* for the server's thread */
    client_close(&self->client);
}

static const pl_http_stream_t stream = {.head = on_head, .piece = on_piece};

static void begin(watcher_t *self, const char *path, pl_http_opts_t opts)
{
    char url[128];
    url_of(path, url);
    opts.url = url;
    opts.stream = &stream;
    self->client.done = self->heads = self->pieces = 0;
    self->text[0] = '\0';
    self->call = pl_http_send(self->client.http, &opts, on_end, self);
}

static void watch(watcher_t *self, const char *path, pl_http_opts_t opts)
{
    begin(self, path, opts);
    pl_loop_run(self->client.loop);
}

static void a_stream_is_told_as_it_comes_head_first(void **state)
{
    (void)state;
    watcher_t self = watcher_open();
    watch(&self, "/stream", (pl_http_opts_t){0});
    assert_int_equal(self.client.err, PL_OK);
    assert_int_equal(self.heads, 1);
    assert_int_equal(self.head_status, 200); /* not the 103 */
    assert_string_equal(self.head_tokens, "17");
    assert_string_equal(self.early, "-");
    assert_string_equal(self.text, "abcdefg");
    assert_int_equal(self.pieces, 2);
    assert_int_equal(self.client.status, 200);
    assert_int_equal(self.client.body_bytes, 0); /* it was given in pieces */
    watch(&self, "/empty", (pl_http_opts_t){0});
    assert_int_equal(self.heads, 1);
    assert_int_equal(self.pieces, 0);
    assert_int_equal(self.client.err, PL_OK);
    watcher_close(&self);
}

static void a_refusal_comes_whole_with_its_headers(void **state)
{
    (void)state;
    watcher_t self = watcher_open();
    watch(&self, "/busy", (pl_http_opts_t){0});
    assert_int_equal(self.client.err, PL_OK);
    assert_int_equal(self.heads, 1);
    assert_int_equal(self.head_status, 429);
    assert_int_equal(self.pieces, 0);
    assert_string_equal(self.client.body, "wait");
    assert_string_equal(self.late, "7");
    watcher_close(&self);
}

static void what_came_before_a_break_was_told(void **state)
{
    (void)state;
    watcher_t self = watcher_open();
    watch(&self, "/half", (pl_http_opts_t){0});
    assert_int_equal(self.client.err, PL_UNAVAILABLE);
    assert_string_equal(self.text, "half a sen");
    watcher_close(&self);
}

static void a_stalled_stream_ends_and_a_slow_one_does_not(void **state)
{
    (void)state;
    watcher_t self = watcher_open();
    watch(&self, "/mute", (pl_http_opts_t){.stall_timeout_ms = 120});
    assert_int_equal(self.client.err, PL_TIMEOUT);
    assert_int_equal(self.heads, 0);
    assert_string_equal(self.client.detail, "nothing came for too long");
    atomic_store(&go_on, true);

    uint64_t began_ms = pl_clock_ms();
    watch(&self, "/stall", (pl_http_opts_t){.stall_timeout_ms = 200});
    assert_int_equal(self.client.err, PL_UNAVAILABLE); /* 94 bytes are missing at its end */
    assert_string_equal(self.text, "xxxxxx");          /* 300 ms of bytes in time */
    assert_true(pl_clock_ms() - began_ms >= 250);

    atomic_store(&go_on, false);
    self.heads = 0;
    static const pl_http_stream_t no_leave = {.piece = NULL, .head = NULL};
    char url[128];
    url_of("/stall", url);
    self.client.done = 0;
    (void)pl_http_send(self.client.http,
                       &(pl_http_opts_t){.url = url, .stream = &no_leave, .stall_timeout_ms = 200},
                       on_done, &self.client);
    began_ms = pl_clock_ms();
    pl_loop_run(self.client.loop);
    assert_int_equal(self.client.err, PL_TIMEOUT);
    assert_in_range(pl_clock_ms() - began_ms, 430, 1500); /* the last byte and 200 ms */
    watcher_close(&self);
}

static void a_stream_too_large_is_cut(void **state)
{
    (void)state;
    watcher_t self = watcher_open();
    watch(&self, "/long", (pl_http_opts_t){.max_bytes = 300000});
    assert_int_equal(self.client.err, PL_OK);
    assert_int_equal(self.total_bytes, 300000);
    self.total_bytes = 0;
    watch(&self, "/long", (pl_http_opts_t){.max_bytes = 299999});
    assert_int_equal(self.client.err, PL_INVALID);
    assert_true(self.total_bytes < 300000);
    watcher_close(&self);
}

static void a_stream_may_be_cancelled_from_its_own_callbacks(void **state)
{
    (void)state;
    watcher_t self = watcher_open();
    self.cancel_in_head = true;
    watch(&self, "/stream", (pl_http_opts_t){0});
    assert_int_equal(self.client.done, 0);
    assert_int_equal(self.pieces, 0);
    self.cancel_in_head = false;
    self.cancel_in_piece = true;
    watch(&self, "/stream", (pl_http_opts_t){0});
    assert_int_equal(self.client.done, 0);
    assert_int_equal(self.pieces, 1);
    self.cancel_in_piece = false;
    watch(&self, "/stream", (pl_http_opts_t){0}); /* and the client still works */
    assert_string_equal(self.text, "abcdefg");
    watcher_close(&self);
}

static void a_piece_may_cancel_another_stream(void **state)
{
    (void)state;
    watcher_t self = watcher_open();
    watcher_t other = {.client = self.client};
    begin(&other, "/stream", (pl_http_opts_t){0});
    self.victim = other.call;
    watch(&self, "/stream", (pl_http_opts_t){0});
    assert_null(self.victim);
    assert_string_equal(self.text, "abcdefg");
    assert_int_equal(other.client.done, 0);
    watcher_close(&self);
}

static void a_warmed_server_needs_no_new_connection(void **state)
{
    (void)state;
    watcher_t self = watcher_open();
    char url[128];
    url_of("/some/where?x=1", url);
    unsigned before = atomic_load(&connections);
    pl_http_warm(self.client.http, url, 3);
    watch(&self, "/busy", (pl_http_opts_t){0}); /* time for the three to open */
    while (atomic_load(&connections) < before + 3) usleep(1000);
    watch(&self, "/busy", (pl_http_opts_t){0});
    assert_int_equal(self.client.err, PL_OK);
    assert_int_equal(self.done_opened, 0);
    pl_http_warm(self.client.http, "nonsense", 3); /* says nothing, does nothing */
    pl_http_warm(self.client.http, "http://127.0.0.1:1/", 1);
    watch(&self, "/busy", (pl_http_opts_t){0});
    assert_int_equal(self.done_opened, 0);
    watcher_close(&self);
}

int main(void)
{
    pl_signals_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_is_told_as_it_comes_head_first),
        cmocka_unit_test(a_refusal_comes_whole_with_its_headers),
        cmocka_unit_test(what_came_before_a_break_was_told),
        cmocka_unit_test(a_stalled_stream_ends_and_a_slow_one_does_not),
        cmocka_unit_test(a_stream_too_large_is_cut),
        cmocka_unit_test(a_stream_may_be_cancelled_from_its_own_callbacks),
        cmocka_unit_test(a_piece_may_cancel_another_stream),
        cmocka_unit_test(a_warmed_server_needs_no_new_connection),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
