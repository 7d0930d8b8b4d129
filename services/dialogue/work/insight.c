#include "services/dialogue/work/insight.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "services/dialogue/postcall.h"
#include "services/dialogue/work/brief.h"
#include "services/dialogue/work/insight_json.h"
#include "services/dialogue/work/question.h"

typedef struct {
    question_t *question;
    draft_t system;
} insight_t;

static bool is_synthesis(const work_t *work)
{
    return strcmp(work_job(work)->kind, work_synthesis.name) == 0;
}

static void free_insight(work_t *work)
{
    insight_t *self = work_kept(work);
    if (!self) return;
    question_free(&self->question);
    draft_free(&self->system);
    free(self);
    work_keep(work, NULL);
}

/* ---- by rule ---- */

/* The change that the rules make of the record; to be freed with free_change. */
static void change_by_rule(const work_t *work, Pl__CallChange *change)
{
    *change = (Pl__CallChange)PL__CALL_CHANGE__INIT;
    if (is_synthesis(work)) {
        change->change_case = PL__CALL_CHANGE__CHANGE_SYNTHESIS;
        change->synthesis = postcall_synthesis(work_record(work));
    } else {
        change->change_case = PL__CALL_CHANGE__CHANGE_NEXT;
        change->next = postcall_next(work_record(work));
    }
}

static void free_change(Pl__CallChange *change)
{
    if (change->change_case == PL__CALL_CHANGE__CHANGE_SYNTHESIS)
        pl__synthesis__free_unpacked(change->synthesis, NULL);
    else
        pl__next__free_unpacked(change->next, NULL);
}

static void done_by_rule(work_t *work)
{
    Pl__CallChange change;
    Pl__CallChange *changes[] = {&change};
    change_by_rule(work, &change);
    work_done(&work, &(work_result_t){.changes = changes, .n_changes = 1});
    free_change(&change);
}

/* No answer this time, or never: the rules' result stands, unless it stands already. */
static void not_answered(work_t *work, pl_err_t err, const char *detail)
{
    const Pl__CallRecord *record = work_record(work);
    bool there = is_synthesis(work) ? record->synthesis != NULL : record->next != NULL;
    bool stands = there && work_job(work)->attempts > 1;
    Pl__CallChange change;
    Pl__CallChange *changes[] = {&change};
    change_by_rule(work, &change);
    work_result_t result = {.changes = changes, .n_changes = stands ? 0 : 1};
    if (pl_err_retry(err))
        work_fail(&work, 0, &result, "no model is in reach: %s", detail);
    else
        work_give_up(&work, &result, "the result by rule stands: %s", detail);
    free_change(&change);
}

/* ---- by a model ---- */

static void on_answer(void *arg, pl_err_t err, const cJSON *answer, const char *text,
                      const char *detail)
{
    work_t *work = arg;
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    Pl__CallChange *changes[] = {&change};
    Pl__Synthesis synthesis;
    Pl__Next next;
    (void)text;
    if (err) {
        not_answered(work, err, detail);
        free_insight(work);
        return;
    }
    if (is_synthesis(work)) {
        insight_synthesis(answer, &synthesis);
        change.change_case = PL__CALL_CHANGE__CHANGE_SYNTHESIS;
        change.synthesis = &synthesis;
    } else {
        insight_next(answer, &next);
        change.change_case = PL__CALL_CHANGE__CHANGE_NEXT;
        change.next = &next;
    }
    work_t *ended = work;
    work_done(&ended, &(work_result_t){.changes = changes, .n_changes = 1});
    free_insight(work);
}

static void begin(work_t *work)
{
    const workshop_t *shop = work_shop(work);
    if (!shop->llm) {
        done_by_rule(work);
        return;
    }
    insight_t *self = calloc(1, sizeof *self);
    assert(self);
    work_keep(work, self);
    bool synthesis = is_synthesis(work);
    const char *schema = synthesis ? insight_synthesis_schema : insight_next_schema;
    brief_write(work_record(work), shop->instructions,
                synthesis ? INSTRUCTION_SYNTHESIS_SYSTEM : INSTRUCTION_NEXT_SYSTEM, schema,
                llm_context_tokens(shop->llm, LLM_SLOW), &self->system);
    question_opts_t opts = {
        .system = draft_text(&self->system),
        .name = work_job(work)->kind,
        .schema = schema,
        .check = synthesis ? insight_synthesis_check : insight_next_check,
    };
    self->question = question_new(shop->llm, &opts, on_answer, work);
}

const work_kind_t work_synthesis = {"synthesis", true, begin, free_insight};
const work_kind_t work_next = {"next", true, begin, free_insight};
