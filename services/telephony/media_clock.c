#include "services/telephony/media_clock.h"

enum { MOST_BEHIND = 5, AT_ONCE = 2 };

media_due_t media_clock_due(media_clock_t *self, uint64_t passed)
{
    media_due_t due = {0, 0};
    self->behind += passed;
    if (self->behind > MOST_BEHIND) {
        uint64_t skipped = self->behind - 1;
        due.skipped = skipped > UINT32_MAX ? UINT32_MAX : (uint32_t)skipped;
        self->skipped += skipped;
        self->behind = 1;
    }
    due.run = self->behind < AT_ONCE ? (uint32_t)self->behind : AT_ONCE;
    self->behind -= due.run;
    return due;
}
