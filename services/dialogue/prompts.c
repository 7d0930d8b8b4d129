#include "services/dialogue/prompts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/dialogue/model/template.h"

enum { WORDINGS_MAX = 32 };

/* What a wording may use; where a sentence has no such thing it is filled with nothing. */
#define PLACEHOLDERS "bot_name bot_company label value task index"

typedef struct {
    const char *lang; /* first two letters of the short code */
    prompt_t id;
    const char *wordings[4];
} entry_t;

static const entry_t built_in[] = {
    {"en",
     PROMPT_HELLO,
     {"Hello, this is {bot_name}, the virtual assistant of {bot_company}.",
      "Hello, you are speaking with {bot_name}, the virtual assistant of {bot_company}."}},
    {"en", PROMPT_LANGUAGE_MENU, {"For {label}, press {index}."}},
    {"en", PROMPT_PURPOSE_TASK, {"I am here to help you with {task}."}},
    {"en", PROMPT_PURPOSE, {"I have a few short questions for you."}},
    {"en", PROMPT_WELCOME_BACK, {"Welcome back. Let us continue where we stopped."}},
    {"en", PROMPT_SO_FAR, {"So far I have noted: {value}."}},
    {"en", PROMPT_HELP, {"How can I help you?"}},
    {"en",
     PROMPT_GOODBYE,
     {"Thank you for your time. Goodbye from {bot_company}, and have a nice day.",
      "Thank you for your help. {bot_company} wishes you a nice day. Goodbye."}},
    {"en", PROMPT_SILENCE, {"Are you still there?", "I cannot hear you. Are you still there?"}},
    {"en",
     PROMPT_SILENCE_GOODBYE,
     {"I cannot hear you any more, so I will end the call now. Thank you, and goodbye from "
      "{bot_company}."}},
    {"en", PROMPT_LOADING, {"One moment, please.", "Just a moment, please."}},
    {"en",
     PROMPT_STILL_WORKING,
     {"I am still waiting for the answer.", "It takes a little longer, I am still on it."}},
    {"en",
     PROMPT_ERROR,
     {"I am sorry, something went wrong on my side. Could you say that again?"}},
    {"en",
     PROMPT_FILTERED,
     {"I am sorry, I cannot go into that. What else can I do for you?",
      "I am afraid I cannot talk about that. Let us come back to your request."}},
    {"en", PROMPT_HUMAN_CONSENT, {"Would you like me to connect you with a colleague?"}},
    {"en",
     PROMPT_HUMAN_TRANSFER,
     {"I am transferring you to a colleague now. Please stay on the line."}},
    {"en",
     PROMPT_HUMAN_OFFER,
     {"I am sorry, I have trouble understanding. Would you like me to connect you with a "
      "colleague?"}},
    {"en",
     PROMPT_TRANSFER_FAILED,
     {"I am sorry, none of my colleagues is free right now. Let us go on together."}},
    {"en", PROMPT_LINE_BACK, {"Sorry, the line was interrupted for a moment."}},
    {"en",
     PROMPT_SHUTDOWN,
     {"I am sorry, I have to end the call now. Please call us again a little later. Goodbye."}},
    {"en", PROMPT_ASK_TEXT, {"Could you tell me {label}?", "Please tell me {label}."}},
    {"en", PROMPT_ASK_MOMENT, {"What are the date and time of {label}?"}},
    {"en", PROMPT_ASK_EVENT, {"When was it {label}?"}},
    {"en", PROMPT_ASK_PHONE, {"What is {label}? Please say it digit by digit."}},
    {"en", PROMPT_ASK_EMAIL, {"What is {label}? Please say it slowly."}},
    {"en", PROMPT_HINT_MOMENT, {"You can say, for example: yesterday at nine in the morning."}},
    {"en", PROMPT_HINT_PHONE, {"Please say all the digits, one after the other."}},
    {"en",
     PROMPT_HINT_COUNTRY,
     {"Please say it with its country code: plus, then all the digits."}},
    {"en", PROMPT_HINT_MORE_DIGITS, {"I have {value} so far. Please go on with the other digits."}},
    {"en", PROMPT_HINT_EMAIL, {"You can say, for example: john dot smith at example dot com."}},
    {"en", PROMPT_GOT, {"{value}. Got it.", "{value}. Thank you."}},
    {"en", PROMPT_CONFIRM, {"So, {value}. Is that right?"}},
    {"en", PROMPT_CORRECTED, {"I have changed that to {value}."}},
    {"en", PROMPT_SORRY_AGAIN, {"Sorry about that."}},
    {"en", PROMPT_NOT_UNDERSTOOD, {"Sorry, I did not catch that.", "Sorry, I did not understand."}},
    {"en", PROMPT_YES_OR_NO, {"Please say yes or no."}},
    {"en", PROMPT_SKIPPED, {"No problem, let us go on."}},
    {"en", PROMPT_RECAP, {"Let me sum up."}},
    {"en", PROMPT_RECAP_ITEM, {"{value}."}},
    {"en",
     PROMPT_RECAP_ASK,
     {"Is there anything to correct, or anything else I can help you with?"}},
    {"en", PROMPT_NOTHING_RECAP, {"Thank you. A colleague will look at your case."}},
    {"en", PROMPT_ANYTHING_ELSE, {"Is there anything else I can help you with?"}},
    {"en", PROMPT_NOTED, {"Thank you, I have noted that."}},
    {"en", PROMPT_WHAT_CHANGE, {"What would you like to change?"}},
    {"en", PROMPT_GO_ON, {"All right, let us go on."}},
    {"en", PROMPT_NEW_CLAIM_CONSENT, {"Would you like me to open a new file for that?"}},
    {"en", PROMPT_NEW_CLAIM, {"I have opened a new file."}},
    {"en", PROMPT_NO_NEW_CLAIM, {"I am sorry, I cannot open a new file right now."}},
    {"en", PROMPT_LANGUAGE_SET, {"All right, let us go on in English."}},
    {"en", PROMPT_NO_LANGUAGE, {"I am sorry, I cannot speak that language."}},
    {"en", PROMPT_SLOWER, {"All right, I will speak more slowly."}},
    {"en", PROMPT_FASTER, {"All right, I will speak a little faster."}},
    {"en", PROMPT_WAIT, {"Of course, take your time."}},
    {"en", PROMPT_POLITE, {"I understand that this is frustrating."}},
    {"en", PROMPT_NO_ANSWER, {"I am afraid I do not know the answer to that."}},

    {"fr", PROMPT_HELLO, {"Bonjour, ici {bot_name}, l'assistante virtuelle de {bot_company}."}},
    {"fr", PROMPT_PURPOSE, {"J'ai quelques questions rapides à vous poser."}},
    {"fr", PROMPT_WELCOME_BACK, {"Bonjour à nouveau. Reprenons où nous en étions."}},
    {"fr", PROMPT_SO_FAR, {"J'ai déjà noté : {value}."}},
    {"fr", PROMPT_HELP, {"Comment puis-je vous aider ?"}},
    {"fr",
     PROMPT_GOODBYE,
     {"Merci de votre temps. {bot_company} vous souhaite une bonne journée. Au revoir."}},
    {"fr", PROMPT_SILENCE, {"Êtes-vous toujours là ?"}},
    {"fr",
     PROMPT_SILENCE_GOODBYE,
     {"Je ne vous entends plus, je vais donc mettre fin à l'appel. Merci et au revoir."}},
    {"fr", PROMPT_LOADING, {"Un instant, s'il vous plaît."}},
    {"fr", PROMPT_STILL_WORKING, {"J'attends encore la réponse."}},
    {"fr", PROMPT_ERROR, {"Je suis désolée, une erreur est survenue. Pouvez-vous répéter ?"}},
    {"fr",
     PROMPT_FILTERED,
     {"Je suis désolée, je ne peux pas parler de cela. Que puis-je faire d'autre pour vous ?"}},
    {"fr", PROMPT_HUMAN_CONSENT, {"Souhaitez-vous que je vous passe un conseiller ?"}},
    {"fr",
     PROMPT_HUMAN_TRANSFER,
     {"Je vous passe un conseiller. Restez en ligne, s'il vous plaît."}},
    {"fr",
     PROMPT_HUMAN_OFFER,
     {"Je suis désolée, je vous comprends mal. Souhaitez-vous parler à un conseiller ?"}},
    {"fr",
     PROMPT_TRANSFER_FAILED,
     {"Je suis désolée, aucun conseiller n'est libre. Continuons ensemble."}},
    {"fr", PROMPT_LINE_BACK, {"Pardon, la ligne a été interrompue un instant."}},
    {"fr",
     PROMPT_SHUTDOWN,
     {"Je suis désolée, je dois mettre fin à l'appel. Rappelez-nous un peu plus tard. Au revoir."}},
    {"fr", PROMPT_ASK_TEXT, {"Pouvez-vous m'indiquer : {label} ?"}},
    {"fr", PROMPT_ASK_MOMENT, {"Quand cela a-t-il eu lieu : {label} ?"}},
    {"fr", PROMPT_ASK_EVENT, {"Quand cela a-t-il eu lieu : {label} ?"}},
    {"fr", PROMPT_ASK_PHONE, {"Pouvez-vous me dire, chiffre par chiffre : {label} ?"}},
    {"fr", PROMPT_ASK_EMAIL, {"Pouvez-vous me dire lentement : {label} ?"}},
    {"fr", PROMPT_GOT, {"{value}. C'est noté."}},
    {"fr", PROMPT_CONFIRM, {"Donc, {value}. Est-ce exact ?"}},
    {"fr", PROMPT_SORRY_AGAIN, {"Pardon."}},
    {"fr", PROMPT_NOT_UNDERSTOOD, {"Pardon, je n'ai pas compris."}},
    {"fr", PROMPT_YES_OR_NO, {"Répondez par oui ou par non, s'il vous plaît."}},
    {"fr", PROMPT_SKIPPED, {"Pas de problème, continuons."}},
    {"fr", PROMPT_RECAP, {"Je récapitule."}},
    {"fr",
     PROMPT_RECAP_ASK,
     {"Voulez-vous corriger quelque chose, ou puis-je encore vous aider ?"}},
    {"fr", PROMPT_NOTHING_RECAP, {"Merci. Un collègue va s'occuper de votre dossier."}},
    {"fr", PROMPT_ANYTHING_ELSE, {"Puis-je encore vous aider ?"}},
    {"fr", PROMPT_NOTED, {"Merci, c'est noté."}},
    {"fr", PROMPT_WHAT_CHANGE, {"Que voulez-vous changer ?"}},
    {"fr", PROMPT_GO_ON, {"Très bien, continuons."}},
    {"fr", PROMPT_NEW_CLAIM_CONSENT, {"Souhaitez-vous que j'ouvre un nouveau dossier pour cela ?"}},
    {"fr", PROMPT_NEW_CLAIM, {"J'ai ouvert un nouveau dossier."}},
    {"fr",
     PROMPT_NO_NEW_CLAIM,
     {"Je suis désolée, je ne peux pas ouvrir de nouveau dossier pour l'instant."}},
    {"fr", PROMPT_LANGUAGE_MENU, {"Pour le {label}, tapez {index}."}},
    {"fr", PROMPT_LANGUAGE_SET, {"Très bien, continuons en français."}},
    {"fr", PROMPT_NO_LANGUAGE, {"Je suis désolée, je ne parle pas cette langue."}},
    {"fr", PROMPT_SLOWER, {"Très bien, je vais parler plus lentement."}},
    {"fr", PROMPT_FASTER, {"Très bien, je vais parler un peu plus vite."}},
    {"fr", PROMPT_WAIT, {"Bien sûr, prenez votre temps."}},
    {"fr", PROMPT_POLITE, {"Je comprends que ce soit agaçant."}},
    {"fr", PROMPT_NO_ANSWER, {"Je ne connais malheureusement pas la réponse."}},

    /* Of the other languages only what a caller hears before they have one. */
    {"de", PROMPT_LANGUAGE_MENU, {"Für {label} drücken Sie die {index}."}},
    {"es", PROMPT_LANGUAGE_MENU, {"Para {label}, pulse {index}."}},
    {"it", PROMPT_LANGUAGE_MENU, {"Per {label}, prema {index}."}},
    {"ja", PROMPT_LANGUAGE_MENU, {"{label}は{index}を押してください。"}},
    {"ko", PROMPT_LANGUAGE_MENU, {"{label}는 {index}번을 눌러 주세요."}},
    {"nl", PROMPT_LANGUAGE_MENU, {"Voor {label}, toets {index}."}},
    {"pl", PROMPT_LANGUAGE_MENU, {"{label}: proszę nacisnąć {index}."}},
    {"pt", PROMPT_LANGUAGE_MENU, {"Para {label}, marque {index}."}},
    {"ru", PROMPT_LANGUAGE_MENU, {"{label}: нажмите {index}."}},
    {"sv", PROMPT_LANGUAGE_MENU, {"För {label}, tryck {index}."}},
    {"tr", PROMPT_LANGUAGE_MENU, {"{label} için {index} tuşuna basın."}},
    {"zh", PROMPT_LANGUAGE_MENU, {"{label}请按{index}。"}},
};

