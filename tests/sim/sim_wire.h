/*
 * A bad wire between two NICs in virtual time: delay, jitter, loss, reordering, duplication,
 * corruption, a rate and a queue. Everything is drawn from one seed, so that a run can be replayed.
 */
#ifndef POSTERN_TESTS_SIM_WIRE_H
#define POSTERN_TESTS_SIM_WIRE_H

#include "base/clock.h"
#include "base/nic.h"
#include "base/rng.h"

struct sim_wire_config {
    uint64_t delay_ns;    /* one way */
    uint64_t jitter_ns;   /* added evenly; by itself does not reorder */
    uint64_t rate_bps;    /* bits a second each way; 0: no limit */
    uint32_t queue_max;   /* frames waiting for the rate; past it dropped; 0: no limit */
    uint32_t lose_ppm;    /* parts per million of frames */
    uint32_t reorder_ppm; /* held back by up to three delays */
    uint32_t double_ppm;
    uint32_t corrupt_ppm; /* one bit flipped behind the Ethernet header */
};

struct sim_wire;

struct sim_wire *sim_wire_create(const struct sim_wire_config *config, const struct clock *clock,
                                 struct rng *rng);
/* Drops what is under way. Segments that the owners hold must be home. */
void sim_wire_destroy(struct sim_wire *w);
/* End 0 or 1; each has a pool of its own. */
struct nic *sim_wire_nic(struct sim_wire *w, unsigned end);
/* When the next frame arrives somewhere; UINT64_MAX: none is under way. */
uint64_t sim_wire_next_ns(const struct sim_wire *w);
/* From now on nothing passes (the host is dead), or passes again. */
void sim_wire_cut(struct sim_wire *w, bool cut);
/* Frames handed in, lost, corrupted. */
struct sim_wire_stats {
    uint64_t sent;
    uint64_t lost;
    uint64_t corrupted;
};
void sim_wire_stats(const struct sim_wire *w, struct sim_wire_stats *out);

#endif
