#include "services/dialogue/model/expectation.h"

#include <string.h>
#include <strings.h>

#include "services/dialogue/nlu/words.h"

static bool asks(const char *text)
{
    size_t n = strlen(text);
    while (n && strchr(" \"')", text[n - 1])) n--;
    return n && text[n - 1] == '?';
}

Pl__Expect expectation_of(const char *text, const char *lang)
{
    static const char *const agree[] = {"is that right",
                                        "is that correct",
                                        "is this right",
                                        "is this correct",
                                        "is it right",
                                        "did i get that right",
                                        "shall i",
                                        "should i",
                                        "would you like me to",
                                        "do you agree",
                                        "may i",
                                        "do you want me to",
                                        NULL};
    static const char *const mail[] = {"email", "e mail", "mail address", "spell", NULL};
    static const char *const digits[] = {"phone number",  "telephone number", "mobile number",
                                         "policy number", "contract number",  "customer number",
                                         "serial number", "digit by digit",   NULL};
    static const char *const moment[] = {"when",      "what date", "which date", "what day",
                                         "which day", "what time", "the date",   NULL};
    words_t words;
    if (strncasecmp(lang, "en", 2) != 0 || !asks(text)) return PL__EXPECT__ANYTHING;
    words_split(&words, text);
    if (words_has_any(&words, agree)) return PL__EXPECT__YES_NO;
    if (words_has_any(&words, mail)) return PL__EXPECT__SPELLING;
    if (words_has_any(&words, digits)) return PL__EXPECT__DIGITS;
    if (words_has_any(&words, moment)) return PL__EXPECT__DATE_TIME;
    return PL__EXPECT__ANYTHING;
}
