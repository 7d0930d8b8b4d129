/* plain.h - a model's sentence without its markup: no stars, headings, tags, links or bullets.
 *
 * Threads: none. Pure.
 */
#ifndef PL_SPEECH_PLAIN_H
#define PL_SPEECH_PLAIN_H

char *plain_text(const char *text); /* malloc'd, never NULL */

#endif
