/* de.c - the fixed sentences in German. */
#include "services/dialogue/wordings.h"

const wording_t wordings_de[PROMPT_COUNT] = {
    [PROMPT_HELLO] =
        {{"Guten Tag, hier ist {bot_name}, die virtuelle Assistentin von {bot_company}."}},
    [PROMPT_LANGUAGE_MENU] = {{"Für {label} drücken Sie die {index}."}},
    [PROMPT_PURPOSE_TASK] = {{"Ich möchte Ihnen hierbei helfen: {task}."}},
    [PROMPT_PURPOSE] = {{"Ich habe ein paar kurze Fragen an Sie."}},
    [PROMPT_WELCOME_BACK] =
        {{"Willkommen zurück. Machen wir dort weiter, wo wir aufgehört haben."}},
    [PROMPT_SO_FAR] = {{"Bisher habe ich notiert: {value}."}},
    [PROMPT_HELP] = {{"Wie kann ich Ihnen helfen?"}},
    [PROMPT_GOODBYE] = {{"Vielen Dank für Ihre Zeit. {bot_company} wünscht Ihnen einen schönen "
                         "Tag. Auf Wiederhören."}},
    [PROMPT_SILENCE] = {{"Sind Sie noch da?", "Ich höre Sie nicht. Sind Sie noch da?"}},
    [PROMPT_SILENCE_GOODBYE] = {{"Ich höre Sie nicht mehr und beende deshalb das Gespräch. Vielen "
                                 "Dank und auf Wiederhören."}},
    [PROMPT_LOADING] = {{"Einen Moment, bitte."}},
    [PROMPT_STILL_WORKING] = {{"Ich warte noch auf die Antwort.",
                               "Es dauert noch einen Augenblick."}},
    [PROMPT_ERROR] = {{"Es tut mir leid, bei mir ist ein Fehler aufgetreten. Können Sie das bitte "
                       "wiederholen?"}},
    [PROMPT_FILTERED] =
        {{"Es tut mir leid, darauf kann ich nicht eingehen. Was kann ich sonst für Sie tun?"}},
    [PROMPT_HUMAN_CONSENT] = {{"Soll ich Sie mit einer Kollegin oder einem Kollegen verbinden?"}},
    [PROMPT_HUMAN_TRANSFER] = {{"Ich verbinde Sie jetzt. Bitte bleiben Sie am Apparat."}},
    [PROMPT_HUMAN_OFFER] = {{"Es tut mir leid, ich verstehe Sie schlecht. Soll ich Sie mit einer "
                             "Kollegin oder einem Kollegen verbinden?"}},
    [PROMPT_TRANSFER_FAILED] =
        {{"Es tut mir leid, im Moment ist niemand frei. Machen wir zusammen weiter."}},
    [PROMPT_LINE_BACK] = {{"Entschuldigung, die Leitung war einen Moment unterbrochen."}},
    [PROMPT_SHUTDOWN] = {{"Es tut mir leid, ich muss das Gespräch jetzt beenden. Bitte rufen Sie "
                          "etwas später wieder an. Auf Wiederhören."}},
    [PROMPT_ASK_TEXT] = {{"Können Sie mir bitte sagen: {label}?"}},
    [PROMPT_ASK_MOMENT] = {{"An welchem Tag und um welche Uhrzeit war das: {label}?"}},
    [PROMPT_ASK_EVENT] = {{"Wann war das: {label}?"}},
    [PROMPT_ASK_PHONE] = {{"Sagen Sie mir bitte Ziffer für Ziffer: {label}."}},
    [PROMPT_ASK_EMAIL] = {{"Sagen Sie mir bitte langsam: {label}."}},
    [PROMPT_HINT_MOMENT] = {{"Sie können zum Beispiel sagen: gestern um neun Uhr morgens."}},
    [PROMPT_HINT_PHONE] = {{"Bitte sagen Sie alle Ziffern, eine nach der anderen."}},
    [PROMPT_HINT_COUNTRY] =
        {{"Bitte sagen Sie die Nummer mit der Ländervorwahl: plus, dann alle Ziffern."}},
    [PROMPT_HINT_MORE_DIGITS] =
        {{"Bisher habe ich {value}. Bitte fahren Sie mit den übrigen Ziffern fort."}},
    [PROMPT_HINT_EMAIL] =
        {{"Sie können zum Beispiel sagen: max punkt mustermann ät beispiel punkt com."}},
    [PROMPT_GOT] = {{"{value}. Das habe ich notiert.", "{value}. Vielen Dank."}},
    [PROMPT_CONFIRM] = {{"Also {value}. Ist das richtig?"}},
    [PROMPT_CORRECTED] = {{"Ich habe es geändert: {value}."}},
    [PROMPT_SORRY_AGAIN] = {{"Entschuldigung."}},
    [PROMPT_NOT_UNDERSTOOD] = {{"Das habe ich leider nicht verstanden."}},
    [PROMPT_YES_OR_NO] = {{"Bitte sagen Sie ja oder nein."}},
    [PROMPT_SKIPPED] = {{"Kein Problem, machen wir weiter."}},
    [PROMPT_RECAP] = {{"Ich fasse zusammen."}},
    [PROMPT_RECAP_ITEM] = {{"{value}."}},
    [PROMPT_RECAP_ASK] =
        {{"Möchten Sie etwas berichtigen, oder kann ich sonst noch etwas für Sie tun?"}},
    [PROMPT_NOTHING_RECAP] =
        {{"Vielen Dank. Jemand aus unserem Haus kümmert sich um Ihr Anliegen."}},
    [PROMPT_ANYTHING_ELSE] = {{"Kann ich sonst noch etwas für Sie tun?"}},
    [PROMPT_NOTED] = {{"Vielen Dank, das habe ich notiert."}},
    [PROMPT_WHAT_CHANGE] = {{"Was möchten Sie ändern?"}},
    [PROMPT_GO_ON] = {{"Gut, machen wir weiter."}},
    [PROMPT_NEW_CLAIM_CONSENT] = {{"Soll ich dafür einen neuen Vorgang anlegen?"}},
    [PROMPT_NEW_CLAIM] = {{"Ich habe einen neuen Vorgang angelegt."}},
    [PROMPT_NO_NEW_CLAIM] = {{"Es tut mir leid, ich kann im Moment keinen neuen Vorgang anlegen."}},
    [PROMPT_LANGUAGE_SET] = {{"Gut, sprechen wir auf Deutsch weiter."}},
    [PROMPT_NO_LANGUAGE] = {{"Es tut mir leid, diese Sprache spreche ich nicht."}},
    [PROMPT_SLOWER] = {{"Gut, ich spreche langsamer."}},
    [PROMPT_FASTER] = {{"Gut, ich spreche etwas schneller."}},
    [PROMPT_WAIT] = {{"Natürlich, lassen Sie sich Zeit."}},
    [PROMPT_POLITE] = {{"Ich verstehe, dass das ärgerlich ist."}},
    [PROMPT_NO_ANSWER] = {{"Das weiß ich leider nicht."}},
};
