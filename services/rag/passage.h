/* passage.h - what extraction makes of a document, one piece at a time. */
#ifndef RAG_PASSAGE_H
#define RAG_PASSAGE_H

#include <stddef.h>

enum {
    PASSAGE_CHARS = 1200,      /* of its content, counted as code points */
    PASSAGE_TITLE_BYTES = 240, /* with NUL; longer titles are cut at a character */
    PASSAGE_ID_BYTES = 128,    /* with NUL; longer ids are left out, and one is made */
    PASSAGE_SOURCE_BYTES = 512,
    PASSAGE_DATE_BYTES = 64,
    PASSAGE_DIMENSIONS_MAX = 4096, /* of a vector */
};

/* All text is valid UTF-8. */
typedef struct {
    const char *id;         /* given by the document; NULL: named by what it says and where */
    const char *title;      /* headings above it joined by " > ", or the document's name */
    const char *content;    /* never empty */
    const char *source;     /* where the document says it comes from; NULL: the document itself */
    const char *created_at; /* as the document says; NULL: it does not */
    const float *vector;    /* given by the document; NULL: none */
    size_t dimensions;
} passage_t;

/* passage is borrowed until return. */
typedef void passage_fn(void *arg, const passage_t *passage);

#endif
