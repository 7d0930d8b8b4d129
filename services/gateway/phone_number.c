#include "services/gateway/phone_number.h"

#include <stddef.h>
#include <string.h>

enum { DIGITS_MIN = 7, DIGITS_MAX = 15 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* text is what follows the plus. */
static bool parse_digits(const char *text, char out[PHONE_NUMBER_BYTES])
{
    char digits[DIGITS_MAX + 1];
    size_t n = 0;
    if (text[0] < '1' || text[0] > '9') return false;
    for (const char *c = text; *c; c++) {
        if (strchr(" .-()", *c)) continue;
        if (!is_digit(*c) || n == DIGITS_MAX) return false;
        digits[n++] = *c;
    }
    if (n < DIGITS_MIN) return false;
    digits[n] = '\0';
    out[0] = '+';
    memcpy(out + 1, digits, n + 1);
    return true;
}

bool phone_number_parse(const char *text, char out[PHONE_NUMBER_BYTES])
{
    return text[0] == '+' && parse_digits(text + 1, out);
}

bool phone_number_lookup(const char *text, char out[PHONE_NUMBER_BYTES])
{
    if (strcmp(text, "anonymous") == 0) {
        memcpy(out, "anonymous", sizeof "anonymous");
        return true;
    }
    while (*text == ' ') text++;
    return phone_number_parse(text, out) || parse_digits(text, out);
}

bool call_id_valid(const char *text)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (strlen(text) != sizeof form - 1) return false;
    for (size_t i = 0; i < sizeof form - 1; i++) {
        bool hex = is_digit(text[i]) || (text[i] >= 'a' && text[i] <= 'f') ||
                   (text[i] >= 'A' && text[i] <= 'F');
        if (form[i] == 'x' ? !hex : text[i] != '-') return false;
    }
    return true;
}
