#include "services/gateway/page.h"

#include <cmark.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "services/gateway/phone_number.h"

void page_open(text_t *out, const char *title, bool live)
{
    text_add(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    text_html(out, title);
    text_add(out, " · Parley</title>\n<link rel=\"icon\" href=\"/assets/icon.svg\">\n"
                  "<link rel=\"stylesheet\" href=\"/assets/parley.css\">\n");
    if (live) text_add(out, "<script type=\"module\" src=\"/assets/live.js\"></script>\n");
    text_add(out,
             "</head>\n<body>\n<header class=\"bar\"><div class=\"bar-in\">"
             "<a class=\"brand\" href=\"/\"><img src=\"/assets/icon.svg\" alt=\"\" width=\"26\""
             " height=\"26\">Parley</a><nav><a href=\"/report\">Reports</a>"
             "<a href=\"/phone\">Phone</a></nav></div></header>\n<main id=\"main\">\n");
}

void page_close(text_t *out)
{
    text_add(out, "</main>\n<footer>Parley <span>");
    text_html(out, pl_version());
    text_add(out, "</span></footer>\n</body>\n</html>\n");
}

void page_error(text_t *out, int status, const char *title, const char *detail)
{
    page_open(out, title, false);
    text_fmt(out, "<section class=\"notice\"><p class=\"notice-code\">%d</p><h1>", status);
    text_html(out, title);
    text_add(out, "</h1>");
    if (detail && detail[0]) {
        text_add(out, "<p>");
        text_html(out, detail);
        text_add(out, "</p>");
    }
    text_add(out, "<p><a class=\"button\" href=\"/report\">All reports</a></p></section>\n");
    page_close(out);
}

void page_markdown(text_t *out, const char *markdown)
{
    char *html = cmark_markdown_to_html(markdown, strlen(markdown),
                                        CMARK_OPT_SAFE | CMARK_OPT_VALIDATE_UTF8);
    text_add(out, html);
    free(html);
}

void page_label(text_t *out, const char *name)
{
    char *label = strdup(name);
    if (!label) abort();
    for (char *c = label; *c; c++) {
        if (*c == '_') *c = ' ';
    }
    if ((unsigned char)label[0] < 0x80) label[0] = (char)toupper((unsigned char)label[0]);
    text_html(out, label);
    free(label);
}

void page_number(text_t *out, const char *number)
{
    char e164[PHONE_NUMBER_BYTES];
    if (phone_number_parse(number, e164)) {
        text_fmt(out, "<a href=\"tel:%s\">%s</a>", e164, e164);
    } else {
        text_html(out, number);
    }
}

void page_headers(text_t *out, bool sockets)
{
    text_add(out, "Content-Security-Policy: default-src 'none'; script-src 'self'; "
                  "style-src 'self'; img-src 'self' data:; media-src 'self'; ");
    text_fmt(out, "connect-src 'self'%s; ", sockets ? " ws: wss:" : "");
    text_add(out, "form-action 'self'; base-uri 'none'; frame-ancestors 'none'\r\n"
                  "X-Frame-Options: DENY\r\nCross-Origin-Opener-Policy: same-origin\r\n");
    text_fmt(out, "Permissions-Policy: microphone=(%s), camera=(), geolocation=()\r\n",
             sockets ? "self" : "");
}
