#include "services/gateway/assets.h"

#include <string.h>

const asset_t *asset_find(const char *name)
{
    for (size_t i = 0; i < assets_count; i++) {
        if (strcmp(assets[i].name, name) == 0) return &assets[i];
    }
    return NULL;
}
