#include "services/telephony/key_gate.h"

bool key_gate_passes(key_gate_t *self, uint64_t now_ms, key_way_t way, char digit)
{
    if (self->twice && way == KEY_BY_MEDIA) return false;
    bool again = self->digit == digit && self->way != way && now_ms < self->at_ms + KEY_GATE_MS;
    if (again) {
        self->twice = true;
        self->digit = '\0'; /* the next one may be the same key, pressed once more */
        return false;
    }
    self->digit = digit;
    self->way = way;
    self->at_ms = now_ms;
    return true;
}
