/* body.h - the file with the JSON of POST /call.
 *
 * Threads: none; blocks on the file.
 */
#ifndef CALLSIM_BODY_H
#define CALLSIM_BODY_H

/* Its text, to be freed; NULL after a complaint: unreadable, over 1 MiB, or not a JSON object. */
char *body_read(const char *file);

#endif
