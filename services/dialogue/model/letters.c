#include "services/dialogue/model/letters.h"

#include <string.h>

typedef struct {
    uint32_t from, to; /* both of it */
} block_t;

static bool in_blocks(uint32_t c, const block_t *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (c >= blocks[i].from && c <= blocks[i].to) return true;
    }
    return false;
}
#define IN(c, blocks) in_blocks(c, blocks, sizeof(blocks) / sizeof((blocks)[0]))

uint32_t letter_at(const char *text, size_t n, size_t *len)
{
    static const uint8_t lead_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *s = (const unsigned char *)text;
    size_t want = 1;
    if (s[0] >= 0xC0) want = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    *len = 1;
    if (s[0] < 0x80) return s[0];
    if (s[0] < 0xC2 || s[0] > 0xF4 || want > n) return LETTER_BAD;
    uint32_t c = s[0] & lead_bits[want];
    for (size_t i = 1; i < want; i++) {
        if ((s[i] & 0xC0) != 0x80) return LETTER_BAD;
        c = c << 6 | (s[i] & 0x3FU);
    }
    if (c < least[want] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return LETTER_BAD;
    *len = want;
    return c;
}

uint32_t letter_before(const char *text, size_t at, size_t *len)
{
    size_t start = at - 1;
    while (start > 0 && at - start < 4 && ((unsigned char)text[start] & 0xC0) == 0x80) start--;
    uint32_t c = letter_at(text + start, at - start, len);
    if (start + *len == at) return c;
    *len = 1;
    return LETTER_BAD;
}

bool letter_is_space(uint32_t c)
{
    if (c == ' ' || (c >= '\t' && c <= '\r')) return true;
    return c == 0xA0 || c == 0x3000 || c == 0x202F || c == 0x205F || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029;
}

bool letter_is_digit(uint32_t c)
{
    static const block_t digits[] = {
        {'0', '9'}, {0xFF10, 0xFF19}, {0x660, 0x669}, {0x6F0, 0x6F9}, {0x966, 0x96F}};
    return IN(c, digits);
}

bool letter_is_alpha(uint32_t c)
{
    static const block_t signs[] = {
        {0, '@'},         {'[', '`'},         {'{', 0xA9},        {0xAB, 0xB4},
        {0xB6, 0xB9},     {0xBB, 0xBF},       {0xD7, 0xD7},       {0xF7, 0xF7},
        {0x37E, 0x37E},   {0x387, 0x387},     {0x55A, 0x55F},     {0x589, 0x58A},
        {0x5BE, 0x5BE},   {0x60C, 0x60D},     {0x61B, 0x61F},     {0x660, 0x66D},
        {0x6D4, 0x6D4},   {0x6F0, 0x6F9},     {0x964, 0x970},     {0x2000, 0x206F},
        {0x20A0, 0x20CF}, {0x2190, 0x2BFF},   {0x3000, 0x3004},   {0x3008, 0x3020},
        {0x3030, 0x3030}, {0x30FB, 0x30FB},   {0xE000, 0xF8FF},   {0xFE00, 0xFE6F},
        {0xFEFF, 0xFF0F}, {0xFF10, 0xFF20},   {0xFF3B, 0xFF40},   {0xFF5B, 0xFF65},
        {0xFFE0, 0xFFFF}, {0x1F000, 0x1FAFF}, {0xE0000, 0xE0FFF},
    };
    return !IN(c, signs);
}

/* Pairs of capital and small letters stand side by side in these; odd says where the small one is. */
static bool paired_lower(uint32_t c, bool *lower)
{
    bool even_small = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E);
    bool pairs = (c >= 0x100 && c <= 0x177) || even_small || (c >= 0x1E00 && c <= 0x1EFF) ||
                 (c >= 0x460 && c <= 0x481) || (c >= 0x48A && c <= 0x4BF) ||
                 (c >= 0x4D0 && c <= 0x52F);
    *lower = even_small ? c % 2 == 0 : c % 2 == 1;
    return pairs;
}

bool letter_is_lower(uint32_t c)
{
    static const block_t small[] = {{'a', 'z'},     {0xB5, 0xB5},   {0xDF, 0xF6},   {0xF8, 0xFF},
                                    {0x3AC, 0x3CE}, {0x430, 0x45F}, {0x561, 0x587}, {0x17F, 0x17F}};
    bool lower = false;
    if (paired_lower(c, &lower)) return lower;
    return IN(c, small);
}

bool letter_is_upper(uint32_t c)
{
    static const block_t capital[] = {{'A', 'Z'},     {0xC0, 0xD6},   {0xD8, 0xDE},
                                      {0x178, 0x178}, {0x386, 0x386}, {0x388, 0x3AB},
                                      {0x400, 0x42F}, {0x531, 0x556}};
    bool lower = false;
    if (paired_lower(c, &lower)) return !lower;
    return IN(c, capital);
}

bool letter_is_wide(uint32_t c)
{
    static const block_t wide[] = {{0x1100, 0x11FF}, {0x2E80, 0x2FDF},  {0x3001, 0x30FF},
                                   {0x3100, 0x318F}, {0x31A0, 0x4DBF},  {0x4E00, 0x9FFF},
                                   {0xAC00, 0xD7AF}, {0xF900, 0xFAFF},  {0xFF01, 0xFF65},
                                   {0xFF66, 0xFF9D}, {0x20000, 0x3FFFF}};
    return IN(c, wide);
}

bool letter_is_invisible(uint32_t c)
{
    static const block_t nothing[] = {{0, 8},           {0x0E, 0x1F},     {0x7F, 0x9F},
                                      {0xAD, 0xAD},     {0x200B, 0x200F}, {0x202A, 0x202E},
                                      {0x2060, 0x206F}, {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF},
                                      {0xFFF0, 0xFFFF}, {0xE000, 0xF8FF}, {0xE0000, 0xE0FFF}};
    return IN(c, nothing);
}

bool letter_is_picture(uint32_t c)
{
    static const block_t pictures[] = {
        {0x2300, 0x23FF}, {0x2600, 0x27BF}, {0x2B00, 0x2BFF}, {0x1F000, 0x1FAFF}, {0x20E3, 0x20E3}};
    return IN(c, pictures);
}

bool letters_any(const char *text)
{
    size_t n = strlen(text);
    size_t len = 0;
    for (size_t i = 0; i < n; i += len) {
        uint32_t c = letter_at(text + i, n - i, &len);
        if (letter_is_digit(c) || letter_is_alpha(c)) return true;
    }
    return false;
}
