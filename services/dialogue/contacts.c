#include "services/dialogue/contacts.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/dialogue/nlu/phone.h"
#include "services/dialogue/signature.h"
#include "services/dialogue/webhook.h"

struct contacts {
    contact_t all[CONTACTS_MAX];
    size_t count;
};

static pl_err_t wrong(size_t i, const char *name, const char *why)
{
    fprintf(stderr, "parley-dialogue: dialogue.emergencies[%zu].%s: %s\n", i, name, why);
    return PL_INVALID;
}

static bool known_service(const char *service)
{
    static const char *const names[] = {"police",       "firefighters", "pharmacy",
                                        "veterinarian", "hospital",     "*"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], service) == 0) return true;
    }
    return false;
}

static pl_err_t check(size_t i, const contact_t *contact)
{
    if (!known_service(contact->service)) {
        return wrong(i, "service",
                     "must be police, firefighters, pharmacy, veterinarian, hospital or *");
    }
    if (!contact->url[0] && !contact->phone_number[0]) {
        return wrong(i, "url", "must be given where there is no phone_number");
    }
    const char *why = contact->url[0] ? webhook_url_wrong(contact->url) : NULL;
    if (why) return wrong(i, "url", why);
    if (contact->url[0] && strlen(contact->secret) < SIGNATURE_SECRET_MIN) {
        return wrong(i, "secret", "must have at least 16 characters");
    }
    if (contact->phone_number[0] && !phone_valid(contact->phone_number)) {
        return wrong(i, "phone_number", "must be in E.164, like +33612345678");
    }
    return PL_OK;
}

pl_err_t contacts_new(contacts_t **out, const pl_config_t *cfg)
{
    size_t count = pl_config_count(cfg, "dialogue.emergencies");
    if (count > CONTACTS_MAX) return wrong(CONTACTS_MAX, "service", "more than 64 contacts");
    contacts_t *self = calloc(1, sizeof *self);
    assert(self);
    for (size_t i = 0; i < count; i++) {
        contact_t *contact = &self->all[self->count++];
        contact->service = pl_config_item(cfg, "dialogue.emergencies[%zu].service", i);
        contact->url = pl_config_item(cfg, "dialogue.emergencies[%zu].url", i);
        contact->secret = pl_config_item(cfg, "dialogue.emergencies[%zu].secret", i);
        contact->phone_number = pl_config_item(cfg, "dialogue.emergencies[%zu].phone_number", i);
        pl_err_t err = check(i, contact);
        if (err) {
            contacts_destroy(&self);
            return err;
        }
    }
    *out = self;
    return PL_OK;
}

void contacts_destroy(contacts_t **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

const contact_t *contacts_next(const contacts_t *self, const char *service, size_t *at)
{
    while (self && *at < self->count) {
        const contact_t *contact = &self->all[(*at)++];
        bool meant = strcmp(contact->service, "*") == 0 || strcmp(contact->service, service) == 0;
        if (meant) return contact;
    }
    return NULL;
}
