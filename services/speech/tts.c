#include "services/speech/tts.h"

#include <string.h>

static const tts_provider_t *const providers[] = {&tts_flite, &tts_espeak, &tts_openai, NULL};

const tts_provider_t *const *tts_providers(void)
{
    return providers;
}

const tts_provider_t *tts_provider_find(const char *name)
{
    for (const tts_provider_t *const *p = providers; *p; p++) {
        if (strcmp((*p)->name, name) == 0) return *p;
    }
    return NULL;
}
