/* sphinx_models.h - the narrow language models of the embedded recogniser, one for each kind of
 * answer, as files PocketSphinx can read.
 *
 * They are estimated once a process from what callers are expected to say (phrases.h), with the
 * pronunciations of those words taken from the full dictionary, and live in memory files.
 * Threads: any.
 */
#ifndef PL_SPEECH_SPHINX_MODELS_H
#define PL_SPEECH_SPHINX_MODELS_H

#include "common/err.h"

enum { SPHINX_MODELS = 5, SPHINX_MODEL_PATH_BYTES = 32 };

typedef struct {
    char dict[SPHINX_MODEL_PATH_BYTES];
    char lm[SPHINX_MODELS][SPHINX_MODEL_PATH_BYTES]; /* by Pl__Expect */
} sphinx_models_t;

/* Borrowed, for good. NULL: the dictionary cannot be read, or there is no memory file; logged. */
const sphinx_models_t *sphinx_models(const char *full_dict);

#endif
