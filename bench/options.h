/*
 * What the subcommands share: numbers of the command line, the core, the file of results.
 */
#ifndef POSTERN_BENCH_OPTIONS_H
#define POSTERN_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { OPTIONS_EXIT_USAGE = 2 };

/* A decimal number from least to most; K and M multiply by 1024. False with a sentence on standard
 * error. */
bool options_number(const char *text, uint64_t least, uint64_t most, uint64_t *out);
/* A decimal number from 0 to most, as 0.1. False with a sentence on standard error. */
bool options_decimal(const char *text, double most, double *out);
/* Binds the thread to a core; below 0: leaves it. False with a sentence on standard error. */
bool options_pin(int core);
/* NULL stays NULL. False with a sentence on standard error. */
bool options_open_output(const char *path, FILE **out);
/* False: what was written did not all arrive; the sentence is on standard error. */
bool options_close_output(const char *path, FILE *f);

#endif
