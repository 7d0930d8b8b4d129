/* http_test.c - the HTTP client against a small server with all the manners of a bad one. */
#include "tests/unit/common/http_server.h"

static void reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void say_endlessly(int fd)
{
    char chunk[1024 + 8];
    int head = snprintf(chunk, sizeof chunk, "3e8\r\n");
    memset(chunk + head, 'x', 1000);
    memcpy(chunk + head + 1000, "\r\n", 3);
    say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (send(fd, chunk, strlen(chunk), MSG_NOSIGNAL) > 0) continue;
}

static bool answer(int fd, const char *method, const char *path, const char *request)
{
    char head[256];
    const char *body = strstr(request, "\r\n\r\n") + 4;
    if (strcmp(path, "/ok") == 0) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        return true;
    }
    if (strcmp(path, "/echo") == 0) {
        const char *header = strstr(request, "X-Mine: yes") ? "yes" : "no";
        (void)snprintf(head, sizeof head,
                       "HTTP/1.1 201 Created\r\nContent-Length: %zu\r\n\r\n%s %s ",
                       strlen(method) + strlen(header) + strlen(body) + 2, method, header);
        say(fd, head);
        say(fd, body);
        return true;
    }
    if (strcmp(path, "/chunked") == 0) {
        say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        usleep(20000);
        say(fd, "4\r\ndefg\r\n0\r\n\r\n");
        return true;
    }
    if (strcmp(path, "/none") == 0) say(fd, "HTTP/1.1 204 No Content\r\n\r\n");
    if (strcmp(path, "/missing") == 0) {
        say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
    }
    if (strcmp(path, "/elsewhere") == 0) {
        say(fd, "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n");
    }
    if (strcmp(path, "/slow") == 0) usleep(600 * 1000);
    if (strcmp(path, "/half") == 0) say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    if (strcmp(path, "/large") == 0) say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n");
    if (strcmp(path, "/endless") == 0) say_endlessly(fd);
    if (strcmp(path, "/garbage") == 0) say(fd, "\x16\x03\x01 what?\r\n\r\n");
    if (strcmp(path, "/reset") == 0) reset(fd);
    return false;
}

/* The loop must go on whatever the server does. */
static void tick(void *arg)
{
    client_t *client = arg;
    uint64_t now = pl_clock_ms();
    unsigned gap = (unsigned)(now - client->last_tick_ms);
    if (client->ticks++ && gap > client->longest_ms) client->longest_ms = gap;
    client->last_tick_ms = now;
}

static void exchange(client_t *client, const char *path, pl_http_opts_t opts)
{
    char url[128];
    url_of(path, url);
    opts.url = url;
    client->done = 0;
    pl_timer_t *ticks = pl_timer_start(client->loop, 0, 5, tick, client);
    pl_http_send(client->http, &opts, on_done, client);
    memset(url, '?', sizeof url - 1); /* it was copied */
    assert_int_equal(client->done, 0);
    pl_loop_run(client->loop);
    pl_timer_stop(&ticks);
    assert_int_equal(client->done, 1);
}

static void get(client_t *client, const char *path)
{
    exchange(client, path, (pl_http_opts_t){.timeout_ms = 3000});
}

static void answers_come_with_their_status_and_body(void **state)
{
    (void)state;
    client_t client = client_open();
    get(&client, "/ok");
    assert_int_equal(client.err, PL_OK);
    assert_int_equal(client.status, 200);
    assert_string_equal(client.body, "hello");
    get(&client, "/chunked");
    assert_int_equal(client.err, PL_OK);
    assert_string_equal(client.body, "abcdefg");
    get(&client, "/none");
    assert_int_equal(client.err, PL_OK);
    assert_int_equal(client.status, 204);
    assert_int_equal(client.body_bytes, 0);
    get(&client, "/missing");
    assert_int_equal(client.err, PL_OK); /* the exchange succeeded */
    assert_int_equal(client.status, 404);
    assert_string_equal(client.body, "no");
    get(&client, "/elsewhere");
    assert_int_equal(client.status, 302); /* not followed */
    client_close(&client);
}

