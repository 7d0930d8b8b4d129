#include "services/speech/config.h"

#include <stddef.h>

const pl_config_key_t speech_config_keys[] = {
    {"speech.max_streams", PL_CONFIG_INT, "200", 1, 10000,
     "calls listened to at once; more are refused as BUSY"},
    {"speech.stt.provider", PL_CONFIG_STRING, "sphinx", 0, 0, "who recognises: sphinx"},
    {"speech.stt.sphinx.model_dir", PL_CONFIG_STRING, "/usr/share/pocketsphinx/model/en-us", 0, 0,
     "folder of the English model (en-us, en-us.lm.bin, cmudict-en-us.dict)"},
    {"speech.stt.sphinx.decoders", PL_CONFIG_INT, "4", 1, 64,
     "utterances decoded at once; about 105 MB each"},
    {"speech.tts.flite.threads", PL_CONFIG_INT, "2", 1, 16, "threads that synthesise with Flite"},
    {"speech.tts.cache.size_mb", PL_CONFIG_INT, "32", 0, 4096,
     "audio kept of sentences that are said again and again; 0: none"},
    {"speech.tts.cache.warm", PL_CONFIG_BOOL, "true", 0, 0,
     "synthesise dialogue's fixed sentences at the start, before they are said"},
    {"speech.tts.voices[].lang", PL_CONFIG_STRING, NULL, 0, 0,
     "short code (fr-FR), language (fr) or * that this entry is for"},
    {"speech.tts.voices[].provider", PL_CONFIG_STRING, NULL, 0, 0,
     "who speaks it: flite (English) or espeak"},
    {"speech.tts.voices[].voice", PL_CONFIG_STRING, NULL, 0, 0,
     "the provider's name of the voice (flite: slt, rms, awb, kal16); empty: its default"},
    {NULL, PL_CONFIG_STRING, NULL, 0, 0, NULL},
};
