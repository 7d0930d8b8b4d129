#include "services/dialogue/work/report.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"
#include "services/dialogue/model/markdown.h"
#include "services/dialogue/model/style.h"
#include "services/dialogue/nlu/phone.h"
#include "services/dialogue/postcall.h"
#include "services/dialogue/value.h"
#include "services/dialogue/work/brief.h"
#include "services/dialogue/work/notices.h"
#include "services/dialogue/work/question.h"
#include "services/dialogue/work/texting.h"

enum { KEY_BYTES = 200, JOB_KEY_BYTES = 160, MODEL_ATTEMPTS = 4 };
static const char stated_prefix[] = "sms_report_stated/";

typedef struct {
    question_t *question;
    draft_t system;
    texting_t *texting;
} report_t;

static void free_report(work_t *work)
{
    report_t *self = work_kept(work);
    if (!self) return;
    question_free(&self->question);
    draft_free(&self->system);
    texting_free(&self->texting);
    free(self);
    work_keep(work, NULL);
}

/* ---- to whom ---- */

/* The second message is a job of its own, so that each is sent once. */
static bool is_for_stated(const work_t *work)
{
    return strncmp(work_job(work)->key, stated_prefix, sizeof stated_prefix - 1) == 0;
}

/* NULL: nobody. */
static const char *stated_number(const Pl__CallRecord *record)
{
    const Pl__ClaimValue *value = pl_record_claim(record, "policyholder_phone");
    bool other =
        value && phone_valid(value->value) && strcmp(value->value, pl_record_caller(record)) != 0;
    return other ? value->value : NULL;
}

static const char *receiver(const work_t *work)
{
    const Pl__CallRecord *record = work_record(work);
    if (is_for_stated(work)) return stated_number(record);
    const char *caller = pl_record_caller(record);
    return phone_valid(caller) ? caller : NULL;
}

/* ---- the end ---- */

static void end_report(work_t *work, const Pl__CallChange *change)
{
    const Pl__CallRecord *record = work_record(work);
    char key[JOB_KEY_BYTES];
    Pl__JobSpec follow = PL__JOB_SPEC__INIT;
    Pl__JobSpec *jobs[] = {&follow};
    Pl__CallChange *changes[] = {(Pl__CallChange *)change};
    work_result_t result = {.changes = changes, .n_changes = change ? 1 : 0};
    bool second = work_shop(work)->sms_to_stated && !is_for_stated(work) && stated_number(record);
    if (second) {
        (void)snprintf(key, sizeof key, "%s%.64s", stated_prefix, record->call_id);
        follow.key = key;
        follow.kind = "sms_report";
        follow.payload = work_job(work)->payload;
        follow.max_attempts = POSTCALL_ATTEMPTS;
        follow.mode = PL__JOB_MODE__JOB_REPLACE;
        result.jobs = jobs;
        result.n_jobs = 1;
    }
    work_done(&work, &result);
}

static void on_sent(work_t *work, const texting_end_t *end)
{
    Pl__CallChange change;
    Pl__Message message;
    if (end->err || end->unknown) {
        work_t *failed = work;
        texting_not_sent(&failed, end, NULL);
    } else {
        texting_message(&change, &message, end->text, notices_lang(work_record(work)));
        end_report(work, &change);
    }
    free_report(work);
}

/* ---- the text ---- */

static char *by_rule(const work_t *work)
{
    const Pl__CallRecord *record = work_record(work);
    const char *lang = notices_lang(record);
    char facts[NOTICE_FACTS_BYTES];
    draft_t text = {0};
    const char *values[] = {
        "facts",       notices_facts(record, lang, facts), "bot_name", record->initiate->bot_name,
        "bot_company", record->initiate->bot_company,      NULL};
    notices_fill(work_shop(work)->notices, facts[0] ? NOTICE_REPORT : NOTICE_REPORT_EMPTY, lang,
                 values, &text);
    return draft_take(&text);
}

static void send(work_t *work, const char *text)
{
    report_t *self = work_kept(work);
    char key[KEY_BYTES];
    const ProtobufCBinaryData *payload = &work_job(work)->payload;
    /* Another end of the same call is another message. */
    (void)snprintf(key, sizeof key, "%.120s/%.*s", work_job(work)->key,
                   (int)(payload->len < 64 ? payload->len : 64), (const char *)payload->data);
    self->texting = texting_new(work, receiver(work), text, key, on_sent);
}

/* A model's text as a phone shows it: no Markdown, no style, one line a paragraph. */
static char *plain(const char *text)
{
    markdown_t state = {0};
    draft_t raw = {0};
    draft_t out = {0};
    Pl__Style style = PL__STYLE__NONE;
    Pl__Style after = PL__STYLE__NONE;
    (void)markdown_read(&state, text, strlen(text), true, &raw);
    char *words = draft_take(&raw);
    style_take(words, &style, &after);
    for (const char *p = words + strspn(words, " \t\n\v"); *p;) {
        size_t n = strcspn(p, "\n\v");
        size_t gap = strspn(p + n, " \t\n\v");
        draft_add_n(&out, p, n);
        if (p[n + gap]) draft_add(&out, "\n");
        p += n + gap;
    }
    free(words);
    char cut[NOTICE_BYTES_MAX + 1];
    draft_t kept = {0};
    draft_add(&kept, value_copy(cut, sizeof cut, draft_text(&out)));
    draft_free(&out);
    return draft_take(&kept);
}

static void send_by_rule(work_t *work)
{
    char *text = by_rule(work);
    send(work, text);
    free(text);
}

/* While no model is in reach the job waits for one, but not for ever: the customer does, too. */
static void on_text(void *arg, pl_err_t err, const cJSON *answer, const char *text,
                    const char *detail)
{
    work_t *work = arg;
    report_t *self = work_kept(work);
    (void)answer;
    if (err && pl_err_retry(err) && work_job(work)->attempts < MODEL_ATTEMPTS) {
        work_t *failed = work;
        work_fail(&failed, 0, NULL, "no model is in reach: %s", detail);
        free_report(work);
        return;
    }
    char *words = err ? NULL : plain(text);
    question_free(&self->question);
    if (words && words[0])
        send(work, words);
    else
        send_by_rule(work);
    free(words);
}

static void begin(work_t *work)
{
    const workshop_t *shop = work_shop(work);
    if (!shop->sms_report || !receiver(work)) {
        end_report(work, NULL);
        return;
    }
    report_t *self = calloc(1, sizeof *self);
    assert(self);
    work_keep(work, self);
    if (texting_begun(work)) {
        send(work, "");
        return;
    }
    if (!shop->llm) {
        send_by_rule(work);
        return;
    }
    brief_write(work_record(work), shop->instructions, INSTRUCTION_SMS_SUMMARY_SYSTEM, "",
                llm_context_tokens(shop->llm, LLM_SLOW), &self->system);
    question_opts_t opts = {.system = draft_text(&self->system), .name = "sms"};
    self->question = question_new(shop->llm, &opts, on_text, work);
}

const work_kind_t work_sms_report = {"sms_report", true, begin, free_report};