static void methods_headers_and_bodies_are_sent(void **state)
{
    (void)state;
    client_t client = client_open();
    const char *const headers[] = {"X-Mine: yes", "Content-Type: text/plain", NULL};
    exchange(&client, "/echo",
             (pl_http_opts_t){.headers = headers, .body = "a\nb", .body_bytes = 3});
    assert_int_equal(client.status, 201);
    assert_string_equal(client.body, "POST yes a\nb");
    exchange(&client, "/echo", (pl_http_opts_t){.method = "PUT", .body = "abc", .body_bytes = 2});
    assert_string_equal(client.body, "PUT no ab");
    exchange(&client, "/echo", (pl_http_opts_t){.method = "DELETE", .headers = headers});
    assert_string_equal(client.body, "DELETE yes ");
    exchange(&client, "/echo", (pl_http_opts_t){.method = "POST"});
    assert_string_equal(client.body, "POST no ");
    char *large = malloc(20001);
    assert_non_null(large);
    memset(large, 'l', 20000);
    large[20000] = '\0';
    exchange(&client, "/echo", (pl_http_opts_t){.body = large, .body_bytes = 20000});
    free(large);
    assert_int_equal(client.body_bytes, strlen("POST no ") + 20000);
    client_close(&client);
}

static void a_silent_server_is_a_timeout_and_the_loop_goes_on(void **state)
{
    (void)state;
    client_t client = client_open();
    uint64_t began = pl_clock_ms();
    exchange(&client, "/slow", (pl_http_opts_t){.timeout_ms = 150});
    assert_int_equal(client.err, PL_TIMEOUT);
    assert_in_range(pl_clock_ms() - began, 140, 550);
    assert_int_equal(client.status, 0);
    assert_true(strlen(client.detail) > 0);
    assert_true(client.ticks > 10);
    assert_true(client.longest_ms < 100);
    client_close(&client);
}

static void broken_connections_are_unavailable(void **state)
{
    (void)state;
    client_t client = client_open();
    static const char *const paths[] = {"/reset", "/half", "/nothing-at-all"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        get(&client, paths[i]);
        assert_int_equal(client.err, PL_UNAVAILABLE);
        assert_true(strlen(client.detail) > 0);
    }
    unsigned open_port = port;
    port = 1; /* nobody listens */
    get(&client, "/ok");
    assert_int_equal(client.err, PL_UNAVAILABLE);
    port = open_port;
    client_close(&client);
}

static void answers_too_large_or_malformed_are_invalid(void **state)
{
    (void)state;
    client_t client = client_open();
    exchange(&client, "/large", (pl_http_opts_t){.max_bytes = 50000});
    assert_int_equal(client.err, PL_INVALID);
    exchange(&client, "/endless", (pl_http_opts_t){.max_bytes = 50000});
    assert_int_equal(client.err, PL_INVALID);
    assert_true(client.body_bytes <= 50000);
    assert_string_equal(client.detail, "the answer is larger than allowed");
    exchange(&client, "/ok", (pl_http_opts_t){.max_bytes = 5}); /* exactly fits */
    assert_int_equal(client.err, PL_OK);
    exchange(&client, "/ok", (pl_http_opts_t){.max_bytes = 4});
    assert_int_equal(client.err, PL_INVALID);
    get(&client, "/garbage");
    assert_int_not_equal(client.err, PL_OK);
    client_close(&client);
}

static void a_wrong_url_is_invalid(void **state)
{
    (void)state;
    client_t client = client_open();
    static const char *const urls[] = {"", "http://", "file:///etc/passwd", "http://a b/",
                                       "ftp://x/"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        client.done = 0;
        pl_http_send(client.http, &(pl_http_opts_t){.url = urls[i]}, on_done, &client);
        pl_loop_run(client.loop);
        assert_int_equal(client.err, PL_INVALID);
        assert_int_equal(client.status, 0);
    }
    client_close(&client);
}

static void many_at_once_all_end_and_share_connections(void **state)
{
    (void)state;
    client_t client = client_open();
    char url[128];
    url_of("/ok", url);
    client.stop_at = 50;
    for (int i = 0; i < 50; i++) {
        pl_http_send(client.http, &(pl_http_opts_t){.url = url}, on_done, &client);
    }
    pl_loop_run(client.loop);
    assert_int_equal(client.done, 50);
    client.stop_at = 1;
    for (int i = 0; i < 20; i++) get(&client, "/ok"); /* one after another: kept alive */
    assert_int_equal(client.err, PL_OK);
    client_close(&client);
}

