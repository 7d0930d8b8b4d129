#include "services/gateway/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void problems_free(problems_t *self)
{
    for (size_t i = 0; i < problems_kept(self); i++) free(self->items[i]);
    *self = (problems_t){0};
}

void problems_add(problems_t *self, const char *fmt, ...)
{
    if (self->count < PROBLEMS_MAX) {
        va_list args;
        va_start(args, fmt);
        if (vasprintf(&self->items[self->count], fmt, args) < 0) abort();
        va_end(args);
    }
    self->count++;
}

size_t problems_kept(const problems_t *self)
{
    return self->count < PROBLEMS_MAX ? self->count : PROBLEMS_MAX;
}
