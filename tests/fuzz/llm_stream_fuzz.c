/* llm_stream_fuzz.c - bytes of a server as a stream of a chat completion: whatever they are and
 * however they are cut, the same text and calls come out, in whole characters.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/dialogue/llm/assembler.h"
#include "services/dialogue/llm/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    char *text;
    size_t bytes;
    FILE *out;
} told_t;

static void check_characters(const char *text)
{
    assert(*text);
    for (const unsigned char *c = (const unsigned char *)text; *c;) {
        unsigned more = *c < 0x80 ? 0 : *c >= 0xf0 ? 3 : *c >= 0xe0 ? 2 : 1;
        assert(*c < 0x80 || (*c >= 0xc2 && *c <= 0xf4));
        for (c++; more; more--, c++) assert((*c & 0xc0) == 0x80);
    }
}

static void collect(assembler_t *assembler, told_t *told)
{
    for (assembled_t next; (next = assembler_next(assembler)).kind != ASSEMBLED_NOTHING;) {
        if (next.kind == ASSEMBLED_TEXT) {
            check_characters(next.text);
            fputs(next.text, told->out);
        } else {
            assert(*next.call.id && *next.call.name && next.call.arguments);
            fprintf(told->out, "\x01%s\x01%s\x01%s\x01", next.call.id, next.call.name,
                    next.call.arguments);
        }
    }
}

static told_t tell(const char *bytes, size_t size, size_t step)
{
    told_t told = {0};
    told.out = open_memstream(&told.text, &told.bytes);
    assert(told.out);
    sse_t *sse = sse_new(2048);
    assembler_t *assembler = assembler_new(1);
    bool ok = true;
    for (size_t at = 0; at <= size && ok; at += step) {
        size_t left = size - at;
        if (left) {
            ok = sse_feed(sse, bytes + at, left < step ? left : step);
        } else {
            sse_end(sse);
        }
        bool sense = true;
        for (const char *event; sense && (event = sse_next(sse));) {
            sense = assembler_take(assembler, event);
            collect(assembler, &told);
        }
        ok = ok && sense;
        if (left && left < step) at = size - step; /* then the end */
    }
    assembler_state_t state = assembler_state(assembler);
    if (ok) {
        fprintf(told.out, "\x02%d %d %d %u %u", state.finished, state.finish, state.failed,
                state.prompt_tokens, state.answer_tokens);
    }
    assembler_destroy(&assembler);
    sse_destroy(&sse);
    (void)fclose(told.out);
    return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    size_t step = 1 + data[0] % 17;
    const char *bytes = (const char *)data + 1;
    told_t whole = tell(bytes, size - 1, size);
    told_t cut = tell(bytes, size - 1, step);
    assert(strcmp(whole.text, cut.text) == 0);
    free(whole.text);
    free(cut.text);
    return 0;
}
