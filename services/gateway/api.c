#include "services/gateway/api.h"

#include <stdlib.h>
#include <string.h>

enum {
    RETRY_MS = 2000
}; /* advised when a process is away: a supervisor restarts it in that time */

void api_json(http_exchange_t *x, int status, text_t *body)
{
    http_response_t r = {.status = status, .content_type = "application/json", .body = *body};
    *body = (text_t){0};
    http_respond(&x, &r);
}

void api_error_text(text_t *out, const char *message, const char *detail)
{
    text_add(out, "{\"error\":{\"message\":");
    text_json(out, message);
    text_add(out, ",\"details\":[");
    if (detail && detail[0]) text_json(out, detail);
    text_add(out, "]}}");
}

void api_error(http_exchange_t *x, int status, const char *message, const char *detail,
               text_t *headers)
{
    http_response_t r = {.status = status, .content_type = "application/json"};
    if (headers) r.headers = *headers;
    api_error_text(&r.body, message, detail);
    http_respond(&x, &r);
}

void api_invalid(http_exchange_t *x, problems_t *problems)
{
    text_t body = {0};
    text_add(&body, "{\"error\":{\"message\":\"Validation error\",\"details\":[");
    for (size_t i = 0; i < problems_kept(problems); i++) {
        if (i > 0) text_add(&body, ",");
        text_json(&body, problems->items[i]);
    }
    if (problems->count > problems_kept(problems)) {
        text_fmt(&body, ",\"... and %zu more\"", problems->count - problems_kept(problems));
    }
    text_add(&body, "]}}");
    problems_free(problems);
    api_json(x, 422, &body);
}

int api_status(pl_err_t err, const Pl__Envelope *reply, uint32_t *retry_s)
{
    const Pl__Error *error =
        reply && reply->body_case == PL__ENVELOPE__BODY_ERROR ? reply->error : NULL;
    uint32_t retry_ms = error ? error->retry_after_ms : 0;
    int status = 500;
    switch (err) {
    case PL_OK:
        break; /* a reply of the wrong kind: a bug of ours */
    case PL_INVALID:
        status = 422;
        break;
    case PL_NOT_FOUND:
        status = 404;
        break;
    case PL_STALE:
        status = 409;
        break;
    case PL_BUSY:
        status = 429;
        if (retry_ms == 0) retry_ms = RETRY_MS;
        break;
    case PL_TIMEOUT:
        status = 504;
        break;
    case PL_UNAVAILABLE: /* nobody there: soon again; said by someone who is: it could not reach */
        status = error && retry_ms == 0 ? 502 : 503;
        if (!error) retry_ms = RETRY_MS;
        break;
    case PL_UNSUPPORTED:
        status = 502;
        break;
    case PL_INTERNAL:
    case PL_ERR_COUNT:
        break;
    }
    *retry_s = (retry_ms + 999) / 1000;
    return status;
}

void api_reason(text_t *out, const char *service, pl_err_t err, const Pl__Envelope *reply)
{
    if (reply) {
        text_add(out, pl_bus_error_detail(err, reply));
    } else if (err == PL_UNAVAILABLE) {
        text_fmt(out, "no %s process is up", service);
    } else if (err == PL_TIMEOUT) {
        text_fmt(out, "%s did not answer in time", service);
    } else {
        text_fmt(out, "%s: %s", service, pl_err_text(err));
    }
}

void api_failed(http_exchange_t *x, const char *what, const char *service, pl_err_t err,
                const Pl__Envelope *reply)
{
    uint32_t retry_s = 0;
    int status = api_status(err, reply, &retry_s);
    text_t headers = {0}, reason = {0};
    if (retry_s > 0) text_fmt(&headers, "Retry-After: %u\r\n", retry_s);
    api_reason(&reason, service, err, reply);
    api_error(x, status, what, reason.data, &headers);
    text_free(&reason);
}

char *api_trace(const http_request_t *request)
{
    static const char form[] = "00-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";
    const char *value = http_header(request, "traceparent");
    bool valid = value && strlen(value) == sizeof form - 1;
    for (size_t i = 0; valid && form[i]; i++) {
        valid = form[i] == 'x' ? strchr("0123456789abcdef", value[i]) != NULL : value[i] == form[i];
    }
    char *out = strdup(valid ? value : "");
    if (!out) abort();
    return out;
}

uint32_t api_number(const http_request_t *request, const char *name, uint32_t min, uint32_t max,
                    uint32_t fallback, problems_t *problems)
{
    char *value = http_query(request, name);
    if (!value) return fallback;
    size_t digits = strspn(value, "0123456789");
    unsigned long long number = digits > 0 && digits < 10 && !value[digits]
                                    ? strtoull(value, NULL, 10)
                                    : (unsigned long long)max + 1;
    free(value);
    if (number < min || number > max) {
        problems_add(problems, "%s: must be a whole number from %u to %u", name, min, max);
        return fallback;
    }
    return (uint32_t)number;
}
