/* http_parser_fuzz.c - any bytes from the network: the parser takes them the same way whole and
 * byte by byte, and never more than its limits. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "services/gateway/http_parser.h"

enum { BODY_MAX = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_request(const http_parser_t *a, const http_parser_t *b)
{
    const http_request_t *x = http_parser_request(a), *y = http_parser_request(b);
    assert(x->method[0] && strcmp(x->method, y->method) == 0);
    assert(strcmp(x->path, y->path) == 0 && (x->path[0] == '/' || strcmp(x->path, "*") == 0));
    assert(strcmp(x->query, y->query) == 0 && x->n_headers == y->n_headers);
    assert(x->body_bytes == y->body_bytes && x->body_bytes <= BODY_MAX);
    assert(x->body_bytes == 0 || memcmp(x->body, y->body, x->body_bytes) == 0);
    free(http_query(x, "phone_number"));
    (void)http_header(x, "host");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    http_parser_t *whole = http_parser_new(BODY_MAX), *bytes = http_parser_new(BODY_MAX);
    size_t at = 0;
    while (at < size) {
        size_t taken = http_parser_feed(whole, (const char *)data + at, size - at);
        size_t alone = 0;
        while (at + alone < size && http_parser_stage(bytes) < HTTP_READY) {
            alone += http_parser_feed(bytes, (const char *)data + at + alone, 1);
            if (http_parser_stage(bytes) == HTTP_BROKEN) break;
        }
        assert(http_parser_stage(whole) == http_parser_stage(bytes));
        if (http_parser_stage(whole) != HTTP_READY) break;
        assert(taken == alone);
        check_request(whole, bytes);
        at += taken;
        http_parser_reset(whole);
        http_parser_reset(bytes);
    }
    if (http_parser_stage(whole) == HTTP_BROKEN) {
        assert(http_parser_fault(whole).status == http_parser_fault(bytes).status);
    }
    http_parser_destroy(&whole);
    http_parser_destroy(&bytes);
    return 0;
}
