/* assets.h - the files of assets/, part of the program (made by services/gateway/embed). */
#ifndef GATEWAY_ASSETS_H
#define GATEWAY_ASSETS_H

#include <stddef.h>

typedef struct {
    const char *name; /* "parley.css" */
    const char *content_type;
    const char *etag; /* with its quotes; changes whenever the bytes do */
    const unsigned char *bytes;
    size_t size;
} asset_t;

extern const asset_t assets[];
extern const size_t assets_count;

const asset_t *asset_find(const char *name); /* NULL when there is none */

#endif
