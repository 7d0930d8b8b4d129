/* initiate_json.h - the body of POST /call, checked and turned into a message.
 *
 * Every problem is reported at once, each naming its field:
 *   claim[2].type: must be one of text, datetime, phone_number, email (got "number")
 * Only phone_number is needed: absent fields stay empty and are filled by dialogue from
 * conversation.initiate. Unknown fields are ignored, as clients of the original expect.
 *
 * Threads: none; pure.
 */
#ifndef GATEWAY_INITIATE_JSON_H
#define GATEWAY_INITIATE_JSON_H

#include <stddef.h>

#include "call.pb-c.h"
#include "common/err.h"
#include "services/gateway/problems.h"

enum {
    INITIATE_NAME_MAX = 200,   /* characters of bot_name, bot_company, a voice */
    INITIATE_TASK_MAX = 20000, /* characters */
    INITIATE_FIELDS_MAX = 100, /* of a claim */
    INITIATE_FIELD_NAME_MAX = 64,
    INITIATE_DESCRIPTION_MAX = 2000,
    INITIATE_LANGUAGES_MAX = 50,
    INITIATE_PRONUNCIATIONS_MAX = 20,
};

/* PL_INVALID: problems tell why and *out is untouched. Free with pl__initiate__free_unpacked. */
pl_err_t initiate_from_json(const char *body, size_t size, Pl__Initiate **out,
                            problems_t *problems);

#endif
