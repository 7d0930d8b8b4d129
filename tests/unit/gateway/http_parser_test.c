/* http_parser_test.c - requests out of bytes, however they are cut, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/gateway/http_parser.h"

enum { BODY_MAX = 1000 };

/* Feeds in pieces of step bytes until the request is complete or broken. */
static size_t feed(http_parser_t *p, const char *text, size_t size, size_t step)
{
    size_t at = 0;
    while (at < size) {
        size_t n = size - at < step ? size - at : step;
        size_t taken = http_parser_feed(p, text + at, n);
        at += taken;
        if (taken < n || http_parser_stage(p) >= HTTP_READY) break;
    }
    return at;
}

static http_parser_t *read_request(const char *text)
{
    http_parser_t *p = http_parser_new(BODY_MAX);
    assert_int_equal(feed(p, text, strlen(text), SIZE_MAX), strlen(text));
    if (http_parser_stage(p) != HTTP_READY) fail_msg("%s: %s", text, http_parser_fault(p).detail);
    return p;
}

static void refused(const char *text, size_t size, int status)
{
    for (size_t step = 1; step <= size; step = step * 7 + 1) {
        http_parser_t *p = http_parser_new(BODY_MAX);
        (void)feed(p, text, size, step);
        if (http_parser_stage(p) != HTTP_BROKEN) fail_msg("step %zu: %.80s", step, text);
        if (http_parser_fault(p).status != status) {
            fail_msg("%.80s: %d %s", text, http_parser_fault(p).status,
                     http_parser_fault(p).detail);
        }
        assert_int_equal(http_parser_feed(p, "GET", 3), 0);
        http_parser_destroy(&p);
    }
}

#define REFUSED(text, status) refused(text, sizeof(text) - 1, status)

static void a_request_is_the_same_however_it_is_cut(void **state)
{
    (void)state;
    static const char text[] =
        "\r\nPOST /call/%2B33%C3%A9?a=1&b=+x%2B HTTP/1.1\r\nHOST: h\r\nX-A:  b c \t\r\n"
        "Transfer-Encoding: Chunked\r\n\r\n"
        "5;x=y\r\nhello\r\n00001\r\n,\r\n6 \r\n world\r\n0\r\nT: z\r\n\r\n";
    for (size_t step = 1; step < sizeof text; step++) {
        http_parser_t *p = http_parser_new(BODY_MAX);
        assert_int_equal(feed(p, text, sizeof text - 1, step), sizeof text - 1);
        assert_int_equal(http_parser_stage(p), HTTP_READY);
        const http_request_t *r = http_parser_request(p);
        assert_string_equal(r->method, "POST");
        assert_string_equal(r->path, "/call/+33\xC3\xA9");
        assert_string_equal(http_header(r, "x-a"), "b c");
        assert_null(http_header(r, "t"));
        assert_string_equal(r->body, "hello, world");
        assert_int_equal(r->body_bytes, 12);
        assert_true(r->keep_alive);
        char *b = http_query(r, "b");
        assert_string_equal(b, " x+");
        free(b);
        assert_null(http_query(r, "c"));
        http_parser_destroy(&p);
    }
}

static void what_follows_a_request_belongs_to_the_next(void **state)
{
    (void)state;
    static const char text[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"
                               "GET /b HTTP/1.1\nHost: h\n\n";
    http_parser_t *p = http_parser_new(BODY_MAX);
    size_t at = http_parser_feed(p, text, sizeof text - 1);
    assert_int_equal(at, strstr(text, "GET") - text);
    assert_string_equal(http_parser_request(p)->body, "hi");
    assert_int_equal(http_parser_feed(p, text + at, 5), 0); /* not before it is reset */
    http_parser_reset(p);
    assert_int_equal(at + http_parser_feed(p, text + at, sizeof text - 1 - at), sizeof text - 1);
    assert_int_equal(http_parser_stage(p), HTTP_READY);
    assert_string_equal(http_parser_request(p)->path, "/b");
    assert_null(http_parser_request(p)->body);
    http_parser_destroy(&p);
}

static void versions_and_connection_decide_on_keeping(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool keep;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", true},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nHost: h\r\nConnection: TE, close\r\n\r\n", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        http_parser_t *p = read_request(cases[i].text);
        assert_int_equal(http_parser_request(p)->keep_alive, cases[i].keep);
        http_parser_destroy(&p);
    }
}

static void a_client_that_asks_to_go_on_is_seen_before_the_body(void **state)
{
    (void)state;
    static const char text[] =
        "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
    http_parser_t *p = http_parser_new(BODY_MAX);
    (void)http_parser_feed(p, text, sizeof text - 1);
    assert_int_equal(http_parser_stage(p), HTTP_BODY);
    assert_true(http_parser_request(p)->expect_continue);
    http_parser_destroy(&p);
}

