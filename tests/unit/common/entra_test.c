/* entra_test.c - access tokens against small doubles of the login and metadata servers. */
#include "common/entra.h"
#include "tests/unit/common/http_server.h"

#include <ctype.h>

static char last_request[65536]; /* written by the server's thread before it answers */
static atomic_uint asked;
static atomic_int life_s = 3600, failures, failure_status = 503;

static void say_json(int fd, int status, const char *json)
{
    char text[2048];
    (void)snprintf(text, sizeof text,
                   "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n"
                   "%s",
                   status, strlen(json), json);
    say(fd, text);
}

static bool answer(int fd, const char *method, const char *path, const char *request)
{
    char json[512];
    (void)method;
    (void)path;
    (void)snprintf(last_request, sizeof last_request, "%s", request);
    unsigned number = atomic_fetch_add(&asked, 1) + 1;
    usleep(20000); /* time for others to ask meanwhile */
    if (atomic_load(&failures) > 0) {
        atomic_fetch_sub(&failures, 1);
        say_json(fd, atomic_load(&failure_status),
                 "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: wrong\"}");
        return true;
    }
    bool local = strstr(request, "/metadata/") != NULL;
    (void)snprintf(json, sizeof json,
                   local ? "{\"token_type\":\"Bearer\",\"expires_in\":\"%d\",\"access_token\":"
                           "\"t-%u\"}"
                         : "{\"token_type\":\"Bearer\",\"expires_in\":%d,\"access_token\":"
                           "\"t-%u\"}",
                   atomic_load(&life_s), number);
    say_json(fd, 200, json);
    return true;
}

static const pl_config_key_t no_keys[] = {{NULL, PL_CONFIG_STRING, NULL, 0, 0, NULL}};
static const char scope[] = "https://cognitiveservices.azure.com/.default";

typedef struct {
    client_t client;
    pl_config_t *cfg;
    pl_entra_t *entra;
    unsigned told, stop_at;
    pl_err_t token_err;
    char token[64], why[256];
    pl_entra_wait_t *victim;
} tokens_t;

static void on_token(void *arg, pl_err_t err, const char *token, const char *detail)
{
    tokens_t *self = arg;
    self->token_err = err;
    (void)snprintf(self->token, sizeof self->token, "%s", token ? token : "-");
    (void)snprintf(self->why, sizeof self->why, "%s", detail);
    pl_entra_cancel(&self->victim);
    if (++self->told == self->stop_at) pl_loop_stop(self->client.loop);
}

