/* plain.h - a model's sentence without its markup: no stars, headings, tags, links or bullets.
 *
 * Threads: none. Pure.
 */
#ifndef PL_SPEECH_PLAIN_H
#define PL_SPEECH_PLAIN_H

#include <stddef.h>

/* malloc'd, never NULL. *map_out (may be NULL) is malloc'd, too: for each byte of the result, how
 * many bytes of text are said with it. */
char *plain_text(const char *text, size_t **map_out);

#endif
