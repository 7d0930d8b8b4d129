#include "services/dialogue/work/insight_json.h"

#include <stdio.h>
#include <string.h>

#include "services/dialogue/model/letters.h"
#include "services/dialogue/value.h"

enum { BRIEF_BYTES = 200, LONG_BYTES = 4000 };

/* The API's names, in the order of the messages' numbers. */
static const char *const satisfactions[] = {"terrible", "low", "partial", "high", "unknow"};
static const char *const actions[] = {
    "case_closed",   "commercial_offer",     "customer_will_send_info",
    "high_priority", "propose_new_contract", "requires_expertise"};

const char insight_synthesis_schema[] =
    "{\"type\":\"object\",\"properties\":{"
    "\"short\":{\"type\":\"string\",\"description\":\"A few words, beginning with a determiner\"},"
    "\"long\":{\"type\":\"string\",\"description\":\"One paragraph for the customer, Markdown\"},"
    "\"satisfaction\":{\"type\":\"string\","
    "\"enum\":[\"terrible\",\"low\",\"partial\",\"high\",\"unknow\"]},"
    "\"improvement_suggestions\":{\"type\":\"string\","
    "\"description\":\"What the assistant should do better\"}},"
    "\"required\":[\"short\",\"long\",\"satisfaction\",\"improvement_suggestions\"],"
    "\"additionalProperties\":false}";

const char insight_next_schema[] =
    "{\"type\":\"object\",\"properties\":{"
    "\"action\":{\"type\":\"string\",\"enum\":[\"case_closed\",\"commercial_offer\","
    "\"customer_will_send_info\",\"high_priority\",\"propose_new_contract\",\"requires_expertise\"]"
    "},"
    "\"justification\":{\"type\":\"string\",\"description\":\"Two or three sentences\"}},"
    "\"required\":[\"action\",\"justification\"],\"additionalProperties\":false}";

static const char *text_of(const cJSON *answer, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(answer, name)->valuestring;
}

static bool good_text(const cJSON *answer, const char *name, size_t bytes_max, char *reason)
{
    const char *text = text_of(answer, name);
    const char *wrong = NULL;
    if (!letters_any(text)) wrong = "is empty";
    if (strlen(text) > bytes_max) wrong = "is too long";
    if (!value_is_plain(text)) wrong = "holds control characters";
    if (wrong) (void)snprintf(reason, SCHEMA_REASON_BYTES, "%s %s", name, wrong);
    return !wrong;
}

bool insight_synthesis_check(const cJSON *answer, char reason[SCHEMA_REASON_BYTES])
{
    return good_text(answer, "short", BRIEF_BYTES, reason) &&
           good_text(answer, "long", LONG_BYTES, reason) &&
           good_text(answer, "improvement_suggestions", LONG_BYTES, reason);
}

bool insight_next_check(const cJSON *answer, char reason[SCHEMA_REASON_BYTES])
{
    return good_text(answer, "justification", LONG_BYTES, reason);
}

static int index_of(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) return (int)i;
    }
    return 0; /* the schema lets no other pass */
}

void insight_synthesis(const cJSON *answer, Pl__Synthesis *out)
{
    pl__synthesis__init(out);
    out->brief = (char *)text_of(answer, "short");
    out->detail = (char *)text_of(answer, "long");
    out->improvement_suggestions = (char *)text_of(answer, "improvement_suggestions");
    out->satisfaction =
        (Pl__Satisfaction)index_of(satisfactions, sizeof satisfactions / sizeof *satisfactions,
                                   text_of(answer, "satisfaction"));
}

void insight_next(const cJSON *answer, Pl__Next *out)
{
    pl__next__init(out);
    out->justification = (char *)text_of(answer, "justification");
    out->action = (Pl__NextAction)index_of(actions, sizeof actions / sizeof *actions,
                                           text_of(answer, "action"));
}
