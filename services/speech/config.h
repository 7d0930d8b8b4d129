/* config.h - the settings of speech: speech.*, see config/. */
#ifndef PL_SPEECH_CONFIG_H
#define PL_SPEECH_CONFIG_H

#include "common/config.h"

extern const pl_config_key_t speech_config_keys[]; /* ends with a NULL path */

#endif
