/* initiate.h - what a call is for: defaults filled in, then checked once more.
 *
 * The gateway has checked the JSON; this is the last gate before a record is made, whoever asks.
 * Three fields belong to every claim (policyholder_name, _email, _phone). Where the schema does not
 * list them they are added with a description of ours and are implicit: filled when they come up,
 * but not asked for.
 *
 * Threads: none; values only.
 */
#ifndef DIALOGUE_INITIATE_H
#define DIALOGUE_INITIATE_H

#include <stdbool.h>
#include <stddef.h>

#include "call.pb-c.h"
#include "common/config.h"
#include "common/err.h"

/* conversation.initiate.* of the configuration, with the built-in defaults. Free with
 * pl__initiate__free_unpacked. */
Pl__Initiate *initiate_from_config(const pl_config_t *cfg);

/* Copies asked, fills what is absent from defaults, adds the implicit fields and checks. On
 * PL_INVALID reason names the field; *out is untouched. anonymous: the caller's number may be
 * hidden (incoming calls). */
pl_err_t initiate_complete(const Pl__Initiate *asked, const Pl__Initiate *defaults, bool anonymous,
                           Pl__Initiate **out, char *reason, size_t reason_bytes);

/* Was the field added by us rather than asked for? */
bool initiate_is_implicit(const Pl__ClaimField *field);

#endif
