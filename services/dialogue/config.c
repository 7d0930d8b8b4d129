#include "services/dialogue/config.h"

#include "services/dialogue/llm/llm_keys.h"
#include "services/dialogue/model/instructions.h"
#include "services/dialogue/work/notices.h"

#define STRING(path, fallback, help)                                                               \
    {                                                                                              \
        path, PL_CONFIG_STRING, fallback, 0, 0, help                                               \
    }
#define INT(path, fallback, min, max, help)                                                        \
    {                                                                                              \
        path, PL_CONFIG_INT, fallback, min, max, help                                              \
    }
#define PROMPT(id, name)                                                                           \
    STRING("prompts.tts." name "_tpl[]", NULL, "wordings that replace the built-in ones"),

#define INSTRUCTION(id, name, placeholders, help)                                                  \
    STRING("prompts.llm." name, "", help "; empty: built in"),

#define NOTICE(id, name, placeholders, help)                                                       \
    STRING("prompts.sms." name, "", help "; empty: built in"),

const pl_config_key_t dialogue_config_keys[] = {
    LLM_KEYS,
    INT("dialogue.max_calls", "500", 1, 100000, "calls at once; more are refused as busy"),
    STRING("dialogue.manager", "auto",
           "who decides what is said: script, llm, or auto: llm where llm.* has an endpoint"),
    STRING("dialogue.llm.bot_phone_number", "", "the number callers dial, as the model is told it"),
    STRING("dialogue.translation.provider", "auto",
           "of history and sentences of another language: llm, off; auto: llm where there is one"),
    INT("dialogue.llm.history_messages", "20", 4, 1000,
        "messages of the history in a prompt; what is older is summed up"),
    INT("dialogue.llm.knowledge_wait_ms", "10", 0, 1000,
        "an answer waits so long for passages; 0: only the model's own searches"),
    {"dialogue.llm.speculate", PL_CONFIG_BOOL, "true", 0, 0,
     "begin an answer on a transcript that is not final, and throw it away if it was wrong"},
    INT("dialogue.llm.speculate_after_ms", "100", 0, 5000,
        "when the transcript has stood still for so long"),
    {"dialogue.language_menu", PL_CONFIG_BOOL, "true", 0, 0,
     "ask a fresh caller for their language, where several are configured"},
    STRING("dialogue.timezone", "UTC",
           "zone of callers whose number tells none, like Europe/Paris"),
    INT("dialogue.ring_timeout_ms", "45000", 1000, 600000, "how long a call out may ring"),
    INT("dialogue.stream_timeout_ms", "30000", 1000, 600000,
        "an answered call without audio stream for so long is ended"),
    INT("dialogue.transfer_timeout_ms", "30000", 1000, 600000, "for a transfer's outcome"),
    INT("dialogue.search_timeout_ms", "3000", 100, 60000, "for the knowledge base's answer"),
    INT("dialogue.store_timeout_ms", "3000", 100, 60000, "for persistence to acknowledge a write"),
    INT("dialogue.store_retry_sec", "600", 1, 86400,
        "how long the writes of an ended call are tried again"),
    INT("dialogue.recovery_wait_ms", "20000", 0, 600000,
        "after a restart: calls of the former run that telephony has not offered by then have no "
        "leg any more and are closed; above telephony.owner_timeout_ms"),
    INT("dialogue.drain_timeout_ms", "2000", 0, 86400000,
        "after SIGTERM: how long live calls may go on before they are ended politely"),
    INT("dialogue.messages_max", "1000", 10, 100000, "messages of one call; then it is ended"),
    INT("dialogue.jobs.concurrency", "4", 1, 64,
        "post-call work and reminders done at once by an instance"),
    INT("dialogue.jobs.lease_sec", "60", 1, 3600,
        "after so long another instance takes up the work of one that died"),
    INT("dialogue.jobs.poll_ms", "5000", 100, 600000, "how often work is asked for without a hint"),
    STRING("dialogue.reminders.customer", "sms",
           "when a reminder of the customer falls due: sms, call or entry (in GET /reminders)"),
    STRING("dialogue.reminders.assistant", "entry",
           "when one of the assistant does: call the customer, sms, or entry"),
    {"dialogue.sms_report.enabled", PL_CONFIG_BOOL, "true", 0, 0,
     "after a call the caller gets an SMS that sums it up"},
    {"dialogue.sms_report.to_stated", PL_CONFIG_BOOL, "false", 0, 0,
     "a policyholder_phone that the caller has merely stated gets one too"},
    {"dialogue.script.ask_policyholder", PL_CONFIG_BOOL, "false", 0, 0,
     "ask for policyholder_name, _email and _phone even where the claim does not list them"},
    {"dialogue.script.answer_score", PL_CONFIG_DOUBLE, "2.0", 0, 5,
     "least score of a passage that is given as an answer"},
    STRING("dialogue.emergencies[].service", NULL,
           "police, firefighters, pharmacy, veterinarian, hospital or * for each of them"),
    STRING("dialogue.emergencies[].url", "", "gets a signed POST, see docs/webhooks.md"),
    STRING("dialogue.emergencies[].secret", "", "it is signed with, 16 characters at least"),
    STRING("dialogue.emergencies[].phone_number", "", "gets an SMS; E.164"),
    STRING("dialogue.tools[].name", NULL, "a tool of yours for the language model"),
    STRING("dialogue.tools[].description", "", "for the model: what it does and when to use it"),
    STRING("dialogue.tools[].schema", "", "JSON schema of the arguments; none: no arguments"),
    STRING("dialogue.tools[].schema_file", "", "the same from a file"),
    STRING("dialogue.tools[].url", "", "gets a signed POST with the arguments"),
    STRING("dialogue.tools[].secret", "", "it is signed with, 16 characters at least"),
    INT("dialogue.tools[].timeout_ms", "5000", 100, 60000, "for its answer, repetitions included"),
    INT("dialogue.tools[].filler_after_ms", "2000", 0, 60000,
        "without an answer: a sentence for the caller; 0: none"),
    {"dialogue.tools[].idempotent", PL_CONFIG_BOOL, "false", 0, 0,
     "the same event twice does no harm: it may be repeated when it failed"},
    {"dialogue.webhooks.allow_private", PL_CONFIG_BOOL, "false", 0, 0,
     "let requests of tools and emergencies go to private, loopback and link-local addresses"},

    /* what a call is for, where POST /call or a caller does not say */
    STRING("conversation.initiate.agent_phone_number", "",
           "E.164 number that \"talk to a human\" goes to; empty: nobody"),
    STRING("conversation.initiate.bot_company", "Parley", "company the bot speaks for"),
    STRING("conversation.initiate.bot_name", "Amelie", "the bot's name"),
    STRING("conversation.initiate.task", "", "what calls are for, in English; empty: built in"),
    {"conversation.initiate.prosody_rate", PL_CONFIG_DOUBLE, "1.0", 0.75, 1.25, "speed of speech"},
    STRING("conversation.initiate.claim[].name", NULL,
           "a field to be filled; none: an insurance claim"),
    STRING("conversation.initiate.claim[].type", "text", "text, datetime, phone_number or email"),
    STRING("conversation.initiate.claim[].description", "", "what it is, in a few English words"),
    STRING("conversation.initiate.lang.default_short_code", "en-US",
           "language that calls begin in"),
    STRING("conversation.initiate.lang.availables[].short_code", NULL, "a language, like fr-FR"),
    STRING("conversation.initiate.lang.availables[].voice", "", "its voice; empty: the provider's"),
    STRING("conversation.initiate.lang.availables[].pronunciations_en[]", NULL,
           "how callers name it, in English"),

    STRING("prompts.tts_lang", "en-US", "language of the wordings below"),
    INSTRUCTION_MAP(INSTRUCTION) NOTICE_MAP(NOTICE)
        PROMPT_MAP(PROMPT){NULL, PL_CONFIG_STRING, NULL, 0, 0, NULL},
};

