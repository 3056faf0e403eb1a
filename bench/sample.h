/*
 * Repeated readings of one figure: median, smallest and largest, never the mean, which one
 * neighbour's compiler run would spoil.
 */
#ifndef POSTERN_BENCH_SAMPLE_H
#define POSTERN_BENCH_SAMPLE_H

#include <stdbool.h>
#include <stdio.h>

/* Readings of one figure: a campaign has tens. */
#define SAMPLE_MAX 1000

struct sample {
    double value[SAMPLE_MAX];
    unsigned count;
};

/* False: it is full, and the reading was not taken. */
bool sample_add(struct sample *s, double value);
/* Of at least one reading; sorts them. Of an even number: the mean of the two in the middle. */
double sample_median(struct sample *s);
double sample_min(const struct sample *s);
double sample_max(const struct sample *s);
/*
 * A line of results: name, unit, median, smallest, largest and number of readings, with tabs
 * between. That is what `postern-bench report` reads.
 */
void sample_write(struct sample *s, FILE *to, const char *name, const char *unit);

#endif
