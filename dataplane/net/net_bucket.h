/* A token bucket: `burst` at once, `per_s` in the long run. Zeroed, it is full. Pure. */
#ifndef POSTERN_NET_BUCKET_H
#define POSTERN_NET_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct net_bucket {
    uint64_t full_at_ns; /* when it will be full again */
};

struct net_bucket_rate {
    uint32_t per_s;
    uint32_t burst;
};

/* One token; false: there is none now. */
bool net_bucket_take(struct net_bucket *b, const struct net_bucket_rate *rate, uint64_t now_ns);

#endif
