/* llm_turn.c - one answer: requests to the model, sentences to the caller, tools in between, and an end
 * whatever happens. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "services/dialogue/managers/llm_internal.h"
#include "services/dialogue/model/expectation.h"
#include "services/dialogue/model/same.h"
#include "services/dialogue/tools.h"

static void next_pass(talk_t *t, const ask_t *ask, sentences_t *rest);

/* ---- speaking ---- */

static void count_first(talk_t *t, answered_t by)
{
    if (t->counted) return;
    t->counted = true;
    meter_first(by, t->opts.now_us() - t->began_us);
}

void talk_say(talk_t *t, const char *text, Pl__Style style, answered_t by)
{
    t->sink.sentence(t->sink.arg, t->thought, text, style);
    count_first(t, by);
    t->spoke = true;
    if (t->said.len) draft_add(&t->said, " ");
    draft_add(&t->said, text);
    draft_addf(&t->lines, "%s\n", text);
    draft_clear(&t->last);
    draft_add(&t->last, text);
}

void talk_say_prompt(talk_t *t, prompt_t id, answered_t by)
{
    char text[PROMPT_BYTES];
    const Pl__CallRecord *record = t->sink.record(t->sink.arg);
    const char *const values[] = {"bot_name", record->initiate->bot_name, "bot_company",
                                  record->initiate->bot_company, NULL};
    prompts_say(t->opts.prompts, talk_lang(t), id, t->thought, values, text, sizeof text);
    talk_say(t, text, PL__STYLE__NONE, by);
}

/* Models begin anew what they were asked to go on with. */
static bool said_before(const talk_t *t, const char *text)
{
    if (t->pass < 2) return false;
    char *lines = strdup(draft_text(&t->lines));
    char *save = NULL;
    bool found = false;
    assert(lines);
    for (char *line = strtok_r(lines, "\n", &save); line && !found;
         line = strtok_r(NULL, "\n", &save)) {
        found = same_words(line, text);
    }
    free(lines);
    return found;
}

/* What beginning early has saved: the wait for the first sentence, as far as it was over when the final
 * text came. */
static void note_saved(talk_t *t)
{
    uint64_t asked_us = stream_asked_us(t->stream);
    uint64_t first_us = stream_first_us(t->stream);
    uint64_t early_us = t->began_us > asked_us ? t->began_us - asked_us : 0;
    uint64_t took_us = first_us > asked_us ? first_us - asked_us : 0;
    uint64_t saved_us = early_us < took_us ? early_us : took_us;
    meter_saved(saved_us);
    t->sink.saved(t->sink.arg, t->thought, (uint32_t)((saved_us + 500) / 1000));
}

static void hand_over(talk_t *t)
{
    const char *text = NULL;
    Pl__Style style = PL__STYLE__NONE;
    while ((text = stream_sentence(t->stream, &style))) {
        bool first = !t->counted;
        t->pass_spoke = true;
        if (said_before(t, text)) continue;
        talk_say(t, text, style, t->guessed ? ANSWERED_SPECULATED : ANSWERED_MODEL);
        if (first && t->guessed) note_saved(t);
    }
}

/* ---- the end ---- */

void talk_drop(talk_t *t)
{
    stream_destroy(&t->stream);
    t->n_waiting = 0;
    t->thinking = false;
    draft_free(&t->said);
    draft_free(&t->lines);
    free(t->passages);
    t->passages = NULL;
}

void talk_finish(talk_t *t, pl_err_t err)
{
    const char *lang = talk_lang(t);
    uint32_t thought = t->thought;
    Pl__Expect expect = expectation_of(draft_text(&t->last), lang);
    bool leaving = t->leaving;
    talk_drop(t);
    draft_free(&t->last);
    if (err) count_first(t, ANSWERED_PROMPT);
    t->sink.expect(t->sink.arg, thought, expect);
    t->sink.done(t->sink.arg, thought, err);
    if (!leaving) talk_summarise(t);
}

/* A content filter: the caller hears that we do not go into it, and models are not shown it again. */
static void filtered(talk_t *t)
{
    const Pl__CallRecord *record = t->sink.record(t->sink.arg);
    meter_add(METER_FILTERED);
    log_warn("call.filtered", "call=%s message=%u", record->call_id, t->message);
    if (t->message) t->sink.unsafe(t->sink.arg, t->thought, t->message);
    if (!t->pass_spoke) t->refused++;
    /* It was not (only) what the caller said: what came before is left out, too. */
    if (t->refused >= 2) t->floor = t->message;
    talk_say_prompt(t, PROMPT_FILTERED, ANSWERED_FILTERED);
    talk_finish(t, PL_OK);
}

/* The model gave up, or its server. */
static void failed(talk_t *t, pl_err_t err)
{
    bool again = t->pass < PASSES_MAX;
    bool broken = t->pass_spoke;
    if (broken) meter_add(METER_BROKEN);
    if (err == PL_INVALID && !t->without_tools && again) {
        t->without_tools = true; /* maybe it was one of the tools that the server did not like */
        next_pass(t, &(ask_t){.carry_on = true}, NULL);
    } else if (broken && !t->was_broken && again) {
        t->was_broken = true;
        next_pass(t, &(ask_t){.carry_on = true}, NULL);
    } else if (broken || t->was_broken) {
        talk_finish(t, err);
    } else {
        stream_destroy(&t->stream);
        t->n_waiting = 0;
        talk_script_begin(t);
    }
}

