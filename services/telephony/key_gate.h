/* key_gate.h - one key pressed is one key, though a phone may tell it in two ways.
 *
 * Some phones send INFO and besides it the tone or the telephone event. The second report of a key
 * is dropped, and from then on only INFO counts, which loses none.
 *
 * Threads: none; pure, time is an argument.
 */
#ifndef PL_TELEPHONY_KEY_GATE_H
#define PL_TELEPHONY_KEY_GATE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum { KEY_BY_MEDIA, KEY_BY_INFO } key_way_t;

enum { KEY_GATE_MS = 1500 }; /* INFO may come when it goes down, the tone when it was let go */

/* Zero is one that has seen nothing. */
typedef struct {
    char digit; /* the last key that was let through; 0: none */
    key_way_t way;
    uint64_t at_ms;
    bool twice; /* this phone tells in both ways */
} key_gate_t;

/* False: it was told already. */
bool key_gate_passes(key_gate_t *self, uint64_t now_ms, key_way_t way, char digit);

#endif
