/*
 * What a load is made of: how large the next message is, and when it is meant to start. Pure.
 */
#ifndef POSTERN_BENCH_PLAN_H
#define POSTERN_BENCH_PLAN_H

#include <stdbool.h>

#include "base/rng.h"

#define PLAN_SIZES_MAX 16
/* A header line or two must fit; and nobody's server takes more than a few hundred MB. */
#define PLAN_BYTES_MIN 512
#define PLAN_BYTES_MAX (1024ULL * 1024 * 1024)

/* Sizes that are drawn alike: logarithms evenly, so that each octave of a wide range has its share.
 */
struct plan_class {
    uint64_t least; /* bytes */
    uint64_t most;
    uint64_t weight;
};

struct plan_sizes {
    struct plan_class classes[PLAN_SIZES_MAX];
    unsigned count;
    uint64_t total; /* of the weights */
};

/* "4K", a range "1K-16K", either with a weight, "1K:70,20K-60K:25,1M:5", or "corpus". False with a
 * sentence on standard error. */
bool plan_sizes_parse(struct plan_sizes *p, const char *text);
uint64_t plan_size(const struct plan_sizes *p, struct rng *rng);

/* When messages are meant to start, at a mean rate. */
struct plan_arrivals {
    double per_s;
    bool constant; /* evenly apart; otherwise a Poisson process */
    double next_ns;
};

/* The first is at start_ns. */
void plan_arrivals_init(struct plan_arrivals *a, double per_s, bool constant, uint64_t start_ns);
/* True: one was due at *intended_ns, at or before now. */
bool plan_arrival(struct plan_arrivals *a, struct rng *rng, uint64_t now_ns, uint64_t *intended_ns);
uint64_t plan_arrival_next_ns(const struct plan_arrivals *a);

#endif
