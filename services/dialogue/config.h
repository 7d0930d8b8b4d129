/* config.h - dialogue's keys of the configuration. */
#ifndef DIALOGUE_CONFIG_H
#define DIALOGUE_CONFIG_H

#include "common/config.h"
#include "common/features.h"
#include "services/dialogue/call.h"
#include "services/dialogue/manager.h"

extern const pl_config_key_t dialogue_config_keys[]; /* ends with a NULL path */

void dialogue_call_settings(const pl_config_t *cfg, call_settings_t *out);
/* What the flags say, into settings made before. */
void dialogue_call_features(const pl_features_t *features, call_settings_t *out);

#endif
