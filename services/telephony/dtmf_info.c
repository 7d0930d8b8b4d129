#include "services/telephony/dtmf_info.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TEXT_BYTES = 128, DURATION_MAX_MS = 60000 };

/* "5", "*", "10"; blanks around it do not count. */
static bool read_key(const char *text, char *out)
{
    static const char keys[] = "0123456789*#ABCD"; /* in the order of their numbers */
    text += strspn(text, " \t");
    size_t length = strcspn(text, " \t");
    if (text[length + strspn(text + length, " \t")] != '\0') return false;
    if (length == 1) {
        char key = *text >= 'a' && *text <= 'd' ? (char)(*text - 'a' + 'A') : *text;
        *out = key;
        return strchr(keys, key) != NULL;
    }
    if (length != 2 || text[0] != '1' || text[1] < '0' || text[1] > '5') return false;
    *out = keys[10 + text[1] - '0'];
    return true;
}

/* What stands behind "name =", NULL when the line is another. */
static const char *value_of(const char *line, const char *name)
{
    line += strspn(line, " \t");
    size_t length = strlen(name);
    if (strncasecmp(line, name, length) != 0) return NULL;
    line += length;
    line += strspn(line, " \t");
    return *line == '=' ? line + 1 : NULL;
}

static uint32_t read_duration(const char *text)
{
    unsigned long ms = strtoul(text, NULL, 10);
    return ms > DURATION_MAX_MS ? DURATION_MAX_MS : (uint32_t)ms;
}

bool dtmf_info_parse(const char *body, size_t bytes, dtmf_info_t *out)
{
    char text[TEXT_BYTES];
    if (bytes >= sizeof text || memchr(body, '\0', bytes)) return false;
    memcpy(text, body, bytes);
    text[bytes] = '\0';
    dtmf_info_t found = {'\0', 0};
    bool any = false;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
        const char *signal = value_of(line, "Signal");
        const char *duration = value_of(line, "Duration");
        if (duration) {
            found.duration_ms = read_duration(duration);
        } else if (signal || !any) {
            if (any || !read_key(signal ? signal : line, &found.digit)) return false;
            any = true;
        }
    }
    if (!any) return false;
    *out = found;
    return true;
}
