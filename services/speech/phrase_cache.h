/* phrase_cache.h - synthesised sentences that are said again and again: greetings, menus, waiting
 * sentences. Bounded in bytes; the one not used longest goes first.
 *
 * A sentence is taken in when it is said for the second time, so that what is said once to one
 * caller does not drive out what is said to all; or at once when it is known to come again.
 *
 * Threads: none; belongs to the loop.
 */
#ifndef PL_SPEECH_PHRASE_CACHE_H
#define PL_SPEECH_PHRASE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/speech/clip.h"

enum {
    PHRASE_TEXT_MAX = 400,      /* bytes; longer sentences are not said twice */
    PHRASE_SAMPLES_MAX = 320000 /* 20 s at 16 kHz */
};

typedef struct phrase_cache phrase_cache_t;

typedef struct {
    size_t bytes, samples; /* as tts_sink_t.said */
} phrase_word_t;

/* An audio at 16 kHz with the ends of its words. */
typedef struct {
    clip_t **clips; /* held */
    size_t clip_count;
    size_t samples; /* of all of them */
    phrase_word_t *words;
    size_t word_count;
} phrase_t;

phrase_cache_t *phrase_cache_new(size_t max_bytes); /* 0: keeps nothing. Never NULL */
void phrase_cache_destroy(phrase_cache_t **self_p);

/* NULL: not there. Borrowed until phrase_cache_put or destroy. */
const phrase_t *phrase_cache_find(phrase_cache_t *self, const char *key);
bool phrase_cache_has(const phrase_cache_t *self, const char *key); /* is no use of it */

/* Should this be kept once it is synthesised? Remembers that it was said. again: it will be. */
bool phrase_cache_wants(phrase_cache_t *self, const char *key, bool again);
/* Takes *phrase_p (malloc'd members too) and sets it to NULL; what is too long is dropped. */
void phrase_cache_put(phrase_cache_t *self, const char *key, phrase_t **phrase_p);

phrase_t *phrase_new(void); /* empty; never NULL */
void phrase_add(phrase_t *self, clip_t *clip);
void phrase_add_word(phrase_t *self, size_t bytes, size_t samples);
void phrase_destroy(phrase_t **self_p);

size_t phrase_cache_bytes(const phrase_cache_t *self);
size_t phrase_cache_count(const phrase_cache_t *self);

#endif
