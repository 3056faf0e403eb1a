/*
 * What becomes of the n-th frame on a bad link: passes, is lost, comes late, twice or broken. Pure:
 * it depends on the seed, the numbers here and n, not on the time; and each fault has draws of its
 * own, so that the same frames are lost whether others are late or not.
 */
#ifndef POSTERN_BENCH_LINK_FATE_H
#define POSTERN_BENCH_LINK_FATE_H

#include <stdbool.h>

#include "base/rng.h"

/* Shares are parts per million of frames. */
struct link_fate_config {
    uint32_t loss_ppm; /* independent of each other */
    /* In bursts (Gilbert): each frame begins a bad time with the first, ends it with the second;
     * in a bad time every frame is lost. */
    uint32_t burst_ppm;
    uint32_t burst_end_ppm;
    uint32_t reorder_ppm;
    uint64_t late_ns; /* a reordered frame is late by 1 to so much */
    uint32_t duplicate_ppm;
    uint32_t corrupt_ppm;
};

struct link_fate {
    struct link_fate_config config;
    struct rng rng;
    bool in_burst;
};

struct link_fate_verdict {
    bool lost;
    bool twice;
    bool corrupt;
    uint64_t late_ns; /* 0: in its turn */
    uint64_t bit;     /* to be flipped, modulo the frame's length */
};

void link_fate_init(struct link_fate *f, const struct link_fate_config *config, uint64_t seed);
struct link_fate_verdict link_fate_next(struct link_fate *f);

#endif
