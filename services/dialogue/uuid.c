#include "services/dialogue/uuid.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/random.h>

static void draw(uint8_t *out, size_t bytes)
{
    size_t n = 0;
    while (n < bytes) {
        ssize_t got = getrandom(out + n, bytes - n, 0);
        assert(got > 0 || errno == EINTR);
        if (got > 0) n += (size_t)got;
    }
}

char *uuid_draw(char out[UUID_BYTES])
{
    uint8_t b[16];
    draw(b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0F) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3F) | 0x80);
    snprintf(out, UUID_BYTES,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
    return out;
}

uint32_t uuid_random(uint32_t limit)
{
    uint8_t b[4];
    draw(b, sizeof b);
    uint32_t n = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    return limit ? n % limit : 0;
}
