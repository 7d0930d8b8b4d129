/* en.c - the fixed sentences in English: the language that has to have them all. */
#include "services/dialogue/wordings.h"

const wording_t wordings_en[PROMPT_COUNT] = {
    [PROMPT_HELLO] =
        {{"Hello, this is {bot_name}, the virtual assistant of {bot_company}.",
          "Hello, you are speaking with {bot_name}, the virtual assistant of {bot_company}."}},
    [PROMPT_LANGUAGE_MENU] = {{"For {label}, press {index}."}},
    [PROMPT_PURPOSE_TASK] = {{"I am here to help you with {task}."}},
    [PROMPT_PURPOSE] = {{"I have a few short questions for you."}},
    [PROMPT_WELCOME_BACK] = {{"Welcome back. Let us continue where we stopped."}},
    [PROMPT_SO_FAR] = {{"So far I have noted: {value}."}},
    [PROMPT_HELP] = {{"How can I help you?"}},
    [PROMPT_GOODBYE] =
        {{"Thank you for your time. Goodbye from {bot_company}, and have a nice day.",
          "Thank you for your help. {bot_company} wishes you a nice day. Goodbye."}},
    [PROMPT_SILENCE] = {{"Are you still there?", "I cannot hear you. Are you still there?"}},
    [PROMPT_SILENCE_GOODBYE] =
        {{"I cannot hear you any more, so I will end the call now. Thank you, and goodbye from "
          "{bot_company}."}},
    [PROMPT_LOADING] = {{"One moment, please.", "Just a moment, please."}},
    [PROMPT_STILL_WORKING] = {{"I am still waiting for the answer.",
                               "It takes a little longer, I am still on it."}},
    [PROMPT_ERROR] = {{"I am sorry, something went wrong on my side. Could you say that again?"}},
    [PROMPT_FILTERED] =
        {{"I am sorry, I cannot go into that. What else can I do for you?",
          "I am afraid I cannot talk about that. Let us come back to your request."}},
    [PROMPT_HUMAN_CONSENT] = {{"Would you like me to connect you with a colleague?"}},
    [PROMPT_HUMAN_TRANSFER] =
        {{"I am transferring you to a colleague now. Please stay on the line."}},
    [PROMPT_HUMAN_OFFER] =
        {{"I am sorry, I have trouble understanding. Would you like me to connect you with a "
          "colleague?"}},
    [PROMPT_TRANSFER_FAILED] =
        {{"I am sorry, none of my colleagues is free right now. Let us go on together."}},
    [PROMPT_LINE_BACK] = {{"Sorry, the line was interrupted for a moment."}},
    [PROMPT_SHUTDOWN] =
        {{"I am sorry, I have to end the call now. Please call us again a little later. Goodbye."}},
    [PROMPT_ASK_TEXT] = {{"Could you tell me {label}?", "Please tell me {label}."}},
    [PROMPT_ASK_MOMENT] = {{"What are the date and time of {label}?"}},
    [PROMPT_ASK_EVENT] = {{"When was it {label}?"}},
    [PROMPT_ASK_PHONE] = {{"What is {label}? Please say it digit by digit."}},
    [PROMPT_ASK_EMAIL] = {{"What is {label}? Please say it slowly."}},
    [PROMPT_HINT_MOMENT] = {{"You can say, for example: yesterday at nine in the morning."}},
    [PROMPT_HINT_PHONE] = {{"Please say all the digits, one after the other."}},
    [PROMPT_HINT_COUNTRY] = {{"Please say it with its country code: plus, then all the digits."}},
    [PROMPT_HINT_MORE_DIGITS] = {{"I have {value} so far. Please go on with the other digits."}},
    [PROMPT_HINT_EMAIL] = {{"You can say, for example: john dot smith at example dot com."}},
    [PROMPT_GOT] = {{"{value}. Got it.", "{value}. Thank you."}},
    [PROMPT_CONFIRM] = {{"So, {value}. Is that right?"}},
    [PROMPT_CORRECTED] = {{"I have changed that to {value}."}},
    [PROMPT_SORRY_AGAIN] = {{"Sorry about that."}},
    [PROMPT_NOT_UNDERSTOOD] = {{"Sorry, I did not catch that.", "Sorry, I did not understand."}},
    [PROMPT_YES_OR_NO] = {{"Please say yes or no."}},
    [PROMPT_SKIPPED] = {{"No problem, let us go on."}},
    [PROMPT_RECAP] = {{"Let me sum up."}},
    [PROMPT_RECAP_ITEM] = {{"{value}."}},
    [PROMPT_RECAP_ASK] = {{"Is there anything to correct, or anything else I can help you with?"}},
    [PROMPT_NOTHING_RECAP] = {{"Thank you. A colleague will look at your case."}},
    [PROMPT_ANYTHING_ELSE] = {{"Is there anything else I can help you with?"}},
    [PROMPT_NOTED] = {{"Thank you, I have noted that."}},
    [PROMPT_WHAT_CHANGE] = {{"What would you like to change?"}},
    [PROMPT_GO_ON] = {{"All right, let us go on."}},
    [PROMPT_NEW_CLAIM_CONSENT] = {{"Would you like me to open a new file for that?"}},
    [PROMPT_NEW_CLAIM] = {{"I have opened a new file."}},
    [PROMPT_NO_NEW_CLAIM] = {{"I am sorry, I cannot open a new file right now."}},
    [PROMPT_LANGUAGE_SET] = {{"All right, let us go on in English."}},
    [PROMPT_NO_LANGUAGE] = {{"I am sorry, I cannot speak that language."}},
    [PROMPT_SLOWER] = {{"All right, I will speak more slowly."}},
    [PROMPT_FASTER] = {{"All right, I will speak a little faster."}},
    [PROMPT_WAIT] = {{"Of course, take your time."}},
    [PROMPT_POLITE] = {{"I understand that this is frustrating."}},
    [PROMPT_NO_ANSWER] = {{"I am afraid I do not know the answer to that."}},
};
