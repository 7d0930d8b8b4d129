#include <string.h>

#include "services/gateway/api.h"

/* What readiness reports, in the order clients of the original know, and who does it. */
static const struct {
    const char *id, *service; /* service NULL: this process itself */
} checks[] = {
    {"cache", "persistence"}, {"store", "persistence"}, {"startup", NULL},
    {"search", "rag"},        {"sms", "telephony"},     {"telephony", "telephony"},
    {"speech", "speech"},     {"dialogue", "dialogue"},
};

void api_liveness(api_t *api, http_exchange_t *x, const char *param)
{
    (void)api;
    (void)param;
    text_t body = {0};
    text_add(&body, "null");
    api_json(x, 200, &body);
}

void api_readiness(api_t *api, http_exchange_t *x, const char *param)
{
    (void)param;
    text_t list = {0}, body = {0};
    bool all = true;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        pl_peer_t peer;
        bool ok =
            checks[i].service ? pl_bus_pick(api->bus, checks[i].service, &peer) : !api->draining;
        text_fmt(&list, "%s{\"id\":\"%s\",\"status\":\"%s\"", i ? "," : "", checks[i].id,
                 ok ? "ok" : "fail");
        if (ok && checks[i].service && *peer.note) {
            text_add(&list, ",\"detail\":");
            text_json(&list, peer.note);
        }
        text_add(&list, "}");
        all = all && ok;
    }
    text_fmt(&body, "{\"status\":\"%s\",\"checks\":[%s]}", all ? "ok" : "fail", list.data);
    text_free(&list);
    api_json(x, all ? 200 : 503, &body);
}