static void targets_have_their_forms(void **state)
{
    (void)state;
    http_parser_t *p = read_request("GET http://a.example:80/x?y HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_string_equal(http_parser_request(p)->path, "/x");
    assert_string_equal(http_parser_request(p)->query, "y");
    http_parser_destroy(&p);
    p = read_request("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_string_equal(http_parser_request(p)->path, "*");
    http_parser_destroy(&p);
    p = read_request("GET /?a=%zz&%zz=1&b&c= HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_null(http_query(http_parser_request(p), "a"));
    char *b = http_query(http_parser_request(p), "b"), *c = http_query(http_parser_request(p), "c");
    assert_string_equal(b, "");
    assert_string_equal(c, "");
    free(b);
    free(c);
    http_parser_destroy(&p);
}

static void two_ways_to_read_a_length_are_refused(void **state)
{
    (void)state;
#define HEAD "POST / HTTP/1.1\r\nHost: h\r\n"
    REFUSED(HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
    REFUSED(HEAD "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400);
    REFUSED(HEAD "Content-Length: 5, 5\r\n\r\n", 400);
    REFUSED(HEAD "Content-Length: +5\r\n\r\n", 400);
    REFUSED(HEAD "Content-Length: -1\r\n\r\n", 400);
    REFUSED(HEAD "Content-Length: \r\n\r\n", 400);
    REFUSED(HEAD "Content-Length: 99999999999999999999\r\n\r\n", 400);
    REFUSED(HEAD "Content-Length : 5\r\n\r\n", 400);
    REFUSED(HEAD "X: a\r\n Content-Length: 5\r\n\r\n", 400);
    REFUSED(HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n", 501);
    REFUSED(HEAD "Transfer-Encoding: identity\r\n\r\n", 501);
    REFUSED(HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
    REFUSED("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"
    REFUSED(CHUNKED "\r\n", 400);
    REFUSED(CHUNKED "g\r\n", 400);
    REFUSED(CHUNKED "-1\r\n", 400);
    REFUSED(CHUNKED "0x1\r\na\r\n", 400);
    REFUSED(CHUNKED "2\r\nabc\r\n", 400);
}

static void limits_are_kept_whatever_is_promised(void **state)
{
    (void)state;
    REFUSED(HEAD "Content-Length: 1001\r\n\r\n", 413);
    REFUSED(CHUNKED "3e9\r\n", 413);
    REFUSED(CHUNKED "ffffffffffffffff\r\n", 413);
    REFUSED(CHUNKED "fffffffffffffff\r\n", 413);
    static char text[40000];
    int n = snprintf(text, sizeof text, CHUNKED);
    for (int i = 0; i < 101; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "a\r\n0123456789\r\n");
    refused(text, (size_t)n, 413);
    n = snprintf(text, sizeof text, HEAD "A: ");
    memset(text + n, 'a', 20000);
    refused(text, (size_t)n + 20000, 431);
    n = snprintf(text, sizeof text, "GET /");
    memset(text + n, 'a', 9000);
    n += 9000;
    n += snprintf(text + n, 100, " HTTP/1.1\r\nHost: h\r\n\r\n");
    refused(text, (size_t)n, 414);
    n = snprintf(text, sizeof text, HEAD);
    for (int i = 0; i < 64; i++) n += snprintf(text + n, 100, "A: b\r\n");
    n += snprintf(text + n, 100, "\r\n");
    refused(text, (size_t)n, 431);
    n = snprintf(text, sizeof text, CHUNKED "0\r\n");
    for (int i = 0; i < 1000; i++) n += snprintf(text + n, 100, "A: b\r\n");
    refused(text, (size_t)n, 431);
}

static void what_is_no_request_is_refused(void **state)
{
    (void)state;
    REFUSED("\r\n\r\n\r\n\r\n\r\n\r\n\r\n", 400);
    REFUSED("GET\r\n\r\n", 400);
    REFUSED("GET /\r\n\r\n", 400);
    REFUSED("G\x01T / HTTP/1.1\r\n\r\n", 400);
    REFUSED("GET / HTTP/2.0\r\n\r\n", 505);
    REFUSED("GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400);
    REFUSED("GET x HTTP/1.1\r\nHost: h\r\n\r\n", 400);
    REFUSED("GET http://h HTTP/1.1\r\nHost: h\r\n\r\n", 400);
    REFUSED("GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n", 400);
    REFUSED("GET /%ff HTTP/1.1\r\nHost: h\r\n\r\n", 400);
    REFUSED("GET /%4 HTTP/1.1\r\nHost: h\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: h\r\nA: b\x01\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: h\r\nA: b\0\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: h\r\nA: b\rc\r\n\r\n", 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_the_same_however_it_is_cut),
        cmocka_unit_test(what_follows_a_request_belongs_to_the_next),
        cmocka_unit_test(versions_and_connection_decide_on_keeping),
        cmocka_unit_test(a_client_that_asks_to_go_on_is_seen_before_the_body),
        cmocka_unit_test(targets_have_their_forms),
        cmocka_unit_test(two_ways_to_read_a_length_are_refused),
        cmocka_unit_test(limits_are_kept_whatever_is_promised),
        cmocka_unit_test(what_is_no_request_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
