#include "services/telephony/browser_message.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static const char *string_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(item) ? item->valuestring : NULL;
}

static browser_message_t parse_token(const char *token)
{
    browser_message_t message = {.kind = BROWSER_MALFORMED};
    if (strlen(token) >= sizeof(message.token)) return message;
    message.kind = BROWSER_TOKEN;
    memcpy(message.token, token, strlen(token) + 1);
    return message;
}

static browser_message_t parse_event(const cJSON *object, const char *event)
{
    browser_message_t message = {.kind = BROWSER_UNKNOWN};
    if (strcmp(event, "hangup") == 0) {
        message.kind = BROWSER_HANGUP;
    } else if (strcmp(event, "dtmf") == 0) {
        const char *digit = string_of(object, "digit");
        bool good = digit && strlen(digit) == 1 && strchr("0123456789*#ABCD", digit[0]);
        message.kind = good ? BROWSER_DTMF : BROWSER_MALFORMED;
        if (good) message.digit = digit[0];
    }
    return message;
}

browser_message_t browser_message_parse(const char *text, size_t bytes)
{
    browser_message_t message = {.kind = BROWSER_MALFORMED};
    if (bytes > BROWSER_TEXT_MAX_BYTES) return message;
    cJSON *object = cJSON_ParseWithLength(text, bytes);
    const char *token = string_of(object, "token");
    const char *event = string_of(object, "event");
    if (token) {
        message = parse_token(token);
    } else if (event) {
        message = parse_event(object, event);
    }
    cJSON_Delete(object);
    return message;
}

static char *print(cJSON *object)
{
    char *text = cJSON_PrintUnformatted(object);
    if (!text) abort(); /* only out of memory */
    cJSON_Delete(object);
    return text;
}

static cJSON *event_object(const char *event)
{
    cJSON *object = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(object, "event", event);
    return object;
}

char *browser_message_accepted(const char *call_id)
{
    cJSON *object = event_object("accepted");
    (void)cJSON_AddStringToObject(object, "call_id", call_id);
    return print(object);
}

char *browser_message_event(const char *event)
{
    return print(event_object(event));
}

char *browser_message_transcript(Pl__Persona persona, const char *text, bool partial,
                                 uint32_t number)
{
    cJSON *object = event_object("transcript");
    (void)cJSON_AddStringToObject(object, "persona",
                                  persona == PL__PERSONA__HUMAN ? "human" : "assistant");
    (void)cJSON_AddStringToObject(object, "text", text);
    (void)cJSON_AddBoolToObject(object, "partial", partial);
    (void)cJSON_AddNumberToObject(object, "number", number);
    return print(object);
}

char *browser_message_ended(const char *reason)
{
    cJSON *object = event_object("ended");
    (void)cJSON_AddStringToObject(object, "reason", reason);
    return print(object);
}
