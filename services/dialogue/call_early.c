/* call_early.c - what is begun on transcripts that are not final, so that the answer waits for less:
 * passages of the knowledge base are looked for, and the manager may begin to think.
 *
 * A partial transcript that grows asks for a prefetch; one that stands still is taken for the final
 * text: its passages are fetched and the manager is told. With the final text itself the thought
 * begins at once when its passages are there, else it waits for them, for a few milliseconds. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"
#include "services/dialogue/call_internal.h"
#include "services/dialogue/model/same.h"

enum { EARLIER_MAX = 9, FETCH_MS = 1000, KEY_BYTES = 24 };

#define EARLY_KEY "early"

static char *text_copy(const char *text)
{
    char *out = strdup(text);
    assert(out);
    return out;
}

static void set_text(char **at, const char *text)
{
    char *copy = text ? text_copy(text) : NULL;
    free(*at);
    *at = copy;
}

static void drop_found(Pl__SearchResult **found_p)
{
    if (*found_p) pl__search_result__free_unpacked(*found_p, NULL);
    *found_p = NULL;
}

void call_early_clear(call_t *self)
{
    early_t *early = &self->early;
    set_text(&early->text, NULL);
    set_text(&early->found_for, NULL);
    set_text(&early->think_text, NULL);
    drop_found(&early->found);
    drop_found(&self->found);
    early->due_ms = NO_DEADLINE;
    early->waiting = false;
}

uint64_t call_early_due(const call_t *self)
{
    return self->early.text && self->state == CALL_LISTENING ? self->early.due_ms : NO_DEADLINE;
}

/* ---- passages ---- */

/* The talk before the message numbered before (0: all), newest first: it says what a short question is
 * about. */
static size_t earlier_of(const call_t *self, uint32_t before, char *out[EARLIER_MAX])
{
    size_t n = 0;
    for (size_t i = self->record->n_messages; i-- > 0 && n < EARLIER_MAX;) {
        Pl__Message *message = self->record->messages[i];
        bool talk = message->action == PL__ACTION__TALK && message->content[0];
        if (talk && !message->filtered && (!before || message->number < before)) {
            out[n++] = message->content;
        }
    }
    return n;
}

static void write_query(const call_t *self, const char *text, uint32_t before,
                        char *earlier[EARLIER_MAX], Pl__SearchQuery *out)
{
    pl__search_query__init(out);
    out->text = (char *)text;
    out->lang = (char *)call_lang(self);
    out->strictness = -1; /* the configuration's */
    out->n_earlier = earlier_of(self, before, earlier);
    out->earlier = earlier;
}

static void prefetch(const call_t *self, const char *text, effects_t *fx)
{
    char *earlier[EARLIER_MAX];
    Pl__SearchQuery query;
    Pl__SearchPrefetch body = PL__SEARCH_PREFETCH__INIT;
    Pl__Envelope env;
    write_query(self, text, 0, earlier, &query);
    call_envelope(self, &env);
    body.query = &query;
    env.body_case = PL__ENVELOPE__BODY_SEARCH_PREFETCH;
    env.search_prefetch = &body;
    (void)fx_event(fx, "rag", &env);
}

static void fetch(const call_t *self, const char *text, uint32_t before, uint32_t wait_ms,
                  const char *key, effects_t *fx)
{
    char *earlier[EARLIER_MAX];
    Pl__SearchQuery query;
    Pl__Envelope env;
    write_query(self, text, before, earlier, &query);
    query.wait_ms = wait_ms;
    call_envelope(self, &env);
    env.body_case = PL__ENVELOPE__BODY_SEARCH_QUERY;
    env.search_query = &query;
    (void)fx_request(fx, "rag", &env, wait_ms, ASKED_PASSAGES, key);
}

