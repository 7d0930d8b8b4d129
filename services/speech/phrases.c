#include "services/speech/phrases.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Alternatives are parted by "|" and equally likely, so that what is said more often stands more
 * often. "%name" draws from that rule, "%name{3,12}" three to twelve times; a leading "?" leaves
 * the word out half of the time. */
static const struct {
    const char *name, *text;
} rules[] = {
    /* numbers */
    {"d", "zero|one|two|three|four|five|six|seven|eight|nine|zero|one|two|three|four|five|"
          "six|seven|eight|nine|oh"},
    {"teen", "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"},
    {"ty", "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"},
    {"two", "%teen|%ty|%ty %d|%ty %d"},
    {"dd", "%d|%d|%d|%d|%d|%d|%d|%d|%d|%d|%d|%d|%d|%d|%d|%d|double %d|triple %d|%two|"
           "%d hundred"},
    {"number", "%dd{3,12}|plus %dd{7,12}|plus %d{7,12}|%d{7,11}|%d{4,10}"},
    {"numlead", "my number is|my phone number is|it is|it's|the number is|you can call me on|"
                "yes it is|sure it is|that is|no it is|call me at"},
    {"digits", "%number|%number|%number|%numlead %number"},
    {"day", "monday|tuesday|wednesday|thursday|friday|saturday|sunday"},
    {"month", "january|february|march|april|may|june|july|august|september|october|november|"
              "december"},
    {"ord", "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|"
            "twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|"
            "nineteenth|twentieth|thirtieth|twenty %ord1|twenty %ord1|thirty first"},
    {"ord1", "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth"},
    {"hour", "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"},
    {"min", "fifteen|thirty|forty five|ten|twenty|five|oh five|twenty five|fifty|forty|"
            "fifty five|%ty %d"},
    {"half", "a m|p m|am|pm|a m|p m|in the morning|in the afternoon|in the evening|at night"},
    {"clock", "%hour ?%half|%hour %half|%hour %min ?%half|%hour o'clock ?%half|"
              "half past %hour ?%half|quarter past %hour|quarter to %hour|noon|midnight|"
              "%hour thirty|%min past %hour"},
    {"at", "at|around|about|at about|at around|since"},
    {"part", "morning|afternoon|evening|night"},
    {"n", "one|two|three|four|five|six|seven|ten|a few|a couple of|twenty"},
    {"unit", "days|hours|weeks|minutes|months"},
    {"rel", "yesterday|today|this %part|last night|yesterday %part|%day|%day %part|last %day|"
            "on %day|on %day %part|last week|this week|the day before yesterday|%n %unit ago|"
            "an hour ago|a week ago|one day ago|just now|earlier today|two days ago|tomorrow|"
            "tomorrow %part|next %day|next week|right now"},
    {"date1", "the %ord of %month|%month %ord|%month the %ord|on the %ord of %month|"
              "on %month %ord|on the %ord|the %ord"},
    {"year", "twenty twenty six|twenty twenty five|twenty twenty seven|"
             "two thousand twenty six"},
    {"when", "%rel|%rel|%rel %at %clock|%rel %at %clock|%date1 ?%year|%date1 %at %clock|"
             "%at %clock|%at %clock %rel|%clock"},
    {"wlead", "since|it started|it happened|it began|it was|i think|it broke|i noticed it|"
              "it has been since|it stopped working|it started on|i first saw it|from"},
    {"date", "%when|%when|%wlead %when"},
    {"letter", "a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q|r|s|t|u|v|w|x|y|z"},
    {"dom", "gmail|yahoo|outlook|hotmail|example|icloud|company|mail|%letter{3,8}"},
    {"tld", "com|com|com|org|net|co dot u k|f r|d e|e u|edu|info"},
    {"name", "john|mary|smith|jones|james|robert|michael|william|david|richard|joseph|thomas|"
             "charles|patricia|jennifer|linda|elizabeth|barbara|susan|jessica|sarah|karen|"
             "anna|paul|mark|peter|martin|george|brown|miller|davis|wilson|anderson|taylor|"
             "moore|jackson|white|harris|clark|lewis|walker|hall|young|king|info|contact|"
             "support|sales|alice|bob|jane|doe|emma|laura|daniel|kevin|brian|alex|sam|tom|jim|"
             "bill|chris|marie|claire"},
    {"user", "%name|%name dot %name|%name underscore %name|%name dash %name|%letter dot %name|"
             "%letter{3,8}|%name %d{1,4}|%letter %name|%name dot %name|%name dot %name|"
             "%name %name"},
    {"slead", "my email is|my email address is|it is|it's|that is spelled|my name is|"
              "it is spelled|the address is"},
    {"spell", "%user at %dom dot %tld|%user at %dom dot %tld|%slead %user at %dom dot %tld|"
              "%user at %dom dot %tld|%letter{3,10}|%letter{2,5} %d{1,5}|%slead %letter{3,10}|"
              "%name %name|%name %letter{4,8}"},
    {"yes", "yes|yeah|correct|right|exactly|sure|okay|ok|absolutely|yep|of course|certainly"},
    {"no", "no|nope|not really|no no"},
    {"yesno", "%yes|%yes|%yes|%yes|%yes|%yes|%no|%no|%no|%no|%no|%no|yes please|no thank you|no "
              "thanks|%yes that is right|"
              "%yes that's right|%yes that is correct|%yes that's correct|that is right|"
              "that's right|that is correct|that's correct|%no that is wrong|%no that's wrong|"
              "that is wrong|that's wrong|%no that is not right|%no it is not|that's not right|"
              "that is not correct|%no that is not correct|%yes it is|%no it isn't|yes i do|"
              "no i don't|i do|i don't|yes i am|no i am not|i think so|i don't think so|"
              "%yes %yes|%no that is all|that is all|that's all|%no nothing else|nothing else|"
              "%no that is all thank you|that is all thank you"},
    {"talk", "goodbye|goodbye|bye|bye bye|thank you goodbye|thank you bye|okay goodbye|"
             "thanks goodbye|hang up|i want to talk to a human|i want to talk to a person|"
             "i want to talk to an agent|i would like to talk to a human|"
             "i would like to speak to a human|can i talk to a human|can i speak to a human|"
             "let me talk to a human|talk to a human|speak to an agent|"
             "i want to speak to someone|transfer me to an agent|give me a human please|"
             "an agent please|can you repeat please|can you repeat that please|please repeat|"
             "repeat please|can you say that again|say that again please|what did you say|"
             "sorry what|i did not understand|i didn't understand|i don't understand|"
             "speak slower please|can you speak slower|can you speak more slowly please|"
             "slower please|not so fast please|faster please|speak faster please|"
             "can you speak faster|i don't know|i do not know|i am not sure|i'm not sure|"
             "i have no idea|wait a minute|one moment please|just a second|hold on please|"
             "hello|hello are you there|yes i am here|i am still here|help|can you help me|"
             "thank you|thank you very much|thanks|nothing|none|skip it|"
             "my name is %name %name|my name is %name|i am %name %name|it is %name %name|"
             "%yesno|%yesno"},
};
enum { RULES = sizeof rules / sizeof *rules, ALTERNATIVES_MAX = 128, DEPTH_MAX = 12 };

