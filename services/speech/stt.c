#include "services/speech/stt.h"

#include <string.h>

static const stt_provider_t *const providers[] = {&stt_sphinx, &stt_openai, NULL};

const stt_provider_t *stt_provider_find(const char *name)
{
    for (const stt_provider_t *const *p = providers; *p; p++) {
        if (strcmp((*p)->name, name) == 0) return *p;
    }
    return NULL;
}
