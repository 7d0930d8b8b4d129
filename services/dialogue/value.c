#include "services/dialogue/value.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "services/dialogue/nlu/civil.h"
#include "services/dialogue/nlu/email.h"
#include "services/dialogue/nlu/phone.h"

const char *value_type_name(Pl__ClaimType type)
{
    switch (type) {
    case PL__CLAIM_TYPE__TEXT:
        return "text";
    case PL__CLAIM_TYPE__DATETIME:
        return "datetime";
    case PL__CLAIM_TYPE__PHONE_NUMBER:
        return "phone_number";
    case PL__CLAIM_TYPE__EMAIL:
        return "email";
    case _PL__CLAIM_TYPE_IS_INT_SIZE:
        break;
    }
    return "unknown";
}

/* Length of the UTF-8 character at s, 0 when it is none. Source: RFC 3629, section 4. */
static size_t utf8_length(const unsigned char *s)
{
    size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xC2 && s[0] < 0xE0 ? 2 : (s[0] & 0xF0) == 0xE0 ? 3 : 0;
    if (s[0] >= 0xF0 && s[0] <= 0xF4) n = 4;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80) return 0;
    }
    if (s[0] == 0xE0 && s[1] < 0xA0) return 0;
    if (s[0] == 0xED && s[1] >= 0xA0) return 0;
    if (s[0] == 0xF0 && s[1] < 0x90) return 0;
    if (s[0] == 0xF4 && s[1] >= 0x90) return 0;
    return n;
}

bool value_is_plain(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    while (*s) {
        size_t n = utf8_length(s);
        if (n == 0 || (*s < 0x20 && *s != '\n' && *s != '\t') || *s == 0x7F) return false;
        s += n;
    }
    return true;
}

char *value_scrub(char *text)
{
    unsigned char *s = (unsigned char *)text;
    while (*s) {
        size_t n = utf8_length(s);
        if (n == 0 || (*s < 0x20 && *s != '\n' && *s != '\t') || *s == 0x7F) {
            *s = '?';
            n = 1;
        }
        s += n;
    }
    return text;
}

char *value_copy(char *out, size_t bytes, const char *text)
{
    size_t n = strlen(text);
    if (n >= bytes) {
        n = bytes - 1;
        while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80) n--;
    }
    memmove(out, text, n);
    out[n] = '\0';
    return out;
}

static bool trim(const char *text, char *out, size_t bytes)
{
    while (isspace((unsigned char)*text)) text++;
    size_t n = strlen(text);
    while (n && isspace((unsigned char)text[n - 1])) n--;
    if (n + 1 > bytes) return false;
    memcpy(out, text, n);
    out[n] = '\0';
    return true;
}

static bool check_phone(const char *text, char *out)
{
    char plain[PHONE_BYTES];
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        if (strchr(" -.()", *p)) continue;
        if (n + 1 >= sizeof plain) return false;
        plain[n++] = *p;
    }
    plain[n] = '\0';
    if (!phone_valid(plain)) return false;
    memcpy(out, plain, n + 1);
    return true;
}

static bool check_moment(const char *text, char *out)
{
    civil_t at;
    bool timed = false;
    if (!civil_parse(text, &at, &timed)) return false;
    char iso[CIVIL_ISO_BYTES];
    civil_iso(&at, timed, iso);
    memcpy(out, iso, strlen(iso) + 1);
    return true;
}

pl_err_t value_check(Pl__ClaimType type, const char *text, char out[VALUE_BYTES],
                     const char **reason)
{
    char trimmed[VALUE_BYTES];
    if (!value_is_plain(text)) {
        *reason = "not plain text";
        return PL_INVALID;
    }
    if (!trim(text, trimmed, sizeof trimmed)) {
        *reason = "longer than 2047 bytes";
        return PL_INVALID;
    }
    if (!trimmed[0]) {
        *reason = "empty";
        return PL_INVALID;
    }
    switch (type) {
    case PL__CLAIM_TYPE__DATETIME:
        if (check_moment(trimmed, out)) return PL_OK;
        *reason = "not a date like 2026-11-21 or 2026-11-21T09:00:00";
        return PL_INVALID;
    case PL__CLAIM_TYPE__PHONE_NUMBER:
        if (check_phone(trimmed, out)) return PL_OK;
        *reason = "not a phone number in E.164, like +33612345678";
        return PL_INVALID;
    case PL__CLAIM_TYPE__EMAIL:
        if (!email_valid(trimmed)) {
            *reason = "not an e-mail address";
            return PL_INVALID;
        }
        for (char *p = trimmed; *p; p++) *p = (char)tolower((unsigned char)*p);
        memcpy(out, trimmed, strlen(trimmed) + 1);
        return PL_OK;
    case PL__CLAIM_TYPE__TEXT:
        memcpy(out, trimmed, strlen(trimmed) + 1);
        return PL_OK;
    case _PL__CLAIM_TYPE_IS_INT_SIZE:
        break;
    }
    *reason = "of an unknown type";
    return PL_INVALID;
}
