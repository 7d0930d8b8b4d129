/* sms.h - text messages: the provider that sends them, and the memory that sends none twice.
 *
 * A message may carry a key, which names it among all. Asked again under a key that is still
 * remembered, the outcome is the former one and nothing is sent; while it is being sent the answer is
 * PL_BUSY. A message that failed for sure is forgotten, so that it may be tried again. The memory
 * holds the last SMS_KEYS keys and goes with the process: who asks after that says so (again), and
 * then a provider that cannot tell a repetition by itself is not asked: the outcome is unknown.
 *
 * Threads: the loop's. Source: none; providers cite theirs.
 */
#ifndef PL_TELEPHONY_SMS_H
#define PL_TELEPHONY_SMS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config.h"
#include "common/err.h"
#include "common/loop.h"

enum {
    SMS_KEYS = 2048,
    SMS_KEY_BYTES_MAX = 200,
    SMS_TEXT_BYTES_MAX = 4000, /* more than any network joins together */
    SMS_DETAIL_BYTES = 160,
};

/* Everything is borrowed. */
typedef struct {
    const char *call_id; /* for the log; may be empty */
    const char *to;      /* E.164, checked */
    const char *text;    /* UTF-8, not empty */
    const char *key;     /* "": none */
    bool again;          /* it may have been asked for before, under this key */
} sms_t;

typedef struct {
    bool delivered; /* a carrier has it; false: noted only */
    bool unknown;   /* it may have been sent, or not */
    char detail[SMS_DETAIL_BYTES];
} sms_outcome_t;

/* outcome is NULL with an error. PL_TIMEOUT from a provider: it may have been sent all the same. */
typedef void sms_done_fn(void *arg, pl_err_t err, const sms_outcome_t *outcome);

typedef struct {
    const char *name; /* what the configuration says: telephony.sms.provider */
    bool idempotent;  /* the same key sent twice reaches the phone once */
    pl_err_t (*open)(void **provider, pl_loop_t *loop, const pl_config_t *cfg);
    /* Calls done once, within or later; not after close. Copies what it keeps. */
    void (*send)(void *provider, const sms_t *sms, sms_done_fn *done, void *arg);
    void (*close)(void **provider);
} sms_provider_t;

extern const sms_provider_t sms_record; /* the embedded one: the record keeps it, nobody sends it */
extern const sms_provider_t sms_twilio;
extern const sms_provider_t sms_acs; /* Azure Communication Services */

const sms_provider_t *sms_provider_find(const char *name); /* NULL: no such provider */

typedef struct sms_desk sms_desk_t;

/* Errors are the provider's; it has said why. */
pl_err_t sms_desk_new(sms_desk_t **out, const sms_provider_t *provider, pl_loop_t *loop,
                      const pl_config_t *cfg);
/* What is being sent ends without done. */
void sms_desk_destroy(sms_desk_t **self_p);

/* PL_INVALID: too long, or empty; PL_BUSY: is being sent. Calls done once, within or later. */
void sms_desk_send(sms_desk_t *self, const sms_t *sms, sms_done_fn *done, void *arg);

#endif
