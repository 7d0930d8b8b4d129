/* Two PocketSphinx decoders at work on the same audio: a wide one with the packaged language model,
 * and a narrow one with a small model of the expected kind of answer. The narrow one's words are
 * taken when they explain the audio well; a caller who says something else is heard by the wide
 * one. Where a kind of answer is expected the wide one, which costs six times as much, only starts
 * once the narrow one does badly, and catches up. Figures: docs/decisions/0005. */
#include "services/speech/providers/sphinx.h"

#include <assert.h>
#include <pocketsphinx.h>
#include <sphinxbase/cmn.h>
#include <sphinxbase/err.h>
#include <sphinxbase/feat.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "services/speech/providers/sphinx_models.h"

#define MODEL_DIR "/usr/share/pocketsphinx/model/en-us"

enum {
    PATH_BYTES = 512,
    TEXT_BYTES = 4096,
    JUDGE_SAMPLES = 8000, /* no verdict on less audio than half a second */
    JUDGE_EVERY = 3200,
    MIRROR_SAMPLES = 1600,
    BRIEF_SAMPLES = 22400, /* with what was kept before and after it: a word or two */
};

typedef struct {
    ps_decoder_t *ps;
    mfcc_t *mean; /* of the model: who is not known yet starts from it, whoever spoke before */
} decoder_t;

struct sphinx {
    decoder_t wide, narrow;
    Pl__Expect expect;
    bool wide_runs;
    int16_t *pcm; /* of the utterance, while the wide one does not run */
    size_t samples, room, judged;
    size_t fed;            /* samples of the utterance */
    sphinx_voice_t voice;  /* the utterance begins with it */
    bool narrow_band, odd; /* odd: of the next sample's number */
    char text[TEXT_BYTES];
};

/* The narrow decoder's score a frame, in PocketSphinx's units, from which on it is believed; the
 * figures are in docs/decisions/0005. */
static const int believed[SPHINX_MODELS] = {[PL__EXPECT__ANYTHING] = -32,
                                            [PL__EXPECT__DIGITS] = -42,
                                            [PL__EXPECT__DATE_TIME] = -40,
                                            [PL__EXPECT__SPELLING] = -46,
                                            [PL__EXPECT__YES_NO] = -38};
static const int brief_believed = -42; /* the same of a short answer, if lower */
static const char *const search_names[SPHINX_MODELS] = {"anything", "digits", "date_time",
                                                        "spelling", "yes_no"};

/* ---- making ---- */

typedef struct {
    char hmm[PATH_BYTES], lm[PATH_BYTES], dict[PATH_BYTES];
} model_t;

static pl_err_t model_find(model_t *m, const char *dir)
{
    const char *missing = NULL;
    (void)snprintf(m->hmm, sizeof m->hmm, "%s/en-us", dir);
    (void)snprintf(m->lm, sizeof m->lm, "%s/en-us.lm.bin", dir);
    (void)snprintf(m->dict, sizeof m->dict, "%s/cmudict-en-us.dict", dir);
    if (access(m->hmm, R_OK) != 0) missing = m->hmm;
    if (access(m->lm, R_OK) != 0) missing = m->lm;
    if (access(m->dict, R_OK) != 0) missing = m->dict;
    if (!missing) return PL_OK;
    log_error("sphinx.no_model", "file=%s", missing);
    return PL_UNAVAILABLE;
}

static bool decoder_open(decoder_t *d, cmd_ln_t *config)
{
    d->ps = config ? ps_init(config) : NULL;
    if (config) cmd_ln_free_r(config);
    if (!d->ps) return false;
    cmn_t *cmn = ps_get_feat(d->ps)->cmn_struct;
    d->mean = calloc((size_t)cmn->veclen, sizeof *d->mean);
    assert(d->mean);
    cmn_live_get(cmn, d->mean);
    return true;
}

static void decoder_close(decoder_t *d)
{
    if (d->ps) ps_free(d->ps);
    free(d->mean);
}

static bool open_wide(sphinx_t *self, const model_t *m)
{
    /* Without the second, flat pass the final text comes 130 ms sooner and is no worse; fewer
     * active models cost a little accuracy and save a fifth of the time. */
    return decoder_open(&self->wide, cmd_ln_init(NULL, ps_args(), TRUE, "-hmm", m->hmm, "-lm",
                                                 m->lm, "-dict", m->dict, "-logfn", "/dev/null",
                                                 "-fwdflat", "no", "-maxhmmpf", "5000", NULL));
}

