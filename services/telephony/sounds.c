#include "services/telephony/sounds.h"

/* Put in by the assembler, so that the program needs no file of its own beside it. The path is
 * seen from the root of the source tree, where the build runs. */
__asm__(".section .rodata\n"
        "sounds_owner_lost_begin:\n"
        ".incbin \"services/telephony/sounds/owner_lost.wav\"\n"
        "sounds_owner_lost_end:\n"
        ".byte 0\n"
        ".previous\n");

extern const uint8_t begin[] __asm__("sounds_owner_lost_begin");
extern const uint8_t end[] __asm__("sounds_owner_lost_end");

const uint8_t *sounds_owner_lost(size_t *bytes)
{
    *bytes = (size_t)((uintptr_t)end - (uintptr_t)begin);
    return begin;
}
