#include "services/gateway/config.h"

#define STRING(path, fallback, help)                                                               \
    {                                                                                              \
        path, PL_CONFIG_STRING, fallback, 0, 0, help                                               \
    }
#define INT(path, fallback, min, max, help)                                                        \
    {                                                                                              \
        path, PL_CONFIG_INT, fallback, min, max, help                                              \
    }

const pl_config_key_t gateway_config_keys[] = {
    STRING("gateway.http.listen", "127.0.0.1:8080", "address and port of HTTP"),
    INT("gateway.http.connections_max", "1024", 1, 65536,
        "connections at once; more are answered 503"),
    INT("gateway.http.body_max_bytes", "1048576", 1024, 67108864,
        "longest request body; a longer one is answered 413"),
    INT("gateway.http.head_timeout_ms", "10000", 100, 600000,
        "a request's line and headers must be here by then, else 408"),
    INT("gateway.http.body_timeout_ms", "30000", 100, 600000,
        "a request's body must be here by then, else 408"),
    INT("gateway.http.idle_timeout_ms", "60000", 100, 3600000,
        "a kept connection without a request is closed"),
    INT("gateway.http.write_timeout_ms", "30000", 100, 600000,
        "a client that takes nothing for so long is cut off"),
    INT("gateway.call_start_timeout_ms", "10000", 100, 120000,
        "POST /call waits so long for dialling to be accepted, else 504"),
    INT("gateway.request_timeout_ms", "3000", 100, 60000, "any other request to another process"),
    {NULL, PL_CONFIG_STRING, NULL, 0, 0, NULL},
};