#define PROMPT_NAME(id, name) name,
static const char *const names[PROMPT_COUNT] = {PROMPT_MAP(PROMPT_NAME)};

struct prompts {
    char lang[16]; /* of the overrides */
    char *wordings[PROMPT_COUNT][WORDINGS_MAX];
    size_t count[PROMPT_COUNT];
};

pl_err_t prompts_check(const pl_config_t *cfg)
{
    pl_err_t err = PL_OK;
    for (int id = 0; id < PROMPT_COUNT; id++) { /* all of them are looked at */
        char path[96];
        snprintf(path, sizeof path, "prompts.tts.%s_tpl", names[id]);
        size_t count = pl_config_count(cfg, path);
        for (size_t i = 0; i < count; i++) {
            char item[128];
            char reason[300] = "";
            snprintf(item, sizeof item, "%s[%zu]", path, i);
            const char *text = pl_config_str(cfg, item);
            pl_err_t wrong = template_check(text, PLACEHOLDERS, reason, sizeof reason);
            if (i == WORDINGS_MAX) {
                snprintf(reason, sizeof reason, "more than %d wordings", WORDINGS_MAX);
                wrong = PL_INVALID;
            }
            if (!wrong) continue;
            fprintf(stderr, "%s: %s: %s\n", pl_config_where(cfg, item), item, reason);
            err = wrong;
        }
    }
    return err;
}

