#include "services/dialogue/nlu/intent.h"

#include <string.h>

#include "services/dialogue/nlu/phrases.h"

/* A brief utterance: in words, or in bytes (three a character) where words are not apart. */
enum { SHORT_WORDS = 8, UNSPACED_BYTES = 36 };

/* Does any of the phrases stand in the utterance? Where no spaces are written, anywhere in it. */
static bool stands(const words_t *w, const phrases_t *lang, const char *const *phrases)
{
    if (!lang->unspaced) return words_has_any(w, phrases);
    for (size_t i = 0; i < w->count; i++) {
        for (const char *const *p = phrases; *p; p++) {
            if (strstr(words_at(w, i), *p)) return true;
        }
    }
    return false;
}

static intent_t foreign_intent(const words_t *w, const phrases_t *lang)
{
    const struct {
        const char *const *phrases;
        intent_t intent;
    } table[] = {{lang->goodbye, INTENT_GOODBYE}, {lang->done, INTENT_DONE},
                 {lang->human, INTENT_HUMAN},     {lang->slower, INTENT_SLOWER},
                 {lang->faster, INTENT_FASTER},   {lang->wait, INTENT_WAIT},
                 {lang->skip, INTENT_SKIP},       {lang->repeat, INTENT_REPEAT}};
    bool brief = w->count <= SHORT_WORDS;
    if (lang->unspaced) brief = w->count <= 3 && strlen(words_at(w, 0)) <= UNSPACED_BYTES;
    for (size_t i = 0; brief && i < sizeof table / sizeof table[0]; i++) {
        if (stands(w, lang, table[i].phrases)) return table[i].intent;
    }
    return INTENT_NONE;
}

static bool wants_goodbye(const words_t *w)
{
    static const char *const always[] = {
        "hang up",       "end the call", "end this call", "finish the call",
        "stop the call", "goodbye",      "good bye",      NULL};
    static const char *const brief[] = {
        "bye",     "bye bye",      "by by",     "have a nice day",   "have a good day",
        "see you", "i have to go", "i must go", "talk to you later", "good buy",
        NULL};
    static const char *const whole[] = {"good night", "stop", "cancel", "quit", "good by", NULL};
    if (w->count <= SHORT_WORDS && words_has_any(w, brief)) return true;
    if (words_are_any(w, whole)) return true;
    /* In a long utterance only at its edge: "...so that is it, goodbye". */
    if (w->count <= SHORT_WORDS) return words_has_any(w, always);
    return words_in(w, w->count - 1, "goodbye bye") || words_match(w, w->count - 2, "good bye");
}

static bool wants_done(const words_t *w)
{
    static const char *const phrases[] = {"thats all",
                                          "that is all",
                                          "that was all",
                                          "nothing else",
                                          "nothing more",
                                          "that will be all",
                                          "thatll be all",
                                          "that would be all",
                                          "thats it",
                                          "that is it",
                                          "no thanks",
                                          "no thank you",
                                          "im done",
                                          "i am done",
                                          "im good",
                                          "all good",
                                          "were done",
                                          "not at the moment",
                                          "thats everything",
                                          "that is everything",
                                          "nothing for now",
                                          "not really no",
                                          NULL};
    return w->count <= SHORT_WORDS && words_has_any(w, phrases);
}

static bool wants_human(const words_t *w)
{
    static const char persons[] = "human agent person someone somebody representative operator "
                                  "advisor adviser colleague supervisor manager people technician";
    static const char verbs[] =
        "talk speak talking speaking transfer connect get reach pass put give";
    bool verb = false;
    bool person = false;
    for (size_t i = 0; i < w->count; i++) {
        verb = verb || words_in(w, i, verbs);
        bool now = words_in(w, i, persons);
        /* "speak to a human": the person comes after the verb. */
        person = person || (verb && now);
        if (now && w->count <= 4 && words_in(w, i, "human agent operator representative"))
            return true;
    }
    static const char *const fixed[] = {"real person", "real human",  "human being",
                                        "live agent",  "human agent", NULL};
    if (w->count <= SHORT_WORDS && words_has_any(w, fixed)) return true;
    static const char *const asked[] = {"talk to",     "speak to",    "speak with",     "talk with",
                                        "transfer me", "connect me",  "put me through", "get me",
                                        "pass me",     "transfer to", "give me",        "reach",
                                        NULL};
    return person && w->count <= 14 && words_has_any(w, asked);
}

