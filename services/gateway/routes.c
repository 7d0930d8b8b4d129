#include "services/gateway/routes.h"

#include <string.h>
#include <strings.h>

#include "services/gateway/report.h"

static const route_t table[] = {
    {"GET", "/", api_start_page, false},
    {"POST", "/call", api_call_post, true},
    {"GET", "/call", api_call_list, true},
    {"GET", "/call/{call_id_or_phone_number}", api_call_get, true},
    {"GET", "/recording/{call_id}", api_recording_get, true},
    {"GET", "/report", api_report_list, true},
    {"GET", "/report/{call_id_or_phone_number}", api_report_get, true},
    {"GET", "/reminders", api_reminder_list, true},
    {"POST", "/reminders/end", api_reminder_end, true},
    {"GET", "/phone", api_phone_page, true},
    {"POST", "/phone/ticket", api_phone_ticket, true},
    {"GET", "/assets/{name}", api_asset, false},
    {"GET", "/health/liveness", api_liveness, true},
    {"GET", "/health/readiness", api_readiness, true},
    {"GET", "/metrics", api_metrics, true},
    {"GET", "/openapi.json", api_openapi, true},
};

const route_t *routes_table(size_t *count)
{
    *count = sizeof table / sizeof *table;
    return table;
}

bool route_match(const char *pattern, const char *path, const char **param)
{
    size_t fixed = strcspn(pattern, "{");
    *param = "";
    if (!pattern[fixed]) return strcmp(pattern, path) == 0;
    if (strncmp(pattern, path, fixed) != 0) return false;
    const char *rest = path + fixed;
    if (!*rest || strchr(rest, '/')) return false;
    *param = rest;
    return true;
}

/* GET answers HEAD too. */
static bool method_matches(const route_t *route, const char *method)
{
    if (strcmp(route->method, method) == 0) return true;
    return strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0;
}

/* "Allow: GET, HEAD, OPTIONS" of the path; false when no route has it. */
static bool allow_header(const char *path, text_t *out)
{
    const char *param;
    bool any = false;
    text_add(out, "Allow: ");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (!route_match(table[i].pattern, path, &param)) continue;
        text_fmt(out, "%s, ", table[i].method);
        if (strcmp(table[i].method, "GET") == 0) text_add(out, "HEAD, ");
        any = true;
    }
    text_add(out, "OPTIONS\r\n");
    return any;
}

static void answer_other(http_exchange_t *x)
{
    const http_request_t *request = http_exchange_request(x);
    bool report = strncmp(request->path, "/report/", 8) == 0;
    bool options = strcmp(request->method, "OPTIONS") == 0;
    text_t allow = {0};
    bool known = allow_header(request->path, &allow);
    if (options && (known || strcmp(request->path, "*") == 0)) {
        http_response_t r = {.status = 204, .headers = allow};
        http_respond(&x, &r);
    } else if (known) {
        text_t detail = {0};
        text_fmt(&detail, "%s is not allowed here; %.*s", request->method,
                 (int)strcspn(allow.data, "\r"), allow.data);
        api_error(x, 405, "Method Not Allowed", detail.data, &allow);
        text_free(&detail);
    } else {
        text_free(&allow);
        if (report) {
            report_error(x, 404, "This page does not exist", "");
        } else {
            api_error(x, 404, "Not Found", NULL, NULL);
        }
    }
}

/* A page of another site may not make this one act: browsers name the page's site in Origin. A
 * request without it comes from no page. */
static bool from_other_site(const http_request_t *request)
{
    const char *origin = http_header(request, "origin");
    const char *host = http_header(request, "host");
    if (!origin || strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0) {
        return false;
    }
    const char *authority = strstr(origin, "://");
    return !authority || !host || strcasecmp(authority + 3, host) != 0;
}

void routes_dispatch(api_t *api, http_exchange_t *x)
{
    const http_request_t *request = http_exchange_request(x);
    const char *param;
    if (from_other_site(request)) {
        api_error(x, 403, "Forbidden", "Pages of another site may not do this", NULL);
        return;
    }
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (!method_matches(&table[i], request->method)) continue;
        if (!route_match(table[i].pattern, request->path, &param)) continue;
        http_exchange_route(x, table[i].pattern);
        table[i].handler(api, x, param);
        return;
    }
    answer_other(x);
}
