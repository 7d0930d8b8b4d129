/* script.c - the form-filling dialogue manager: asks for the claim's fields, no model needed. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/dialogue/managers/script_internal.h"
#include "services/dialogue/tools.h"

static void *script_open(const manager_opts_t *opts, const manager_sink_t *sink, const char *seed)
{
    script_t *s = calloc(1, sizeof *s);
    assert(s);
    s->opts = *opts;
    s->sink = *sink;
    begin_anew(s);
    for (const char *p = seed; *p; p++) s->seed = s->seed * 33 + (unsigned char)*p;
    return s;
}

static void script_close(void **self)
{
    free(*self);
    *self = NULL;
}

void tool(script_t *s, const char *name, cJSON *arguments)
{
    char id[32];
    char *json = cJSON_PrintUnformatted(arguments);
    assert(json);
    uint32_t called = tools_called(s->record);
    if (s->tools < called) s->tools = called; /* also by others, before us */
    snprintf(id, sizeof id, "script-%u", ++s->tools);
    s->waits_for_claim = strcmp(name, "new_claim") == 0;
    if (s->waits_for_claim || strcmp(name, "search_document") == 0) {
        snprintf(s->waiting, sizeof s->waiting, "%s", id);
    }
    s->sink.tool(s->sink.arg, s->thought, id, name, json);
    cJSON_free(json);
    cJSON_Delete(arguments);
}

/* The next question, or the summary when there is none. */
void go_on(script_t *s)
{
    s->at.answered = false;
    int field = next_field(s);
    s->at.digits[0] = '\0';
    if (field != NO_FIELD) {
        if (field != s->at.pending) s->at.fails = 0;
        s->at.pending = field;
        s->at.mode = MODE_ASK;
        say_question(s, field);
        return;
    }
    s->at.pending = NO_FIELD;
    s->at.fails = 0;
    s->at.mode = MODE_CLOSING;
    if (s->at.summed_up) {
        say_prompt(s, PROMPT_ANYTHING_ELSE, "", "");
    } else {
        s->at.summed_up = true;
        say_recap(s);
    }
}

/* Where "help the customer with" ends; WORDS_NONE when the words are not so. */
static size_t after_help(const words_t *w)
{
    if (!words_in(w, 0, "help assist")) return WORDS_NONE;
    size_t i = words_in(w, 1, "the our a") ? 2 : 1;
    bool person = words_in(w, i, "customer customers caller callers user users client clients");
    return person && words_is(w, i + 1, "with") ? i + 2 : WORDS_NONE;
}

/* The words from i on as they were written, so that "IT" stays "IT". */
static void write_words(const char *source, const words_t *w, size_t i, char *out, size_t bytes)
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t k = i; k < w->count && n < bytes; k++) {
        const word_t *word = &w->at[k];
        const char *said = word->changed ? word->text : source + word->from;
        int len = word->changed ? (int)strlen(word->text) : word->to - word->from;
        n += (size_t)snprintf(out + n, bytes - n, "%s%.*s", k > i ? " " : "", len, said);
    }
}

/* "Help the customer with their digital workplace" -> "your digital workplace". False when the
 * task cannot be said to the caller like that. */
static bool purpose(const char *task, char *out, size_t bytes)
{
    words_t w;
    char sentence[256];
    size_t n = strcspn(task, ".;:\n");
    if (n == 0 || n >= sizeof sentence) return false;
    snprintf(sentence, sizeof sentence, "%.*s", (int)n, task);
    words_split(&w, sentence);
    size_t from = after_help(&w);
    if (from == WORDS_NONE || from >= w.count || w.count - from > 8) return false;
    for (size_t k = from; k < w.count; k++) {
        if (words_in(&w, k, "them him they assistant")) return false;
        if (words_in(&w, k, "their his her")) words_set(&w, k, "your");
    }
    write_words(sentence, &w, from, out, bytes);
    return true;
}