typedef struct {
    const char *alternatives[ALTERNATIVES_MAX];
    size_t count;
} rule_t;

struct phrases {
    uint64_t state;
    rule_t rules[RULES];
};

/* xorshift64*: the same on every machine. */
static uint32_t draw(phrases_t *self, uint32_t below)
{
    self->state ^= self->state >> 12;
    self->state ^= self->state << 25;
    self->state ^= self->state >> 27;
    return (uint32_t)((self->state * 0x2545F4914F6CDD1DULL) >> 33) % below;
}

phrases_t *phrases_new(uint64_t seed)
{
    phrases_t *self = calloc(1, sizeof *self);
    assert(self);
    self->state = seed ? seed : 1;
    for (size_t i = 0; i < RULES; i++) {
        rule_t *rule = &self->rules[i];
        for (const char *at = rules[i].text; at; at = strchr(at, '|')) {
            if (*at == '|') at++;
            assert(rule->count < ALTERNATIVES_MAX);
            rule->alternatives[rule->count++] = at;
        }
    }
    return self;
}

void phrases_destroy(phrases_t **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

static size_t rule_find(const char *name, size_t bytes)
{
    size_t i = 0;
    while (i < RULES && !(strlen(rules[i].name) == bytes && !memcmp(rules[i].name, name, bytes)))
        i++;
    assert(i < RULES); /* else a template names a rule that there is not */
    return i;
}

typedef struct {
    phrase_word_t *words;
    size_t count;
} sentence_t;

static void expand(phrases_t *self, size_t rule, sentence_t *out, int depth);

/* One "%name" or "%name{3,12}", bytes long. */
static void reference(phrases_t *self, const char *token, size_t bytes, sentence_t *out, int depth)
{
    size_t name = strcspn(token + 1, " |{");
    uint32_t times = 1;
    if (1 + name < bytes && token[1 + name] == '{') {
        char *end = NULL;
        uint32_t least = (uint32_t)strtoul(token + name + 2, &end, 10);
        uint32_t most = (uint32_t)strtoul(end + 1, NULL, 10);
        times = least + draw(self, most - least + 1);
    }
    size_t rule = rule_find(token + 1, name);
    while (times-- > 0) expand(self, rule, out, depth + 1);
}

static void expand(phrases_t *self, size_t rule, sentence_t *out, int depth)
{
    assert(depth < DEPTH_MAX);
    const rule_t *r = &self->rules[rule];
    const char *at = r->alternatives[draw(self, (uint32_t)r->count)];
    while (*at && *at != '|') {
        size_t bytes = strcspn(at, " |");
        const char *token = at;
        at += bytes;
        at += strspn(at, " ");
        if (*token == '?') {
            token++;
            bytes--;
            if (draw(self, 2) == 0) continue;
        }
        if (*token == '%')
            reference(self, token, bytes, out, depth);
        else if (out->count < PHRASES_WORDS_MAX)
            out->words[out->count++] = (phrase_word_t){token, bytes};
    }
}

size_t phrases_draw(phrases_t *self, Pl__Expect expect, phrase_word_t words[PHRASES_WORDS_MAX])
{
    static const char *const kinds[] = {[PL__EXPECT__ANYTHING] = "talk",
                                        [PL__EXPECT__DIGITS] = "digits",
                                        [PL__EXPECT__DATE_TIME] = "date",
                                        [PL__EXPECT__SPELLING] = "spell",
                                        [PL__EXPECT__YES_NO] = "yesno"};
    const char *kind = kinds[expect];
    uint32_t others = expect == PL__EXPECT__YES_NO ? 8 : 4;
    if (draw(self, others) == 0) kind = "talk";
    sentence_t out = {words, 0};
    expand(self, rule_find(kind, strlen(kind)), &out, 0);
    return out.count;
}
