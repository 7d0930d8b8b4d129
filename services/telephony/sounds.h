/* sounds.h - the sounds that are part of the program (services/telephony/sounds/), as WAV files. */
#ifndef PL_TELEPHONY_SOUNDS_H
#define PL_TELEPHONY_SOUNDS_H

#include <stddef.h>
#include <stdint.h>

const uint8_t *sounds_owner_lost(size_t *bytes);

#endif
