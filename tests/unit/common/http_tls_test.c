/* http_tls_test.c - the HTTP client over TLS: HTTP/2 where it is offered, and whom it trusts. */
#include "common/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <libwebsockets.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- a certificate for 127.0.0.1 ----------------------------------------------------------- */

static char cert_file[] = "/tmp/parley-tls-cert-XXXXXX", key_file[] = "/tmp/parley-tls-key-XXXXXX";

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static FILE *make_file(char *path)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    return file;
}

static void make_certificate(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    assert_non_null(key);
    assert_non_null(cert);
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME *name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"parley test", -1,
                               -1, 0);
    X509_set_issuer_name(cert, name);
    X509_set_pubkey(cert, key);
    add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(cert, NID_subject_alt_name, "IP:127.0.0.1");
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    FILE *file = make_file(cert_file);
    assert_int_equal(PEM_write_X509(file, cert), 1);
    assert_int_equal(fclose(file), 0);
    file = make_file(key_file);
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(file), 0);
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* ---- the server ---------------------------------------------------------------------------- */

enum { PIECES = 3, HEAD_BYTES = 1024 };

static struct lws_context *context;
static int port_two, port_one; /* of HTTP/2, and of one that has only HTTP/1.1 */
static pthread_t server;
static atomic_bool over;

typedef struct {
    int said;
} visit_t;

static int say_head(struct lws *wsi)
{
    unsigned char room[LWS_PRE + HEAD_BYTES];
    unsigned char *at = room + LWS_PRE;
    unsigned char *end = room + sizeof room - 1;
    if (lws_add_http_common_headers(wsi, HTTP_STATUS_OK, "text/plain", LWS_ILLEGAL_HTTP_CONTENT_LEN,
                                    &at, end) ||
        lws_finalize_write_http_header(wsi, room + LWS_PRE, &at, end)) {
        return 1;
    }
    lws_callback_on_writable(wsi);
    return 0;
}

static int say_piece(struct lws *wsi, visit_t *visit)
{
    unsigned char room[LWS_PRE + 16];
    int size = snprintf((char *)room + LWS_PRE, 16, "piece %d;", visit->said);
    bool last = ++visit->said == PIECES;
    if (lws_write(wsi, room + LWS_PRE, (size_t)size, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) <
        size) {
        return 1;
    }
    if (last) return lws_http_transaction_completed(wsi) ? -1 : 0;
    lws_set_timer_usecs(wsi, 5 * LWS_USEC_PER_SEC / 1000);
    return 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t size)
{
    visit_t *visit = user;
    switch ((int)reason) {
    case LWS_CALLBACK_HTTP:
        visit->said = 0;
        return say_head(wsi);
    case LWS_CALLBACK_TIMER:
        lws_callback_on_writable(wsi);
        return 0;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return visit->said < PIECES ? say_piece(wsi, visit) : 0;
    default:
        return lws_callback_http_dummy(wsi, reason, user, in, size);
    }
}

static void *serve(void *arg)
{
    (void)arg;
    while (!atomic_load(&over)) lws_service(context, 0);
    return NULL;
}

static int open_vhost(const char *name, const char *alpn)
{
    static const struct lws_protocols protocols[] = {
        {"http", on_event, sizeof(visit_t), 0, 0, NULL, 0}, {NULL, NULL, 0, 0, 0, NULL, 0}};
    struct lws_context_creation_info info = {
        .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .vhost_name = name,
        .iface = "127.0.0.1",
        .port = 0,
        .protocols = protocols,
        .alpn = alpn,
        .ssl_cert_filepath = cert_file,
        .ssl_private_key_filepath = key_file,
    };
    struct lws_vhost *vhost = lws_create_vhost(context, &info);
    assert_non_null(vhost);
    return lws_get_vhost_listen_port(vhost);
}

static int start_server(void **state)
{
    (void)state;
    make_certificate();
    lws_set_log_level(0, NULL);
    struct lws_context_creation_info info = {.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
                                                        LWS_SERVER_OPTION_EXPLICIT_VHOSTS};
    context = lws_create_context(&info);
    assert_non_null(context);
    port_two = open_vhost("two", "h2,http/1.1");
    port_one = open_vhost("one", "http/1.1");
    return pthread_create(&server, NULL, serve, NULL);
}

static int stop_server(void **state)
{
    (void)state;
    atomic_store(&over, true);
    lws_cancel_service(context);
    pthread_join(server, NULL);
    lws_context_destroy(context);
    unlink(cert_file);
    unlink(key_file);
    return 0;
}

/* ---- the client ---------------------------------------------------------------------------- */

typedef struct {
    pl_loop_t *loop;
    pl_http_t *http;
    unsigned done, stop_at, opened, pieces;
    pl_err_t err;
    unsigned version;
    char text[64];
    size_t bytes;
} client_t;

static void on_piece(void *arg, const char *bytes, size_t size)
{
    client_t *self = arg;
    self->pieces++;
    self->bytes += size;
    size_t room = sizeof self->text - 1 - strlen(self->text); /* of many, the first */
    strncat(self->text, bytes, size < room ? size : room);
}