static bool wants_repeat(const words_t *w)
{
    static const char *const fixed[] = {"repeat that",
                                        "repeat please",
                                        "repeat the question",
                                        "repeat it",
                                        "say that again",
                                        "say it again",
                                        "say again",
                                        "come again",
                                        "what did you say",
                                        "what was that",
                                        "what was the question",
                                        "what is the question",
                                        "i did not hear",
                                        "i didnt hear",
                                        "i did not catch",
                                        "i didnt catch",
                                        "i did not understand",
                                        "i didnt understand",
                                        "i dont understand",
                                        "beg your pardon",
                                        "can you repeat",
                                        "could you repeat",
                                        "please repeat",
                                        "one more time",
                                        "again please",
                                        NULL};
    static const char *const whole[] = {"pardon",    "pardon me", "repeat", "sorry",      "what",
                                        "excuse me", "again",     "huh",    "sorry what", NULL};
    return words_are_any(w, whole) || (w->count <= 12 && words_has_any(w, fixed));
}

static bool wants_slower(const words_t *w)
{
    static const char *const phrases[] = {"slower",       "slow down", "too fast", "more slowly",
                                          "speak slowly", "less fast", NULL};
    return w->count <= 10 && words_has_any(w, phrases);
}

static bool wants_faster(const words_t *w)
{
    static const char *const phrases[] = {"faster",   "speed up",   "too slow", "more quickly",
                                          "hurry up", "too slowly", NULL};
    return w->count <= 10 && words_has_any(w, phrases);
}

static bool wants_wait(const words_t *w)
{
    static const char *const phrases[] = {"hold on",
                                          "one moment",
                                          "just a moment",
                                          "just a second",
                                          "just a minute",
                                          "give me a second",
                                          "give me a minute",
                                          "give me a moment",
                                          "wait a",
                                          "please wait",
                                          "one second",
                                          "one minute",
                                          "wait please",
                                          "hang on",
                                          "a moment please",
                                          "let me check",
                                          "let me look",
                                          "wait",
                                          NULL};
    /* "one minute ago" is an answer. */
    return w->count <= 7 && words_has_any(w, phrases) && words_find(w, 0, "ago") == WORDS_NONE;
}

static bool wants_skip(const words_t *w)
{
    static const char *const phrases[] = {"i dont know",
                                          "i do not know",
                                          "no idea",
                                          "dont remember",
                                          "do not remember",
                                          "cant remember",
                                          "cannot remember",
                                          "not sure",
                                          "rather not",
                                          "prefer not",
                                          "dont want to say",
                                          "do not want to say",
                                          "dont want to tell",
                                          "dont want to give",
                                          "do not want to",
                                          "next question",
                                          "skip it",
                                          "skip that",
                                          "skip this",
                                          "i have no clue",
                                          "dont have one",
                                          "do not have one",
                                          "dont have any",
                                          "i dont have it",
                                          "not going to tell",
                                          "none of your business",
                                          "dont recall",
                                          "not available",
                                          "i have none",
                                          "dont have a phone",
                                          "dont have an email",
                                          "wont say",
                                          "wont tell",
                                          "will not say",
                                          "will not tell",
                                          "will not give",
                                          NULL};
    static const char *const whole[] = {"skip",    "next",    "pass",      "none",
                                        "unknown", "nothing", "dont know", NULL};
    return words_are_any(w, whole) || (w->count <= 12 && words_has_any(w, phrases));
}

intent_t intent_of(const words_t *w, const char *lang)
{
    static const struct {
        bool (*wants)(const words_t *w);
        intent_t intent;
    } table[] = {{wants_human, INTENT_HUMAN},   {wants_goodbye, INTENT_GOODBYE},
                 {wants_slower, INTENT_SLOWER}, {wants_faster, INTENT_FASTER},
                 {wants_skip, INTENT_SKIP},     {wants_repeat, INTENT_REPEAT},
                 {wants_done, INTENT_DONE},     {wants_wait, INTENT_WAIT}};
    if (w->count == 0) return INTENT_NONE;
    const phrases_t *foreign = phrases_of(lang);
    intent_t found = foreign ? foreign_intent(w, foreign) : INTENT_NONE;
    if (found != INTENT_NONE) return found;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].wants(w)) return table[i].intent;
    }
    return INTENT_NONE;
}

