/* journal.h - what was asked and how it ended, a JSON object a line, for tests to read.
 *
 * Threads: none. Each line is flushed before the answer goes out.
 */
#ifndef DOUBLE_JOURNAL_H
#define DOUBLE_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

typedef struct journal journal_t;

/* path NULL: nothing is kept. NULL when the file cannot be written: said on standard error. */
journal_t *journal_open(const char *path);
void journal_close(journal_t **self_p);

typedef struct {
    uint64_t number; /* of the exchange, from 1 */
    const char *method, *path, *query;
    int status;
    const char *auth;  /* "none", "bearer", "api-key" */
    const char *rule;  /* "" when no rule was asked for or none applied */
    const char *model; /* or deployment */
    const char *body;
    size_t body_bytes;
} journal_request_t;

void journal_request(journal_t *self, const journal_request_t *request);

/* how: "whole", "closed", "reset" by our plan; "cancelled" by the client. */
void journal_end(journal_t *self, uint64_t number, const char *how, size_t sent_bytes, double ms);

#endif
