#include "services/speech/providers/flite_voice.h"

#include <flite/flite.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/lane.h"
#include "common/log.h"

/* The voices' libraries come without a header. */
cst_voice *register_cmu_us_slt(const char *voxdir);
cst_voice *register_cmu_us_rms(const char *voxdir);
cst_voice *register_cmu_us_awb(const char *voxdir);
cst_voice *register_cmu_us_kal16(const char *voxdir);

typedef struct {
    const char *name;
    cst_voice *(*make)(const char *voxdir);
    cst_voice *voice; /* made at first use, kept until exit */
    float stretch;    /* its natural duration_stretch */
} voice_t;

/* Flite counts references to a voice's values without atomics, in every utterance, and the voices
 * share their lexicon: so one utterance at a time. At 12 ms a second of speech that is enough for
 * eighty voices speaking at once. */
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static bool started;
static voice_t voices[] = {
    {"slt", register_cmu_us_slt, NULL, 1.0f},
    {"rms", register_cmu_us_rms, NULL, 1.0f},
    {"awb", register_cmu_us_awb, NULL, 1.0f},
    {"kal16", register_cmu_us_kal16, NULL, 1.0f},
};

static voice_t *voice_find(const char *name)
{
    if (!name || !*name) return &voices[0];
    for (size_t i = 0; i < sizeof voices / sizeof *voices; i++) {
        if (strcmp(voices[i].name, name) == 0) return &voices[i];
    }
    return NULL;
}

static void voice_make(voice_t *v)
{
    if (!started) flite_init();
    started = true;
    if (v->voice) return;
    v->voice = v->make(NULL);
    if (v->voice) v->stretch = flite_get_param_float(v->voice->features, "duration_stretch", 1.0f);
}

/* Where the words end. Flite's tokens are the text's words in order, without the marks around them;
 * one that it leaves out is passed over. */
static size_t list_words(cst_utterance *utterance, const char *text, flite_word_t *words,
                         size_t max)
{
    size_t count = 0;
    const char *at = text + strspn(text, " \t\r\n");
    const cst_item *token = relation_head(utt_relation(utterance, "Token"));
    for (; token && *at && count < max; at += strspn(at, " \t\r\n")) {
        size_t bytes = strcspn(at, " \t\r\n");
        const char *name = item_feat_string(token, "name");
        const char *found = strstr(at, name);
        at += bytes;
        if (!found || found >= at) continue;
        const cst_item *word = item_last_daughter(token);
        token = item_next(token);
        if (!word) continue;
        float end_s = ffeature_float(word, "R:SylStructure.daughtern.daughtern.R:Segment.end");
        if (end_s > 0)
            words[count++] =
                (flite_word_t){(size_t)(at - text), (size_t)(end_s * (float)PL_FRAME_HZ)};
    }
    return count;
}

typedef struct {
    flite_word_t *list;
    size_t max, count;
} words_t;

/* A wave of the voice's own rate, or NULL. Guarded by the caller. */
static cst_wave *voice_wave(voice_t *v, double rate, const char *text, words_t *words)
{
    voice_make(v);
    if (!v->voice) return NULL;
    flite_feat_set_float(v->voice->features, "duration_stretch", v->stretch / (float)rate);
    cst_utterance *utterance = flite_synth_text(text, v->voice);
    if (!utterance) return NULL;
    cst_wave *wave = copy_wave(utt_wave(utterance));
    words->count = list_words(utterance, text, words->list, words->max);
    delete_utterance(utterance);
    return wave;
}

bool flite_voice_known(const char *voice)
{
    return voice_find(voice) != NULL;
}

pl_err_t flite_voice_words(const char *voice, double rate, const char *text, int16_t **pcm_out,
                           size_t *samples_out, flite_word_t *words, size_t words_max,
                           size_t *count_out)
{
    voice_t *v = voice_find(voice);
    if (!v) return PL_NOT_FOUND;
    if (!text || strspn(text, " \t\r\n") == strlen(text)) return PL_INVALID;
    if (!(rate > 0)) rate = 1.0;
    if (rate < 0.5) rate = 0.5;
    if (rate > 2.0) rate = 2.0;

    pthread_mutex_lock(&guard);
    words_t ends = {words, words_max, 0};
    cst_wave *wave = voice_wave(v, rate, text, &ends);
    pthread_mutex_unlock(&guard);

    pl_err_t err = PL_OK;
    if (!wave || wave->num_channels != 1 || wave->sample_rate != PL_FRAME_HZ) {
        log_error("flite.failed", "voice=%s", v->name);
        err = PL_INTERNAL;
    } else if (wave->num_samples <= 0) {
        err = PL_INVALID; /* punctuation alone */
    } else {
        *count_out = ends.count;
        *samples_out = (size_t)wave->num_samples;
        *pcm_out = wave->samples; /* Flite's allocator is malloc */
        wave->samples = NULL;
    }
    if (wave) delete_wave(wave);
    return err;
}

pl_err_t flite_voice_say(const char *voice, double rate, const char *text, int16_t **pcm_out,
                         size_t *samples_out)
{
    size_t none = 0;
    return flite_voice_words(voice, rate, text, pcm_out, samples_out, NULL, 0, &none);
}
