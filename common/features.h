/* features.h - flags that operators turn while calls are going on: typed, ranged, without a restart.
 *
 * A flag's value is that of the watched file (features.file), else that of the configuration
 * (features.<name>), else the default. The file holds "name: value" lines of YAML; it is looked at
 * twice a second, by content, so that it may be replaced, mounted or linked in any way. A value of
 * the wrong type or out of range keeps the last good one and is reported once; so does a file that
 * cannot be read. A file that is gone gives way to the configuration. 0 and false mean 0 and false.
 *
 * Threads: all on the loop's thread.
 */
#ifndef PL_COMMON_FEATURES_H
#define PL_COMMON_FEATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/loop.h"

#define PL_FEATURE_MAP(X) /* name, type, default, least, most, help */                             \
    X(answer_hard_timeout_sec, INT, "15", 1, 300,                                                  \
      "an answer not there by then is given up with an apology")                                   \
    X(answer_soft_timeout_sec, INT, "4", 1, 300,                                                   \
      "an answer not there by then is bridged by a waiting sentence")                              \
    X(callback_timeout_hour, INT, "3", 0, 8760,                                                    \
      "a caller who rings back within it continues the call; 0: never")                            \
    X(phone_silence_timeout_sec, INT, "20", 1, 3600,                                               \
      "silence of both sides before \"are you still there?\"")                                     \
    X(recognition_retry_max, INT, "3", 1, 100, "silence warnings before the bot hangs up")         \
    X(recognition_stt_complete_timeout_ms, INT, "100", 0, 10000,                                   \
      "wait for the final text of a turn whose words are known, then go on with those")            \
    X(recording_enabled, BOOL, "false", 0, 0, "record calls")                                      \
    X(slow_llm_for_chat, BOOL, "false", 0, 0, "talk with the slow model")                          \
    X(vad_cutoff_timeout_ms, INT, "250", 20, 5000,                                                 \
      "caller's voice over the bot's that stops the bot")                                          \
    X(vad_silence_timeout_ms, INT, "500", 100, 5000,                                               \
      "silence that ends the caller's turn, at most")                                              \
    X(vad_threshold, DOUBLE, "0.5", 0.1, 1,                                                        \
      "how far above the noise floor a voice must be: 0.1 near, 1 far")

#define PL_FEATURE_ENUM(name, type, fallback, least, most, help) PL_FEATURE_##name,
typedef enum { PL_FEATURE_MAP(PL_FEATURE_ENUM) PL_FEATURE_COUNT } pl_feature_t;
#undef PL_FEATURE_ENUM

const char *pl_feature_name(pl_feature_t feature); /* "vad_threshold" */
bool pl_feature_find(const char *name, pl_feature_t *out);

typedef struct pl_features pl_features_t;

/* Reads the file and watches it. Calls changed(arg) after values have changed, never from within
 * this call. loop may be NULL: the file is read once. cfg outlives it. Never NULL. */
pl_features_t *pl_features_new(pl_loop_t *loop, const pl_config_t *cfg, void (*changed)(void *arg),
                               void *arg);
void pl_features_destroy(pl_features_t **self_p);

int64_t pl_features_int(const pl_features_t *self, pl_feature_t feature);   /* of an INT */
double pl_features_double(const pl_features_t *self, pl_feature_t feature); /* of a DOUBLE */
bool pl_features_bool(const pl_features_t *self, pl_feature_t feature);     /* of a BOOL */

/* What the file says now, as text; name stands for the file in reports. Returns how many values
 * differ from before. The watch calls it; tests may. NULL text: there is no file. */
size_t pl_features_read(pl_features_t *self, const char *name, const char *text);

#endif
