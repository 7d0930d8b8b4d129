/* demo.h - parley demo: the whole system, one call to a simulated customer, and what came of it. */
#ifndef PARLEY_DEMO_H
#define PARLEY_DEMO_H

#include "tools/parley/options.h"

int demo_run(options_t *options); /* adds settings of its own; returns the exit status */

#endif
