#include "tools/parley/transcript.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tools/callsim/expect.h"
#include "tools/parley/term.h"

enum { STILL_LOOKS = 3, NAME_COLUMNS = 10, INDENT = 20 };

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : "";
}

static int number_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valueint : 0;
}

/* Columns a UTF-8 text takes, to first order: its characters. */
static unsigned columns_of(const char *text, size_t bytes)
{
    unsigned columns = 0;
    for (size_t i = 0; i < bytes; i++) columns += ((unsigned char)text[i] & 0xc0) != 0x80;
    return columns;
}

void transcript_wrap(const char *text, unsigned indent)
{
    unsigned width = term_columns();
    unsigned column = indent;
    while (*text) {
        text += strspn(text, " \n\t");
        size_t word = strcspn(text, " \n\t");
        if (word == 0) break;
        unsigned columns = columns_of(text, word);
        if (column > indent && column + 1 + columns > width) {
            printf("\n%*s", (int)indent, "");
            column = indent;
        }
        if (column > indent) {
            (void)fputc(' ', stdout);
            column++;
        }
        printf("%.*s", (int)word, text);
        column += columns;
        text += word;
    }
    (void)fputc('\n', stdout);
}

static void print_latency(const cJSON *message)
{
    const cJSON *latency = cJSON_GetObjectItemCaseSensitive(message, "latency");
    if (!cJSON_IsObject(latency)) return;
    printf("%*s%sanswered in %d ms: end of speech %d, recognition %d, thinking %d, voice %d%s\n",
           INDENT, "", term(TERM_DIM), number_of(latency, "total_ms"),
           number_of(latency, "endpointing_ms"), number_of(latency, "recognition_ms"),
           number_of(latency, "thinking_ms"), number_of(latency, "synthesis_ms"), term(TERM_PLAIN));
}

static const char *action_text(const char *action)
{
    if (strcmp(action, "call") == 0) return "(the call is answered)";
    if (strcmp(action, "hangup") == 0) return "(the call is over)";
    return "(a text message)";
}

static void show(const cJSON *call, const cJSON *message, size_t from)
{
    const cJSON *initiate = cJSON_GetObjectItemCaseSensitive(call, "initiate");
    bool bot = strcmp(text_of(message, "persona"), "assistant") == 0;
    const char *action = text_of(message, "action");
    const char *content = text_of(message, "content");
    const char *name = bot ? text_of(initiate, "bot_name") : "customer";
    time_t began = expect_iso_time(text_of(call, "created_at"));
    time_t at = expect_iso_time(text_of(message, "created_at"));
    long seconds = at >= began ? (long)(at - began) : 0;
    int pad = NAME_COLUMNS - (int)columns_of(name, strlen(name));
    printf("  %s%2ld:%02ld%s  %s%s%s%*s ", term(TERM_DIM), seconds / 60, seconds % 60,
           term(TERM_PLAIN), term(bot ? TERM_BLUE : TERM_GREEN), from ? "" : name, term(TERM_PLAIN),
           from ? NAME_COLUMNS : (pad > 0 ? pad : 0), "");
    bool talk = strcmp(action, "talk") == 0;
    transcript_wrap(talk || content[0] ? content + from : action_text(action), INDENT);
    if (bot && from == 0) print_latency(message);
    (void)fflush(stdout);
}

void transcript_look(transcript_t *self, const cJSON *call)
{
    const cJSON *messages = cJSON_GetObjectItemCaseSensitive(call, "messages");
    bool over = cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(call, "in_progress"));
    int count = cJSON_GetArraySize(messages);
    if (count > TRANSCRIPT_MAX) count = TRANSCRIPT_MAX;
    for (int i = 0; i < count; i++) {
        const cJSON *message = cJSON_GetArrayItem(messages, i);
        /* One more than the text, so that an empty message is something too. */
        size_t bytes = strlen(text_of(message, "content")) + 1;
        self->still[i] = bytes == self->seen[i] ? self->still[i] + 1 : 0;
        self->seen[i] = bytes;
        bool complete = over || i + 1 < count || self->still[i] >= STILL_LOOKS;
        if (!complete || bytes <= self->shown[i]) continue;
        show(call, message, self->shown[i] ? self->shown[i] - 1 : 0);
        self->shown[i] = bytes;
    }
}
