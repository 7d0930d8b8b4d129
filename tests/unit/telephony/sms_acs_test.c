/* sms_acs_test.c - text messages by Azure Communication Services, by a small server that answers as it
 * does, and the signature of its requests. The vectors are requests that the vendor's package signed. */
#include <cjson/cJSON.h>

#include "services/telephony/providers/acs_sign.h"
#include "tests/unit/telephony/sms_carrier.h"

#define KEY "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

/* ---- the signature ---------------------------------------------------------------------------------- */

static void the_vendors_signatures_are_ours(void **state)
{
    (void)state;
    static const struct {
        const char *method, *target, *body, *hash, *signature;
    } vectors[] = {
        {"POST", "/calling/callConnections:answer?api-version=2025-05-15",
         "{\"incomingCallContext\":\"abc\",\"callbackUri\":\"https://bot.example/cb\"}",
         "1ygA3ejRCry1KH+KTz5mF1COsUwcrpv4KtUlQmR744w=",
         "vAxpbt9XYDZ0ZS0SbI87rNT1QUh29x8yNmDAIOYXPcQ="},
        {"DELETE",
         "/calling/callConnections/401f3500-aaaa-bbbb-cccc-000000000001?api-version=2026-03-12", "",
         "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
         "wg82HC8TLv8IYzubgsLrQ3YwaghyyqGyuDpxV4wbuQk="},
        {"POST", "/sms?api-version=2021-03-07",
         "{\"from\":\"+18005550199\",\"smsRecipients\":[{\"to\":\"+14255550124\"}],"
         "\"message\":\"Hello\"}",
         "SBaW1jUfVG8zm7YbhhM2s3a3j185fDT7aSz+ec219MI=",
         "QjUgUYwvJCizDBKj51aoMtYJ/wlRGfnGoLDUwDoBqhA="},
    };
    acs_account_t account;
    const char *why = "";
    assert_int_equal(
        acs_account_read(&account,
                         "endpoint=https://contoso.communication.azure.com/;accesskey=" KEY, &why),
        PL_OK);
    assert_string_equal(account.host, "contoso.communication.azure.com");
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        acs_signature_t out;
        char wanted[256];
        acs_sign(&account, vectors[i].method, vectors[i].target, 1767225600, vectors[i].body,
                 strlen(vectors[i].body), &out);
        assert_string_equal(out.date, "x-ms-date: Thu, 01 Jan 2026 00:00:00 GMT");
        (void)snprintf(wanted, sizeof wanted, "x-ms-content-sha256: %s", vectors[i].hash);
        assert_string_equal(out.content, wanted);
        (void)snprintf(wanted, sizeof wanted,
                       "Authorization: HMAC-SHA256 "
                       "SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=%s",
                       vectors[i].signature);
        assert_string_equal(out.authorization, wanted);
    }
    acs_account_wipe(&account);
}

static void a_connection_string_is_read_as_the_vendor_reads_it(void **state)
{
    (void)state;
    acs_account_t account;
    const char *why = NULL;
    assert_int_equal(
        acs_account_read(&account, "AccessKey=" KEY ";;Endpoint=HTTPS://a.b:443//;more=x", &why),
        PL_OK);
    assert_string_equal(account.endpoint, "https://a.b");
    assert_int_equal(account.key_bytes, 32);
    assert_int_equal(acs_account_read(&account, "endpoint=http://[::1]:8080", &why), PL_OK);
    assert_string_equal(account.host, "[::1]:8080");
    assert_int_equal(account.key_bytes, 0);
    static const char *const wrong[] = {"",
                                        ";",
                                        ("accesskey=" KEY),
                                        "endpoint=ftp://a",
                                        "endpoint=https://",
                                        "endpoint=https:///",
                                        "endpoint=https://u@h",
                                        "endpoint=https://h/path",
                                        "endpoint=https://h?x",
                                        "endpoint",
                                        "endpoint=https://h;accesskey=",
                                        "endpoint=https://h;accesskey=a",
                                        "endpoint=https://h;accesskey=not base64!",
                                        "endpoint=https://h\r\nX: y"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        why = NULL;
        assert_int_equal(acs_account_read(&account, wrong[i], &why), PL_INVALID);
        assert_non_null(why);
        assert_int_equal(account.key_bytes, 0);
    }
    char big[1024];
    memset(big, 'a', sizeof big);
    memcpy(big, "endpoint=https://", 17);
    big[sizeof big - 1] = '\0';
    assert_int_equal(acs_account_read(&account, big, &why), PL_INVALID);
    memcpy(big, "endpoint=https://h;accesskey=", 29);
    assert_int_equal(acs_account_read(&account, big, &why), PL_INVALID);
}

