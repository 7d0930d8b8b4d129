#include "tools/callsim/body.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "tools/callsim/scenario.h"

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

/* The length of a placeholder that begins here, and what stands for it; 0: none does. */
static size_t placeholder(const char *text, uint32_t n, char *out, size_t out_bytes)
{
    char name[8];
    size_t length = strcspn(text, "}") + 1;
    if (*text != '{' || length >= sizeof name || text[length - 1] != '}') return 0;
    memcpy(name, text, length);
    name[length] = '\0';
    return scenario_expand(name, n, out, out_bytes) ? 0 : length;
}

char *body_fill(const char *body, uint32_t n)
{
    char *out = NULL;
    size_t size = 0;
    FILE *text = open_memstream(&out, &size);
    assert(text);
    while (*body) {
        char filled[128];
        size_t length = placeholder(body, n, filled, sizeof filled);
        if (length)
            (void)fputs(filled, text);
        else
            (void)fputc(*body, text);
        body += length ? length : 1;
    }
    (void)fclose(text);
    return out;
}
