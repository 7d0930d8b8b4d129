/* script_claim.c - a caller who comes with another subject: consent, and a claim that begins anew. */
#include <stdio.h>
#include <string.h>

#include "services/dialogue/managers/script_internal.h"

void begin_anew(script_t *s)
{
    memset(&s->at, 0, sizeof s->at);
    s->at.pending = s->at.last_set = NO_FIELD;
    s->before = s->at;
    s->heard[0] = '\0';
}

/* The claim is another one since the script last looked. */
bool notice_claim(script_t *s)
{
    if (strcmp(s->call_id, s->record->call_id) == 0) return false;
    bool other = s->call_id[0] != '\0';
    snprintf(s->call_id, sizeof s->call_id, "%s", s->record->call_id);
    if (other) begin_anew(s);
    return other;
}

bool wants_new_claim(script_t *s, const words_t *w)
{
    static const char *const phrases[] = {
        "another problem",   "another issue",    "another claim",
        "another case",      "another request",  "another matter",
        "another subject",   "another incident", "a new problem",
        "a new issue",       "a new claim",      "a new case",
        "different problem", "different issue",  "something different",
        "second problem",    "one more problem", "one more issue",
        "other problem",     "other issue",      NULL};
    if (s->at.mode != MODE_CLOSING || w->count > 16 || !words_has_any(w, phrases)) return false;
    s->at.mode = MODE_NEW_CLAIM;
    say_prompt(s, PROMPT_NEW_CLAIM_CONSENT, "", "");
    return true;
}

void in_new_claim(script_t *s, polarity_t polarity)
{
    if (polarity == POLARITY_YES) {
        tool(s, "new_claim", cJSON_CreateObject());
        return;
    }
    s->at.mode = MODE_CLOSING;
    say_prompt(s, polarity == POLARITY_NO ? PROMPT_GO_ON : PROMPT_NOTED, "", "");
    say_prompt(s, PROMPT_ANYTHING_ELSE, "", "");
}

void after_new_claim(script_t *s)
{
    if (notice_claim(s)) {
        say_prompt(s, PROMPT_NEW_CLAIM, "", "");
        go_on(s);
        return;
    }
    s->at.mode = MODE_CLOSING;
    say_prompt(s, PROMPT_NO_NEW_CLAIM, "", "");
    say_prompt(s, PROMPT_ANYTHING_ELSE, "", "");
}
