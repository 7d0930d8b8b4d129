/* translator.h - whoever carries a translation out: an interface, and its providers.
 *
 * Threads: the loop's. Nothing blocks.
 */
#ifndef DIALOGUE_TRANSLATOR_H
#define DIALOGUE_TRANSLATOR_H

#include "common/err.h"
#include "services/dialogue/llm/llm.h"
#include "services/dialogue/model/instructions.h"

/* text: the translation, borrowed; NULL with an error. */
typedef void translator_done_fn(void *arg, pl_err_t err, const char *text);

typedef struct {
    const char *name; /* as in dialogue.translation.provider */
    /* from and to are short codes. Calls done once, never from within, unless cancelled before.
     * Texts are borrowed until return. Never NULL. */
    void *(*ask)(void *self, const char *from, const char *to, const char *text,
                 translator_done_fn *done, void *arg);
    void (*cancel)(void **asked_p); /* after done the handle is spent */
    void (*close)(void **self_p);
} translator_t;

/* The fast model, asked with prompts.llm.translation_system_tpl. Both are borrowed. */
extern const translator_t translator_llm;
void *translator_llm_new(llm_t *llm, const instructions_t *instructions);

#endif