static Pl__SearchResult *result_of(pl_err_t err, const Pl__Envelope *env)
{
    bool found = !err && env && env->body_case == PL__ENVELOPE__BODY_SEARCH_RESULT;
    if (!found || !env->search_result->n_passages) return NULL;
    return (Pl__SearchResult *)pl_message_copy(&env->search_result->base);
}

/* ---- transcripts that are not final ---- */

void call_early_partial(call_t *self, call_now_t now, const char *text, effects_t *fx)
{
    early_t *early = &self->early;
    bool wanted = self->settings->speculate || self->settings->knowledge_ms;
    if (!wanted || self->state != CALL_LISTENING || !text[0]) return;
    if (early->text && same_words(early->text, text)) return; /* it stands still */
    set_text(&early->text, text);
    early->due_ms = now.mono_ms + self->settings->early_ms;
    if (self->settings->knowledge_ms) prefetch(self, text, fx);
}

static void tell_manager(const call_t *self, effects_t *fx)
{
    const early_t *early = &self->early;
    if (!self->settings->speculate || self->state != CALL_LISTENING || !early->text) return;
    effect_t *effect = fx_add(fx, FX_PARTIAL);
    effect->text = text_copy(early->text);
    if (early->found && same_words(early->found_for, early->text)) {
        effect->found = (Pl__SearchResult *)pl_message_copy(&early->found->base);
    }
}

void call_early_tick(call_t *self, effects_t *fx)
{
    early_t *early = &self->early;
    early->due_ms = NO_DEADLINE;
    if (!self->settings->knowledge_ms) {
        tell_manager(self, fx);
        return;
    }
    set_text(&early->found_for, early->text);
    drop_found(&early->found);
    early->fetched = false;
    fetch(self, early->text, 0, FETCH_MS, EARLY_KEY, fx);
}

/* ---- the final text ---- */

static void think_now(call_t *self, effects_t *fx)
{
    early_t *early = &self->early;
    early->waiting = false;
    effect_t *effect = fx_add(fx, FX_THINK);
    effect->think_kind = early->think_kind;
    effect->think = self->thought;
    effect->text = early->think_text;
    effect->message = early->think_message;
    effect->unheard = early->think_unheard;
    early->think_text = NULL;
    effect->takes_over = self->takes_over;
    self->takes_over = false;
    if (self->found) effect->found = (Pl__SearchResult *)pl_message_copy(&self->found->base);
}

void call_early_think(call_t *self, think_kind_t kind, const char *text, uint32_t message,
                      effects_t *fx)
{
    early_t *early = &self->early;
    drop_found(&self->found);
    early->think_kind = kind;
    set_text(&early->think_text, text);
    early->think_message = message;
    early->think_unheard = self->unheard;
    bool search = self->settings->knowledge_ms && kind == THINK_UTTERANCE && text[0];
    bool known = search && early->fetched && early->found_for && same_words(early->found_for, text);
    if (known) {
        self->found = early->found;
        early->found = NULL;
    }
    set_text(&early->text, NULL);
    set_text(&early->found_for, NULL);
    drop_found(&early->found);
    if (known || !search) {
        think_now(self, fx);
        return;
    }
    char key[KEY_BYTES];
    snprintf(key, sizeof key, "%u", self->thought);
    early->waiting = true;
    fetch(self, text, message, self->settings->knowledge_ms, key, fx);
}

void call_early_found(call_t *self, const char *key, pl_err_t err, const Pl__Envelope *env,
                      effects_t *fx)
{
    early_t *early = &self->early;
    if (strcmp(key, EARLY_KEY) == 0) {
        if (!early->found_for || early->fetched) return;
        drop_found(&early->found);
        early->found = result_of(err, env);
        early->fetched = true;
        tell_manager(self, fx);
        return;
    }
    char present[KEY_BYTES];
    snprintf(present, sizeof present, "%u", self->thought);
    if (!early->waiting || !self->thinking || strcmp(key, present) != 0) return;
    self->found = result_of(err, env);
    think_now(self, fx);
}
