/* menu.h - the language menu: what it says, and what a caller's words or keys choose.
 *
 * A call may have more than nine languages: then a key may be the first of two, and is taken alone
 * when no other follows (menu_key).
 *
 * Threads: none; values only.
 */
#ifndef DIALOGUE_MENU_H
#define DIALOGUE_MENU_H

#include <stdbool.h>

#include "call.pb-c.h"
#include "services/dialogue/prompts.h"

/* Is the caller of a fresh call to be asked for their language? */
bool menu_wanted(const Pl__CallRecord *record);

/* The sentence that offers the language of that index, in that language where there is wording in
 * it, else in the call's default. Returns the short code of the language to say it in; borrowed. */
const char *menu_sentence(const prompts_t *prompts, const Pl__Initiate *initiate, size_t index,
                          char *out, size_t bytes);

enum { MENU_WRONG = -1, MENU_OPEN = -2 };
/* What number has been keyed, in digits: an index; MENU_OPEN: another digit may follow; MENU_WRONG. */
int menu_key(const Pl__Initiate *initiate, const char *digits);
/* The same when no other follows. */
int menu_key_alone(const Pl__Initiate *initiate, const char *digits);

#endif
