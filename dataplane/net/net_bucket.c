/*
 * A token bucket kept as one time: that at which it will be full again. Each token moves it on by
 * the time that a token takes to come; none is left when it is a burst ahead of now.
 */
#include "dataplane/net/net_bucket.h"

#include "base/clock.h"

bool net_bucket_take(struct net_bucket *b, const struct net_bucket_rate *rate, uint64_t now_ns)
{
    uint64_t token_ns = NS_PER_S / rate->per_s;
    uint64_t full_at = b->full_at_ns > now_ns ? b->full_at_ns : now_ns;

    if (full_at + token_ns > now_ns + rate->burst * token_ns)
        return false;
    b->full_at_ns = full_at + token_ns;
    return true;
}