static bool open_narrow(sphinx_t *self, const model_t *m)
{
    const sphinx_models_t *models = sphinx_models(m->dict);
    if (!models) return false;
    /* A lower word insertion probability: noise behind a short answer made a word of its own. */
    bool good = decoder_open(
        &self->narrow, cmd_ln_init(NULL, ps_args(), TRUE, "-hmm", m->hmm, "-dict", models->dict,
                                   "-logfn", "/dev/null", "-wip", "0.1", "-fwdflat", "no", NULL));
    for (size_t i = 0; good && i < SPHINX_MODELS; i++)
        good = ps_set_lm_file(self->narrow.ps, search_names[i], models->lm[i]) == 0;
    return good;
}

pl_err_t sphinx_find_model(const char *model_dir)
{
    model_t m;
    return model_find(&m, model_dir && *model_dir ? model_dir : MODEL_DIR);
}

pl_err_t sphinx_new(sphinx_t **out, const char *model_dir)
{
    if (!model_dir || !*model_dir) model_dir = MODEL_DIR;
    model_t m;
    pl_err_t err = model_find(&m, model_dir);
    if (err) return err;
    err_set_logfp(NULL);
    sphinx_t *self = calloc(1, sizeof *self);
    assert(self);
    if (!open_wide(self, &m) || !open_narrow(self, &m)) {
        log_error("sphinx.model_unreadable", "dir=%s", model_dir);
        sphinx_destroy(&self);
        return PL_UNAVAILABLE;
    }
    *out = self;
    return PL_OK;
}

void sphinx_destroy(sphinx_t **self_p)
{
    sphinx_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    decoder_close(&self->wide);
    decoder_close(&self->narrow);
    free(self->pcm);
    free(self);
}

/* ---- an utterance ---- */

static bool decoder_begin(decoder_t *d, const sphinx_voice_t *voice)
{
    cmn_t *cmn = ps_get_feat(d->ps)->cmn_struct;
    mfcc_t mean[SPHINX_MEANS_MAX];
    bool known = voice->count > 0 && voice->count == (size_t)cmn->veclen;
    for (size_t i = 0; known && i < voice->count; i++) mean[i] = voice->mean[i];
    cmn_live_set(cmn, known ? mean : d->mean);
    ps_start_stream(d->ps);
    return ps_start_utt(d->ps) == 0;
}

/* What lies at f is at 8 kHz - f as well, half as strong: each other sample with its sign turned. */
static void mirror(sphinx_t *self, const int16_t *pcm, size_t samples, int16_t *out)
{
    for (size_t i = 0; i < samples; i++) {
        int32_t s = self->odd ? pcm[i] / 2 : pcm[i] + pcm[i] / 2;
        out[i] = (int16_t)(s > INT16_MAX ? INT16_MAX : s < INT16_MIN ? INT16_MIN : s);
        self->odd = !self->odd;
    }
}

static bool decoder_feed(const decoder_t *d, const int16_t *pcm, size_t samples)
{
    return ps_process_raw(d->ps, pcm, samples, FALSE, FALSE) >= 0;
}

pl_err_t sphinx_begin(sphinx_t *self, Pl__Expect expect, const sphinx_voice_t *voice, bool narrow)
{
    self->narrow_band = narrow;
    self->odd = false;
    self->voice = voice ? *voice : (sphinx_voice_t){0};
    bool known = (unsigned)expect < SPHINX_MODELS; /* a newer peer may expect what we do not know */
    self->expect = known ? expect : PL__EXPECT__ANYTHING;
    self->text[0] = '\0';
    self->samples = self->judged = self->fed = 0;
    self->wide_runs = self->expect == PL__EXPECT__ANYTHING;
    bool good = ps_set_search(self->narrow.ps, search_names[self->expect]) == 0;
    good = good && decoder_begin(&self->narrow, &self->voice);
    if (self->wide_runs) good = good && decoder_begin(&self->wide, &self->voice);
    return good ? PL_OK : PL_INTERNAL;
}

/* Whether the narrow decoder explains what it heard so far. Before the first word ends it has no
 * words, but a score. */
