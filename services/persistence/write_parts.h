/* write_parts.h - what the files of write.h share: a write's body by its parts. Nobody else includes
 * it. */
#ifndef PERSISTENCE_WRITE_PARTS_H
#define PERSISTENCE_WRITE_PARTS_H

#include "services/persistence/write.h"

/* Borrowed from the write's body. */
typedef struct {
    const char *key; /* of the job that it is about; NULL: none */
    Pl__CallChange **changes;
    size_t n_changes;
    Pl__JobSpec **specs; /* jobs to be put */
    size_t n_specs;
} write_parts_t;

write_parts_t write_parts(const write_t *self);
/* The call of a spec: its own, else the one the write is about, "" for none. False: not a UUID. */
bool write_spec_call(const Pl__JobSpec *spec, const char *call_id, char out[CALL_ID_BYTES]);
void write_set_owner(Pl__CallRecord *record, const char *owner);

#endif
