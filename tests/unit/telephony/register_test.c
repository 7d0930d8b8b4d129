/* register_test.c - phones that must show a password (RFC 2617), against the real process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/evp.h>

#include "tests/unit/telephony/world.h"

enum { HEX_BYTES = 33 };

static sip_phone_t phone;

static int start(void **state)
{
    (void)state;
    static const char *const extra[] = {"telephony.sip.registrar.users[0].name=" NUMBER,
                                        "telephony.sip.registrar.users[0].password=secret",
                                        "telephony.sip.registrar.users[1].name=" OTHER,
                                        "telephony.sip.registrar.users[1].password=other", NULL};
    world_start(extra);
    phone_open(&phone, &world.process, world.sip_port);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    phone_close(&phone);
    world_stop();
    return 0;
}

static void md5_hex(char out[HEX_BYTES], const char *text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int bytes = 0;
    assert_int_equal(EVP_Digest(text, strlen(text), digest, &bytes, EVP_md5(), NULL), 1);
    assert_int_equal(bytes, 16);
    for (unsigned i = 0; i < bytes; i++) (void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static void nonce_of(const char *answer, char out[128])
{
    const char *at = strstr(header_of(answer, "WWW-Authenticate"), "nonce=\"");
    assert_non_null(at);
    (void)snprintf(out, 128, "%.*s", (int)strcspn(at + 7, "\""), at + 7);
}

/* Registers number, showing the user's password with that nonce. */
static void register_as(const char *number, const char *user, const char *password,
                        const char *nonce)
{
    char text[512], one[HEX_BYTES], two[HEX_BYTES], response[HEX_BYTES], header[1024];
    (void)snprintf(text, sizeof text, "%s:parley:%s", user, password);
    md5_hex(one, text);
    md5_hex(two, "REGISTER:sip:127.0.0.1");
    (void)snprintf(text, sizeof text, "%s:%s:00000001:cnonce:auth:%s", one, nonce, two);
    md5_hex(response, text);
    (void)snprintf(header, sizeof header,
                   "Authorization: Digest username=\"%s\", realm=\"parley\", nonce=\"%s\", "
                   "uri=\"sip:127.0.0.1\", response=\"%s\", algorithm=MD5, cnonce=\"cnonce\", "
                   "qop=auth, nc=00000001\r\n",
                   user, nonce, response);
    phone_register(&phone, number, header);
}

static void a_phone_registers_with_its_password_only(void **state)
{
    (void)state;
    char nonce[128];
    phone_register(&phone, NUMBER, "");
    phone_expect(&phone, "SIP/2.0 401");
    nonce_of(phone.last, nonce);
    register_as(NUMBER, NUMBER, "wrong", nonce);
    phone_expect(&phone, "SIP/2.0 403");
    register_as(NUMBER, "nobody", "", nonce);
    phone_expect(&phone, "SIP/2.0 403");
    assert_int_equal(metric("parley_phones_registered"), 0);
    register_as(NUMBER, NUMBER, "secret", nonce);
    phone_expect(&phone, "SIP/2.0 200");
    assert_int_equal(metric("parley_phones_registered"), 1);
}

static void a_phone_cannot_take_anothers_number(void **state)
{
    (void)state;
    char nonce[128];
    phone_register(&phone, NUMBER, "");
    phone_expect(&phone, "SIP/2.0 401");
    nonce_of(phone.last, nonce);
    register_as(NUMBER, OTHER, "other", nonce); /* a good password, of someone else */
    phone_expect(&phone, "SIP/2.0 403");
}

static void a_nonce_that_is_not_ours_is_asked_for_again(void **state)
{
    (void)state;
    char nonce[128];
    phone_register(&phone, NUMBER, "");
    phone_expect(&phone, "SIP/2.0 401");
    nonce_of(phone.last, nonce);
    char forged[128];
    (void)snprintf(forged, sizeof forged, "%s", nonce);
    forged[20] = forged[20] == '0' ? '1' : '0';
    register_as(NUMBER, NUMBER, "secret", forged);
    phone_expect(&phone, "SIP/2.0 401");
    assert_non_null(strstr(header_of(phone.last, "WWW-Authenticate"), "stale=true"));
    register_as(NUMBER, NUMBER, "secret", "0");
    phone_expect(&phone, "SIP/2.0 401");
    phone_register(&phone, NUMBER, "Authorization: rubbish\r\n");
    phone_expect(&phone, "SIP/2.0 401");
    register_as(NUMBER, NUMBER, "secret", nonce);
    phone_expect(&phone, "SIP/2.0 200");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    pl_signals_init();
    const struct CMUnitTest tests[] = {
        TEST(a_phone_registers_with_its_password_only),
        TEST(a_phone_cannot_take_anothers_number),
        TEST(a_nonce_that_is_not_ours_is_asked_for_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
