/* webhook_test.c - signed requests to servers of others, against a small server of the test's. */
#include "tests/unit/common/http_server.h"

#include "common/loop.h"
#include "services/dialogue/signature.h"
#include "services/dialogue/webhook.h"

static atomic_uint asked; /* requests that the server got */
static struct {
    char event[128], signature[128], body[256];
    long time;
} seen[8];

static void header(const char *request, const char *name, char *out, size_t bytes)
{
    char line[96];
    out[0] = '\0';
    (void)snprintf(line, sizeof line, "\r\n%s: ", name);
    const char *at = strcasestr(request, line);
    if (!at) return;
    at += strlen(line);
    (void)snprintf(out, bytes, "%.*s", (int)strcspn(at, "\r\n"), at);
}

/* /N answers the first N requests with 503, then with 200. */
static bool answer(int fd, const char *method, const char *path, const char *request)
{
    unsigned i = asked;
    char time[32];
    if (i < 8) {
        header(request, SIGNATURE_EVENT_HEADER, seen[i].event, sizeof seen[i].event);
        header(request, SIGNATURE_HEADER, seen[i].signature, sizeof seen[i].signature);
        header(request, SIGNATURE_TIME_HEADER, time, sizeof time);
        seen[i].time = strtol(time, NULL, 10);
        (void)snprintf(seen[i].body, sizeof seen[i].body, "%s", strstr(request, "\r\n\r\n") + 4);
    }
    asked = i + 1;
    if (strcmp(method, "POST") != 0) return false;
    if (strcmp(path, "/slow") == 0) usleep(500 * 1000);
    if (strcmp(path, "/moved") == 0) {
        say(fd, "HTTP/1.1 302 Found\r\nLocation: /0\r\nContent-Length: 0\r\n\r\n");
    } else if (strcmp(path, "/wrong") == 0) {
        say(fd, "HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno");
    } else if (i < strtoul(path + 1, NULL, 10)) {
        say(fd, "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
    } else {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood");
    }
    return true;
}

typedef struct {
    pl_loop_t *loop;
    webhooks_t *hooks;
    unsigned done;
    pl_err_t err;
    long status;
    unsigned attempts;
    char body[64], detail[128];
} world_t;

static void on_posted(void *arg, pl_err_t err, const webhook_answer_t *got)
{
    world_t *world = arg;
    world->done++;
    world->err = err;
    world->status = got->status;
    world->attempts = got->attempts;
    (void)snprintf(world->body, sizeof world->body, "%s", got->body);
    (void)snprintf(world->detail, sizeof world->detail, "%s", got->detail);
    pl_loop_stop(world->loop);
}

static world_t open_world(bool allow_private)
{
    world_t world = {.loop = pl_loop_new()};
    world.hooks = webhooks_new(world.loop, allow_private, NULL);
    asked = 0;
    memset(seen, 0, sizeof seen);
    return world;
}

static void close_world(world_t *world)
{
    webhooks_destroy(&world->hooks);
    pl_loop_destroy(&world->loop);
}

static void post(world_t *world, const char *path, bool idempotent, uint32_t timeout_ms)
{
    char url[128];
    url_of(path, url);
    webhook_t hook = {.url = url,
                      .secret = "0123456789abcdef",
                      .event_id = "c-1.4.0.0",
                      .body = "{\"a\":1}",
                      .timeout_ms = timeout_ms,
                      .idempotent = idempotent};
    world->done = 0;
    webhook_post(world->hooks, &hook, on_posted, world);
    assert_int_equal(world->done, 0);
    pl_loop_run(world->loop);
    assert_int_equal(world->done, 1);
}

static void a_signature_is_what_anybody_else_computes(void **state)
{
    (void)state;
    char out[SIGNATURE_BYTES];
    /* From Python: hmac.new(b"0123456789abcdef", b'1700000000.{"a":1}', sha256).hexdigest() */
    assert_string_equal(signature_of("0123456789abcdef", 1700000000, "{\"a\":1}", 7, out),
                        "9eb18f493f8ec135d9eb2dad817c369bb4e9cbfa818657897a7437c1cd8c3a23");
    assert_string_not_equal(signature_of("0123456789abcdef", 1700000001, "{\"a\":1}", 7, out),
                            "9eb18f493f8ec135d9eb2dad817c369bb4e9cbfa818657897a7437c1cd8c3a23");
}

static void a_request_carries_its_event_and_a_signature_that_fits(void **state)
{
    (void)state;
    world_t world = open_world(true);
    post(&world, "/0", false, 2000);
    assert_int_equal(world.err, PL_OK);
    assert_int_equal(world.status, 200);
    assert_string_equal(world.body, "good");
    assert_string_equal(seen[0].event, "c-1.4.0.0");
    assert_string_equal(seen[0].body, "{\"a\":1}");
    long age = (long)(pl_clock_wall_ms() / 1000) - seen[0].time;
    assert_true(age >= 0 && age < 10);
    char want[SIGNATURE_BYTES + 3] = "v1=";
    (void)signature_of("0123456789abcdef", seen[0].time, seen[0].body, strlen(seen[0].body),
                       want + 3);
    assert_string_equal(seen[0].signature, want);
    close_world(&world);
}

static void what_may_be_repeated_is_repeated_under_the_same_event(void **state)
{
    (void)state;
    world_t world = open_world(true);
    post(&world, "/2", true, 5000);
    assert_int_equal(world.status, 200);
    assert_int_equal(world.attempts, 3);
    assert_int_equal(asked, 3);
    assert_string_equal(seen[2].event, "c-1.4.0.0");
    close_world(&world);
    world = open_world(true);
    post(&world, "/9", true, 5000); /* it stays busy */
    assert_int_equal(world.status, 503);
    assert_int_equal(asked, WEBHOOK_ATTEMPTS_MAX);
    close_world(&world);
}

static void what_may_not_be_repeated_is_sent_once(void **state)
{
    (void)state;
    world_t world = open_world(true);
    post(&world, "/2", false, 5000);
    assert_int_equal(world.err, PL_OK);
    assert_int_equal(world.status, 503);
    assert_string_equal(world.body, "busy");
    assert_int_equal(asked, 1);
    close_world(&world);
}

static void a_refusal_is_no_reason_to_repeat(void **state)
{
    (void)state;
    world_t world = open_world(true);
    post(&world, "/wrong", true, 5000);
    assert_int_equal(world.status, 400);
    post(&world, "/moved", true, 5000); /* nor is it followed */
    assert_int_equal(world.status, 302);
    assert_int_equal(asked, 2);
    close_world(&world);
}

static void all_attempts_share_the_time_out(void **state)
{
    (void)state;
    world_t world = open_world(true);
    uint64_t begin = pl_clock_ms();
    post(&world, "/slow", true, 150);
    assert_int_equal(world.err, PL_TIMEOUT);
    assert_true(pl_clock_ms() - begin < 450);
    close_world(&world);
}

static void a_private_address_is_refused_unless_allowed(void **state)
{
    (void)state;
    world_t world = open_world(false);
    post(&world, "/0", true, 2000);
    assert_int_equal(world.err, PL_INVALID);
    assert_string_equal(world.detail, "the address is not a public one");
    assert_int_equal(asked, 0);
    assert_int_equal(world.attempts, 1);
    close_world(&world);
}

static void destroying_ends_what_is_open(void **state)
{
    (void)state;
    char url[128];
    world_t world = open_world(true);
    url_of("/slow", url);
    webhook_t hook = {.url = url,
                      .secret = "0123456789abcdef",
                      .event_id = "e",
                      .body = "{}",
                      .timeout_ms = 5000};
    webhook_post(world.hooks, &hook, on_posted, &world);
    webhooks_destroy(&world.hooks);
    assert_int_equal(world.done, 1);
    assert_int_equal(world.err, PL_UNAVAILABLE);
    close_world(&world);
}

static void urls_are_judged(void **state)
{
    (void)state;
    assert_null(webhook_url_wrong("https://tools.example.com/a?b=c"));
    assert_null(webhook_url_wrong("http://10.0.0.1:8080/"));
    assert_non_null(webhook_url_wrong(""));
    assert_non_null(webhook_url_wrong("tools.example.com"));
    assert_non_null(webhook_url_wrong("ftp://example.com/"));
    assert_non_null(webhook_url_wrong("file:///etc/passwd"));
    assert_non_null(webhook_url_wrong("https://user:word@example.com/"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_is_what_anybody_else_computes),
        cmocka_unit_test(a_request_carries_its_event_and_a_signature_that_fits),
        cmocka_unit_test(what_may_be_repeated_is_repeated_under_the_same_event),
        cmocka_unit_test(what_may_not_be_repeated_is_sent_once),
        cmocka_unit_test(a_refusal_is_no_reason_to_repeat),
        cmocka_unit_test(all_attempts_share_the_time_out),
        cmocka_unit_test(a_private_address_is_refused_unless_allowed),
        cmocka_unit_test(destroying_ends_what_is_open),
        cmocka_unit_test(urls_are_judged),
    };
    /* Not used here. */
    (void)client_open;
    (void)client_close;
    (void)on_done;
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
