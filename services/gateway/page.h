/* page.h - what all HTML pages share: head, bar, foot, and the words for a record's values.
 *
 * Everything that comes from outside goes through text_html, text_url or page_markdown; nothing
 * else may put a variable into a page.
 *
 * Threads: any; pure.
 */
#ifndef GATEWAY_PAGE_H
#define GATEWAY_PAGE_H

#include <stdbool.h>

#include "services/gateway/text.h"

/* title is escaped. live: the page keeps itself up to date (assets/live.js). */
void page_open(text_t *out, const char *title, bool live);
void page_close(text_t *out);

/* The error page's content. */
void page_error(text_t *out, int status, const char *title, const char *detail);

/* Markdown to HTML by cmark; raw HTML and unsafe links in it are dropped. */
void page_markdown(text_t *out, const char *markdown);

/* "first_seen" becomes "First seen". Escaped. */
void page_label(text_t *out, const char *name);

/* <a href="tel:...">, or the text alone when it is no number. */
void page_number(text_t *out, const char *number);

/* Headers every page is sent with, each with its CRLF. sockets: may open WebSockets. */
void page_headers(text_t *out, bool sockets);

#endif
