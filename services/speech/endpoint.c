#include "services/speech/endpoint.h"

enum { PAUSE_MAX_MS = 2000 };

void pauses_add(pauses_t *self, uint32_t ms)
{
    if (ms > PAUSE_MAX_MS) ms = PAUSE_MAX_MS;
    if (self->count++ == 0) {
        self->mean_ms = ms;
        self->spread_ms = ms / 2;
        return;
    }
    uint32_t off = ms > self->mean_ms ? ms - self->mean_ms : self->mean_ms - ms;
    self->mean_ms = (7 * self->mean_ms + ms) / 8;
    self->spread_ms = (3 * self->spread_ms + off) / 4;
}

static uint32_t between(uint32_t least, uint32_t ms, uint32_t most)
{
    if (ms < least) ms = least;
    return ms > most ? most : ms;
}

uint32_t endpoint_ms(completeness_t kind, bool covered, Pl__Expect expect, const pauses_t *pauses,
                     uint32_t most_ms)
{
    bool known = pauses->count >= ENDPOINT_PAUSES;
    if (kind == COMPLETE_NOT) return most_ms + ENDPOINT_MORE_MS;
    if (!covered) {
        /* The words are still to come; half a number must not be cut meanwhile. */
        bool grouped = expect == PL__EXPECT__DIGITS || expect == PL__EXPECT__SPELLING;
        return grouped ? most_ms + ENDPOINT_MORE_MS : most_ms;
    }
    switch (kind) {
    case COMPLETE_ANSWER:
        return between(0, ENDPOINT_LEAST_MS, most_ms);
    case COMPLETE_SENTENCE:
        return between(ENDPOINT_LEAST_MS,
                       known ? pauses->mean_ms + pauses->spread_ms : ENDPOINT_SENTENCE_MS, most_ms);
    case COMPLETE_OPEN:
        if (!known) return most_ms;
        return between(ENDPOINT_OPEN_MS, pauses->mean_ms + 2 * pauses->spread_ms + 100, most_ms);
    case COMPLETE_NOTHING:
    case COMPLETE_NOT:
        break;
    }
    return most_ms;
}
