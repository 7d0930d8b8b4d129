#include "tools/parley/config.h"

#define INSTANCES(service)                                                                         \
    {                                                                                              \
        "up.instances." service, PL_CONFIG_INT, "1", 0, 8, "instances of " service " to run"       \
    }
#define STRING(path, fallback, help)                                                               \
    {                                                                                              \
        path, PL_CONFIG_STRING, fallback, 0, 0, help                                               \
    }

const pl_config_key_t parley_config_keys[] = {
    INSTANCES("gateway"),
    INSTANCES("telephony"),
    INSTANCES("speech"),
    INSTANCES("dialogue"),
    INSTANCES("rag"),
    INSTANCES("persistence"),
    /* read here only to print addresses; the defaults are those of the services */
    STRING("gateway.http.listen", "127.0.0.1:8080", "address and port of HTTP"),
    STRING("telephony.sip.listen", "0.0.0.0:5060", "address and port of SIP"),
    /* and these by parley backup */
    STRING("persistence.provider", "sqlite", "where calls are kept"),
    STRING("persistence.sqlite.file", "data/parley.db", "the database"),
    {NULL, PL_CONFIG_STRING, NULL, 0, 0, NULL},
};
