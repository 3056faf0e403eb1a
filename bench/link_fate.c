/* See link_fate.h. A frame takes the same number of draws whatever the configuration says. */
#include "bench/link_fate.h"

#define MILLION 1000000

void link_fate_init(struct link_fate *f, const struct link_fate_config *config, uint64_t seed)
{
    *f = (struct link_fate){ .config = *config };
    rng_seed(&f->rng, seed);
}

static bool chance(struct link_fate *f, uint32_t ppm)
{
    return rng_below(&f->rng, MILLION) < ppm;
}

static bool burst_next(struct link_fate *f)
{
    bool begins = chance(f, f->config.burst_ppm);
    bool ends = chance(f, f->config.burst_end_ppm);

    f->in_burst = f->in_burst ? !ends : begins;
    return f->in_burst;
}

struct link_fate_verdict link_fate_next(struct link_fate *f)
{
    bool in_burst = burst_next(f);
    bool lost = chance(f, f->config.loss_ppm);
    bool late = chance(f, f->config.reorder_ppm);
    uint64_t late_draw = rng_next(&f->rng);
    struct link_fate_verdict v = { .lost = lost || in_burst };

    v.twice = chance(f, f->config.duplicate_ppm);
    v.corrupt = chance(f, f->config.corrupt_ppm);
    v.bit = rng_next(&f->rng);
    if (late && f->config.late_ns > 0)
        v.late_ns = 1 + late_draw % f->config.late_ns;
    return v;
}