static bool is_key(const char *coded, const char *plain)
{
    char text[256];
    acs_account_t account;
    const char *why = NULL;
    (void)snprintf(text, sizeof text, "endpoint=https://h;accesskey=%s", coded);
    bool good = acs_account_read(&account, text, &why) == PL_OK;
    assert_int_equal(good, account.key_bytes > 0);
    if (!good) return false;
    assert_int_equal(account.key_bytes, strlen(plain));
    assert_memory_equal(account.key, plain, account.key_bytes);
    return true;
}

static void a_key_is_strict_base64(void **state)
{
    (void)state;
    static const char *const plain[] = {"f", "fo", "foo", "foob", "fooba", "foobar"};
    static const char *const coded[] = {"Zg==",     "Zm8=",     "Zm9v",
                                        "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"}; /* RFC 4648, 10 */
    for (size_t i = 0; i < 6; i++) assert_true(is_key(coded[i], plain[i]));
    static const char *const wrong[] = {
        "",     "Z",    "Zg",    "Zg=",    "Zg===",    "Zh==", "Zm9=", "Z===",
        "====", "=Zg=", "Zm 9v", "Zm9v\n", "Zg==Zg==", "Zm-_", "-_-_"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(is_key(wrong[i], ""));
    char longest[ACS_KEY_BYTES / 3 * 4 + 9];
    char zeros[ACS_KEY_BYTES] = {0};
    memset(longest, 'A', sizeof longest);
    memcpy(longest + ACS_KEY_BYTES / 3 * 4, "AAA=", 5); /* 128 bytes */
    char text[512];
    acs_account_t account;
    const char *why = NULL;
    (void)snprintf(text, sizeof text, "endpoint=https://h;accesskey=%s", longest);
    assert_int_equal(acs_account_read(&account, text, &why), PL_OK);
    assert_int_equal(account.key_bytes, ACS_KEY_BYTES);
    assert_memory_equal(account.key, zeros, ACS_KEY_BYTES);
    memcpy(longest + ACS_KEY_BYTES / 3 * 4, "AAAA", 5); /* 129 */
    assert_false(is_key(longest, ""));
}

/* ---- sending ------------------------------------------------------------------------------------------ */

static const char taken[] =
    "{\"value\":[{\"to\":\"+49301234\",\"messageId\":\"Outgoing_1\",\"httpStatusCode\":202,"
    "\"repeatabilityResult\":\"accepted\",\"successful\":true}]}";

static world_t start(void)
{
    char acs[256];
    (void)snprintf(acs, sizeof acs,
                   "connection_string: 'endpoint=http://127.0.0.1:%u/;accesskey=" KEY
                   "', from: '+18005550199'",
                   port);
    body = taken;
    status = 202;
    return desk_of("acs", acs, PL_OK);
}

static const char *header(const char *name)
{
    static char value[256];
    const char *at = strstr(last_request, name);
    assert_non_null(at);
    at += strlen(name);
    (void)snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\r\n"), at);
    return value;
}

/* Signed anew from what arrived: the host is the one of its header, the body the very bytes. */
static void assert_signed(void)
{
    static const char *const days = "SunMonTueWedThuFriSat";
    const char *sent = strstr(last_request, "\r\n\r\n") + 4;
    char date[64], wanted[256];
    (void)snprintf(date, sizeof date, "%s", header("x-ms-date: "));
    struct tm tm = {0};
    assert_non_null(strptime(date + 5, "%d %b %Y %H:%M:%S GMT", &tm));
    time_t at = timegm(&tm);
    assert_true(labs((long)(time(NULL) - at)) < 60);
    assert_memory_equal(date, days + 3L * tm.tm_wday, 3);
    acs_account_t account;
    const char *why = NULL;
    (void)snprintf(wanted, sizeof wanted, "endpoint=http://%s;accesskey=" KEY, header("Host: "));
    assert_int_equal(acs_account_read(&account, wanted, &why), PL_OK);
    acs_signature_t signature;
    acs_sign(&account, "POST", "/sms?api-version=2021-03-07", at, sent, strlen(sent), &signature);
    assert_non_null(strstr(last_request, signature.authorization));
    assert_non_null(strstr(last_request, signature.content));
}

static void a_message_is_sent_signed(void **state)
{
    (void)state;
    world_t self = start();
    text(&self, "Gr\xc3\xbc\xc3\x9f\"e\n", "k");
    assert_int_equal(self.err, PL_OK);
    assert_true(self.outcome.delivered);
    assert_string_equal(self.outcome.detail, "acs Outgoing_1");
    assert_non_null(strstr(last_request, "POST /sms?api-version=2021-03-07 "));
    assert_non_null(strstr(last_request, "Content-Type: application/json\r\n"));
    assert_signed();
    cJSON *json = cJSON_Parse(strstr(last_request, "\r\n\r\n") + 4);
    assert_string_equal(cJSON_GetObjectItem(json, "from")->valuestring, "+18005550199");
    assert_string_equal(cJSON_GetObjectItem(json, "message")->valuestring,
                        "Gr\xc3\xbc\xc3\x9f\"e\n");
    cJSON *to = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "smsRecipients"), 0);
    assert_string_equal(cJSON_GetObjectItem(to, "to")->valuestring, "+49301234");
    assert_int_equal(strlen(cJSON_GetObjectItem(to, "repeatabilityRequestId")->valuestring), 36);
    assert_string_equal(cJSON_GetObjectItem(to, "repeatabilityFirstSent")->valuestring,
                        header("x-ms-date: "));
    cJSON_Delete(json);
    text(&self, "again", "k");
    assert_true(self.outcome.delivered);
    assert_int_equal(atomic_load(&asked), 1);
    stop(&self);
}

