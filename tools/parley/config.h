/* config.h - the settings parley reads: how many instances to run, and, to say how the system is
 * reached, where gateway and telephony listen, and where the store is (their own tables check those).
 */
#ifndef PARLEY_CONFIG_H
#define PARLEY_CONFIG_H

#include "common/config.h"

extern const pl_config_key_t parley_config_keys[];

#endif