prompts_t *prompts_new(const pl_config_t *cfg)
{
    prompts_t *self = calloc(1, sizeof *self);
    assert(self);
    if (!cfg) return self;
    snprintf(self->lang, sizeof self->lang, "%s", pl_config_str(cfg, "prompts.tts_lang"));
    for (int id = 0; id < PROMPT_COUNT; id++) {
        char path[96];
        snprintf(path, sizeof path, "prompts.tts.%s_tpl", names[id]);
        size_t count = pl_config_count(cfg, path);
        for (size_t i = 0; i < count && i < WORDINGS_MAX; i++) {
            const char *text = pl_config_item(cfg, "prompts.tts.%s_tpl[%zu]", names[id], i);
            self->wordings[id][i] = strdup(text);
            assert(self->wordings[id][i]);
            self->count[id]++;
        }
    }
    return self;
}

void prompts_destroy(prompts_t **self_p)
{
    prompts_t *self = *self_p;
    if (!self) return;
    for (int id = 0; id < PROMPT_COUNT; id++) {
        for (size_t i = 0; i < self->count[id]; i++) free(self->wordings[id][i]);
    }
    free(self);
    *self_p = NULL;
}

typedef struct {
    const char *const *list;
    size_t count;
} wordings_t;

static wordings_t find_built_in(const char *lang, prompt_t id)
{
    for (size_t i = 0; i < sizeof built_in / sizeof built_in[0]; i++) {
        const entry_t *entry = &built_in[i];
        if (entry->id != id || strncmp(entry->lang, lang, 2) != 0) continue;
        wordings_t found = {entry->wordings, 0};
        while (found.count < 4 && entry->wordings[found.count]) found.count++;
        assert(found.count > 0);
        return found;
    }
    return (wordings_t){NULL, 0};
}

