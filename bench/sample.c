/* See sample.h. Happy path: add, add, ..., median. It does not fail but by being full. */
#include <stdlib.h>

#include "base/assert.h"
#include "bench/sample.h"

bool sample_add(struct sample *s, double value)
{
    if (s->count == SAMPLE_MAX)
        return false;
    s->value[s->count++] = value;
    return true;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

double sample_median(struct sample *s)
{
    unsigned half = s->count / 2;

    ASSERT(s->count > 0);
    qsort(s->value, s->count, sizeof(s->value[0]), compare);
    return s->count % 2 == 1 ? s->value[half] : (s->value[half - 1] + s->value[half]) / 2;
}

double sample_min(const struct sample *s)
{
    double least = s->value[0];

    ASSERT(s->count > 0);
    for (unsigned i = 1; i < s->count; i++)
        least = s->value[i] < least ? s->value[i] : least;
    return least;
}

double sample_max(const struct sample *s)
{
    double most = s->value[0];

    ASSERT(s->count > 0);
    for (unsigned i = 1; i < s->count; i++)
        most = s->value[i] > most ? s->value[i] : most;
    return most;
}

void sample_write(struct sample *s, FILE *to, const char *name, const char *unit)
{
    fprintf(to, "%s\t%s\t%.6g\t%.6g\t%.6g\t%u\n", name, unit, sample_median(s), sample_min(s),
            sample_max(s), s->count);
}
