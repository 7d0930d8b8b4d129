#include "services/rag/wide.h"

#include <stdint.h>
#include <string.h>

size_t wide_length(const char *text, size_t bytes)
{
    unsigned char c = (unsigned char)text[0];
    size_t length = c >= 0xf0 ? 4 : (c >= 0xe0 ? 3 : (c >= 0xc0 ? 2 : 1));
    return length < bytes ? length : bytes;
}

/* 0: none that can be told. */
static uint32_t code_of(const char *text, size_t bytes)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t length = wide_length(text, bytes);
    if (length == 3 && at[0] >= 0xe0 && at[0] < 0xf0)
        return ((uint32_t)(at[0] & 0x0f) << 12) | ((uint32_t)(at[1] & 0x3f) << 6) |
               (uint32_t)(at[2] & 0x3f);
    if (length == 4 && at[0] >= 0xf0)
        return ((uint32_t)(at[0] & 0x07) << 18) | ((uint32_t)(at[1] & 0x3f) << 12) |
               ((uint32_t)(at[2] & 0x3f) << 6) | (uint32_t)(at[3] & 0x3f);
    return 0; /* those of one or two bytes are of other scripts */
}

wide_t wide_class(const char *text, size_t bytes)
{
    static const struct {
        uint32_t from, to;
        wide_t kind;
    } blocks[] = {
        {0x0e00, 0x0eff, WIDE_OTHER},    {0x1000, 0x109f, WIDE_OTHER},
        {0x1100, 0x11ff, WIDE_HANGUL},   {0x1780, 0x17ff, WIDE_OTHER},
        {0x3005, 0x3007, WIDE_HAN},      {0x3040, 0x309f, WIDE_HIRAGANA},
        {0x30a0, 0x30ff, WIDE_KATAKANA}, {0x3130, 0x318f, WIDE_HANGUL},
        {0x31f0, 0x31ff, WIDE_KATAKANA}, {0x3400, 0x4dbf, WIDE_HAN},
        {0x4e00, 0x9fff, WIDE_HAN},      {0xac00, 0xd7af, WIDE_HANGUL},
        {0xf900, 0xfaff, WIDE_HAN},      {0xff66, 0xff9f, WIDE_KATAKANA},
        {0x20000, 0x3ffff, WIDE_HAN},
    };
    uint32_t code = code_of(text, bytes);
    for (size_t i = 0; code && i < sizeof blocks / sizeof *blocks; i++) {
        if (code >= blocks[i].from && code <= blocks[i].to) return blocks[i].kind;
    }
    return WIDE_NONE;
}

bool wide_is_function(const char *text, size_t bytes, const char *lang)
{
    static const char chinese[] = "的了吗呢吧啊我你您他她们请问怎么什哪这那";
    if (lang[0] && strncmp(lang, "zh", 2) != 0) return false;
    if (wide_class(text, bytes) != WIDE_HAN || wide_length(text, bytes) != 3) return false;
    for (size_t i = 0; i + 3 < sizeof chinese; i += 3) {
        if (memcmp(chinese + i, text, 3) == 0) return true;
    }
    return false;
}
