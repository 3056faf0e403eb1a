/* See plan.h. Happy path: parse once, draw for each message. Only the parser can refuse. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "bench/options.h"
#include "bench/plan.h"

static bool add_size(struct plan_sizes *p, char *item)
{
    char *weight = strchr(item, ':');
    uint64_t n = 1;

    if (p->count == PLAN_SIZES_MAX) {
        fprintf(stderr, "postern-bench: more than %d sizes\n", PLAN_SIZES_MAX);
        return false;
    }
    if (weight != NULL) {
        *weight = 0;
        if (!options_number(weight + 1, 1, 1000000, &n))
            return false;
    }
    if (!options_number(item, PLAN_BYTES_MIN, PLAN_BYTES_MAX, &p->bytes[p->count]))
        return false;
    p->weight[p->count++] = n;
    p->total += n;
    return true;
}

bool plan_sizes_parse(struct plan_sizes *p, const char *text)
{
    char copy[256];
    char *rest = copy;
    char *item;

    p->count = 0;
    p->total = 0;
    if (strlen(text) >= sizeof(copy)) {
        fprintf(stderr, "postern-bench: the list of sizes is too long\n");
        return false;
    }
    memcpy(copy, text, strlen(text) + 1);
    while ((item = strsep(&rest, ",")) != NULL)
        if (!add_size(p, item))
            return false;
    return true;
}

uint64_t plan_size(const struct plan_sizes *p, struct rng *rng)
{
    uint64_t draw = rng_below(rng, p->total);
    unsigned i = 0;

    while (draw >= p->weight[i])
        draw -= p->weight[i++];
    return p->bytes[i];
}

void plan_arrivals_init(struct plan_arrivals *a, double per_s, bool constant, uint64_t start_ns)
{
    a->per_s = per_s;
    a->constant = constant;
    a->next_ns = (double)start_ns;
}

bool plan_arrival(struct plan_arrivals *a, struct rng *rng, uint64_t now_ns, uint64_t *intended_ns)
{
    double gap = (double)NS_PER_S / a->per_s;

    if (a->next_ns > (double)now_ns)
        return false;
    *intended_ns = (uint64_t)a->next_ns;
    if (!a->constant) /* 1 - u lies in (0, 1]: its logarithm is finite */
        gap *= -log(1 - (double)(rng_next(rng) >> 11) * 0x1p-53);
    a->next_ns += gap;
    return true;
}

uint64_t plan_arrival_next_ns(const struct plan_arrivals *a)
{
    return (uint64_t)a->next_ns;
}
