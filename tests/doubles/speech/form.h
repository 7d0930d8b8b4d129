/* form.h - the parts of a multipart/form-data body.
 *
 * Threads: none; pure. Source: RFC 7578, RFC 2046.
 */
#ifndef DOUBLE_FORM_H
#define DOUBLE_FORM_H

#include <stdbool.h>
#include <stddef.h>

enum { FORM_PARTS_MAX = 16, FORM_NAME_BYTES = 64 };

typedef struct {
    char name[FORM_NAME_BYTES];
    bool is_file; /* it has a filename */
    const char *bytes;
    size_t size;
} form_part_t;

typedef struct {
    form_part_t parts[FORM_PARTS_MAX];
    size_t count;
} form_t;

/* False: it is none. Borrows the body. */
bool form_read(form_t *out, const char *content_type, const char *body, size_t bytes);
const form_part_t *form_find(const form_t *self, const char *name); /* NULL: none */

#endif
