#include "services/dialogue/nlu/phrases.h"

#include <stddef.h>
#include <string.h>

#define PHRASES(...) ((const char *const[]){__VA_ARGS__, NULL})

static const phrases_t french = {
    .lang = "fr",
    .fillers = "euh ben bah alors bon eh",
    .yes = PHRASES("oui", "ouais", "daccord", "exact", "cest ça", "cest correct", "bien sûr",
                   "tout à fait", "oui merci", "oui sil vous plaît", "volontiers", "cest exact"),
    .no = PHRASES("non", "pas du tout", "non merci", "ce nest pas ça", "cest faux", "pas vraiment"),
    .goodbye = PHRASES("au revoir", "bonne journée", "à bientôt"),
    .done = PHRASES("c est tout", "cest tout", "rien d autre", "rien dautre"),
    .human = PHRASES("un humain", "un conseiller", "une conseillère", "une vraie personne",
                     "un agent", "quelquun"),
    .repeat = PHRASES("répétez", "répéter", "pardon", "comment"),
    .slower = PHRASES("moins vite", "plus lentement"),
    .faster = PHRASES("plus vite"),
    .wait = PHRASES("attendez", "un instant", "une minute"),
    .skip = PHRASES("je ne sais pas", "je sais pas", "aucune idée"),
};

static const phrases_t german = {
    .lang = "de",
    .fillers = "äh ähm öh hm also naja oh",
    .yes = PHRASES("ja", "jawohl", "genau", "richtig", "stimmt", "das stimmt", "das ist richtig",
                   "korrekt", "ja bitte", "ja gern", "ja gerne", "gern", "gerne", "in ordnung",
                   "einverstanden", "ja genau", "ja das stimmt", "ja das ist richtig", "natürlich",
                   "klar", "passt"),
    .no = PHRASES("nein", "nee", "nö", "falsch", "das ist falsch", "stimmt nicht",
                  "das stimmt nicht", "nicht richtig", "das ist nicht richtig", "nein danke",
                  "lieber nicht", "auf keinen fall", "nicht ganz"),
    .goodbye = PHRASES("auf wiederhören", "auf wiedersehen", "tschüss", "tschüß", "tschau",
                       "schönen tag noch", "bis bald"),
    .done = PHRASES("das ist alles", "das war alles", "das wars", "das wärs", "nichts weiter",
                    "sonst nichts", "nein danke"),
    .human = PHRASES("einem menschen", "einen menschen", "einem mitarbeiter", "einen mitarbeiter",
                     "einer mitarbeiterin", "einem kollegen", "einer echten person",
                     "jemandem sprechen"),
    .repeat = PHRASES("wiederholen", "wie bitte", "noch einmal bitte", "noch mal bitte",
                      "nochmal bitte", "nicht verstanden", "was haben sie gesagt"),
    .slower = PHRASES("langsamer", "nicht so schnell"),
    .faster = PHRASES("schneller"),
    .wait =
        PHRASES("warten sie", "moment bitte", "einen moment", "einen augenblick", "eine sekunde"),
    .skip =
        PHRASES("weiß ich nicht", "weiss ich nicht", "ich weiß es nicht", "ich weiß nicht",
                "ich weiss nicht", "keine ahnung", "möchte ich nicht sagen", "das sage ich nicht"),
};

static const phrases_t spanish = {
    .lang = "es",
    .fillers = "eh ah bueno pues este mmm",
    .yes = PHRASES("sí", "si", "claro", "correcto", "es correcto", "exacto", "eso es", "así es",
                   "vale", "de acuerdo", "por supuesto", "sí por favor", "si por favor", "sí claro",
                   "sí es correcto", "sí gracias", "perfecto"),
    .no = PHRASES("no", "no gracias", "incorrecto", "no es correcto", "no es así", "eso no es",
                  "está mal", "para nada", "no exactamente", "todavía no"),
    .goodbye = PHRASES("adiós", "adios", "hasta luego", "hasta pronto", "que tenga un buen día"),
    .done = PHRASES("eso es todo", "es todo", "nada más", "nada mas", "no gracias"),
    .human = PHRASES("una persona", "un agente", "una agente", "un humano", "un asesor",
                     "una asesora", "un operador", "una operadora", "con alguien"),
    .repeat = PHRASES("repetir", "repítalo", "repita", "puede repetirlo", "cómo dice", "perdón",
                      "otra vez por favor", "no le he entendido", "no he entendido", "no entiendo"),
    .slower = PHRASES("más despacio", "mas despacio", "más lento"),
    .faster = PHRASES("más rápido", "mas rapido", "más deprisa"),
    .wait = PHRASES("espere", "un momento", "un segundo", "un minuto"),
    .skip = PHRASES("no lo sé", "no sé", "no lo se", "ni idea", "no tengo idea",
                    "prefiero no decirlo", "no quiero decirlo"),
};

static const phrases_t chinese = {
    .lang = "zh",
    .unspaced = true,
    .fillers = "嗯 呃 啊 那个",
    .yes = PHRASES("是", "是的", "对", "对的", "对对", "没错", "正确", "好", "好的", "可以", "行",
                   "当然", "没问题", "需要", "嗯是的"),
    .no = PHRASES("不", "不是", "不是的", "不对", "不对的", "错了", "不用", "不用了", "不需要",
                  "不行", "不要", "没有", "不正确"),
    .goodbye = PHRASES("再见", "拜拜"),
    .done = PHRASES("没有了", "没别的了", "就这些", "没有其他", "没事了"),
    .human = PHRASES("人工", "转接真人", "真人客服", "找客服", "转客服"),
    .repeat = PHRASES("再说一遍", "重复一遍", "重复一下", "没听清", "没听懂", "没听明白",
                      "你说什么", "您说什么"),
    .slower = PHRASES("说慢", "慢一点", "慢点", "太快了"),
    .faster = PHRASES("说快", "快一点", "快点", "太慢了"),
    .wait = PHRASES("等一下", "等一等", "稍等", "等会"),
    .skip = PHRASES("不知道", "不清楚", "不记得", "不想说", "不方便说"),
};

const phrases_t *phrases_of(const char *lang)
{
    static const phrases_t *const all[] = {&french, &german, &spanish, &chinese};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strncmp(all[i]->lang, lang, 2) == 0) return all[i];
    }
    return NULL;
}
