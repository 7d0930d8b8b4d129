/* tts_flite: Flite's English voices. */
#include <string.h>

#include "common/lane.h"
#include "services/speech/providers/flite_voice.h"
#include "services/speech/providers/voice_pool.h"
#include "services/speech/tts.h"

#include <stdlib.h>

enum { WORDS_MAX = 256 };

static pl_err_t say(const tts_say_t *what, const voice_out_t *out)
{
    int16_t *pcm = NULL;
    size_t samples = 0, count = 0;
    flite_word_t words[WORDS_MAX];
    pl_err_t err = flite_voice_words(what->voice, what->rate, what->text, &pcm, &samples, words,
                                     WORDS_MAX, &count);
    if (err) return err;
    (void)out->emit(out->arg, pcm, samples);
    for (size_t i = 0; i < count; i++) out->said(out->arg, words[i].bytes, words[i].samples);
    free(pcm);
    return PL_OK;
}

static pl_err_t flite_open_engine(void **engine, pl_loop_t *loop, const pl_config_t *cfg)
{
    size_t threads = (size_t)pl_config_int(cfg, "speech.tts.flite.threads");
    *engine = voice_pool_new(loop, "flite", threads, PL_FRAME_HZ, say);
    return PL_OK;
}

static void flite_close_engine(void **engine)
{
    voice_pool_t *pool = *engine;
    *engine = NULL;
    voice_pool_destroy(&pool);
}

static bool flite_speaks(void *engine, const char *lang)
{
    (void)engine;
    return strncmp(lang, "en", 2) == 0 && (lang[2] == '\0' || lang[2] == '-');
}

static bool flite_has_voice(void *engine, const char *voice)
{
    (void)engine;
    return flite_voice_known(voice);
}

static pl_err_t flite_say(void *engine, void **job, const tts_say_t *what, const tts_sink_t *sink)
{
    return voice_pool_say(engine, job, what, sink);
}

const tts_provider_t tts_flite = {
    .name = "flite",
    .open_engine = flite_open_engine,
    .close_engine = flite_close_engine,
    .speaks = flite_speaks,
    .has_voice = flite_has_voice,
    .say = flite_say,
    .cancel = voice_pool_cancel,
};
