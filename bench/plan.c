/* See plan.h. Happy path: parse once, draw for each message. Only the parser can refuse. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "bench/options.h"
#include "bench/plan.h"

/*
 * "corpus": sizes of mail as people had it, in shares of 10,000 by octaves; of freebsd-net, October
 * 2002 (msg00203), as J. Buchner gives it in "Modelling realistic email traffic - email size
 * distribution" (August 2009), with its least size. The median is 4 KB, the mean 52 KB.
 */
static const struct plan_class corpus[] = {
    { 900, 2047, 2353 },      { 2048, 4095, 2564 },      { 4096, 8191, 1843 },
    { 8192, 16383, 1198 },    { 16384, 32767, 578 },     { 32768, 65535, 511 },
    { 65536, 131071, 283 },   { 131072, 262143, 244 },   { 262144, 524287, 150 },
    { 524288, 1048575, 125 }, { 1048576, 2097151, 147 }, { 2097152, 4194303, 4 },
};

static bool add_class(struct plan_sizes *p, const struct plan_class *c)
{
    if (p->count == PLAN_SIZES_MAX) {
        fprintf(stderr, "postern-bench: more than %d sizes\n", PLAN_SIZES_MAX);
        return false;
    }
    p->classes[p->count++] = *c;
    p->total += c->weight;
    return true;
}

static bool add_item(struct plan_sizes *p, char *item)
{
    char *weight = strchr(item, ':');
    char *most = strchr(item, '-');
    struct plan_class c = { .weight = 1 };

    if (weight != NULL) {
        *weight = 0;
        if (!options_number(weight + 1, 1, 1000000, &c.weight))
            return false;
    }
    if (most != NULL)
        *most++ = 0;
    if (!options_number(item, PLAN_BYTES_MIN, PLAN_BYTES_MAX, &c.least))
        return false;
    c.most = c.least;
    if (most != NULL && !options_number(most, c.least, PLAN_BYTES_MAX, &c.most))
        return false;
    return add_class(p, &c);
}

static bool take_corpus(struct plan_sizes *p)
{
    for (unsigned i = 0; i < sizeof(corpus) / sizeof(corpus[0]); i++)
        if (!add_class(p, &corpus[i]))
            return false;
    return true;
}

bool plan_sizes_parse(struct plan_sizes *p, const char *text)
{
    char copy[256];
    char *rest = copy;
    char *item;

    p->count = 0;
    p->total = 0;
    if (strcmp(text, "corpus") == 0)
        return take_corpus(p);
    if (strlen(text) >= sizeof(copy)) {
        fprintf(stderr, "postern-bench: the list of sizes is too long\n");
        return false;
    }
    memcpy(copy, text, strlen(text) + 1);
    while ((item = strsep(&rest, ",")) != NULL)
        if (!add_item(p, item))
            return false;
    return true;
}

/* In [0, 1). */
static double fraction(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

uint64_t plan_size(const struct plan_sizes *p, struct rng *rng)
{
    uint64_t draw = rng_below(rng, p->total);
    unsigned i = 0;

    const struct plan_class *c;

    while (draw >= p->classes[i].weight)
        draw -= p->classes[i++].weight;
    c = &p->classes[i];
    if (c->least == c->most)
        return c->least;
    /* one past the last, so that it is drawn too */
    return (uint64_t)((double)c->least *
                      pow((double)(c->most + 1) / (double)c->least, fraction(rng)));
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
        gap *= -log(1 - fraction(rng));
    a->next_ns += gap;
    return true;
}

uint64_t plan_arrival_next_ns(const struct plan_arrivals *a)
{
    return (uint64_t)a->next_ns;
}
