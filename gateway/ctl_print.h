/*
 * A JSON document as a table for people. Objects are lines "name value", lists of objects are
 * tables with a column for each name; so a new command needs nothing here. Pure.
 */
#ifndef POSTERN_CTL_PRINT_H
#define POSTERN_CTL_PRINT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/span.h"

/* False: `text` is no document, or one with deeper lists than ours have. */
bool ctl_print(struct span text, FILE *out);

#endif
