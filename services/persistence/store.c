#include "services/persistence/store.h"

#include <string.h>

static const store_provider_t *const providers[] = {&store_sqlite, &store_postgresql, NULL};

const store_provider_t *store_provider_find(const char *name)
{
    for (const store_provider_t *const *p = providers; *p; p++) {
        if (strcmp((*p)->name, name) == 0) return *p;
    }
    return NULL;
}

const char *store_provider_names(void)
{
    return "sqlite, postgresql";
}
