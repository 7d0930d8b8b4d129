/* up.h - parley up: the system, kept up until Ctrl-C; parley check: is its configuration right? */
#ifndef PARLEY_UP_H
#define PARLEY_UP_H

#include "tools/parley/options.h"

int up_run(const options_t *options);    /* returns the exit status */
int check_run(const options_t *options); /* the same */

#endif
