#include "services/telephony/identity.h"

#include <string.h>
#include <strings.h>

enum { DIGITS_MIN = 7, DIGITS_MAX = 15 };

bool identity_is_number(const char *text)
{
    if (text[0] != '+' || text[1] < '1' || text[1] > '9') return false;
    size_t digits = strspn(text + 1, "0123456789");
    return digits >= DIGITS_MIN && digits <= DIGITS_MAX && text[1 + digits] == '\0';
}

bool identity_from_user(const char *user, size_t bytes, char out[IDENTITY_BYTES])
{
    out[0] = '\0';
    char text[IDENTITY_BYTES] = "";
    size_t used = 0;
    if (bytes >= 3 && strncasecmp(user, "%2b", 3) == 0) {
        text[used++] = '+';
        user += 3;
        bytes -= 3;
    }
    for (size_t i = 0; i < bytes && user[i] != ';' && user[i] != ':'; i++) {
        if (used + 1 >= sizeof(text)) return false;
        text[used++] = user[i];
    }
    if (!identity_is_number(text)) return false;
    memcpy(out, text, sizeof(text));
    return true;
}

/* Behind a quoted display name, which may hold anything. */
static const char *skip_name(const char *at, const char *end)
{
    if (at == end || *at != '"') return at;
    for (at++; at < end && *at != '"'; at++) {
        if (*at == '\\' && at + 1 < end) at++;
    }
    return at;
}

bool identity_from_header(const char *value, size_t bytes, char out[IDENTITY_BYTES])
{
    out[0] = '\0';
    const char *end = value + bytes;
    const char *address = skip_name(value, end);
    const char *uri = memchr(address, '<', (size_t)(end - address));
    uri = uri ? uri + 1 : value;
    size_t left = (size_t)(end - uri);
    static const char *const schemes[] = {"sip:", "sips:", "tel:"};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
        size_t length = strlen(schemes[i]);
        if (left < length || strncasecmp(uri, schemes[i], length) != 0) continue;
        const char *user = uri + length;
        size_t user_bytes = 0;
        while (user + user_bytes < end && !strchr("@>;", user[user_bytes])) user_bytes++;
        return identity_from_user(user, user_bytes, out);
    }
    return false;
}
