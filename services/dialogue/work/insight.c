#include "services/dialogue/work/insight.h"

#include "services/dialogue/postcall.h"

static void synthesis_by_rule(work_t *work)
{
    Pl__Synthesis *synthesis = postcall_synthesis(work_record(work));
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    Pl__CallChange *changes[] = {&change};
    change.change_case = PL__CALL_CHANGE__CHANGE_SYNTHESIS;
    change.synthesis = synthesis;
    work_done(&work, &(work_result_t){.changes = changes, .n_changes = 1});
    pl__synthesis__free_unpacked(synthesis, NULL);
}

static void next_by_rule(work_t *work)
{
    Pl__Next *next = postcall_next(work_record(work));
    Pl__CallChange change = PL__CALL_CHANGE__INIT;
    Pl__CallChange *changes[] = {&change};
    change.change_case = PL__CALL_CHANGE__CHANGE_NEXT;
    change.next = next;
    work_done(&work, &(work_result_t){.changes = changes, .n_changes = 1});
    pl__next__free_unpacked(next, NULL);
}

static void nothing_to_stop(work_t *work)
{
    (void)work;
}

const work_kind_t work_synthesis = {"synthesis", true, synthesis_by_rule, nothing_to_stop};
const work_kind_t work_next = {"next", true, next_by_rule, nothing_to_stop};
