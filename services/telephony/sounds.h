/* sounds.h - the sounds that are part of the program (services/telephony/sounds/), as WAV files. */
#ifndef PL_TELEPHONY_SOUNDS_H
#define PL_TELEPHONY_SOUNDS_H

#include <stddef.h>
#include <stdint.h>

const uint8_t *sounds_owner_lost(size_t *bytes);

/* "One moment, please", in so many languages; the first is English. */
enum { SOUNDS_HOLDS = 5 };
const char *sounds_hold_lang(size_t i); /* "en" */
const uint8_t *sounds_hold(size_t i, size_t *bytes);

#endif