static void what_becomes_of_a_message(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        pl_err_t err;
        bool unknown;
    } cases[] = {
        {202, "{\"value\":[{\"httpStatusCode\":400,\"successful\":false}]}", PL_INVALID, false},
        {202, "{\"value\":[{\"httpStatusCode\":429,\"successful\":false}]}", PL_UNAVAILABLE, false},
        {202, "{\"value\":[{\"httpStatusCode\":500,\"successful\":false}]}", PL_UNAVAILABLE, false},
        {202, "{\"value\":[]}", PL_OK, true},
        {202, "{\"value\":[{\"successful\":\"yes\"}]}", PL_OK, true},
        {202, "half of it", PL_OK, true},
        {400, "{\"error\":{\"code\":\"BadRequest\"}}", PL_INVALID, false},
        {401, "", PL_UNAVAILABLE, false},
        {429, "", PL_UNAVAILABLE, false},
        {500, "", PL_OK, true},
        {503, "", PL_UNAVAILABLE, false},
        {202, NULL, PL_OK, true},
    };
    world_t self = start();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%zu", i);
        status = cases[i].status;
        body = cases[i].body;
        text(&self, "x", key);
        assert_int_equal(self.err, cases[i].err);
        assert_int_equal(self.outcome.unknown, cases[i].unknown);
    }
    assert_int_equal(atomic_load(&asked), sizeof cases / sizeof *cases);
    stop(&self);
}

static void a_text_too_long_for_the_service_is_not_sent(void **state)
{
    (void)state;
    world_t self = start();
    char longest[2 * 1999 + 1] = "";
    for (size_t i = 0; i < 1999; i++) memcpy(longest + 2 * i, "\xc3\xbc", 3);
    text(&self, longest, "");
    assert_int_equal(self.err, PL_OK);
    char plain[2050];
    memset(plain, 'a', 2049);
    plain[2049] = '\0';
    text(&self, plain, "");
    assert_int_equal(self.err, PL_INVALID);
    assert_int_equal(atomic_load(&asked), 1);
    stop(&self);
}

static void wrong_settings_are_refused_at_the_start(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "from: '+1'",
                                        "connection_string: 'endpoint=https://h;accesskey=" KEY "'",
                                        "connection_string: 'endpoint=https://h', from: '+1'",
                                        "connection_string: 'x', from: '+1'"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        world_t self = desk_of("acs", wrong[i], PL_INVALID);
        assert_null(self.desk);
        stop(&self);
    }
}

static void closing_forgets_what_is_under_way(void **state)
{
    (void)state;
    world_t self = start();
    sms_t sms = {.call_id = "c-1", .to = "+49301234", .text = "x", .key = "k"};
    sms_desk_send(self.desk, &sms, on_sent, &self);
    stop(&self);
    assert_int_equal(self.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vendors_signatures_are_ours),
        cmocka_unit_test(a_connection_string_is_read_as_the_vendor_reads_it),
        cmocka_unit_test(a_key_is_strict_base64),
        cmocka_unit_test(a_message_is_sent_signed),
        cmocka_unit_test(what_becomes_of_a_message),
        cmocka_unit_test(a_text_too_long_for_the_service_is_not_sent),
        cmocka_unit_test(wrong_settings_are_refused_at_the_start),
        cmocka_unit_test(closing_forgets_what_is_under_way),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
