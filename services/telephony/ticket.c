#include "services/telephony/ticket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { RANDOM_BYTES = 32 };

typedef struct {
    char token[TICKET_CHARS + 1];
    char number[IDENTITY_BYTES];
    uint64_t until_ms; /* 0: free */
} ticket_t;

struct tickets {
    ticket_t *slots;
    size_t max;
};

tickets_t *tickets_new(size_t max)
{
    tickets_t *self = calloc(1, sizeof(*self));
    if (!self) abort();
    self->max = max;
    self->slots = calloc(max, sizeof(*self->slots));
    if (!self->slots) abort();
    return self;
}

void tickets_destroy(tickets_t **self_p)
{
    if (!*self_p) return;
    free((*self_p)->slots);
    free(*self_p);
    *self_p = NULL;
}

static void draw(uint8_t bytes[RANDOM_BYTES])
{
    size_t have = 0;
    while (have < RANDOM_BYTES) {
        ssize_t got = getrandom(bytes + have, RANDOM_BYTES - have, 0);
        if (got < 0 && errno != EINTR) abort(); /* no random numbers, no tickets */
        if (got > 0) have += (size_t)got;
    }
}

/* RFC 4648 section 5 without padding. */
static void encode(const uint8_t bytes[RANDOM_BYTES], char out[TICKET_CHARS + 1])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = 0;
    unsigned held = 0;
    size_t used = 0;
    for (size_t i = 0; i < RANDOM_BYTES; i++) {
        bits = bits << 8 | bytes[i];
        for (held += 8; held >= 6; held -= 6) out[used++] = digits[bits >> (held - 6) & 63];
    }
    out[used++] = digits[bits << (6 - held) & 63];
    out[used] = '\0';
}

void tickets_issue(tickets_t *self, uint64_t now_ms, const char *number,
                   char token[TICKET_CHARS + 1])
{
    ticket_t *slot = &self->slots[0];
    for (size_t i = 1; i < self->max; i++) { /* a free one, else the one that ends first */
        if (self->slots[i].until_ms < slot->until_ms) slot = &self->slots[i];
    }
    uint8_t bytes[RANDOM_BYTES];
    draw(bytes);
    encode(bytes, slot->token);
    memset(slot->number, 0, sizeof(slot->number));
    if (identity_is_number(number)) memcpy(slot->number, number, strlen(number));
    slot->until_ms = now_ms + TICKET_LIFE_MS;
    memcpy(token, slot->token, sizeof(slot->token));
}

static bool same(const char *a, const char *b)
{
    unsigned differ = 0;
    for (size_t i = 0; i < TICKET_CHARS; i++) differ |= (unsigned)(a[i] ^ b[i]);
    return differ == 0;
}

bool tickets_redeem(tickets_t *self, uint64_t now_ms, const char *token,
                    char number[IDENTITY_BYTES])
{
    if (strlen(token) != TICKET_CHARS) return false;
    ticket_t *found = NULL;
    for (size_t i = 0; i < self->max; i++) { /* all of them, whatever is found */
        ticket_t *slot = &self->slots[i];
        if (same(slot->token, token) && slot->until_ms > now_ms) found = slot;
    }
    if (!found) return false;
    memcpy(number, found->number, IDENTITY_BYTES);
    memset(found, 0, sizeof(*found));
    return true;
}