static size_t longest(const words_t *w, size_t i, const char *const *phrases)
{
    size_t best = 0;
    for (; *phrases; phrases++) {
        size_t used = words_match(w, i, *phrases);
        if (used > best) best = used;
    }
    return best;
}

static const char *const en_no[] = {"no",
                                    "nope",
                                    "nah",
                                    "not really",
                                    "thats wrong",
                                    "that is wrong",
                                    "its wrong",
                                    "it is wrong",
                                    "incorrect",
                                    "thats not right",
                                    "that is not right",
                                    "thats not correct",
                                    "that is not correct",
                                    "not correct",
                                    "not right",
                                    "not quite",
                                    "negative",
                                    "wrong",
                                    "thats incorrect",
                                    "it isnt",
                                    "it is not",
                                    "its not",
                                    "that isnt right",
                                    "not exactly",
                                    "no no",
                                    "no it is not",
                                    "no its not",
                                    "no thats wrong",
                                    "no that is wrong",
                                    "no thats not right",
                                    "no that is not right",
                                    "no thats not correct",
                                    "no not really",
                                    "no thank you",
                                    "no thanks",
                                    "dont",
                                    "please dont",
                                    "no it isnt",
                                    "absolutely not",
                                    "of course not",
                                    "i dont think so",
                                    "not yet",
                                    "no i dont",
                                    "no i do not",
                                    "not now",
                                    "no that is not correct",
                                    NULL};
static const char *const en_yes[] = {"yes",
                                     "yeah",
                                     "yep",
                                     "yup",
                                     "yes please",
                                     "yes it is",
                                     "correct",
                                     "thats correct",
                                     "that is correct",
                                     "its correct",
                                     "it is correct",
                                     "right",
                                     "thats right",
                                     "that is right",
                                     "exactly",
                                     "sure",
                                     "ok",
                                     "okay",
                                     "of course",
                                     "absolutely",
                                     "it is",
                                     "indeed",
                                     "affirmative",
                                     "perfect",
                                     "fine",
                                     "good",
                                     "please do",
                                     "go ahead",
                                     "yes thats right",
                                     "yes thats correct",
                                     "yes that is correct",
                                     "yes that is right",
                                     "thats fine",
                                     "yes yes",
                                     "all right",
                                     "alright",
                                     "definitely",
                                     "certainly",
                                     "yes i do",
                                     "yes i would",
                                     "that is fine",
                                     "sounds good",
                                     "yes correct",
                                     "yes exactly",
                                     "yes right",
                                     "yes sure",
                                     "i do",
                                     "i would",
                                     "i agree",
                                     "very good",
                                     "yes of course",
                                     "everything is right",
                                     "everything is correct",
                                     "its right",
                                     "yes it is correct",
                                     "yes its correct",
                                     "great",
                                     NULL};
polarity_t intent_polarity(const words_t *w, const char *lang, size_t *used)
{
    size_t start = 0;
    const phrases_t *foreign = phrases_of(lang);
    const char *fillers = foreign ? foreign->fillers : "um uh er oh well hmm so ah";
    while (words_in(w, start, fillers)) start++;
    size_t as_no = longest(w, start, foreign ? foreign->no : en_no);
    size_t as_yes = longest(w, start, foreign ? foreign->yes : en_yes);
    /* "know" alone is how recognisers may write "no". */
    if (!as_no && w->count == start + 1 && words_is(w, start, "know")) as_no = 1;
    *used = 0;
    if (!as_no && !as_yes) return POLARITY_NONE;
    /* "right now", "good morning", "fine print", "it is a ..." and "ok so" are no agreement. */
    if (as_yes == 1 && words_in(w, start, "right good fine great perfect") &&
        w->count > start + 1 && !words_in(w, start + 1, "thank thanks yes")) {
        return POLARITY_NONE;
    }
    bool open = words_match(w, start, "it is") || words_match(w, start, "it is not") ||
                words_match(w, start, "its not") || words_match(w, start, "i do");
    if (open && w->count > start + (as_yes > as_no ? as_yes : as_no) && as_yes <= 2 && as_no <= 3) {
        return as_no > as_yes ? POLARITY_NO : POLARITY_NONE;
    }
    *used = start + (as_no > as_yes ? as_no : as_yes);
    return as_no > as_yes ? POLARITY_NO : POLARITY_YES;
}

