#include "services/dialogue/manager.h"

#include <string.h>

static const manager_t *const managers[] = {&manager_script, &manager_llm, NULL};

const manager_t *manager_find(const char *name)
{
    for (const manager_t *const *m = managers; *m; m++) {
        if (strcmp((*m)->name, name) == 0) return *m;
    }
    return NULL;
}

const manager_t *manager_choose(const char *name, bool has_model)
{
    if (strcmp(name, "auto") != 0) return manager_find(name);
    return has_model ? &manager_llm : &manager_script;
}