static void open_conversation(script_t *s)
{
    char about[256];
    s->at = (script_state_t){.pending = NO_FIELD, .last_set = NO_FIELD};
    say_prompt(s, PROMPT_HELLO, "", "");
    if (strncmp(s->record->initiate->lang_default, "en", 2) == 0 &&
        purpose(s->record->initiate->task, about, sizeof about)) {
        say_prompt(s, PROMPT_PURPOSE_TASK, "", about);
    } else if (next_field(s) != NO_FIELD) {
        say_prompt(s, PROMPT_PURPOSE, "", "");
    }
    if (next_field(s) == NO_FIELD) {
        s->at.mode = MODE_CLOSING;
        s->at.summed_up = true;
        say_prompt(s, PROMPT_HELP, "", "");
        return;
    }
    go_on(s);
}

/* The caller has rung back: what we know, in a sentence, and on with what is missing. Where nothing
 * is, the whole summary comes by itself. */
static void welcome_back(script_t *s)
{
    say_prompt(s, PROMPT_HELLO, "", "");
    say_prompt(s, PROMPT_WELCOME_BACK, "", "");
    if (next_field(s) != NO_FIELD) say_so_far(s);
    go_on(s);
}

static void finish(script_t *s)
{
    expect_answer(s);
    s->sink.done(s->sink.arg, s->thought, PL_OK);
}

static void script_think(void *self, const think_t *think)
{
    script_t *s = self;
    s->thought = think->number;
    s->record = think->record;
    s->now = think->now;
    s->waiting[0] = '\0';
    s->seed++;
    (void)notice_claim(s);
    switch (think->kind) {
    case THINK_OPENING:
        open_conversation(s);
        break;
    case THINK_RESUMED:
        welcome_back(s);
        break;
    case THINK_TRANSFER_FAILED:
        say_prompt(s, PROMPT_TRANSFER_FAILED, "", "");
        if (think->takes_over) {
            go_on(s);
            break;
        }
        s->at.mode = s->at.back;
        say_current(s);
        break;
    case THINK_ADOPTED:
        s->at = (script_state_t){.pending = NO_FIELD, .last_set = NO_FIELD};
        say_prompt(s, PROMPT_LINE_BACK, "", "");
        go_on(s);
        break;
    case THINK_UTTERANCE:
        if (think->takes_over) {
            pick_up(s, think->text);
        } else {
            reply(s, think->text, think->unheard);
        }
        break;
    }
    if (!s->waiting[0]) finish(s);
    s->record = NULL;
}

static void answer_from(script_t *s, const char *content)
{
    char text[SAY_BYTES];
    cJSON *list = cJSON_Parse(content);
    const cJSON *best = cJSON_GetArrayItem(list, 0);
    const cJSON *score = cJSON_GetObjectItemCaseSensitive(best, "score");
    const cJSON *passage = cJSON_GetObjectItemCaseSensitive(best, "content");
    bool good = cJSON_IsNumber(score) && score->valuedouble >= s->opts.answer_score &&
                cJSON_IsString(passage) &&
                pick_answer(passage->valuestring, s->question, text, sizeof text);
    if (good) {
        say(s, text);
    } else {
        say_prompt(s, PROMPT_NO_ANSWER, "", "");
    }
    s->at.answered = good;
    cJSON_Delete(list);
    if (s->at.mode == MODE_CLOSING) {
        say_prompt(s, PROMPT_ANYTHING_ELSE, "", "");
    } else {
        say_current(s);
    }
}

static void script_tool_result(void *self, const tool_result_t *result)
{
    script_t *s = self;
    if (!s->waiting[0] || strcmp(s->waiting, result->tool_id) != 0) return;
    s->waiting[0] = '\0';
    s->record = result->record;
    if (s->waits_for_claim) {
        after_new_claim(s);
    } else {
        answer_from(s, result->content);
    }
    finish(s);
    s->record = NULL;
}

static void script_cancel(void *self)
{
    script_t *s = self;
    s->waiting[0] = '\0';
}

const manager_t manager_script = {
    .name = "script",
    .open = script_open,
    .think = script_think,
    .tool_result = script_tool_result,
    .cancel = script_cancel,
    .close = script_close,
};