size_t intent_correction(const words_t *w)
{
    static const char *const phrases[] = {"actually",
                                          "i mean",
                                          "i meant",
                                          "sorry i mean",
                                          "sorry i meant",
                                          "no i mean",
                                          "no i meant",
                                          "no actually",
                                          "actually no",
                                          "sorry",
                                          "wait no",
                                          "no wait",
                                          "make that",
                                          "make it",
                                          "no sorry",
                                          "correction",
                                          "or rather",
                                          "rather",
                                          "no its",
                                          "no it is",
                                          "no it was",
                                          "no",
                                          "i said",
                                          "no i said",
                                          "its not that its",
                                          "sorry its",
                                          "sorry it is",
                                          "actually its",
                                          "actually it is",
                                          "actually it was",
                                          "instead",
                                          "scratch that",
                                          NULL};
    return longest(w, 0, phrases);
}

bool intent_change(const words_t *w)
{
    static const char verbs[] = "change correct modify update fix edit";
    if (w->count > 16) return false;
    static const char *const wrong[] = {"is wrong",
                                        "was wrong",
                                        "is not right",
                                        "isnt right",
                                        "is not correct",
                                        "isnt correct",
                                        "is incorrect",
                                        "got wrong",
                                        "made a mistake",
                                        "is a mistake",
                                        NULL};
    if (words_has_any(w, wrong)) return true;
    for (size_t i = 0; i + 1 < w->count; i++) {
        if (words_in(w, i, verbs) && words_in(w, i + 1, "the my that something it one a"))
            return true;
    }
    return false;
}

bool intent_question(const words_t *w)
{
    static const char *const openers[] = {"i want to know",  "i would like to know",
                                          "id like to know", "i have a question",
                                          "i wanted to ask", "i want to ask",
                                          "id like to ask",  "i would like to ask",
                                          "can you tell me", "could you tell me",
                                          "do you know",     "tell me about",
                                          "tell me how",     "tell me what",
                                          "tell me when",    "tell me where",
                                          "explain",         "i wonder",
                                          "please tell me",  NULL};
    size_t i = 0;
    while (words_in(w, i, "um uh er well so okay ok oh and but yes yeah hello hi please")) i++;
    if (w->count < i + 3) return false;
    if (longest(w, i, openers)) return true;
    if (words_in(w, i, "can could do does will would may should am is are did has have")) {
        return words_in(w, i + 1, "i you we there it the your they this that my a someone anyone");
    }
    if (!words_in(w, i, "what how when where why who which whats hows wheres whos")) return false;
    if (words_in(w, i, "whats hows wheres whos why")) return true;
    return words_in(w, i + 1,
                    "is are do does did can could should will would was were have has much "
                    "many long often far to kind type time must shall about");
}

bool intent_backchannel(const words_t *w)
{
    if (w->count == 0 || w->count > 3) return false;
    for (size_t i = 0; i < w->count; i++) {
        if (!words_in(w, i, "mhm mm hmm hm uh huh um ah oh okay ok right yeah yes aha"))
            return false;
    }
    return true;
}

bool intent_same_number(const words_t *w)
{
    static const char *const phrases[] = {
        "this number",          "same number",         "this one",
        "number im calling",    "number i am calling", "number you called",
        "number youre calling", "calling from",        "number i called",
        "the one you called",   "my number you have",  NULL};
    return w->count <= 14 && words_has_any(w, phrases);
}

const char *intent_name(intent_t intent)
{
    static const char *const names[] = {"none",   "goodbye", "done", "human", "repeat",
                                        "slower", "faster",  "wait", "skip"};
    return names[intent];
}
