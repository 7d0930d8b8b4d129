/* config.h - the settings of persistence: persistence.*, see config/. */
#ifndef PERSISTENCE_CONFIG_H
#define PERSISTENCE_CONFIG_H

#include "common/config.h"

extern const pl_config_key_t persistence_config_keys[]; /* ends with a NULL path */

#endif
