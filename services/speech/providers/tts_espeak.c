/* tts_espeak: eSpeak NG, for the many languages it knows. Its library is global state, so there is
 * one engine a process, on one thread. */
#include <assert.h>
#include <espeak-ng/speak_lib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "services/speech/providers/voice_pool.h"
#include "services/speech/tts.h"

enum { BUFFER_MS = 60, WORDS_A_MINUTE = 165, LANG_BYTES = 36, VOICE_BYTES = 64 };

static int espeak_hz;      /* the same */
static char *known_langs;  /* " af fr fr-fr ", filled at the first opening, then read only */
static char *known_voices; /* "\nFrench_(France)\n", the same */

typedef struct {
    const voice_out_t *out;
    const char *text;
    int hz;
    size_t emitted; /* samples */
} flow_t;

/* Bytes of so many characters. */
static size_t bytes_of(const char *text, int characters)
{
    size_t at = 0;
    while (text[at] && characters > 0) {
        at++;
        if (((unsigned char)text[at] & 0xc0) != 0x80) characters--;
    }
    return at;
}

/* A word begins: those before it are said. eSpeak counts characters from 1. */
static void on_word(const flow_t *flow, const espeak_EVENT *event)
{
    size_t bytes = bytes_of(flow->text, event->text_position - 1);
    if (event->length == 0 || bytes == 0) return; /* eSpeak sends a few about no word */
    uint64_t samples = (uint64_t)event->audio_position * (uint64_t)flow->hz / 1000;
    flow->out->said(flow->out->arg, bytes, (size_t)samples);
}

static int on_samples(short *wav, int count, espeak_EVENT *events)
{
    flow_t *flow = events->user_data;
    if (!flow) return 0;
    for (const espeak_EVENT *e = events; e->type != espeakEVENT_LIST_TERMINATED; e++) {
        if (e->type == espeakEVENT_WORD) on_word(flow, e);
    }
    if (!wav || count <= 0) return 0;
    flow->emitted += (size_t)count;
    return flow->out->emit(flow->out->arg, wav, (size_t)count) ? 0 : 1;
}

static void lower(char *out, size_t room, const char *lang)
{
    (void)snprintf(out, room, "%s", lang);
    for (char *c = out; *c; c++) {
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 'a' - 'A');
    }
}

static bool lang_known(const char *lang)
{
    char word[LANG_BYTES + 2];
    (void)snprintf(word, sizeof word, " %s ", lang);
    return known_langs && strstr(known_langs, word);
}

/* The best name eSpeak has for a short code: "fr-ca" for itself, "fr" for "fr-BJ", Mandarin for
 * Chinese. False when it does not know the language. */
static bool lang_find(char out[LANG_BYTES], const char *lang)
{
    lower(out, LANG_BYTES, lang);
    if (lang_known(out)) return true;
    out[strcspn(out, "-")] = '\0';
    if (strcmp(out, "zh") == 0) (void)snprintf(out, LANG_BYTES, "cmn");
    if (strcmp(out, "no") == 0) (void)snprintf(out, LANG_BYTES, "nb");
    return lang_known(out);
}

static bool voice_known(const char *voice)
{
    char line[VOICE_BYTES + 2];
    (void)snprintf(line, sizeof line, "\n%s\n", voice);
    return known_voices && strstr(known_voices, line);
}

static pl_err_t take_voice(const tts_say_t *what)
{
    if (*what->voice && espeak_SetVoiceByName(what->voice) == EE_OK) return PL_OK;
    char lang[LANG_BYTES];
    if (!lang_find(lang, what->lang)) return PL_NOT_FOUND;
    espeak_VOICE wanted;
    memset(&wanted, 0, sizeof wanted);
    wanted.languages = lang;
    return espeak_SetVoiceByProperties(&wanted) == EE_OK ? PL_OK : PL_NOT_FOUND;
}

static pl_err_t say(const tts_say_t *what, const voice_out_t *out)
{
    pl_err_t err = take_voice(what);
    if (err) return err;
    double rate = what->rate > 0 ? what->rate : 1.0;
    (void)espeak_SetParameter(espeakRATE, (int)(WORDS_A_MINUTE * rate), 0);
    flow_t flow = {out, what->text, espeak_hz, 0};
    espeak_ERROR rc = espeak_Synth(what->text, strlen(what->text) + 1, 0, POS_CHARACTER, 0,
                                   espeakCHARS_UTF8, NULL, &flow);
    if (rc != EE_OK) return PL_INTERNAL;
    out->said(out->arg, strlen(what->text), flow.emitted);
    return PL_OK;
}

static void append(char **text, const char *word, const char *mark)
{
    size_t old = *text ? strlen(*text) : 0;
    *text = realloc(*text, old + strlen(word) + 2 * strlen(mark) + 1);
    assert(*text);
    (void)sprintf(*text + old, "%s%s%s", old ? "" : mark, word, mark);
}

static void list_voices(void)
{
    for (const espeak_VOICE **v = espeak_ListVoices(NULL); *v; v++) {
        append(&known_voices, (*v)->name, "\n");
        /* Pairs of a priority byte and a language, the list ending with a zero byte. */
        for (const char *at = (*v)->languages; *at; at += strlen(at) + 1) {
            char lang[LANG_BYTES];
            lower(lang, sizeof lang, at + 1);
            append(&known_langs, lang, " ");
        }
    }
}

/* Once a process and until its exit: a second espeak_Terminate waits for ever (1.51). */
static bool initialise(void)
{
    if (espeak_hz > 0) return true;
    espeak_hz =
        espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, BUFFER_MS, NULL, espeakINITIALIZE_DONT_EXIT);
    if (espeak_hz <= 0) return false;
    espeak_SetSynthCallback(on_samples);
    list_voices();
    return true;
}

static pl_err_t espeak_open_engine(void **engine, pl_loop_t *loop, const pl_config_t *cfg)
{
    (void)cfg;
    if (!initialise()) {
        (void)fprintf(stderr, "parley-speech: eSpeak NG's data cannot be read (Debian's "
                              "espeak-ng-data has it)\n");
        return PL_UNAVAILABLE;
    }
    *engine = voice_pool_new(loop, "espeak", 1, (uint32_t)espeak_hz, say);
    return PL_OK;
}

static void espeak_close_engine(void **engine)
{
    voice_pool_t *pool = *engine;
    *engine = NULL;
    voice_pool_destroy(&pool);
}

static bool espeak_speaks(void *engine, const char *lang)
{
    (void)engine;
    char found[LANG_BYTES];
    return lang_find(found, lang);
}

static bool espeak_has_voice(void *engine, const char *voice)
{
    (void)engine;
    return *voice == '\0' || voice_known(voice);
}

static pl_err_t espeak_say(void *engine, void **job, const tts_say_t *what, const tts_sink_t *sink)
{
    return voice_pool_say(engine, job, what, sink);
}

const tts_provider_t tts_espeak = {
    .name = "espeak",
    .open_engine = espeak_open_engine,
    .close_engine = espeak_close_engine,
    .speaks = espeak_speaks,
    .has_voice = espeak_has_voice,
    .say = espeak_say,
    .cancel = voice_pool_cancel,
};
