/*
 * Domains of internationalised mail as DNS has them (RFC 6531, 3.3; RFC 5890): U-labels to A-labels
 * by UTS #46, non-transitional, with libidn2. It takes memory and some microseconds: only what is
 * not ASCII is asked about.
 */
#ifndef POSTERN_BASE_IDNA_H
#define POSTERN_BASE_IDNA_H

#include "base/limits.h"
#include "base/span.h"

#define IDNA_BYTES (LIMIT_DOMAIN_BYTES + 1)

/* UTF-8 without NUL to NUL-ended A-labels, in lower case. False: DNS has no name like this, or
 * memory is short. */
bool idna_to_ascii(struct span domain, char out[IDNA_BYTES]);

#endif
