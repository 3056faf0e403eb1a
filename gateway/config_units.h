/*
 * Numbers with units as the configuration file has them. Pure and strict: digits, at most one
 * letter, nothing else.
 */
#ifndef POSTERN_CONFIG_UNITS_H
#define POSTERN_CONFIG_UNITS_H

#include "gateway/config_key.h"

enum config_units {
    CONFIG_UNITS_NONE,
    CONFIG_UNITS_BYTES,   /* "64M" with k, M, G, T: powers of 1024 */
    CONFIG_UNITS_SECONDS, /* "90" or "90s", "15m", "2h", "1d" */
};

enum config_units config_units_of(enum config_kind kind);
/* False when `text` is no such number, or over 64 bits. */
bool config_units_parse(enum config_units units, const char *text, uint64_t *out);
/* "500/1h": so much in so long; "": no limit, all zero. False also for a window of over 31 days. */
bool config_units_parse_rate(enum config_units units, const char *text, struct quota_rate *out);
/* As config_units_parse_rate reads it; false when there is no room. */
bool config_units_print_rate(enum config_units units, struct quota_rate rate, struct buf *out);
/* With the largest unit that loses nothing; false when there is no room. */
bool config_units_print(enum config_units units, uint64_t value, struct buf *out);

#endif
