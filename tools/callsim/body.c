#include "tools/callsim/body.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

enum { MAX_BODY_BYTES = 1 << 20 };

char *body_read(const char *file)
{
    FILE *in = fopen(file, "re");
    char *text = calloc(1, MAX_BODY_BYTES + 1);
    assert(text);
    bool ok = in && fread(text, 1, MAX_BODY_BYTES, in) > 0;
    if (in) (void)fclose(in);
    cJSON *json = ok ? cJSON_Parse(text) : NULL;
    bool object = cJSON_IsObject(json);
    cJSON_Delete(json);
    if (object) return text;
    fprintf(stderr, "callsim: %s: %s\n", file, ok ? "not a JSON object" : "cannot be read");
    free(text);
    return NULL;
}
