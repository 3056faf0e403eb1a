/*
 * A whole file in memory, for the two that are read at start: configuration and users.
 */
#ifndef POSTERN_SLURP_H
#define POSTERN_SLURP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* Reads a regular file of at most `most` bytes. False: "path: what is wrong" and a newline are
 * added to *errors. */
bool slurp_file(const char *path, uint32_t most, struct span *out, struct buf *errors);
/* Wipes (it may have held hashes) and frees. */
void slurp_free(struct span text);

#endif
