/* fr.c - the fixed sentences in French. */
#include "services/dialogue/wordings.h"

const wording_t wordings_fr[PROMPT_COUNT] = {
    [PROMPT_HELLO] = {{"Bonjour, ici {bot_name}, l'assistante virtuelle de {bot_company}."}},
    [PROMPT_LANGUAGE_MENU] = {{"Pour le {label}, tapez {index}."}},
    [PROMPT_PURPOSE_TASK] = {{"Je suis là pour vous aider : {task}."}},
    [PROMPT_PURPOSE] = {{"J'ai quelques questions rapides à vous poser."}},
    [PROMPT_WELCOME_BACK] = {{"Bonjour à nouveau. Reprenons où nous en étions."}},
    [PROMPT_SO_FAR] = {{"J'ai déjà noté : {value}."}},
    [PROMPT_HELP] = {{"Comment puis-je vous aider ?"}},
    [PROMPT_GOODBYE] =
        {{"Merci de votre temps. {bot_company} vous souhaite une bonne journée. Au revoir."}},
    [PROMPT_SILENCE] = {{"Êtes-vous toujours là ?"}},
    [PROMPT_SILENCE_GOODBYE] =
        {{"Je ne vous entends plus, je vais donc mettre fin à l'appel. Merci et au revoir."}},
    [PROMPT_LOADING] = {{"Un instant, s'il vous plaît."}},
    [PROMPT_STILL_WORKING] = {{"J'attends encore la réponse."}},
    [PROMPT_ERROR] = {{"Je suis désolée, une erreur est survenue. Pouvez-vous répéter ?"}},
    [PROMPT_FILTERED] =
        {{"Je suis désolée, je ne peux pas parler de cela. Que puis-je faire d'autre pour vous ?"}},
    [PROMPT_HUMAN_CONSENT] = {{"Souhaitez-vous que je vous passe un conseiller ?"}},
    [PROMPT_HUMAN_TRANSFER] = {{"Je vous passe un conseiller. Restez en ligne, s'il vous plaît."}},
    [PROMPT_HUMAN_OFFER] =
        {{"Je suis désolée, je vous comprends mal. Souhaitez-vous parler à un conseiller ?"}},
    [PROMPT_TRANSFER_FAILED] =
        {{"Je suis désolée, aucun conseiller n'est libre. Continuons ensemble."}},
    [PROMPT_LINE_BACK] = {{"Pardon, la ligne a été interrompue un instant."}},
    [PROMPT_SHUTDOWN] = {{"Je suis désolée, je dois mettre fin à l'appel. Rappelez-nous un peu "
                          "plus tard. Au revoir."}},
    [PROMPT_ASK_TEXT] = {{"Pouvez-vous m'indiquer : {label} ?"}},
    [PROMPT_ASK_MOMENT] = {{"Quand cela a-t-il eu lieu : {label} ?"}},
    [PROMPT_ASK_EVENT] = {{"Quand cela a-t-il eu lieu : {label} ?"}},
    [PROMPT_ASK_PHONE] = {{"Pouvez-vous me dire, chiffre par chiffre : {label} ?"}},
    [PROMPT_ASK_EMAIL] = {{"Pouvez-vous me dire lentement : {label} ?"}},
    [PROMPT_HINT_MOMENT] = {{"Vous pouvez dire, par exemple : hier à neuf heures du matin."}},
    [PROMPT_HINT_PHONE] = {{"Dites tous les chiffres, l'un après l'autre, s'il vous plaît."}},
    [PROMPT_HINT_COUNTRY] = {{"Dites-le avec l'indicatif du pays : plus, puis tous les chiffres."}},
    [PROMPT_HINT_MORE_DIGITS] =
        {{"J'ai {value} pour l'instant. Continuez avec les autres chiffres, s'il vous plaît."}},
    [PROMPT_HINT_EMAIL] =
        {{"Vous pouvez dire, par exemple : jean point dupont arobase exemple point com."}},
    [PROMPT_GOT] = {{"{value}. C'est noté."}},
    [PROMPT_CONFIRM] = {{"Donc, {value}. Est-ce exact ?"}},
    [PROMPT_CORRECTED] = {{"J'ai corrigé : {value}."}},
    [PROMPT_SORRY_AGAIN] = {{"Pardon."}},
    [PROMPT_NOT_UNDERSTOOD] = {{"Pardon, je n'ai pas compris."}},
    [PROMPT_YES_OR_NO] = {{"Répondez par oui ou par non, s'il vous plaît."}},
    [PROMPT_SKIPPED] = {{"Pas de problème, continuons."}},
    [PROMPT_RECAP] = {{"Je récapitule."}},
    [PROMPT_RECAP_ITEM] = {{"{value}."}},
    [PROMPT_RECAP_ASK] = {{"Voulez-vous corriger quelque chose, ou puis-je encore vous aider ?"}},
    [PROMPT_NOTHING_RECAP] = {{"Merci. Un collègue va s'occuper de votre dossier."}},
    [PROMPT_ANYTHING_ELSE] = {{"Puis-je encore vous aider ?"}},
    [PROMPT_NOTED] = {{"Merci, c'est noté."}},
    [PROMPT_WHAT_CHANGE] = {{"Que voulez-vous changer ?"}},
    [PROMPT_GO_ON] = {{"Très bien, continuons."}},
    [PROMPT_NEW_CLAIM_CONSENT] = {{"Souhaitez-vous que j'ouvre un nouveau dossier pour cela ?"}},
    [PROMPT_NEW_CLAIM] = {{"J'ai ouvert un nouveau dossier."}},
    [PROMPT_NO_NEW_CLAIM] =
        {{"Je suis désolée, je ne peux pas ouvrir de nouveau dossier pour l'instant."}},
    [PROMPT_LANGUAGE_SET] = {{"Très bien, continuons en français."}},
    [PROMPT_NO_LANGUAGE] = {{"Je suis désolée, je ne parle pas cette langue."}},
    [PROMPT_SLOWER] = {{"Très bien, je vais parler plus lentement."}},
    [PROMPT_FASTER] = {{"Très bien, je vais parler un peu plus vite."}},
    [PROMPT_WAIT] = {{"Bien sûr, prenez votre temps."}},
    [PROMPT_POLITE] = {{"Je comprends que ce soit agaçant."}},
    [PROMPT_NO_ANSWER] = {{"Je ne connais malheureusement pas la réponse."}},
};