bool prompts_has(const prompts_t *self, const char *lang, prompt_t id)
{
    bool configured = self->count[id] && strncmp(self->lang, lang, 2) == 0;
    return configured || find_built_in(lang, id).count;
}

static wordings_t find(const prompts_t *self, const char *lang, prompt_t id)
{
    bool same = strncmp(self->lang, lang, 2) == 0;
    if (self->count[id] && same)
        return (wordings_t){(const char *const *)self->wordings[id], self->count[id]};
    wordings_t found = find_built_in(lang, id);
    if (!found.count) found = find_built_in("en", id);
    assert(found.count); /* English has them all */
    return found;
}

static const char *value_of(const char *name, size_t len, const char *const *values)
{
    for (; values && *values; values += 2) {
        if (strlen(values[0]) == len && memcmp(values[0], name, len) == 0) return values[1];
    }
    return "";
}

static char *fill(const char *wording, const char *const *values, char *out, size_t bytes)
{
    size_t n = 0;
    for (const char *p = wording; *p && n + 1 < bytes;) {
        const char *end = *p == '{' ? strchr(p, '}') : NULL;
        if (!end) {
            out[n++] = *p++;
            continue;
        }
        const char *value = value_of(p + 1, (size_t)(end - p - 1), values);
        size_t len = strlen(value);
        if (len > bytes - n - 1) len = bytes - n - 1;
        memcpy(out + n, value, len);
        n += len;
        p = end + 1;
    }
    out[n] = '\0';
    return out;
}

char *prompts_say(const prompts_t *self, const char *lang, prompt_t id, uint32_t seed,
                  const char *const *values, char *out, size_t bytes)
{
    wordings_t found = find(self, lang, id);
    return fill(found.list[seed % found.count], values, out, bytes);
}

/* Are all its placeholders among the values? */
static bool can_fill(const char *wording, const char *const *values)
{
    for (const char *at = strchr(wording, '{'); at; at = strchr(at + 1, '{')) {
        const char *end = strchr(at, '}');
        if (end && !*value_of(at + 1, (size_t)(end - at - 1), values)) return false;
    }
    return true;
}

void prompts_each(const prompts_t *self, const char *lang, const char *const *values,
                  prompts_each_fn *fn, void *arg)
{
    for (int id = 0; id < PROMPT_COUNT; id++) {
        wordings_t found = find(self, lang, (prompt_t)id);
        for (size_t i = 0; i < found.count; i++) {
            char text[PROMPT_BYTES];
            if (can_fill(found.list[i], values))
                fn(arg, fill(found.list[i], values, text, sizeof text));
        }
    }
}