static void nothing_said(talk_t *t)
{
    meter_add(METER_EMPTY);
    if (!t->was_empty && t->pass < PASSES_MAX) {
        t->was_empty = true;
        next_pass(t, &(ask_t){0}, NULL);
        return;
    }
    talk_finish(t, t->spoke ? PL_OK : PL_INVALID);
}

/* ---- tools ---- */

static bool ends_call(const char *name)
{
    const tool_t *tool = tool_find(name);
    return tool && (tool->kind == TOOL_END_CALL || tool->kind == TOOL_TALK_TO_HUMAN);
}

/* Calls are run in the model's order, under ids of our own: not all servers make unique ones. */
static void run_tools(talk_t *t)
{
    size_t count = 0;
    bool leaves = false;
    const llm_tool_call_t *calls = stream_calls(t->stream, &count);
    uint32_t called = tools_called(t->sink.record(t->sink.arg));
    if (t->ids < called) t->ids = called; /* of the call before it was taken up again, too */
    t->n_waiting = 0;
    for (size_t i = 0; i < count; i++) {
        snprintf(t->waiting[t->n_waiting++], ID_BYTES, "call-%u-%u", t->thought, ++t->ids);
    }
    for (size_t i = 0; i < count; i++) {
        char id[ID_BYTES];
        snprintf(id, sizeof id, "%s", t->waiting[i]);
        leaves = leaves || ends_call(calls[i].name);
        /* Its sentence for the caller is said by the call, when the tool has done its work. */
        t->sink.tool(t->sink.arg, t->thought, id, calls[i].name, calls[i].arguments);
        if (!strstr(calls[i].arguments, TOOL_RESPONSE)) continue;
        t->spoke = true;
        count_first(t, t->guessed ? ANSWERED_SPECULATED : ANSWERED_MODEL);
    }
    if (!leaves) { /* what was said is spoken now, and the caller waits for the rest */
        t->sink.part(t->sink.arg, t->thought);
        draft_clear(&t->said);
    }
}

static void results_are_there(talk_t *t)
{
    if (t->leaving) {
        talk_finish(t, PL_OK);
        return;
    }
    t->sink.part(t->sink.arg, t->thought);
    draft_clear(&t->said);
    /* What opened a new claim is in its history, unless a filter refused it. */
    const char *heard = t->moved && !t->message ? t->text : NULL;
    next_pass(t, &(ask_t){.heard = heard, .moved = t->moved}, NULL);
}

void talk_result(talk_t *t, const tool_result_t *result)
{
    size_t i = 0;
    while (i < t->n_waiting && strcmp(t->waiting[i], result->tool_id) != 0) i++;
    if (i == t->n_waiting) return; /* of a thought that was given up */
    if (i != --t->n_waiting) memcpy(t->waiting[i], t->waiting[t->n_waiting], ID_BYTES);
    if (result->leaving) t->leaving = true;
    if (talk_notice_call(t, result->record)) {
        t->moved = true;
        const Pl__Message *said = call_newest_utterance(result->record);
        t->message = said ? said->number : 0;
    }
    if (t->n_waiting == 0) results_are_there(t);
}

/* ---- passes ---- */

static void pass_ended(talk_t *t)
{
    size_t count = 0;
    pl_err_t err = stream_error(t->stream);
    llm_finish_t finish = stream_finish(t->stream);
    (void)stream_calls(t->stream, &count);
    if (t->pass == PASSES_MAX)
        count = 0; /* none was offered, and nobody would tell of the result */
    bool goes_on = !err && finish == LLM_LENGTH && !count && t->pass < PASSES_MAX;
    if (!goes_on && !err) { /* what is no whole sentence is said all the same */
        stream_end_text(t->stream);
        hand_over(t);
    }
    if (err) {
        failed(t, err);
    } else if (finish == LLM_FILTERED) {
        filtered(t);
    } else if (count) {
        t->refused = 0;
        run_tools(t);
    } else if (goes_on && !stream_silent(t->stream)) {
        next_pass(t, &(ask_t){.carry_on = true}, stream_take_rest(t->stream));
    } else if (!t->pass_spoke) {
        nothing_said(t);
    } else {
        t->refused = 0;
        talk_finish(t, PL_OK);
    }
}

/* Of a guess nothing is done before it is taken. */
void talk_changed(void *arg)
{
    talk_t *t = arg;
    if (!t->stream) return;
    hand_over(t);
    if (stream_ended(t->stream)) pass_ended(t);
    t->sink.flush(t->sink.arg);
}

/* Takes rest. */
static void next_pass(talk_t *t, const ask_t *ask, sentences_t *rest)
{
    ask_t full = *ask;
    stream_t *former = t->stream;
    t->stream = NULL;
    full.barred = t->barred;
    t->pass++;
    t->pass_spoke = false;
    if (t->pass == PASSES_MAX) t->without_tools = true;
    thread_t *thread = talk_thread(t, &full, rest);
    t->guessed = t->pass == 1 && talk_guess_take(t, thread);
    if (!t->guessed) {
        meter_add(METER_PASSES);
        t->stream = talk_ask(t, thread, &full, rest);
    }
    thread_destroy(&thread);
    stream_destroy(&former);
}

void talk_begin(talk_t *t, const ask_t *ask)
{
    t->pass = 0;
    t->barred = ask->barred;
    t->without_tools = t->was_empty = t->was_broken = false;
    next_pass(t, ask, NULL);
    if (!t->guessed) return;
    hand_over(t); /* what has come already */
    if (stream_ended(t->stream)) pass_ended(t);
}
