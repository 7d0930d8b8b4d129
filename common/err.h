/* err.h - the one error type: what a function returns and what travels in an Error reply.
 *
 * Functions return pl_err_t; whoever gives up logs, once. Code acts on the error, never on the
 * text that may come with it. Wire numbers are never reused.
 */
#ifndef PL_COMMON_ERR_H
#define PL_COMMON_ERR_H

#include <stdbool.h>

#define PL_ERR_MAP(X) /* name, wire number, retry?, text */                                        \
    X(OK, 0, false, "ok")                                                                          \
    X(INVALID, 1, false, "malformed or out of range")                                              \
    X(NOT_FOUND, 2, false, "no such call, claim or provider")                                      \
    X(STALE, 3, false, "from an older turn or a former owner")                                     \
    X(UNSUPPORTED, 4, false, "this build does not know that message")                              \
    X(BUSY, 5, true, "full; try another instance")                                                 \
    X(TIMEOUT, 6, true, "budget spent")                                                            \
    X(UNAVAILABLE, 7, true, "peer or provider is gone")                                            \
    X(INTERNAL, 8, false, "a bug on our side")

#define PL_ERR_ENUM(name, wire, retry, text) PL_##name = (wire),
typedef enum { PL_ERR_MAP(PL_ERR_ENUM) PL_ERR_COUNT } pl_err_t;
#undef PL_ERR_ENUM

const char *pl_err_name(pl_err_t err);    /* "STALE"; never NULL */
const char *pl_err_text(pl_err_t err);    /* one clause for people; never NULL */
bool pl_err_retry(pl_err_t err);          /* may the same request succeed later or elsewhere? */
pl_err_t pl_err_from_wire(unsigned code); /* unknown numbers become PL_INTERNAL */

#endif
