/* llm_guess.c - an answer begun on a transcript that is not final yet. It is kept to itself until the
 * final text comes, and thrown away when that, or anything else of the request, is another. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "services/dialogue/managers/llm_internal.h"
#include "services/dialogue/model/same.h"

enum { LETTERS_LEAST = 2 };

void talk_guess_drop(talk_t *t)
{
    stream_destroy(&t->guess);
    free(t->guess_last);
    t->guess_last = NULL;
}

/* t->now, zone and passages are what they will be. */
void talk_guess(talk_t *t, const char *heard)
{
    ask_t ask = {.heard = heard};
    if (same_count(heard) < LETTERS_LEAST) return;
    t->without_tools = false;
    thread_t *thread = talk_thread(t, &ask, NULL);
    bool same = t->guess && thread_hash(thread) == t->guess_hash &&
                same_words(t->guess_last, thread_last(thread));
    if (!same) {
        talk_guess_drop(t);
        t->guess_hash = thread_hash(thread);
        t->guess_last = strdup(thread_last(thread));
        assert(t->guess_last);
        meter_add(METER_GUESSES);
        meter_add(METER_PASSES);
        t->guess = talk_ask(t, thread, &ask, NULL);
    }
    thread_destroy(&thread);
}

bool talk_guess_take(talk_t *t, const thread_t *thread)
{
    bool right = t->guess && !stream_error(t->guess) && !t->barred &&
                 thread_hash(thread) == t->guess_hash &&
                 same_words(t->guess_last, thread_last(thread));
    if (right) {
        t->stream = t->guess;
        t->guess = NULL;
        meter_add(METER_GUESSED);
    }
    talk_guess_drop(t);
    return right;
}
