#include "services/speech/providers/sphinx.h"

#include <pocketsphinx.h>
#include <sphinxbase/cmn.h>
#include <sphinxbase/err.h>
#include <sphinxbase/feat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

#define MODEL_DIR "/usr/share/pocketsphinx/model/en-us"

struct sphinx {
    ps_decoder_t *ps;
    char text[4096];
    mfcc_t *mean; /* of the model: every utterance starts from it, whoever spoke before */
};

typedef struct {
    char hmm[512], lm[512], dict[512];
} model_t;

static pl_err_t model_find(model_t *m, const char *dir)
{
    if (!dir || !*dir) dir = MODEL_DIR;
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

pl_err_t sphinx_new(sphinx_t **out, const char *model_dir)
{
    model_t m;
    pl_err_t err = model_find(&m, model_dir);
    if (err) return err;

    err_set_logfp(NULL);
    cmd_ln_t *config =
        cmd_ln_init(NULL, ps_args(), TRUE, "-hmm", m.hmm, "-lm", m.lm, "-dict", m.dict, "-logfn",
                    "/dev/null", "-fwdflat", "no", "-maxhmmpf", "5000", NULL);
    ps_decoder_t *ps = config ? ps_init(config) : NULL;
    if (config) cmd_ln_free_r(config);
    if (!ps) {
        log_error("sphinx.model_unreadable", "dir=%s", model_dir ? model_dir : MODEL_DIR);
        return PL_UNAVAILABLE;
    }
    sphinx_t *self = calloc(1, sizeof *self);
    if (!self) abort();
    self->ps = ps;
    cmn_t *cmn = ps_get_feat(ps)->cmn_struct;
    self->mean = calloc((size_t)cmn->veclen, sizeof *self->mean);
    if (!self->mean) abort();
    cmn_live_get(cmn, self->mean);
    *out = self;
    return PL_OK;
}

void sphinx_destroy(sphinx_t **self_p)
{
    sphinx_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    ps_free(self->ps);
    free(self->mean);
    free(self);
}

pl_err_t sphinx_begin(sphinx_t *self, Pl__Expect expect)
{
    (void)expect;
    self->text[0] = '\0';
    cmn_live_set(ps_get_feat(self->ps)->cmn_struct, self->mean);
    ps_start_stream(self->ps);
    return ps_start_utt(self->ps) < 0 ? PL_INTERNAL : PL_OK;
}

pl_err_t sphinx_feed(sphinx_t *self, const int16_t *pcm, size_t samples)
{
    return ps_process_raw(self->ps, pcm, samples, FALSE, FALSE) < 0 ? PL_INTERNAL : PL_OK;
}

const char *sphinx_partial(sphinx_t *self)
{
    const char *hyp = ps_get_hyp(self->ps, NULL);
    (void)snprintf(self->text, sizeof self->text, "%s", hyp ? hyp : "");
    return self->text;
}

const char *sphinx_end(sphinx_t *self, double *confidence_out)
{
    ps_end_utt(self->ps);
    if (confidence_out)
        *confidence_out = logmath_exp(ps_get_logmath(self->ps), ps_get_prob(self->ps));
    return sphinx_partial(self);
}