static void only_public_addresses_are_connected_to_where_so_asked(void **state)
{
    (void)state;
    client_t client = client_open();
    char url[128];
    pl_http_public_only(client.http);
    get(&client, "/ok");
    assert_int_equal(client.err, PL_INVALID);
    assert_int_equal(client.status, 0);
    assert_string_equal(client.detail, "the address is not a public one");
    (void)snprintf(url, sizeof url, "http://localhost:%u/ok", port); /* a name does not help */
    client.done = 0;
    pl_http_send(client.http, &(pl_http_opts_t){.url = url}, on_done, &client);
    pl_loop_run(client.loop);
    assert_int_equal(client.err, PL_INVALID);
    client_close(&client);
}

static void a_cancelled_call_is_never_called_back(void **state)
{
    (void)state;
    client_t client = client_open();
    char url[128];
    url_of("/slow", url);
    pl_http_call_t *call =
        pl_http_send(client.http, &(pl_http_opts_t){.url = url}, on_done, &client);
    pl_http_cancel(&call); /* before it began */
    assert_null(call);
    pl_http_cancel(&call);
    call = pl_http_send(client.http, &(pl_http_opts_t){.url = url}, on_done, &client);
    get(&client, "/ok"); /* meanwhile it is under way */
    pl_http_cancel(&call);
    get(&client, "/ok");
    assert_int_equal(client.done, 1);
    client_close(&client);
}

static pl_http_call_t *victim;

static void cancel_the_other(void *arg, pl_err_t err, const pl_http_answer_t *got)
{
    pl_http_cancel(&victim);
    on_done(arg, err, got);
}

static void send_again(void *arg, pl_err_t err, const pl_http_answer_t *got)
{
    client_t *client = arg;
    char url[128];
    url_of("/ok", url);
    on_done(arg, err, got);
    if (client->done < 5) {
        pl_http_send(client->http, &(pl_http_opts_t){.url = url}, send_again, client);
    }
}

static void callbacks_may_send_and_cancel(void **state)
{
    (void)state;
    client_t client = client_open();
    char url[128];
    url_of("/ok", url);
    client.stop_at = 5;
    pl_http_send(client.http, &(pl_http_opts_t){.url = url}, send_again, &client);
    pl_loop_run(client.loop);
    assert_int_equal(client.done, 5);
    client.done = 0;
    client.stop_at = 1;
    victim = pl_http_send(client.http, &(pl_http_opts_t){.url = url}, send_again, &client);
    pl_http_call_t *slow = victim;
    pl_http_cancel(&slow);
    url_of("/slow", url);
    victim = pl_http_send(client.http, &(pl_http_opts_t){.url = url}, on_done, &client);
    url_of("/ok", url);
    pl_http_send(client.http, &(pl_http_opts_t){.url = url}, cancel_the_other, &client);
    pl_loop_run(client.loop);
    assert_null(victim);
    assert_int_equal(client.done, 1);
    client_close(&client);
}

static void destroy_ends_open_calls(void **state)
{
    (void)state;
    client_t client = client_open();
    char url[128];
    url_of("/slow", url);
    for (int i = 0; i < 3; i++) {
        pl_http_send(client.http, &(pl_http_opts_t){.url = url}, on_done, &client);
    }
    get(&client, "/ok");
    client.done = 0;
    client_close(&client);
    assert_int_equal(client.done, 3);
    assert_int_equal(client.err, PL_UNAVAILABLE);
}

int main(void)
{
    pl_signals_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_with_their_status_and_body),
        cmocka_unit_test(methods_headers_and_bodies_are_sent),
        cmocka_unit_test(a_silent_server_is_a_timeout_and_the_loop_goes_on),
        cmocka_unit_test(broken_connections_are_unavailable),
        cmocka_unit_test(answers_too_large_or_malformed_are_invalid),
        cmocka_unit_test(a_wrong_url_is_invalid),
        cmocka_unit_test(many_at_once_all_end_and_share_connections),
        cmocka_unit_test(only_public_addresses_are_connected_to_where_so_asked),
        cmocka_unit_test(a_cancelled_call_is_never_called_back),
        cmocka_unit_test(callbacks_may_send_and_cancel),
        cmocka_unit_test(destroy_ends_open_calls),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
