#include "services/dialogue/model/style.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

static const struct {
    Pl__Style style;
    const char *name, *marker;
} styles[] = {{PL__STYLE__NONE, "none", ""},
              {PL__STYLE__CHEERFUL, "cheerful", "[style=cheerful]"},
              {PL__STYLE__SAD, "sad", "[style=sad]"}};

enum { STYLES = sizeof styles / sizeof styles[0], WORD_MAX = 40 };

static const char openers[] = "[({";
static const char closers[] = "])}";

const char *style_name(Pl__Style style)
{
    for (size_t i = 0; i < STYLES; i++) {
        if (styles[i].style == style) return styles[i].name;
    }
    return styles[0].name;
}

static bool find_n(const char *name, size_t n, Pl__Style *out)
{
    for (size_t i = 0; i < STYLES; i++) {
        if (strlen(styles[i].name) != n || strncasecmp(styles[i].name, name, n) != 0) continue;
        *out = styles[i].style;
        return true;
    }
    return false;
}

bool style_find(const char *name, Pl__Style *out)
{
    return find_n(name, strlen(name), out);
}

const char *style_marker(Pl__Style style)
{
    for (size_t i = 0; i < STYLES; i++) {
        if (styles[i].style == style) return styles[i].marker;
    }
    return "";
}

/* What stands at a place of the text. */
typedef struct {
    size_t bytes; /* 0: no marker */
    bool styled;  /* it names a style we have */
    Pl__Style style;
} marker_t;

static size_t spaces(const char *at)
{
    return strspn(at, " \t");
}

static size_t word(const char *at)
{
    size_t n = 0;
    while (n < WORD_MAX && (isalnum((unsigned char)at[n]) || strchr("_-", at[n]))) {
        if (at[n] == '\0') break;
        n++;
    }
    return n;
}

/* "style=sad", "action=talk", "content="; in brackets also with ":", and with quotes. */
static size_t label(const char *at, bool bracketed, marker_t *out)
{
    static const char *const labels[] = {"style", "action", "content"};
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        size_t n = strlen(labels[i]);
        if (strncasecmp(at, labels[i], n) != 0) continue;
        size_t sign = n + (bracketed ? spaces(at + n) : 0);
        if (at[sign] != '=' && !(bracketed && at[sign] == ':')) continue;
        size_t value = sign + 1;
        if (i == 2) return value; /* the content itself is to be said */
        if (bracketed) value += spaces(at + value);
        size_t quote = at[value] == '"' || at[value] == '\'' ? 1 : 0;
        size_t len = word(at + value + quote);
        if (i == 0) out->styled = find_n(at + value + quote, len, &out->style);
        value += quote + len;
        if (quote && at[value] && strchr("\"'", at[value])) value++;
        return value;
    }
    return 0;
}

/* At an opening bracket. */
static marker_t bracketed_marker(const char *at)
{
    marker_t out = {0};
    const char *kind = strchr(openers, *at);
    size_t n = 1 + spaces(at + 1);
    size_t len = label(at + n, true, &out);
    if (len == 0 && *at == '[') { /* "[cheerful]" */
        len = word(at + n);
        out.styled = find_n(at + n, len, &out.style);
        if (!out.styled) return (marker_t){0};
        n += len;
        n += spaces(at + n);
        if (at[n] != ']') return (marker_t){0};
        out.bytes = n + 1;
        return out;
    }
    if (len == 0) return (marker_t){0};
    n += len;
    n += spaces(at + n);
    if (at[n] == closers[kind - openers]) n++;
    out.bytes = n;
    return out;
}

/* "[sty" at the very end: the rest never came. */
static bool broken_off(const char *at)
{
    static const char whole[] = "[style=";
    size_t n = strlen(at);
    return n < sizeof whole && strncasecmp(at, whole, n) == 0;
}

static marker_t marker_at(const char *text, size_t i)
{
    const char *at = text + i;
    marker_t out = {0};
    if (*at == '[' && broken_off(at)) {
        out.bytes = strlen(at);
    } else if (strchr(openers, *at)) {
        out = bracketed_marker(at);
    } else if (i == 0 || !(isalnum((unsigned char)text[i - 1]) || text[i - 1] == '_')) {
        out.bytes = label(at, false, &out);
    }
    return out;
}

/* Takes out what is a marker now; false when nothing was. */
static bool take_once(char *text, Pl__Style *style, Pl__Style *now)
{
    size_t n = 0;
    bool found = false;
    for (size_t i = 0; text[i];) {
        marker_t marker = marker_at(text, i);
        if (marker.bytes == 0) {
            text[n++] = text[i++];
            continue;
        }
        found = true;
        if (marker.styled) *now = marker.style;
        if (marker.styled && n == 0) *style = *now;
        i += marker.bytes;
        i += spaces(text + i);
        if (n == 0) continue;
        /* One space is left where the marker stood between words. */
        bool space = text[n - 1] == ' ';
        bool mark = text[i] && strchr(".,;:!?", text[i]);
        if (space && (mark || !text[i])) n--;
        if (!space && text[i] && !mark) text[n++] = ' ';
    }
    text[n] = '\0';
    return found;
}

void style_take(char *text, Pl__Style *style, Pl__Style *after)
{
    Pl__Style now = *style;
    /* A marker within a marker leaves one behind; each round makes the text shorter. */
    while (take_once(text, style, &now)) continue;
    *after = now;
}
