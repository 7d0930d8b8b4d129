/* contacts.h - whom to notify in an emergency: dialogue.emergencies[] of the configuration.
 *
 * Each contact is for one service, or for all ("*"), and is reached by a signed webhook, by SMS, or
 * by both.
 *
 * Threads: read-only after contacts_new, so any.
 */
#ifndef DIALOGUE_CONTACTS_H
#define DIALOGUE_CONTACTS_H

#include <stddef.h>

#include "common/config.h"
#include "common/err.h"

typedef struct contacts contacts_t;

enum { CONTACTS_MAX = 64 };

typedef struct {
    const char *service;      /* police, firefighters, pharmacy, veterinarian, hospital or * */
    const char *url;          /* "": none */
    const char *secret;       /* of the webhook */
    const char *phone_number; /* E.164; "": none */
} contact_t;

/* PL_INVALID: a wrong setting, named on standard error. The strings are cfg's. */
pl_err_t contacts_new(contacts_t **out, const pl_config_t *cfg);
void contacts_destroy(contacts_t **self_p);

/* The next contact for service from *at on, which moves on; NULL when there is none. self may be
 * NULL: nobody. Begin with 0. */
const contact_t *contacts_next(const contacts_t *self, const char *service, size_t *at);

#endif