static bool narrow_explains(const sphinx_t *self)
{
    /* Of a short answer the beginning and the end weigh much, and the wide model knows short answers
     * badly: it has read newspapers. */
    int least = believed[self->expect];
    if (self->fed < BRIEF_SAMPLES && least > brief_believed) least = brief_believed;
    int32 score = 0;
    int frames = ps_get_n_frames(self->narrow.ps);
    (void)ps_get_hyp(self->narrow.ps, &score);
    return frames <= 0 || score / frames >= least;
}

static bool narrow_believed(const sphinx_t *self)
{
    const char *text = ps_get_hyp(self->narrow.ps, NULL);
    return text && *text && narrow_explains(self);
}

static bool start_wide(sphinx_t *self)
{
    self->wide_runs = true;
    bool good = decoder_begin(&self->wide, &self->voice) &&
                decoder_feed(&self->wide, self->pcm, self->samples);
    return good;
}

static void keep(sphinx_t *self, const int16_t *pcm, size_t samples)
{
    if (self->samples + samples > self->room) {
        self->room = 2 * (self->samples + samples);
        self->pcm = realloc(self->pcm, self->room * sizeof *self->pcm);
        assert(self->pcm);
    }
    memcpy(self->pcm + self->samples, pcm, samples * sizeof *pcm);
    self->samples += samples;
}

static pl_err_t feed(sphinx_t *self, const int16_t *pcm, size_t samples)
{
    self->fed += samples;
    bool good = decoder_feed(&self->narrow, pcm, samples);
    if (self->wide_runs) {
        good = good && decoder_feed(&self->wide, pcm, samples);
        return good ? PL_OK : PL_INTERNAL;
    }
    keep(self, pcm, samples);
    bool due = self->samples >= JUDGE_SAMPLES && self->samples - self->judged >= JUDGE_EVERY;
    if (due) {
        self->judged = self->samples;
        if (!narrow_explains(self)) good = good && start_wide(self);
    }
    return good ? PL_OK : PL_INTERNAL;
}

pl_err_t sphinx_feed(sphinx_t *self, const int16_t *pcm, size_t samples)
{
    if (!self->narrow_band) return feed(self, pcm, samples);
    pl_err_t err = PL_OK;
    for (size_t at = 0; !err && at < samples; at += MIRROR_SAMPLES) {
        int16_t block[MIRROR_SAMPLES];
        size_t count = samples - at < MIRROR_SAMPLES ? samples - at : MIRROR_SAMPLES;
        mirror(self, pcm + at, count, block);
        err = feed(self, block, count);
    }
    return err;
}

static const char *words(sphinx_t *self, const decoder_t *d)
{
    const char *hyp = ps_get_hyp(d->ps, NULL);
    (void)snprintf(self->text, sizeof self->text, "%s", hyp ? hyp : "");
    return self->text;
}

const char *sphinx_partial(sphinx_t *self, bool *sure_out)
{
    bool believed_now = narrow_believed(self);
    if (sure_out) *sure_out = believed_now || self->wide_runs;
    return words(self, believed_now || !self->wide_runs ? &self->narrow : &self->wide);
}

const char *sphinx_end(sphinx_t *self, double *confidence_out)
{
    (void)ps_end_utt(self->narrow.ps);
    bool narrow = narrow_believed(self);
    if (!narrow && !self->wide_runs) (void)start_wide(self);
    if (self->wide_runs) (void)ps_end_utt(self->wide.ps);
    const decoder_t *d = narrow ? &self->narrow : &self->wide;
    if (confidence_out) *confidence_out = logmath_exp(ps_get_logmath(d->ps), ps_get_prob(d->ps));
    return words(self, d);
}

void sphinx_learned(const sphinx_t *self, sphinx_voice_t *out)
{
    const cmn_t *cmn = ps_get_feat(self->narrow.ps)->cmn_struct; /* it heard all of it */
    mfcc_t mean[SPHINX_MEANS_MAX];
    *out = (sphinx_voice_t){0};
    if (cmn->veclen > SPHINX_MEANS_MAX) return;
    cmn_live_get((cmn_t *)cmn, mean);
    out->count = (size_t)cmn->veclen;
    for (size_t i = 0; i < out->count; i++) out->mean[i] = (float)mean[i];
}

int sphinx_score(const sphinx_t *self)
{
    int32 score = 0;
    int frames = ps_get_n_frames(self->narrow.ps);
    (void)ps_get_hyp(self->narrow.ps, &score);
    return frames > 0 ? score / frames : 0;
}
