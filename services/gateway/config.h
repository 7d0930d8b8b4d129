/* config.h - the keys of section gateway, with their defaults. */
#ifndef GATEWAY_CONFIG_H
#define GATEWAY_CONFIG_H

#include "common/config.h"

extern const pl_config_key_t gateway_config_keys[];

#endif
