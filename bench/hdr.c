/* See hdr.h. Values below 64 have a bucket each; it cannot fail. */
#include <math.h>
#include <string.h>

#include "bench/hdr.h"

#define STEPS (1U << HDR_STEP_BITS)

void hdr_init(struct hdr *h)
{
    memset(h, 0, sizeof(*h));
    h->least = UINT64_MAX;
}

/* The octave above the exact part, then the step within it. */
static unsigned index_of(uint64_t value)
{
    unsigned shift;

    if (value < STEPS)
        return (unsigned)value;
    shift = 63 - (unsigned)__builtin_clzll(value) - HDR_STEP_BITS;
    return ((shift + 1) << HDR_STEP_BITS) + (unsigned)((value >> shift) - STEPS);
}

/* The largest value of a bucket. */
static uint64_t top_of(unsigned index)
{
    unsigned shift;

    if (index < STEPS)
        return index;
    shift = (index >> HDR_STEP_BITS) - 1;
    return ((((uint64_t)index & (STEPS - 1)) + STEPS) << shift) + ((1ULL << shift) - 1);
}

void hdr_record(struct hdr *h, uint64_t value)
{
    h->count++;
    h->bucket[index_of(value)]++;
    h->least = value < h->least ? value : h->least;
    h->most = value > h->most ? value : h->most;
}

uint64_t hdr_percentile(const struct hdr *h, double percent)
{
    uint64_t want = (uint64_t)ceil(percent * (double)h->count / 100);
    uint64_t seen = 0;

    if (h->count == 0)
        return 0;
    want = want == 0 ? 1 : want;
    for (unsigned i = 0; i < HDR_BUCKETS; i++) {
        seen += h->bucket[i];
        if (seen >= want)
            return top_of(i) < h->most ? top_of(i) : h->most;
    }
    return h->most;
}
