/* The estimator of RFC 6298, section 2, in integers: SRTT and RTTVAR as Van Jacobson gave them. */
#include "dataplane/tcp/tcp_rtt.h"

#include "base/assert.h"

#define BACKOFF_MAX 16

void tcp_rtt_init(struct tcp_rtt *r)
{
    *r = (struct tcp_rtt){ .rto_us = TCP_RTT_RTO_FIRST_US };
}

void tcp_rtt_sample(struct tcp_rtt *r, uint32_t rtt_us)
{
    uint32_t delta;
    uint32_t var;

    if (rtt_us == 0)
        rtt_us = 1;
    if (rtt_us > TCP_RTT_RTO_MAX_US)
        rtt_us = TCP_RTT_RTO_MAX_US;
    if (r->srtt_us == 0) {
        r->srtt_us = rtt_us;
        r->rttvar_us = rtt_us / 2;
    } else {
        delta = r->srtt_us > rtt_us ? r->srtt_us - rtt_us : rtt_us - r->srtt_us;
        r->rttvar_us = (uint32_t)((3ULL * r->rttvar_us + delta) / 4);
        r->srtt_us = (uint32_t)((7ULL * r->srtt_us + rtt_us) / 8);
        if (r->srtt_us == 0)
            r->srtt_us = 1;
    }
    var = 4 * r->rttvar_us;
    if (var < TCP_RTT_VAR_MIN_US)
        var = TCP_RTT_VAR_MIN_US;
    r->rto_us = r->srtt_us + var;
    r->backoff = 0;
    ASSERT(r->rto_us >= TCP_RTT_VAR_MIN_US);
}

void tcp_rtt_back_off(struct tcp_rtt *r)
{
    if (r->backoff < BACKOFF_MAX)
        r->backoff++;
}

void tcp_rtt_syn_was_lost(struct tcp_rtt *r)
{
    r->backoff = 0;
    if (r->srtt_us == 0)
        r->rto_us = TCP_RTT_RTO_AGAIN_US;
}

uint32_t tcp_rtt_rto_us(const struct tcp_rtt *r)
{
    uint64_t rto = (uint64_t)r->rto_us << r->backoff;

    ASSERT(r->backoff <= BACKOFF_MAX);
    return rto > TCP_RTT_RTO_MAX_US ? TCP_RTT_RTO_MAX_US : (uint32_t)rto;
}