static uint32_t number(const pl_config_t *cfg, const char *path)
{
    return (uint32_t)pl_config_int(cfg, path);
}

void dialogue_call_settings(const pl_config_t *cfg, call_settings_t *out)
{
    *out = (call_settings_t){
        .create_ms = 2 * number(cfg, "dialogue.store_timeout_ms"),
        .dial_ms = 10000,
        .ring_ms = number(cfg, "dialogue.ring_timeout_ms"),
        .stream_ms = number(cfg, "dialogue.stream_timeout_ms"),
        .transfer_ms = number(cfg, "dialogue.transfer_timeout_ms"),
        .hangup_ms = 5000,
        .search_ms = number(cfg, "dialogue.search_timeout_ms"),
        .early_ms = number(cfg, "dialogue.llm.speculate_after_ms"),
        .timezone = pl_config_str(cfg, "dialogue.timezone"),
        .language_menu = pl_config_bool(cfg, "dialogue.language_menu"),
        .messages_max = number(cfg, "dialogue.messages_max"),
    };
}

static uint32_t flag(const pl_features_t *features, pl_feature_t feature)
{
    return (uint32_t)pl_features_int(features, feature);
}

void dialogue_call_features(const pl_features_t *features, call_settings_t *out)
{
    out->silence_ms = 1000 * flag(features, PL_FEATURE_phone_silence_timeout_sec);
    out->retry_max = flag(features, PL_FEATURE_recognition_retry_max);
    out->soft_ms = 1000 * flag(features, PL_FEATURE_answer_soft_timeout_sec);
    out->hard_ms = 1000 * flag(features, PL_FEATURE_answer_hard_timeout_sec);
    out->slow_llm = pl_features_bool(features, PL_FEATURE_slow_llm_for_chat);
    out->vad_silence_ms = flag(features, PL_FEATURE_vad_silence_timeout_ms);
    out->vad_cutoff_ms = flag(features, PL_FEATURE_vad_cutoff_timeout_ms);
}
