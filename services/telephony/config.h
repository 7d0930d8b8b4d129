/* config.h - the configuration keys that telephony reads. */
#ifndef PL_TELEPHONY_CONFIG_H
#define PL_TELEPHONY_CONFIG_H

#include "common/config.h"

extern const pl_config_key_t telephony_config_keys[]; /* ends with a NULL path */

#endif
