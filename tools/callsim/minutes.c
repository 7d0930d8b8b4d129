#include "tools/callsim/minutes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct minutes {
    minute_t *list;
    size_t count, room;
};

minutes_t *minutes_new(void)
{
    minutes_t *self = calloc(1, sizeof *self);
    assert(self);
    return self;
}

void minutes_destroy(minutes_t **self_p)
{
    minutes_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (size_t i = 0; i < self->count; i++) {
        free((char *)self->list[i].text);
        free((char *)self->list[i].heard);
        free((char *)self->list[i].lang);
        free((char *)self->list[i].to);
    }
    free(self->list);
    free(self);
}

static const char *copy(const char *text)
{
    char *out = strdup(text ? text : "");
    assert(out);
    return out;
}

void minutes_add(minutes_t *self, const minute_t *minute)
{
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 16;
        self->list = realloc(self->list, self->room * sizeof *self->list);
        assert(self->list);
    }
    minute_t *to = &self->list[self->count++];
    *to = *minute;
    to->text = copy(minute->text);
    to->heard = copy(minute->heard);
    to->lang = copy(minute->lang);
    to->to = copy(minute->to);
}

size_t minutes_count(const minutes_t *self)
{
    return self->count;
}

const minute_t *minutes_at(const minutes_t *self, size_t i)
{
    assert(i < self->count);
    return &self->list[i];
}

cJSON *minutes_json(const minutes_t *self)
{
    static const char *const kinds[] = {
        [MINUTE_RINGS] = "rings",       [MINUTE_CALLER] = "caller", [MINUTE_MUMBLE] = "mumble",
        [MINUTE_KEYS] = "keys",         [MINUTE_BOT] = "bot",       [MINUTE_SMS] = "sms",
        [MINUTE_TRANSFER] = "transfer", [MINUTE_ENDED] = "ended",
    };
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < self->count; i++) {
        const minute_t *minute = &self->list[i];
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "who", kinds[minute->kind]);
        cJSON_AddNumberToObject(json, "at_ms", (double)minute->at_ms);
        cJSON_AddStringToObject(json, "text", minute->text);
        if (minute->lang[0]) cJSON_AddStringToObject(json, "lang", minute->lang);
        if (minute->to[0]) cJSON_AddStringToObject(json, "to", minute->to);
        if (minute->step >= 0) cJSON_AddNumberToObject(json, "step", minute->step + 1);
        if (minute->kind == MINUTE_BOT) {
            cJSON_AddStringToObject(json, "heard", minute->heard);
            cJSON_AddBoolToObject(json, "interrupted", minute->interrupted);
        }
        cJSON_AddItemToArray(list, json);
    }
    return list;
}
