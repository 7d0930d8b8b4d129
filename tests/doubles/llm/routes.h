/* routes.h - a request's path and body to the plan of its answer.
 *
 * Threads: none; no socket. One exchange after the other.
 */
#ifndef DOUBLE_ROUTES_H
#define DOUBLE_ROUTES_H

#include "services/gateway/http_parser.h"
#include "tests/doubles/llm/journal.h"
#include "tests/doubles/llm/plan.h"
#include "tests/doubles/llm/script.h"

typedef struct routes routes_t;

/* Takes the script; borrows the journal. */
routes_t *routes_new(script_t *script, journal_t *journal);
void routes_destroy(routes_t **self_p);

/* Returns the exchange's number. *out must be empty; it is what is to be said. */
uint64_t routes_answer(routes_t *self, const http_request_t *request, plan_t *out);

#endif
