#include "services/telephony/sounds.h"

/* Put in by the assembler, so that the program needs no file of its own beside it. The paths are
 * seen from the root of the source tree, where the build runs. */
#define SOUND(name)                                                                                \
    __asm__(".section .rodata\n"                                                                   \
            "sounds_" #name "_begin:\n"                                                            \
            ".incbin \"services/telephony/sounds/" #name ".wav\"\n"                                \
            "sounds_" #name "_end:\n"                                                              \
            ".byte 0\n"                                                                            \
            ".previous\n");                                                                        \
    extern const uint8_t name##_begin[] __asm__("sounds_" #name "_begin");                         \
    extern const uint8_t name##_end[] __asm__("sounds_" #name "_end")

SOUND(owner_lost);
SOUND(hold_en);
SOUND(hold_fr);
SOUND(hold_de);
SOUND(hold_es);
SOUND(hold_zh);

static const struct {
    const char *lang;
    const uint8_t *begin, *end;
} holds[SOUNDS_HOLDS] = {
    {"en", hold_en_begin, hold_en_end}, {"fr", hold_fr_begin, hold_fr_end},
    {"de", hold_de_begin, hold_de_end}, {"es", hold_es_begin, hold_es_end},
    {"zh", hold_zh_begin, hold_zh_end},
};

static const uint8_t *between(const uint8_t *begin, const uint8_t *end, size_t *bytes)
{
    *bytes = (size_t)((uintptr_t)end - (uintptr_t)begin);
    return begin;
}

const uint8_t *sounds_owner_lost(size_t *bytes)
{
    return between(owner_lost_begin, owner_lost_end, bytes);
}

const char *sounds_hold_lang(size_t i)
{
    return holds[i].lang;
}

const uint8_t *sounds_hold(size_t i, size_t *bytes)
{
    return between(holds[i].begin, holds[i].end, bytes);
}