static void on_done(void *arg, pl_err_t err, const pl_http_answer_t *answer)
{
    client_t *self = arg;
    self->err = err;
    self->version = answer->version;
    self->opened += answer->connections;
    if (++self->done == self->stop_at) pl_loop_stop(self->loop);
}

static client_t client_open(const char *ca_file)
{
    client_t self = {.loop = pl_loop_new()};
    self.http = pl_http_new(self.loop);
    pl_http_trust(self.http, ca_file);
    return self;
}

static void client_close(client_t *self)
{
    pl_http_destroy(&self->http);
    pl_loop_destroy(&self->loop);
}

static const pl_http_stream_t stream = {.piece = on_piece};

static pl_http_call_t *send_one(client_t *self, int port)
{
    char url[64];
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%d/x", port);
    return pl_http_send(self->http, &(pl_http_opts_t){.url = url, .stream = &stream}, on_done,
                        self);
}

static void get(client_t *self, int port, unsigned count)
{
    self->done = self->opened = self->pieces = 0;
    self->bytes = 0;
    self->stop_at = count;
    self->text[0] = '\0';
    for (unsigned i = 0; i < count; i++) (void)send_one(self, port);
    pl_loop_run(self->loop);
}

static void http_2_is_spoken_where_it_is_offered(void **state)
{
    (void)state;
    client_t self = client_open(cert_file);
    get(&self, port_two, 1);
    assert_int_equal(self.err, PL_OK);
    assert_int_equal(self.version, 20);
    assert_string_equal(self.text, "piece 0;piece 1;piece 2;");
    assert_true(self.pieces >= 2); /* as they came */
    assert_int_equal(self.opened, 1);
    get(&self, port_two, 1);
    assert_int_equal(self.opened, 0);
    client_close(&self);
}

static void many_streams_share_one_connection(void **state)
{
    (void)state;
    client_t self = client_open(cert_file);
    get(&self, port_two, 20); /* this server takes 24 at once */
    assert_int_equal(self.err, PL_OK);
    assert_int_equal(self.bytes, 20 * strlen("piece 0;piece 1;piece 2;"));
    assert_int_equal(self.opened, 1); /* who came first waited for the handshake with the others */
    client_close(&self);
}

static void http_1_is_spoken_where_there_is_no_other(void **state)
{
    (void)state;
    client_t self = client_open(cert_file);
    get(&self, port_one, 4);
    assert_int_equal(self.err, PL_OK);
    assert_int_equal(self.version, 11);
    assert_int_equal(self.bytes, 4 * strlen("piece 0;piece 1;piece 2;"));
    client_close(&self);
}

static void a_cancelled_stream_leaves_the_others_alone(void **state)
{
    (void)state;
    client_t self = client_open(cert_file);
    get(&self, port_two, 1);
    pl_http_call_t *calls[5];
    for (int i = 0; i < 5; i++) calls[i] = send_one(&self, port_two);
    self.stop_at = 2; /* of six and the first: two more must come, then three are cancelled */
    self.done = 0;
    pl_http_cancel(&calls[0]);
    pl_http_cancel(&calls[2]);
    pl_http_cancel(&calls[4]);
    pl_loop_run(self.loop);
    assert_int_equal(self.done, 2);
    assert_int_equal(self.err, PL_OK);
    get(&self, port_two, 1);
    assert_int_equal(self.opened, 0); /* the connection is the same */
    client_close(&self);
}

static void a_warmed_server_needs_no_handshake(void **state)
{
    (void)state;
    client_t self = client_open(cert_file);
    char url[64];
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%d/v1/chat", port_two);
    pl_http_warm(self.http, url, 2);
    get(&self, port_two, 1);
    assert_int_equal(self.err, PL_OK);
    assert_int_equal(self.opened, 0); /* it waited for the one under way */
    client_close(&self);
}

static void strangers_are_not_trusted(void **state)
{
    (void)state;
    client_t self = client_open(NULL);
    get(&self, port_two, 1);
    assert_int_equal(self.err, PL_UNAVAILABLE);
    assert_int_equal(self.pieces, 0);
    pl_http_trust(self.http, cert_file);
    get(&self, port_two, 1);
    assert_int_equal(self.err, PL_OK);
    pl_http_trust(self.http, "/nowhere/ca.pem");
    get(&self, port_one, 1);
    assert_int_equal(self.err, PL_UNAVAILABLE);
    client_close(&self);
}

int main(void)
{
    pl_signals_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_2_is_spoken_where_it_is_offered),
        cmocka_unit_test(many_streams_share_one_connection),
        cmocka_unit_test(http_1_is_spoken_where_there_is_no_other),
        cmocka_unit_test(a_cancelled_stream_leaves_the_others_alone),
        cmocka_unit_test(a_warmed_server_needs_no_handshake),
        cmocka_unit_test(strangers_are_not_trusted),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
