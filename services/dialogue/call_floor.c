/* call_floor.c - replies that are cut, and the one that is not.
 *
 * A caller whose every word cancels the reply to the one before would never hear any. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/dialogue/call_internal.h"

enum { CUT_MAX = 2, DEFERRED_MAX = 4000 };

bool call_floor_held(const call_t *self)
{
    return self->cut >= CUT_MAX;
}

void call_floor_cut(call_t *self)
{
    self->cut++;
}

void call_floor_finished(call_t *self)
{
    self->cut = 0;
}

void call_floor_defer(call_t *self, const char *text, uint32_t message)
{
    const char *before = self->deferred ? self->deferred : "";
    size_t room = strlen(before) + strlen(text) + 2;
    if (!text[0] || room > DEFERRED_MAX) return; /* it is in the history */
    char *all = malloc(room);
    assert(all);
    (void)snprintf(all, room, "%s%s%s", before, before[0] ? " " : "", text);
    free(self->deferred);
    self->deferred = all;
    self->deferred_message = message;
}

void call_floor_clear(call_t *self)
{
    free(self->deferred);
    self->deferred = NULL;
}

void call_floor_give(call_t *self, call_now_t now, effects_t *fx)
{
    char *text = self->deferred;
    self->deferred = NULL;
    if (text)
        call_think(self, now, THINK_UTTERANCE, text, self->deferred_message, fx);
    else
        call_listen(self, now);
    free(text);
}