/* settings: members of "entra:", with %s where the server's address belongs. */
static tokens_t tokens_open(const char *settings)
{
    tokens_t self = {.client = client_open(), .stop_at = 1};
    char yaml[1024];
    char inner[900];
    char error[512] = "";
    char base[128];
    url_of("", base);
    char *to = inner;
    for (const char *from = settings; *from; from++) {
        if (strncmp(from, "%s", 2) == 0) {
            to = stpcpy(to, base);
            from++;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    (void)snprintf(yaml, sizeof yaml, "entra: {%s}\n", inner);
    self.cfg = pl_config_parse("dialogue", no_keys, "t.yaml", yaml, error, sizeof error);
    if (!self.cfg) fail_msg("%s", error);
    assert_int_equal(pl_entra_new(&self.entra, self.client.loop, self.client.http, self.cfg),
                     PL_OK);
    atomic_store(&asked, 0);
    atomic_store(&life_s, 3600);
    atomic_store(&failures, 0);
    return self;
}

static void tokens_close(tokens_t *self)
{
    pl_entra_destroy(&self->entra);
    assert_null(self->entra);
    client_close(&self->client);
    pl_config_destroy(&self->cfg);
}

static void ask(tokens_t *self)
{
    self->told = 0;
    (void)pl_entra_ask(self->entra, scope, on_token, self);
    assert_int_equal(self->told, 0);
    pl_loop_run(self->client.loop);
}

static void a_client_secret_is_changed_for_a_token(void **state)
{
    (void)state;
    tokens_t self = tokens_open("authority: '%s/', tenant_id: contoso.example, client_id: app-1,"
                                " client_secret: 's&cret'");
    assert_null(pl_entra_token(self.entra, scope));
    ask(&self);
    assert_int_equal(self.token_err, PL_OK);
    assert_string_equal(self.token, "t-1");
    assert_string_equal(pl_entra_token(self.entra, scope), "t-1");
    assert_non_null(strstr(last_request, "POST /contoso.example/oauth2/v2.0/token "));
    assert_non_null(strstr(last_request,
                           "client_id=app-1&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F"
                           ".default&grant_type=client_credentials&client_secret=s%26cret"));
    tokens_close(&self);
}

static void a_workloads_token_file_is_read_each_time(void **state)
{
    (void)state;
    char path[] = "/tmp/parley-entra-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "jwt.1\n", 6), 6);
    char settings[256];
    (void)snprintf(settings, sizeof settings,
                   "authority: '%%s', tenant_id: t, client_id: c, federated_token_file: %s", path);
    tokens_t self = tokens_open(settings);
    ask(&self);
    assert_non_null(strstr(last_request, "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3A"
                                         "client-assertion-type%3Ajwt-bearer"
                                         "&client_assertion=jwt.1"));
    assert_int_equal(pwrite(fd, "jwt.2\n", 6, 0), 6);
    pl_entra_forget(self.entra, scope);
    ask(&self);
    assert_non_null(strstr(last_request, "&client_assertion=jwt.2"));
    assert_string_equal(self.token, "t-2");
    close(fd);
    unlink(path);
    pl_entra_forget(self.entra, scope);
    ask(&self);
    assert_int_equal(self.token_err, PL_NOT_FOUND);
    tokens_close(&self);
}

static void a_machine_asks_its_metadata_service(void **state)
{
    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* it must not go there */
    tokens_t self = tokens_open("metadata_endpoint: '%s', client_id: 'id 1'");
    ask(&self);
    unsetenv("http_proxy");
    assert_int_equal(self.token_err, PL_OK);
    assert_non_null(strstr(last_request,
                           "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource="
                           "https%3A%2F%2Fcognitiveservices.azure.com&client_id=id%201 "));
    assert_non_null(strstr(last_request, "\r\nMetadata: true\r\n"));
    tokens_close(&self);
}

static void an_app_asks_the_endpoint_it_was_given(void **state)
{
    (void)state;
    setenv("IDENTITY_HEADER", "h-1", 1);
    tokens_t self = tokens_open("identity_endpoint: '%s/msi/token'");
    ask(&self);
    unsetenv("IDENTITY_HEADER");
    assert_int_equal(self.token_err, PL_OK);
    assert_non_null(strstr(last_request, "GET /msi/token?api-version=2019-08-01&resource="
                                         "https%3A%2F%2Fcognitiveservices.azure.com "));
    assert_non_null(strstr(last_request, "\r\nX-IDENTITY-HEADER: h-1\r\n"));
    tokens_close(&self);
}

#define SECRET "authority: '%s', tenant_id: t, client_id: c, client_secret: s"

static void who_asks_together_shares_one_request(void **state)
{
    (void)state;
    tokens_t self = tokens_open(SECRET);
    self.stop_at = 10;
    for (int i = 0; i < 9; i++) (void)pl_entra_ask(self.entra, scope, on_token, &self);
    ask(&self);
    assert_int_equal(self.told, 10);
    assert_int_equal(atomic_load(&asked), 1);
    self.stop_at = 1;
    ask(&self); /* from the store */
    assert_int_equal(atomic_load(&asked), 1);
    assert_string_equal(self.token, "t-1");
    self.told = 0;
    (void)pl_entra_ask(self.entra, "https://storage.azure.com/.default", on_token, &self);
    pl_loop_run(self.client.loop);
    assert_string_equal(self.token, "t-2"); /* another scope, another token */
    tokens_close(&self);
}

static void who_waits_may_go_away(void **state)
{
    (void)state;
    tokens_t self = tokens_open(SECRET);
    pl_entra_wait_t *wait = pl_entra_ask(self.entra, scope, on_token, &self);
    pl_entra_cancel(&wait);
    assert_null(wait);
    self.victim = pl_entra_ask(self.entra, scope, on_token, &self);
    (void)pl_entra_ask(self.entra, scope, on_token, &self);
    pl_loop_run(self.client.loop); /* the one that is told first cancels the other */
    assert_int_equal(self.told, 1);
    pl_entra_forget(self.entra, scope);
    (void)pl_entra_ask(self.entra, scope, on_token, &self);
    tokens_close(&self); /* while it is being asked */
    assert_int_equal(self.told, 1);
}

static void what_may_pass_is_tried_again_and_what_will_not_is_told(void **state)
{
    (void)state;
    tokens_t self = tokens_open(SECRET);
    atomic_store(&failure_status, 503);
    atomic_store(&failures, 1);
    ask(&self);
    assert_int_equal(self.token_err, PL_OK);
    assert_int_equal(atomic_load(&asked), 2);
    pl_entra_forget(self.entra, scope);
    atomic_store(&failure_status, 401);
    atomic_store(&failures, 1);
    ask(&self);
    assert_int_equal(self.token_err, PL_INVALID);
    assert_int_equal(atomic_load(&asked), 3);
    assert_string_equal(self.token, "-");
    assert_string_equal(self.why, "status 401 invalid_client: AADSTS7000215: wrong");
    ask(&self); /* and the next ask begins afresh */
    assert_string_equal(self.token, "t-4");
    tokens_close(&self);
}

static void a_token_is_renewed_before_it_ends(void **state)
{
    (void)state;
    tokens_t self = tokens_open(SECRET);
    atomic_store(&life_s, 1); /* less than is ever handed out from the store */
    ask(&self);
    assert_string_equal(self.token, "t-1");
    assert_null(pl_entra_token(self.entra, scope));
    atomic_store(&life_s, 3600);
    uint64_t until_ms = pl_clock_ms() + 5000; /* at four fifths of its life it is asked for again */
    pl_timer_t *stop =
        pl_timer_start(self.client.loop, 0, 10, (void (*)(void *))pl_loop_stop, self.client.loop);
    while (!pl_entra_token(self.entra, scope) && pl_clock_ms() < until_ms) {
        pl_loop_run(self.client.loop);
    }
    pl_timer_stop(&stop);
    assert_string_equal(pl_entra_token(self.entra, scope), "t-2");
    tokens_close(&self);
}

static void wrong_settings_are_named(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "entra: {method: magic}",
        "entra: {method: client_secret}",
        "entra: {method: client_secret, tenant_id: t, client_id: c}",
        "entra: {method: workload, tenant_id: t, client_id: c}",
        "entra: {method: workload, tenant_id: '../x', client_id: c, federated_token_file: f}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char error[256] = "";
        pl_entra_t *entra = NULL;
        pl_config_t *cfg =
            pl_config_parse("dialogue", no_keys, "t.yaml", wrong[i], error, sizeof error);
        if (!cfg) fail_msg("%s", error);
        assert_int_equal(pl_entra_new(&entra, NULL, NULL, cfg), PL_INVALID);
        assert_null(entra);
        pl_config_destroy(&cfg);
    }
}

int main(void)
{
    static const char *const outside[] = {
        "AZURE_TENANT_ID", "AZURE_CLIENT_ID",   "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE",
        "IDENTITY_HEADER", "IDENTITY_ENDPOINT", "AZURE_AUTHORITY_HOST"};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) unsetenv(outside[i]);
    pl_signals_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_secret_is_changed_for_a_token),
        cmocka_unit_test(a_workloads_token_file_is_read_each_time),
        cmocka_unit_test(a_machine_asks_its_metadata_service),
        cmocka_unit_test(an_app_asks_the_endpoint_it_was_given),
        cmocka_unit_test(who_asks_together_shares_one_request),
        cmocka_unit_test(who_waits_may_go_away),
        cmocka_unit_test(what_may_pass_is_tried_again_and_what_will_not_is_told),
        cmocka_unit_test(a_token_is_renewed_before_it_ends),
        cmocka_unit_test(wrong_settings_are_named),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
