/*
 * A histogram of times with a known relative error (after Gil Tene's HdrHistogram): 64 steps in
 * each power of two, so a percentile is right to 1.6 %, over the whole range of 64 bits, in fixed
 * memory.
 */
#ifndef POSTERN_BENCH_HDR_H
#define POSTERN_BENCH_HDR_H

#include <stdint.h>

#define HDR_STEP_BITS 6
#define HDR_BUCKETS   ((64 - HDR_STEP_BITS + 1) << HDR_STEP_BITS)

struct hdr {
    uint64_t count;
    uint64_t least;
    uint64_t most;
    uint64_t bucket[HDR_BUCKETS];
};

void hdr_init(struct hdr *h);
void hdr_record(struct hdr *h, uint64_t value);
/* The least value that `percent` of all are at or below, rounded up to its step; 0 when empty. */
uint64_t hdr_percentile(const struct hdr *h, double percent);

#endif
