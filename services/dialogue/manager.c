#include "services/dialogue/manager.h"

#include <string.h>

static const manager_t *const managers[] = {&manager_script, NULL};

const manager_t *manager_find(const char *name)
{
    for (const manager_t *const *m = managers; *m; m++) {
        if (strcmp((*m)->name, name) == 0) return *m;
    }
    return NULL;
}
