/* nlu_fuzz.c - any bytes as what a caller said: libFuzzer's target.
 *
 * What must hold: what is understood as a value passes the check of its type, spans lie within the
 * words, and a whole conversation survives it without an illegal step.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "services/dialogue/nlu/email.h"
#include "services/dialogue/nlu/intent.h"
#include "services/dialogue/nlu/phone.h"
#include "services/dialogue/nlu/text.h"
#include "services/dialogue/nlu/when.h"
#include "services/dialogue/value.h"
#include "tests/unit/dialogue/conversation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds) abort();
}

static void check_values(const char *text)
{
    words_t w;
    char out[VALUE_BYTES];
    const char *reason = NULL;
    size_t used = 0;
    words_split(&w, text);
    require(w.count <= WORDS_MAX);
    when_t when;
    when_opts_t opts = {.now = {2026, 11, 22, 10, 30, 0}, .expected = strlen(text) % 2 == 1};
    if (when_find(&w, &opts, &when)) {
        char iso[CIVIL_ISO_BYTES];
        require(when.from < when.to && when.to <= w.count);
        civil_iso(&when.at, when.has_time, iso);
        require(value_check(PL__CLAIM_TYPE__DATETIME, iso, out, &reason) == PL_OK);
        (void)when_say(&when.at, when.has_time, &opts.now, out, sizeof out);
    }
    phone_t phone;
    if (phone_find(&w, "33", &phone) == PHONE_FOUND) {
        require(phone.from < phone.to && phone.to <= w.count);
        require(phone_valid(phone.number));
        (void)phone_say(phone.number, out, sizeof out);
    }
    email_t email;
    if (email_find(&w, &email)) {
        require(email.from < email.to && email.to <= w.count);
        require(email_valid(email.address));
        (void)email_say(email.address, out, sizeof out);
    }
    for (int kind = TEXT_PLAIN; kind <= TEXT_PERSON; kind++) {
        (void)text_clean(text, &w, (text_kind_t)kind, "building location", out, sizeof out);
        require(strlen(out) < sizeof out);
    }
    (void)intent_of(&w, "en-US");
    (void)intent_of(&w, "fr-FR");
    (void)intent_polarity(&w, "en-US", &used);
    require(used <= w.count);
    require(intent_correction(&w) <= w.count);
    (void)intent_question(&w);
}

/* Each line is an utterance. */
static void check_conversation(char *text)
{
    static const field_t fields[] = {{"what", PL__CLAIM_TYPE__TEXT, ""},
                                     {"building_location", PL__CLAIM_TYPE__TEXT, ""},
                                     {"first_seen", PL__CLAIM_TYPE__DATETIME, ""},
                                     {"phone", PL__CLAIM_TYPE__PHONE_NUMBER, ""},
                                     {"mail", PL__CLAIM_TYPE__EMAIL, ""},
                                     {NULL, 0, NULL}};
    conversation_t *c = conversation_new(fields);
    conversation_open(c);
    int lines = 0;
    for (char *line = text; line && lines < 30; lines++) {
        char *end = strchr(line, '\n');
        if (end) *end++ = '\0';
        /* The bus carries UTF-8 only. */
        if (value_is_plain(line)) (void)conversation_say(c, line);
        line = end;
    }
    require(c->hangups <= 1 && c->says_after_hangup == 0);
    for (size_t i = 0; i < c->stored->n_claim; i++) {
        const Pl__ClaimValue *value = c->stored->claim[i];
        const Pl__ClaimField *field = pl_record_field(c->stored, value->name);
        char out[VALUE_BYTES];
        const char *reason = NULL;
        require(field != NULL);
        if (!value->value[0]) continue;
        require(value_check(field->type, value->value, out, &reason) == PL_OK);
    }
    conversation_destroy(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int quiet;
    if (!quiet) {
        pl_log_init("fuzz", PL_LOG_ERROR);
        quiet = 1;
    }
    char *text = malloc(size + 1);
    if (!text) return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    check_values(text);
    check_conversation(text);
    free(text);
    return 0;
}
