/* demo_place.h - where a demo runs: a folder of its own, free ports, and the settings that say so.
 *
 * Threads: none.
 */
#ifndef PARLEY_DEMO_PLACE_H
#define PARLEY_DEMO_PLACE_H

#include <stdint.h>

#include "common/err.h"
#include "tools/parley/options.h"

enum { PLACE_SETTINGS = 16, PLACE_TEXT_BYTES = 320 };

typedef struct {
    char folder[64]; /* "/tmp/parley-demo-XXXXXX" */
    uint16_t http, sip, browser, rtp_min, rtp_max, customer_min, customer_max;
    char settings[PLACE_SETTINGS][PLACE_TEXT_BYTES];
    size_t setting_count;
} place_t;

/* Makes the folder, finds the ports, adds the settings (before the user's own, which win) and the
 * log folder to options. PL_UNAVAILABLE: no folder or no port, having said why. self must live as
 * long as options. */
pl_err_t place_make(place_t *self, options_t *options);

/* The folder's file of that name. Returns out. */
char *place_file(const place_t *self, const char *name, char *out, size_t out_bytes);

/* Removes the folder with all that is in it. */
void place_remove(const place_t *self);

/* name as it is, or in the source tree this program was built in; PL_NOT_FOUND: in neither. */
pl_err_t place_find(const char *name, char *out, size_t out_bytes);

#endif
