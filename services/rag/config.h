/* config.h - the settings of rag: rag.*, see config/. */
#ifndef RAG_CONFIG_H
#define RAG_CONFIG_H

#include "common/config.h"

extern const pl_config_key_t rag_config_keys[]; /* ends with a NULL path */

#endif
